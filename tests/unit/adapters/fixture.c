/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

void fixture_prepare(struct fixture *f, pvs_u32 caps)
{
	unsigned i;

	memset(f, 0, sizeof(*f));
	f->null.now_ns = START_NS;
	f->null.timer_granularity_ns = 50 * US;
	for (i = 0; i < VCPUS; i++)
		f->nulls[i].null = &f->null;
	f->region = aligned_alloc(4096, pvs_host_region_size(VCPUS));
	assert_non_null(f->region);
	memset(f->region, 0xa5, pvs_host_region_size(VCPUS));
	f->header = f->region;
	f->slots = (struct pvs_slot *)(void *)((unsigned char *)f->region + PVS_HEADER_SIZE);
	f->args = (struct pvs_host_args){
		.ops = &pvs_null_ops,
		.ctx = &f->null,
		.config = &f->config,
		.region = f->region,
		.vcpus = f->vcpus,
		.slot_count = VCPUS,
		.caps = caps,
		.generation = GENERATION,
		.kick_kind = PVS_KICK_PIO,
		.kick_addr = 0x510,
	};
}

void fixture_start(struct fixture *f)
{
	assert_int_equal(pvs_host_init(&f->host, &f->args), PVS_OK);
}

void fixture_init(struct fixture *f, pvs_u32 caps)
{
	unsigned i;

	fixture_prepare(f, caps);
	fixture_start(f);
	guest_accept(f, f->header->features_offered & ~PVS_F_SPLIT_WORDS);
	for (i = 0; i < VCPUS; i++) {
		guest_online(f, i);
		assert_int_equal(pvs_host_attach(&f->host, i, &f->nulls[i], 100 + i), PVS_OK);
		assert_int_equal(poll_vcpu(f, i), PVS_OK);
	}
	assert_int_equal(f->header->status, PVS_STATUS_ACTIVE);
}

void fixture_free(struct fixture *f)
{
	free(f->region);
	f->region = NULL;
}

void guest_accept(struct fixture *f, pvs_u64 features)
{
	f->header->guest_major = PVS_ABI_MAJOR;
	f->header->guest_minor = PVS_ABI_MINOR;
	f->header->guest_generation = f->header->generation;
	f->header->features_accepted = features;
	f->header->guest_command = PVS_CMD_ACCEPT;
}

void guest_reset(struct fixture *f)
{
	f->header->guest_command = PVS_CMD_RESET;
}

void guest_online(struct fixture *f, unsigned index)
{
	f->slots[index].life = PVS_LIFE_ONLINE |
			       ((pvs_u64)f->header->generation << PVS_LIFE_GEN_SHIFT);
}

void guest_says_word(struct fixture *f, unsigned index, pvs_u64 intent)
{
	f->seq++;
	f->slots[index].intent = intent | PVS_PUT(f->seq, PVS_INTENT_SEQ_SHIFT,
						  PVS_INTENT_SEQ_BITS);
}

void guest_says(struct fixture *f, unsigned index, pvs_u32 urgency)
{
	guest_says_word(f, index, PVS_PUT(urgency, PVS_INTENT_CLASS_SHIFT,
					  PVS_INTENT_CLASS_BITS));
}

void runs(struct fixture *f, unsigned index, pvs_u64 ns)
{
	f->null.now_ns += ns;
	f->nulls[index].run_ns += ns;
}

void sleeps(struct fixture *f, pvs_u64 ns)
{
	f->null.now_ns += ns;
}

int poll_vcpu(struct fixture *f, unsigned index)
{
	return pvs_host_event(&f->host, index, PVS_EV_POLL, 0);
}

int kick_vcpu(struct fixture *f, unsigned index)
{
	return pvs_host_event(&f->host, index, PVS_EV_KICK, 0);
}

void boost_vcpu(struct fixture *f, unsigned index)
{
	sleeps(f, 20 * MS);
	guest_says(f, index, PVS_URGENCY_REALTIME);
	assert_int_equal(kick_vcpu(f, index), PVS_OK);
	assert_int_equal(f->nulls[index].klass, PVS_CLASS_TASK);
}
