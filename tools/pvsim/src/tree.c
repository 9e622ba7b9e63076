// SPDX-License-Identifier: BSD-2-Clause
/* tree.c - libyaml's events made a tree, with lines. */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#define DEPTH_MAX 16u    /* a scenario needs 7 */
#define NODES_MAX 200000u
#define WORD_MAX 48u     /* of words whose nearest name is looked for */

/* ---- errors -----------------------------------------------------------------------------------*/

static void errors_append(struct sim_errors *e, const char *format, va_list args)
{
	va_list again;
	int need;

	va_copy(again, args);
	need = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (need < 0)
		return;
	if (e->length + (size_t)need + 1 > e->room) {
		size_t room = 2 * e->room + (size_t)need + 256;
		char *text = realloc(e->text, room);

		if (!text)
			return;
		e->text = text;
		e->room = room;
	}
	vsnprintf(e->text + e->length, e->room - e->length, format, args);
	e->length += (size_t)need;
}

static void errors_printf(struct sim_errors *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void errors_printf(struct sim_errors *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	errors_append(e, format, args);
	va_end(args);
}

static void error_v(struct sim_errors *e, const char *origin, uint32_t line, const char *format,
		    va_list args)
{
	e->count++;
	if (e->count > SIM_ERRORS_MAX)
		return;
	if (line)
		errors_printf(e, "%s:%u: ", origin, line);
	else
		errors_printf(e, "%s: ", origin);
	errors_append(e, format, args);
	errors_printf(e, "\n");
}

void sim_error_at(struct sim_errors *e, const char *origin, uint32_t line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_v(e, origin, line, format, args);
	va_end(args);
}

void sim_error(struct sim_errors *e, const struct sim_node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_v(e, node->origin, node->line, format, args);
	va_end(args);
}

/* ---- the tree ---------------------------------------------------------------------------------*/

struct loader {
	yaml_parser_t parser;
	const char *origin;
	struct sim_errors *errors;
	uint32_t nodes;
};

void sim_tree_free(struct sim_node *node)
{
	struct sim_node *child, *next;

	if (!node)
		return;
	for (child = node->first; child; child = next) {
		next = child->next;
		sim_tree_free(child);
	}
	free(node->key);
	free(node->text);
	free(node);
}

struct sim_node *sim_tree_get(const struct sim_node *map, const char *key)
{
	struct sim_node *child;

	if (!map || map->kind != SIM_NODE_MAP)
		return NULL;
	for (child = map->first; child; child = child->next)
		if (!strcmp(child->key, key))
			return child;
	return NULL;
}

static void add_child(struct sim_node *parent, struct sim_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

static struct sim_node *new_node(enum sim_node_kind kind, const char *origin, uint32_t line)
{
	struct sim_node *node = calloc(1, sizeof(*node));

	if (node) {
		node->kind = kind;
		node->origin = origin;
		node->line = line;
	}
	return node;
}

static uint32_t line_of(const yaml_mark_t *mark)
{
	return (uint32_t)mark->line + 1;
}

static int next_event(struct loader *l, yaml_event_t *event)
{
	const char *problem;

	if (yaml_parser_parse(&l->parser, event))
		return 0;
	problem = l->parser.problem ? l->parser.problem : "cannot be read";
	sim_error_at(l->errors, l->origin, line_of(&l->parser.problem_mark), "not YAML: %s%s%s",
		     problem, l->parser.context ? ", " : "",
		     l->parser.context ? l->parser.context : "");
	return -1;
}

static struct sim_node *load(struct loader *l, const yaml_event_t *event, uint32_t depth);

/* The scalar of an event, as text of its own; NULL after an error. */
static char *scalar_text(struct loader *l, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	char *text;

	if (strlen(value) != event->data.scalar.length) {
		sim_error_at(l->errors, l->origin, line_of(&event->start_mark),
			     "a zero byte, expected text");
		return NULL;
	}
	text = strdup(value);
	return text;
}

/* One pair of a map: `event` is its key. 0, or -1 after an error. */
static int load_pair(struct loader *l, struct sim_node *map, const yaml_event_t *event,
		     uint32_t depth)
{
	uint32_t line = line_of(&event->start_mark);
	struct sim_node *child;
	yaml_event_t value;
	char *key;

	if (event->type != YAML_SCALAR_EVENT) {
		sim_error_at(l->errors, l->origin, line, "a key that is not text, expected a name");
		return -1;
	}
	key = scalar_text(l, event);
	if (!key)
		return -1;
	if (sim_tree_get(map, key)) {
		sim_error_at(l->errors, l->origin, line,
			     "`%s` comes twice, expected it once (first in line %u)", key,
			     sim_tree_get(map, key)->line);
		free(key);
		return -1;
	}
	if (next_event(l, &value) < 0) {
		free(key);
		return -1;
	}
	child = load(l, &value, depth + 1);
	yaml_event_delete(&value);
	if (!child) {
		free(key);
		return -1;
	}
	child->key = key;
	if (child->kind != SIM_NODE_SCALAR)
		child->line = line;
	add_child(map, child);
	return 0;
}

static int load_children(struct loader *l, struct sim_node *node, uint32_t depth)
{
	for (;;) {
		yaml_event_t event;
		int failed = 0;

		if (next_event(l, &event) < 0)
			return -1;
		if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		}
		if (node->kind == SIM_NODE_MAP) {
			failed = load_pair(l, node, &event, depth);
		} else {
			struct sim_node *child = load(l, &event, depth + 1);

			if (child)
				add_child(node, child);
			else
				failed = -1;
		}
		yaml_event_delete(&event);
		if (failed)
			return -1;
	}
}

static struct sim_node *load_scalar(struct loader *l, const yaml_event_t *event, uint32_t line)
{
	struct sim_node *node = new_node(SIM_NODE_SCALAR, l->origin, line);

	if (!node)
		return NULL;
	node->text = scalar_text(l, event);
	if (!node->text) {
		sim_tree_free(node);
		return NULL;
	}
	return node;
}

static struct sim_node *load(struct loader *l, const yaml_event_t *event, uint32_t depth)
{
	uint32_t line = line_of(&event->start_mark);
	struct sim_node *node;

	if (depth > DEPTH_MAX || ++l->nodes > NODES_MAX) {
		sim_error_at(l->errors, l->origin, line, "too deep or too large, expected a "
			     "scenario");
		return NULL;
	}
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return load_scalar(l, event, line);
	case YAML_SEQUENCE_START_EVENT:
		node = new_node(SIM_NODE_LIST, l->origin, line);
		break;
	case YAML_MAPPING_START_EVENT:
		node = new_node(SIM_NODE_MAP, l->origin, line);
		break;
	case YAML_ALIAS_EVENT:
		sim_error_at(l->errors, l->origin, line,
			     "an alias (`*name`), expected the value itself");
		return NULL;
	default:
		sim_error_at(l->errors, l->origin, line, "nothing, expected a value");
		return NULL;
	}
	if (node && load_children(l, node, depth) < 0) {
		sim_tree_free(node);
		return NULL;
	}
	return node;
}

/* Stream, document, the one value, and the ends of both. */
static struct sim_node *load_document(struct loader *l)
{
	struct sim_node *root = NULL;
	yaml_event_t event;
	int done = 0;

	while (!done) {
		if (next_event(l, &event) < 0)
			break;
		if (event.type == YAML_STREAM_END_EVENT) {
			done = 1;
		} else if (event.type == YAML_STREAM_START_EVENT ||
			   event.type == YAML_DOCUMENT_END_EVENT ||
			   (event.type == YAML_DOCUMENT_START_EVENT && !root)) {
			; /* nothing is in them */
		} else if (event.type == YAML_DOCUMENT_START_EVENT) {
			sim_error_at(l->errors, l->origin, line_of(&event.start_mark),
				     "a second document, expected one scenario in a file");
			yaml_event_delete(&event);
			break;
		} else {
			root = load(l, &event, 0);
			if (!root) {
				yaml_event_delete(&event);
				break;
			}
		}
		yaml_event_delete(&event);
	}
	if (!done) {
		sim_tree_free(root);
		return NULL;
	}
	return root;
}

struct sim_node *sim_tree_parse(const char *origin, const char *text, size_t size,
				struct sim_errors *e)
{
	struct loader l = {.origin = origin, .errors = e};
	struct sim_node *root;
	uint32_t before = e->count;

	if (!yaml_parser_initialize(&l.parser)) {
		sim_error_at(e, origin, 0, "no memory");
		return NULL;
	}
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, size);
	root = load_document(&l);
	yaml_parser_delete(&l.parser);
	if (!root && e->count == before)
		sim_error_at(e, origin, 1, "an empty file, expected a scenario");
	return root;
}

/* ---- path=value -------------------------------------------------------------------------------*/

static struct sim_node *list_member(struct sim_node *list, const char *name)
{
	struct sim_node *child;
	char *end;
	unsigned long n = strtoul(name, &end, 10);

	for (child = list->first; child; child = child->next) {
		const struct sim_node *given = sim_tree_get(child, "name");

		if (given && given->kind == SIM_NODE_SCALAR && !strcmp(given->text, name))
			return child;
	}
	if (*name && !*end)
		for (child = list->first; child; child = child->next)
			if (n-- == 0)
				return child;
	return NULL;
}

static void replace_child(struct sim_node *parent, struct sim_node *old, struct sim_node *now)
{
	struct sim_node **link = &parent->first;

	now->key = old->key;
	now->next = old->next;
	while (*link != old)
		link = &(*link)->next;
	*link = now;
	if (parent->last == old)
		parent->last = now;
	old->key = NULL;
	old->next = NULL;
	sim_tree_free(old);
}

/* One step down a path; a map's missing child is made, as a map. */
static struct sim_node *step_down(struct sim_node *at, const char *name, const char *set,
				  struct sim_errors *e)
{
	struct sim_node *child = NULL;

	if (at->kind == SIM_NODE_LIST) {
		child = list_member(at, name);
	} else if (at->kind == SIM_NODE_MAP) {
		child = sim_tree_get(at, name);
		if (!child) {
			child = new_node(SIM_NODE_MAP, set, 0);
			if (!child)
				return NULL;
			child->key = strdup(name);
			add_child(at, child);
		}
	}
	if (!child)
		sim_error_at(e, set, 0, "there is no `%s`, expected a key, a name or a number",
			     name);
	return child;
}

static int is_flat(const char *key)
{
	return key && (!strcmp(key, "params") || !strcmp(key, "config") || !strcmp(key, "set") ||
		       !strcmp(key, "figures"));
}

static int set_at(struct sim_node *root, char *path, struct sim_node *value, const char *set,
		  struct sim_errors *e)
{
	struct sim_node *at = root, *child;
	char *name = path, *dot;

	while (!is_flat(at->key) && (dot = strchr(name, '.'))) {
		*dot = '\0';
		at = step_down(at, name, set, e);
		if (!at)
			return -1;
		name = dot + 1;
	}
	child = at->kind == SIM_NODE_SCALAR ? NULL : step_down(at, name, set, e);
	if (!child) {
		if (at->kind == SIM_NODE_SCALAR)
			sim_error_at(e, set, 0, "`%s` is below a plain value", name);
		return -1;
	}
	replace_child(at, child, value);
	return 0;
}

int sim_tree_set(struct sim_node *root, const char *set, struct sim_errors *e)
{
	const char *equals = strchr(set, '=');
	struct sim_node *value;
	char *path;
	int result;

	if (!equals || equals == set) {
		sim_error_at(e, set, 0, "no value, expected path=value");
		return -1;
	}
	value = sim_tree_parse(set, equals + 1, strlen(equals + 1), e);
	if (!value)
		return -1;
	path = strndup(set, (size_t)(equals - set));
	result = path ? set_at(root, path, value, set, e) : -1;
	if (result < 0)
		sim_tree_free(value);
	free(path);
	return result;
}

/* ---- names that were meant --------------------------------------------------------------------*/

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters must be put in, left out or changed to get from one word to the other. */
static uint32_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), i, j;
	uint32_t row[WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return UINT32_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = (uint32_t)j;
	for (i = 1; i <= la; i++) {
		uint32_t diagonal = row[0];

		row[0] = (uint32_t)i;
		for (j = 1; j <= lb; j++) {
			uint32_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

const char *sim_nearest(const char *word, const char *const *names, size_t count)
{
	uint32_t best = (uint32_t)(strlen(word) + 2) / 3 + 1;
	const char *nearest = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		uint32_t d = distance(word, names[i]);

		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}
