/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * port.h - the events of an operating system that publish. Copy this directory to os/<name>/, put
 * the calls below where the comments say, and replace os.h. docs/porting.md goes through it.
 *
 * An event whose feature the host does not offer costs a test and stores nothing. Begin with boot,
 * switch and idle: these alone are a useful port.
 */
#ifndef PVS_TEMPLATE_PORT_H
#define PVS_TEMPLATE_PORT_H

#include <pvs/guest.h>

/* What the OS knows of the task it switches to; see port_switch(). */
struct port_task {
	pvs_u8 urgency;  /* PVS_URGENCY_*, from the task's scheduling class: port_urgency() */
	pvs_u8 level;    /* 0..15 within it, from its priority */
	pvs_u16 util;    /* 0..1024, or 0 where the OS keeps none */
};

/* Boot, one CPU, memory and time work: binds. Returns PVS_GUEST_OK or why there is nothing. */
int port_boot(void);
/* Each CPU, when it begins (hotplug too): on that CPU. */
int port_cpu_up(void);
/* Each CPU, when it ends: on that CPU, last of all. */
void port_cpu_down(void);
/* One CPU, with the tick: has the host renegotiated (migration)? Returns 1 when all CPUs must do
 * port_cpu_down(), then one port_boot(), then all port_cpu_up(). */
int port_tick(void);
/* Shutdown, suspend, kexec, crash: one CPU, interrupts may be off. */
void port_end(void);

/* The scheduler has picked `next`: after the decision, preemption off. */
void port_switch(const struct port_task *next);
/* The idle loop, last thing before the halt: `next_timer` is the task the next timer is for, or
 * NULL. */
void port_idle(const struct port_task *next_timer);
/* A task was put on another CPU's queue: before the interrupt that tells that CPU. */
void port_queued_on(pvs_u32 cpu, const struct port_task *task);

/* First and last thing of interrupt, softirq and NMI handling, by PVS_IRQ_*: hand `found` over.
 * port_irq_handled() is called once per device interrupt, not from an NMI. */
pvs_u64 port_irq_enter(pvs_u64 context);
void port_irq_handled(void);
void port_irq_leave(pvs_u64 found);

/* The outermost lock was taken, the last was released. */
void port_lock(void);
void port_unlock(void);
/* A lock is contended: `holder` is its CPU, or PORT_UNKNOWN; we spin once more; and it is ours. */
#define PORT_UNKNOWN 0xffffffffu
void port_spin_begin(pvs_u32 holder);
void port_spin(void);
void port_spin_end(void);

#endif /* PVS_TEMPLATE_PORT_H */
