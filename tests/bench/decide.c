/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays vectors (tests/conformance/replay) and says of each pvs_decide() what kind of decision it
 * was; bench.py has callgrind count the instructions of each, in the same order.
 *
 *	bench_decide FILE...
 *
 * One line for each call: event, class before, class after, reason, throttle, and 1 when the guest
 * has said something since the last look.
 */
#include <stdio.h>
#include <string.h>

#include "../conformance/replay/replay.h"

#define STATEMENT_BYTES 4u /* sequence, critical, interrupt and pending bits: pvs/validate.h */

/* What the replayer is built to call instead of pvs_step(). */
void bench_step(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
		struct pvs_slot *slot, struct pvs_io *io);

/* The same four stages: what stands alone can be counted alone. */
void bench_step(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
		struct pvs_slot *slot, struct pvs_io *io)
{
	const struct pvs_decision *d = &io->decision;
	pvs_u32 before = v->klass;
	int said;

	pvs_snapshot(slot, &io->snap);
	pvs_validate(&io->snap, &vm->terms, &v->hint, &io->hint);
	said = memcmp(&v->hint, &io->hint, STATEMENT_BYTES) != 0;
	pvs_decide(v, vm, cfg, io);
	pvs_publish_status(v, vm, cfg, slot);
	printf("%u %u %u %u %u %d\n", io->event.type, before, d->klass, d->reason, d->throttle,
	       said);
}

static int replay_file(struct pvs_replay *replay, const char *path)
{
	char line[2 * REPLAY_LINE_MAX];
	FILE *f = fopen(path, "r");
	int rc = 0;

	if (!f)
		return -1;
	while (!rc && fgets(line, sizeof(line), f))
		rc = pvs_replay_line(replay, line, (pvs_u32)strlen(line));
	fclose(f);
	return rc;
}

int main(int argc, char **argv)
{
	static struct pvs_replay replay;
	int i;

	pvs_replay_init(&replay);
	for (i = 1; i < argc; i++)
		if (replay_file(&replay, argv[i])) {
			fprintf(stderr, "bench_decide: %s: not there, or not as expected\n",
				argv[i]);
			return 1;
		}
	return 0;
}
