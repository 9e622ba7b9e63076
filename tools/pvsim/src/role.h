/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * role.h - what the host makes of its guests' hints (a role), and whom a spinning vCPU yields to (a
 * yielder). With sched.h they make a policy: policy.c has the table of names.
 *
 *   none       takes no notice: the baseline
 *   advisory   libpvsched beside a scheduler it does not own: nudges it through the null adapter
 *   owning     libpvsched with the rank scheduler: sees wake-ups, preemptions and injections
 *   central    owning, and another CPU polls the regions
 *   budgets    as pvsched v3 does: two debts, a map of classes
 */
#ifndef SIM_ROLE_H
#define SIM_ROLE_H

#include "machine.h"

struct sim_vm;
struct sim_vcpu;

struct sim_role {
	const char *name;
	const char *what;
	const char *leaves_out;
	int speaks;        /* 1: guests find a region and bind their shim to it */
	void (*init)(struct sim *sim);
	void (*free)(struct sim *sim);
	/* A VM begins, or begins again after a reset or migration: vm->region is set up here (zero
	 * bytes of shared memory when nobody speaks), vm->role is the role's own. */
	void (*vm_up)(struct sim *sim, struct sim_vm *vm);
	void (*vm_down)(struct sim *sim, struct sim_vm *vm);
	/* Something happened to a vCPU: type and arg are PVS_EV_* of pvs/state.h. Machine and guest
	 * tell everything; the role leaves out what its host could not see. Told: ATTACH and DETACH
	 * (hotplug), WAKE, ENQUEUE, PICK, RUN_ENTER and RUN_LEAVE (device emulation in user space),
	 * INJECT, IRQ_WINDOW, IPI, EOI, SPIN, YIELD, KICK, HALT, MIGRATE, TICK, RESET. Of a running
	 * vCPU the run time is settled before. */
	void (*event)(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg);
	/* `v` runs and is about to lose its CPU to a thread of this class (PVS_CLASS_*): how long
	 * it may go on first, ns; 0 = not at all. May be NULL. */
	uint64_t (*defer)(struct sim *sim, struct sim_vcpu *v, uint32_t by_class);
	/* Rows of the result (result.h): decisions by reason and so on. May be NULL. */
	void (*report)(struct sim *sim);
};

extern const struct sim_role sim_role_none;
extern const struct sim_role sim_role_advisory;
extern const struct sim_role sim_role_owning;
extern const struct sim_role sim_role_central;
extern const struct sim_role sim_role_budgets;

/* What a yielder is told of a vCPU. */
enum sim_yield_note {
	SIM_Y_WAITS,  /* runnable and not running; arg = PVS_WAITS_* of pvs/yield.h */
	SIM_Y_RUNS,
	SIM_Y_BLOCKS,
	SIM_Y_INTERRUPT, /* one has become pending */
	SIM_Y_EOI,       /* arg = vector */
	SIM_Y_GONE
};

struct sim_yielder {
	const char *name;
	const char *what;
	const char *leaves_out;
	size_t vm_size;   /* zeroed memory for each VM: vm->yielder */
	void (*vm_up)(struct sim *sim, struct sim_vm *vm);
	void (*note)(struct sim *sim, struct sim_vcpu *v, enum sim_yield_note what, uint32_t arg);
	void (*ipi)(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to, uint32_t vector);
	/* `from` spins or yields: whom to run instead; NULL = nobody, spin on; `from` itself =
	 * nobody in particular. kernel: it spins in its kernel (CPL 0). */
	struct sim_vcpu *(*choose)(struct sim *sim, struct sim_vcpu *from, int kernel);
	/* After the choice: what the yielder gives, before sched->yield_to(). May be NULL. */
	void (*transfer)(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to);
	void (*report)(struct sim *sim);
};

extern const struct sim_yielder sim_yield_none;  /* spins on */
extern const struct sim_yielder sim_yield_plain; /* yields to nobody in particular */
extern const struct sim_yielder sim_yield_kvm;   /* kvm_vcpu_on_spin() of Linux 7.3 */
extern const struct sim_yielder sim_yield_v2;    /* seed 004, v2: penalty, IPI tracking */
extern const struct sim_yielder sim_yield_v3;    /* its v3: credits the target */
extern const struct sim_yielder sim_yield_pvs;   /* libpvsched: pvs/yield.h */

/* A policy: what `--policy` and a scenario name. */
struct sim_policy {
	const char *name;
	const char *what;
	const struct sim_sched *sched;
	const struct sim_role *role;
	const struct sim_yielder *yielder;
	uint32_t flags; /* SIM_POLICY_* */
};

#define SIM_POLICY_STATIC_RT 0x1u /* every vCPU of a VM with `rt:` is SCHED_FIFO for good */
#define SIM_POLICY_POLL_IDLE 0x2u /* halted vCPUs poll before they block, whatever the VM says */

const struct sim_policy *sim_policy_find(const char *name);
const struct sim_policy *sim_policy_at(uint32_t index); /* NULL after the last */

/*
 * machine.c: a running vCPU spins (PVS_EV_SPIN) or yields (PVS_EV_YIELD). Tells the role, asks the
 * yielder, and does the transfer. 1: its body gives the CPU up (SIM_WORK_YIELD); 0: it goes on.
 */
int sim_vcpu_yields(struct sim *sim, struct sim_vcpu *v, uint32_t type, int kernel);

/* ---- defects that can be put back, to see a verdict go red ------------------------------------*/

#define SIM_DEFECT_NO_DEBOOST    0x01u /* a boost ends only with its account */
#define SIM_DEFECT_FREE_BOOST    0x02u /* boosted time is not charged */
#define SIM_DEFECT_SAMPLED       0x04u /* run time is charged to who runs at the tick (credit1) */
#define SIM_DEFECT_NO_STORM      0x08u /* interrupt storms boost without limit */
#define SIM_DEFECT_NO_VM_CAP     0x10u /* colluding vCPUs are not summed */
#define SIM_DEFECT_NO_RATE       0x20u /* hints are looked at as often as they come */
#define SIM_DEFECT_DEAF          0x40u /* hints are not looked at */
#define SIM_DEFECT_NO_RESTORE    0x80u /* detach and reset leave what is applied */
#define SIM_DEFECT_NO_EPOCH      0x100u /* a wait is believed, however old it is */
#define SIM_DEFECT_NO_YIELD      0x200u /* nobody is ever named to yield to */

#endif /* SIM_ROLE_H */
