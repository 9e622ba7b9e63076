/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host with two vCPUs on the null adapter, and the guest's side of its region.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pvs/null.h>

#define US 1000ull
#define MS (1000 * US)
#define VCPUS 2u
#define GENERATION 7u
#define START_NS (1000 * MS)
#define CAPS_USER (PVS_CAP_CAN_KICK | PVS_CAP_SEES_WAIT)

struct fixture {
	struct pvs_null null;
	struct pvs_null_vcpu nulls[VCPUS];
	struct pvs_config config;
	struct pvs_host_args args;
	struct pvs_host host;
	struct pvs_host_vcpu vcpus[VCPUS];
	void *region;
	struct pvs_region_header *header;
	struct pvs_slot *slots;
	unsigned seq;
};

/* The arguments, ready for pvs_host_init(); change them, then fixture_start(). */
void fixture_prepare(struct fixture *f, pvs_u32 caps);
void fixture_start(struct fixture *f);
/* All of it: both vCPUs attached, the guest accepted and online, nobody says anything. */
void fixture_init(struct fixture *f, pvs_u32 caps);
void fixture_free(struct fixture *f);

/* The guest. */
void guest_accept(struct fixture *f, pvs_u64 features);
void guest_reset(struct fixture *f);
void guest_online(struct fixture *f, unsigned index);
void guest_says(struct fixture *f, unsigned index, pvs_u32 urgency);
void guest_says_word(struct fixture *f, unsigned index, pvs_u64 intent);

/* Time passes; vCPU `index` runs all of it. */
void runs(struct fixture *f, unsigned index, pvs_u64 ns);
void sleeps(struct fixture *f, pvs_u64 ns);

int poll_vcpu(struct fixture *f, unsigned index);
int kick_vcpu(struct fixture *f, unsigned index);
/* Says "real-time" and kicks: the vCPU is boosted, or the test fails. */
void boost_vcpu(struct fixture *f, unsigned index);

#endif
