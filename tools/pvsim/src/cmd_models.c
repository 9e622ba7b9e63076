// SPDX-License-Identifier: BSD-2-Clause
/* cmd_models.c - `pvsim models`: what there is, what it leaves out, what can be turned. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "params.h"
#include "role.h"
#include "sched.h"
#include "units.h"

#define COLUMNS 96

/* Text in lines that fit, each after so many spaces. */
static void print_wrapped(const char *text, int indent)
{
	int column = 0;

	while (*text) {
		int length = (int)strcspn(text, " ");

		if (column && column + 1 + length > COLUMNS - indent) {
			putchar('\n');
			column = 0;
		}
		column += column ? printf(" %.*s", length, text)
				 : printf("%*s%.*s", indent, "", length, text) - indent;
		text += length;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_model(const char *kind, const char *name, const char *what,
			const char *leaves_out)
{
	printf("  %s %s\n", kind, name);
	print_wrapped(what ? what : "", 6);
	if (leaves_out && *leaves_out) {
		printf("      leaves out:\n");
		print_wrapped(leaves_out, 8);
	}
}

static void print_policies(void)
{
	const struct sim_policy *p;
	uint32_t i;

	printf("POLICIES (--policy, runs:)\n");
	for (i = 0; (p = sim_policy_at(i)); i++) {
		printf("  %-13s %s\n", p->name, p->what);
		printf("  %-13s = scheduler %s, role %s, yielder %s\n", "", p->sched->name,
		       p->role->name, p->yielder->name);
	}
}

/* Each model once, however many policies have it. */
static void print_models(void)
{
	const struct sim_policy *p, *before;
	uint32_t i, n;

	printf("\nMODELS\n");
	for (i = 0; (p = sim_policy_at(i)); i++) {
		int sched = 1, role = 1, yielder = 1;

		for (n = 0; n < i; n++) {
			before = sim_policy_at(n);
			sched = sched && before->sched != p->sched;
			role = role && before->role != p->role;
			yielder = yielder && before->yielder != p->yielder;
		}
		if (sched)
			print_model("scheduler", p->sched->name, p->sched->what,
				    p->sched->leaves_out);
		if (role)
			print_model("role", p->role->name, p->role->what, p->role->leaves_out);
		if (yielder)
			print_model("yielder", p->yielder->name, p->yielder->what,
				    p->yielder->leaves_out);
	}
}

static void print_params(void)
{
	char value[SIM_UNIT_TEXT], low[SIM_UNIT_TEXT], high[SIM_UNIT_TEXT];
	const struct sim_param_type *p;
	size_t i;

	printf("\nPARAMETERS (params:)\n");
	for (i = 0; (p = sim_param_type_at(i)); i++) {
		if (p->unit == SIM_PARAM_TIME)
			printf("  %-24s %s (%s to %s)\n", p->name,
			       sim_duration_text(p->otherwise, value),
			       sim_duration_text(p->min, low), sim_duration_text(p->max, high));
		else if (p->unit == SIM_PARAM_SWITCH)
			printf("  %-24s %s (yes, no)\n", p->name, p->otherwise ? "yes" : "no");
		else
			printf("  %-24s %" PRIu64 " (%" PRIu64 " to %" PRIu64 ")\n", p->name,
			       p->otherwise, p->min, p->max);
		print_wrapped(p->what, 6);
	}
}

static void print_config(void)
{
	const struct sim_config_type *c;
	struct pvs_config config;
	size_t i;

	if (pvs_config_profile(PVS_PROFILE_DEFAULT, &config) != 0)
		return;
	printf("\nCONFIG OF LIBPVSCHED (config:; pvs/config.h has ranges and sources)\n");
	for (i = 0; (c = sim_config_type_at(i)); i++)
		printf("  %-24s %u\n", c->name,
		       *(const pvs_u32 *)(const void *)((const char *)&config + c->offset));
}

int cmd_models(int argc, char **argv)
{
	static const struct cmd_option options[] = {{.name = NULL}};
	static const struct cmd cmd = {
		.name = "models",
		.args = "",
		.what = "Lists policies, the models they are made of with what these leave out,\n"
			"the parameters of models and the fields of libpvsched's config.",
		.options = options,
	};
	struct cmd_list files;
	int parsed = cmd_parse(&cmd, argc, argv, &files);

	if (parsed)
		return parsed > 0 ? CMD_GREEN : CMD_USAGE;
	print_policies();
	print_models();
	print_params();
	print_config();
	return CMD_GREEN;
}
