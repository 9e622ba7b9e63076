/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Private to the bare-metal port: the processor and its local APIC. */
#ifndef PVS_BM_APIC_H
#define PVS_BM_APIC_H

#include <pvs/baremetal.h>

/* Turns the x2APIC on and prepares its timer. Returns 1 with TSC deadline, 0 with one-shot. */
pvs_u32 pvs_bm_apic_start(void);

void pvs_bm_apic_eoi(void);
void pvs_bm_apic_send(pvs_u32 apic_id, pvs_u32 vector);
void pvs_bm_apic_deadline(pvs_u64 tsc);
void pvs_bm_apic_oneshot(pvs_u64 ticks);

/* Loads the interrupt table, and the pointer behind %gs. */
void pvs_bm_idt_load(void);
void pvs_bm_gs_set(const void *base);

#endif /* PVS_BM_APIC_H */
