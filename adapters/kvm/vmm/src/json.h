/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes JSON to a stream: commas and indentation are kept right, names are the caller's. */
#ifndef VMM_JSON_H
#define VMM_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	unsigned depth;
	bool comma; /* something stands before the next element */
};

/* `name` is NULL for elements of an array. Text must not need escapes; others become '?'. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);
void json_number(struct json *json, const char *name, uint64_t value);
void json_signed(struct json *json, const char *name, int64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_text(struct json *json, const char *name, const char *value);
void json_hex(struct json *json, const char *name, uint64_t value);

#endif /* VMM_JSON_H */
