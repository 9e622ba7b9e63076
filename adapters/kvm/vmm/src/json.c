/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"

#include <inttypes.h>

static void element(struct json *json, const char *name)
{
	if (json->comma)
		fputc(',', json->file);
	if (name && json->depth > 0)
		fprintf(json->file, "\n%*s\"%s\": ", (int)json->depth, "", name);
	json->comma = true;
}

void json_open(struct json *json, const char *name, char bracket)
{
	if (!name && json->depth > 0) {
		if (json->comma)
			fputc(',', json->file);
		if (bracket == '{')
			fprintf(json->file, "\n%*s", (int)json->depth, "");
	} else {
		element(json, name);
	}
	fputc(bracket, json->file);
	json->depth++;
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	fputc(bracket, json->file);
	json->comma = true;
	if (json->depth == 0)
		fputc('\n', json->file);
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	element(json, name);
	fprintf(json->file, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *name, int64_t value)
{
	element(json, name);
	fprintf(json->file, "%" PRId64, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	element(json, name);
	fputs(value ? "true" : "false", json->file);
}

void json_text(struct json *json, const char *name, const char *value)
{
	element(json, name);
	fputc('"', json->file);
	for (; *value; value++) {
		bool plain = *value >= ' ' && *value <= '~' && *value != '"' && *value != '\\';

		fputc(plain ? *value : '?', json->file);
	}
	fputc('"', json->file);
}

void json_hex(struct json *json, const char *name, uint64_t value)
{
	element(json, name);
	fprintf(json->file, "\"0x%" PRIx64 "\"", value);
}
