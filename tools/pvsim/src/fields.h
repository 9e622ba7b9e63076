/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fields.h - the schema of scenarios as tables: one row for each key. The reader checks by them,
 * the writer writes by them, so that what is written reads back.
 */
#ifndef SIM_FIELDS_H
#define SIM_FIELDS_H

#include <stdio.h>

#include "scenario.h"
#include "tree.h"

enum sim_field_type {
	SIM_F_OTHER,    /* a list or map, read by code of its own */
	SIM_F_U64,      /* whole numbers */
	SIM_F_U32,
	SIM_F_U8,
	SIM_F_TIME,     /* a duration in a uint64_t */
	SIM_F_TIME32,   /* ... in a uint32_t */
	SIM_F_TIME_US,  /* ... in microseconds in a uint32_t */
	SIM_F_SIGNED,   /* a duration with a sign in an int64_t */
	SIM_F_DIST,
	SIM_F_NAME,     /* letters, digits, - and _ (min 1: dots) in a char[SIM_NAME] */
	SIM_F_TEXT,     /* a char * */
	SIM_F_CPUS,
	SIM_F_SHARE,    /* a part of 65536 in a uint32_t */
	SIM_F_BOOL,     /* uint8_t */
	SIM_F_ENUM      /* uint8_t: place among `names` */
};

struct sim_field {
	const char *key;
	uint8_t type;
	uint8_t required;
	uint32_t offset;
	uint64_t min, max;     /* of what is stored; max 0 = whatever fits */
	uint64_t otherwise;    /* the default */
	const char *const *names; /* SIM_F_ENUM, ends with NULL */
};

struct sim_fields {
	const char *what;      /* "a task", for messages */
	const struct sim_field *rows;
	size_t count;
};

extern const struct sim_fields sim_fields_scenario, sim_fields_machine, sim_fields_costs,
	sim_fields_cluster, sim_fields_level, sim_fields_task, sim_fields_vm, sim_fields_device,
	sim_fields_fault, sim_fields_run, sim_fields_liar, sim_fields_poll;

/* Words of the schema; they end with NULL. */
extern const char *const sim_urgency_names[];
extern const char *const sim_liar_names[];
extern const char *const sim_fault_names[];
extern const char *const sim_profile_names[];
extern const char *const sim_defect_names[]; /* bit n */

size_t sim_names_count(const char *const *names);

/* What a reader carries along. */
struct sim_reader {
	struct sim_errors errors;
	struct sim_scenario *s;
};

/*
 * Fills in all defaults, then what a map says. Unknown keys, keys that are missing, and values that
 * are not what is expected are errors. Keys of SIM_F_OTHER are left to the caller.
 */
void sim_fields_read(struct sim_reader *r, const struct sim_fields *fields,
		     const struct sim_node *map, void *object);
void sim_fields_default(const struct sim_fields *fields, void *object);
/* One value of a map or list. 1 when it is right. */
int sim_field_read(struct sim_reader *r, const struct sim_field *field, const struct sim_node *node,
		   void *object);
/* Writes those that are not the default, each after `before`. Returns how many. */
uint32_t sim_fields_write(const struct sim_fields *fields, const void *object, FILE *file,
			  const char *first, const char *before);

/* A scalar's text, or NULL and an error that says what is expected. */
const char *sim_scalar(struct sim_reader *r, const struct sim_node *node, const char *want);
/* A whole number in min..max; 1 when it is one. */
int sim_number(struct sim_reader *r, const struct sim_node *node, uint64_t min, uint64_t max,
	       uint64_t *value);
/* The place of a word among names, or -1 and an error with the nearest one. */
int sim_word(struct sim_reader *r, const struct sim_node *node, const char *word,
	     const char *const *names, const char *what);
/* Is it a map (list)? An error if it is neither that nor NULL. */
int sim_is_map(struct sim_reader *r, const struct sim_node *node, const char *what);
int sim_is_list(struct sim_reader *r, const struct sim_node *node, const char *what);
/* A piece of text for YAML, in quotes when it needs them. */
void sim_text_write(FILE *file, const char *text);

/* scenario_tasks.c: `tasks:` and `host-tasks:`. vm: NULL for those of the host. */
void sim_tasks_read(struct sim_reader *r, const struct sim_node *list,
		    const struct sim_vm_spec *vm, struct sim_task_spec **tasks, uint32_t *count);
uint32_t sim_tasks_locks(const struct sim_task_spec *tasks, uint32_t count);
void sim_task_write(FILE *file, const struct sim_task_spec *task, const char *indent);

/* params.c */
void sim_params_read(struct sim_reader *r, const struct sim_node *map,
		     struct sim_param_spec **params, uint32_t *count);
void sim_params_write(FILE *file, const struct sim_param_spec *params, uint32_t count);
void sim_config_read(struct sim_reader *r, const struct sim_node *map);
void sim_config_write(FILE *file, const struct sim_scenario *s, const char *before);

#endif /* SIM_FIELDS_H */
