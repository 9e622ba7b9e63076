/* SPDX-License-Identifier: BSD-2-Clause */
/* report_json.c - JSON that may stand inside of a page. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report_json.h"

#define REPLACEMENT "\\ufffd"

/* How many bytes a well-formed UTF-8 character has here; 0 when it is not one. */
static unsigned int utf8_length(const unsigned char *s)
{
	unsigned int length, i;
	uint32_t code;

	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		length = 2;
		code = s[0] & 0x1fu;
	} else if ((s[0] & 0xf0) == 0xe0) {
		length = 3;
		code = s[0] & 0x0fu;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		length = 4;
		code = s[0] & 0x07u;
	} else {
		return 0;
	}
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	/* too long a form, half of a pair, beyond the last */
	if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

static void escape_ascii(FILE *file, unsigned char c)
{
	/* The last five mean something to HTML; a script element ends at its end tag, wherever it
	 * stands. */
	if (c < 0x20 || c == 0x7f || strchr("\"\\<>&'/", c))
		fprintf(file, "\\u%04x", c);
	else
		fputc(c, file);
}

void sim_json_escape(FILE *file, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned int length;

	while (*s) {
		if (*s < 0x80) {
			escape_ascii(file, *s++);
			continue;
		}
		length = utf8_length(s);
		if (!length) {
			fputs(REPLACEMENT, file);
			s++;
			continue;
		}
		fwrite(s, 1, length, file);
		s += length;
	}
}

static void begin(struct sim_json *j, const char *key)
{
	if (j->follows)
		fputc(',', j->file);
	j->follows = 1;
	if (!key)
		return;
	fputc('"', j->file);
	sim_json_escape(j->file, key);
	fputs("\":", j->file);
}

void sim_json_open(struct sim_json *j, const char *key, char kind)
{
	begin(j, key);
	fputc(kind, j->file);
	j->follows = 0;
}

void sim_json_close(struct sim_json *j, char kind)
{
	fputc(kind == '{' ? '}' : ']', j->file);
	j->follows = 1;
}

void sim_json_text(struct sim_json *j, const char *key, const char *text)
{
	begin(j, key);
	if (!text) {
		fputs("null", j->file);
		return;
	}
	fputc('"', j->file);
	sim_json_escape(j->file, text);
	fputc('"', j->file);
}

void sim_json_u64(struct sim_json *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->file, "%" PRIu64, value);
}

void sim_json_i64(struct sim_json *j, const char *key, int64_t value)
{
	begin(j, key);
	fprintf(j->file, "%" PRId64, value);
}

void sim_json_double(struct sim_json *j, const char *key, double value)
{
	begin(j, key);
	if (isfinite(value))
		fprintf(j->file, "%.9g", value);
	else
		fputs("null", j->file);
}

void sim_json_null(struct sim_json *j, const char *key)
{
	begin(j, key);
	fputs("null", j->file);
}
