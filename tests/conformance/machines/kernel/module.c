/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The replayer as a kernel module: everything happens when it is loaded, and the kernel's log has
 * the summary.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "replay.h"

#define OPS_BETWEEN_PAUSES 256u

extern const char pvs_vectors[];
extern const char pvs_vectors_end[];

static unsigned int ops;

void pvs_replay_observe(struct pvs_replay *r)
{
	(void)r;
	if (++ops % OPS_BETWEEN_PAUSES == 0)
		cond_resched();
}

static int __init pvs_replay_load(void)
{
	struct pvs_replay *replay = vzalloc(sizeof(*replay)); /* starts at a page */
	char line[256];

	if (!replay)
		return -ENOMEM;
	pvs_replay_init(replay);
	pvs_replay_text(replay, pvs_vectors, (pvs_u64)(pvs_vectors_end - pvs_vectors));
	pvs_replay_report(replay, line, sizeof(line));
	pr_info("pvs_replay: %s\n", line);
	vfree(replay);
	return 0;
}

static void __exit pvs_replay_unload(void)
{
}

module_init(pvs_replay_load);
module_exit(pvs_replay_unload);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("libpvsched: replays the vectors inside the kernel");
