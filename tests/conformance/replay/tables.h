/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.h - the names of the language: ops, their fields, and what values are called.
 */
#ifndef PVS_REPLAY_TABLES_H
#define PVS_REPLAY_TABLES_H

#include "fields.h"

struct replay_name {
	const char *name;
	pvs_u64 value;
};

/* How a value is written. Each way reads plain numbers too. */
enum replay_type {
	RT_U,    /* unsigned decimal, or a name of the table with exactly this value */
	RT_S,    /* signed decimal */
	RT_X,    /* hexadecimal */
	RT_FLAGS,/* names of bits with '|' between them, "none" for 0 */
	RT_LIST  /* inputs only, first of its op: pairs "a:b,c:d", in the values from 0 on */
};

struct replay_field {
	const char *name;
	const struct replay_name *names; /* ends with a NULL name; may be NULL */
	pvs_u8 type;  /* enum replay_type */
	pvs_u8 to;    /* which value */
	pvs_u8 shift; /* where in the value; several fields may make up one */
	pvs_u8 bits;  /* how wide there, 1..64 */
	pvs_u8 again; /* a second place of the same width in the value, 0 = none */
	pvs_u8 fixed[3];
};

struct replay_kind_info {
	const char *name;
	const struct replay_field *in;  /* ends with a NULL name */
	const struct replay_field *out; /* likewise; index = value of the result */
	const struct replay_name *b_names; /* names of the second index, or NULL */
	pvs_u32 a_max;   /* first index is 0..a_max */
	pvs_u32 b_max;
	pvs_u8 indices;  /* how many indices follow the name: 0, 1 or 2 */
	pvs_u8 side;     /* enum replay_side */
	pvs_u8 kind;
	pvs_u8 reserved;
};

extern const struct replay_kind_info replay_kinds[]; /* ends with a NULL name */

const struct replay_kind_info *replay_kind_of(pvs_u32 kind);

#endif /* PVS_REPLAY_TABLES_H */
