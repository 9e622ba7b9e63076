/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yield_scan.h - what KVM's directed yield and the two published series on top of it share: what is
 * known of each vCPU, the round over all vCPUs, and the tracking of IPIs.
 */
#ifndef SIM_YIELD_SCAN_H
#define SIM_YIELD_SCAN_H

#include "sim.h"

#define YIELD_NO_VCPU 0xffffu

/* A vCPU as KVM sees it (virt/kvm/kvm_main.c of 7.3), and its IPIs as seed 004 tracks them. */
struct yield_vcpu {
	uint8_t ready;       /* runnable and without a CPU */
	uint8_t preempted;   /* ... because it lost it, not because it was woken */
	uint8_t kernel;      /* ... in its kernel */
	uint8_t in_spin;     /* it yielded when it spun, and has not run since */
	uint8_t eligible;    /* a spinner is taken every second time: this one's next is one */
	uint8_t ipi_pending; /* its last IPI has not been answered */
	uint8_t ipi_vector;
	uint16_t ipi_to;     /* who got its last IPI */
	uint16_t ipi_from;   /* who sent it its last one */
	uint64_t ipi_at_ns;
};

/*
 * A VM: vm->yielder. KVM sees that an interrupt is pending only where hardware delivers it (APICv,
 * param kvm.apicv); where it does, KVM sees no IPIs and EOIs.
 */
struct yield_vm {
	uint8_t apicv;
	uint8_t fixed; /* v2.fixed */
	uint32_t last_boosted;
	uint64_t asked, found, receivers, interrupts, preempted, relaxed;
	struct yield_vcpu vcpu[SIM_VCPUS_MAX];
};

struct yield_vm *yield_vm_of(const struct sim_vm *vm);
void yield_vm_up(struct sim *sim, struct sim_vm *vm);
void yield_note(struct sim *sim, struct sim_vcpu *v, enum sim_yield_note what, uint32_t arg);
/* Rows yield.* of the result. */
void yield_report(struct sim *sim);

/* What a candidate is taken for. */
enum yield_rank { YIELD_NOT, YIELD_PREEMPTED, YIELD_INTERRUPT, YIELD_RECEIVER };

/* One round from behind the last one that was boosted: the first candidate or, best_first, the
 * first of the highest rank. NULL: there is none. */
struct sim_vcpu *yield_round(struct sim *sim, struct sim_vcpu *from, int kernel, int best_first,
			     enum yield_rank (*rank)(struct sim *sim, struct sim_vcpu *from,
						     struct sim_vcpu *to, int kernel));
/* The vCPU is chosen by `from`. */
struct sim_vcpu *yield_chosen(struct sim_vcpu *from, struct sim_vcpu *to);

/* Seed 004: an IPI was accepted by one vCPU; whether it waits for an answer; it is answered (by any
 * EOI, or only by that of its vector). */
void yield_ipi_sent(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to, uint32_t vector);
int yield_ipi_waits(const struct sim *sim, const struct sim_vcpu *from, const struct sim_vcpu *to);
void yield_ipi_eoi(struct sim *sim, struct sim_vcpu *v, uint32_t vector, int matched);
/* Its strict round: IPI receivers, pending interrupts, preempted in the kernel if asked so; and its
 * relaxed one: whoever was preempted. */
enum yield_rank yield_ipi_rank(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to,
			       int kernel);
struct sim_vcpu *yield_ipi_choose(struct sim *sim, struct sim_vcpu *from, int kernel,
				  int best_first);

#endif /* SIM_YIELD_SCAN_H */
