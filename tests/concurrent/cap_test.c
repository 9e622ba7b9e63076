/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs of one VM that run into the VM's cap at the same time.
 */
#include "threads.h"

#include <string.h>

#define VCPUS 4u
#define STEPS ROUNDS(1000000u)
#define STEP_NS (20 * US)
/* Nobody decides by a time that is older than this, or the cap takes it for a clock set back. */
#define LAG_MAX (20 * MS / STEP_NS)

struct vm {
	struct pvs_config cfg;
	struct pvs_vm vm;
	struct crew crew;
	atomic_ullong now_ns; /* one clock for all */
	atomic_uint capped;   /* decisions denied by the cap */
	atomic_uint next;     /* the number of the next vCPU */
	atomic_uint step[VCPUS]; /* how far each is */
	atomic_ullong boosted_ns;
};

static void wait_for_the_slowest(struct vm *vm, unsigned int me, unsigned int step)
{
	unsigned int i;

	atomic_store(&vm->step[me], step);
	for (i = 0; i < VCPUS; i++) {
		while (atomic_load(&vm->step[i]) + LAG_MAX < step)
			sched_yield();
	}
}

/* A vCPU that is urgent whenever it may be, and always runs. */
static void *be_urgent(void *argument)
{
	struct vm *vm = argument;
	unsigned int me = atomic_fetch_add(&vm->next, 1);
	struct pvs_slot slot;
	struct pvs_saved saved;
	struct pvs_vcpu v;
	struct pvs_io io;
	unsigned int i;

	memset(&slot, 0, sizeof(slot));
	memset(&io, 0, sizeof(io));
	pvs_vcpu_init(&v, &vm->cfg);
	slot.life = PVS_LE64(PVS_LIFE_ONLINE |
			     PVS_PUT(vm->vm.terms.generation, PVS_LIFE_GEN_SHIFT, 24));
	io.facts.caps = CAPS_OWNER;
	crew_meet(&vm->crew, VCPUS);
	for (i = 0; i < STEPS; i++) {
		wait_for_the_slowest(vm, me, i);
		slot.intent = PVS_LE64(PVS_PUT(PVS_URGENCY_REALTIME, PVS_INTENT_CLASS_SHIFT, 4) |
				       PVS_PUT(i, PVS_INTENT_SEQ_SHIFT, 8));
		io.event.type = i ? PVS_EV_KICK : PVS_EV_ATTACH;
		io.facts.now_ns = atomic_fetch_add(&vm->now_ns, STEP_NS / VCPUS);
		io.facts.run_ns += STEP_NS;
		pvs_step(&v, &vm->vm, &vm->cfg, &slot, &io);
		if (io.decision.reason == PVS_REASON_VM_CAP)
			atomic_fetch_add(&vm->capped, 1);
	}
	atomic_store(&vm->step[me], STEPS + LAG_MAX);
	pvs_state_save(&v, &saved);
	atomic_fetch_add(&vm->boosted_ns, saved.boosted_ns);
	return NULL;
}

static void cap__holds_for_vcpus_that_hit_it_at_once(void **state)
{
	static struct vm vm;
	struct pvs_choice choice = { PVS_ABI_MAJOR, PVS_ABI_MINOR, 5, 0, PVS_CMD_ACCEPT };
	const unsigned long long begin = 1000 * MS;
	unsigned long long passed;
	unsigned int i;

	(void)state;
	memset(&vm.cfg, 0, sizeof(vm.cfg));
	/* each vCPU alone could be boosted all the time; together half of a CPU */
	vm.cfg.boost_share_q10 = 1024;
	vm.cfg.boost_burst_ns = 100 * MS;
	vm.cfg.grant_max_ns = 100 * MS;
	vm.cfg.raise_min_ns = 1;
	vm.cfg.look_cost_ns = 1;
	vm.cfg.vm_quantum_ns = 10 * US; /* taken anew with each step */
	pvs_config_resolve(&vm.cfg);
	assert_int_equal(pvs_config_check(&vm.cfg, NULL), PVS_OK);
	pvs_vm_init(&vm.vm, CAPS_OWNER, 5, VCPUS);
	choice.features = vm.vm.features_offered & ~PVS_F_SPLIT_WORDS;
	assert_int_equal(pvs_vm_negotiate(&vm.vm, &choice), 1);
	atomic_store(&vm.now_ns, begin);
	for (i = 0; i < VCPUS; i++)
		crew_start(&vm.crew, be_urgent, &vm);
	crew_join(&vm.crew);

	passed = atomic_load(&vm.now_ns) - begin;
	assert_true(atomic_load(&vm.capped) > 0);
	/* the share of the time, the burst, and what each may run beyond its quantum */
	assert_true(atomic_load(&vm.boosted_ns) <= passed * vm.cfg.vm_share_q10 / 1024 +
		    vm.cfg.vm_burst_ns + VCPUS * (vm.cfg.vm_quantum_ns + 2 * STEP_NS));
	/* and it is a cap, not a ban */
	assert_true(atomic_load(&vm.boosted_ns) >= passed * vm.cfg.vm_share_q10 / 1024 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cap__holds_for_vcpus_that_hit_it_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
