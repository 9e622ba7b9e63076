/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - a YAML file as a small tree with line numbers, and the errors found in it.
 *
 * Every scalar is text. Aliases, tags that ask for a type, several documents and keys that come
 * twice are errors: a scenario says each thing once.
 */
#ifndef SIM_TREE_H
#define SIM_TREE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum sim_node_kind { SIM_NODE_SCALAR, SIM_NODE_LIST, SIM_NODE_MAP };

struct sim_node {
	enum sim_node_kind kind;
	uint32_t line;        /* 1 is the first; 0: it has none (a --set) */
	const char *origin;   /* the file's name, or the --set it is from; not owned */
	char *key;            /* in a map */
	char *text;           /* of a scalar */
	uint32_t count;
	struct sim_node *first, *last; /* of a list or map */
	struct sim_node *next;
};

/* All errors, one a line, as "file:line: what, expected ...". */
struct sim_errors {
	char *text;
	size_t length, room;
	uint32_t count;
};

#define SIM_ERRORS_MAX 20u /* what comes after that is likely to follow from these */

void sim_error_at(struct sim_errors *e, const char *origin, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void sim_error(struct sim_errors *e, const struct sim_node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The document as a tree; NULL after an error. `origin` must outlive the tree. */
struct sim_node *sim_tree_parse(const char *origin, const char *text, size_t size,
				struct sim_errors *e);
void sim_tree_free(struct sim_node *node);

/* The value of a key, NULL if there is none. */
struct sim_node *sim_tree_get(const struct sim_node *map, const char *key);
/*
 * Puts what "path=value" says into the tree: keys are separated by dots, members of a list are
 * named by their `name:` or counted from 0; below `params`, `config` and `set` the rest is one
 * key. 0, or -1 after an error.
 */
int sim_tree_set(struct sim_node *root, const char *set, struct sim_errors *e);

/* The name nearest to `word` of `count` names, NULL when none is near. */
const char *sim_nearest(const char *word, const char *const *names, size_t count);

#endif /* SIM_TREE_H */
