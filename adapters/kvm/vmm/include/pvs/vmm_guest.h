/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvs/vmm_guest.h - what this VMM and the guest image it boots agree on.
 *
 * The VMM enters the image on each vCPU in long mode: %rdi = index, %rsi = PVS_VMM_BOOT_GPA, %rsp
 * a stack, memory mapped one to one by 2 MB pages. The guest reads the boot block and writes one
 * result area for each vCPU. There is no console: a guest says that it has ended by a 32-bit OUT
 * to PVS_VMM_PORT_EXIT.
 *
 *   0x0000500  GDT: null, 64-bit code, data          0x0100000  image, entered at its first byte
 *   0x0001000  page tables, 1 GB in 2 MB pages       0x0180000  stacks, 16 KB each
 *   0x0007000  boot block                            0x0200000  result areas, 256 KB each
 *   0x10000000 the region, a memory slot of its own
 */
#ifndef PVS_VMM_GUEST_H
#define PVS_VMM_GUEST_H

#include <pvs/abi.h>

#define PVS_VMM_GDT_GPA        0x500u
#define PVS_VMM_PML4_GPA       0x1000u
#define PVS_VMM_PDPT_GPA       0x2000u
#define PVS_VMM_PD_GPA         0x3000u
#define PVS_VMM_BOOT_GPA       0x7000u
#define PVS_VMM_IMAGE_GPA      0x100000u
#define PVS_VMM_STACK_GPA      0x180000u
#define PVS_VMM_STACK_SIZE     0x4000u
#define PVS_VMM_RESULT_GPA     0x200000u
#define PVS_VMM_RESULT_STRIDE  0x40000u
#define PVS_VMM_WAKE_OFFSET    0x10000u /* u32 ns per period: timer deadline to handler */
#define PVS_VMM_DONE_OFFSET    0x20000u /* u32 ns per period: timer deadline to work complete */
#define PVS_VMM_REGION_GPA     0x10000000u

#define PVS_VMM_IMAGE_MAX      (PVS_VMM_STACK_GPA - PVS_VMM_IMAGE_GPA)
#define PVS_VMM_VCPUS_MAX      32u
#define PVS_VMM_SAMPLES_MAX    16384u
#define PVS_VMM_ECHOES_MAX     32u
#define PVS_VMM_RAM_SIZE(vcpus) (PVS_VMM_RESULT_GPA + (vcpus) * PVS_VMM_RESULT_STRIDE)

#define PVS_VMM_PORT_DOORBELL  0x5a0u /* value: slot index; never leaves the kernel */
#define PVS_VMM_PORT_EXIT      0x5a4u /* value: PVS_VMM_EXIT_* */

#define PVS_VMM_EXIT_DONE      0x000u
#define PVS_VMM_EXIT_FAULT     0x100u /* + vector of an exception */

/* Frequency of the local APIC's timer in KVM: its bus "cycle" is one nanosecond. */
#define PVS_VMM_APIC_TIMER_KHZ 1000000u

enum pvs_vmm_work {
	PVS_VMM_AUDIO = 0,   /* sleeps until a periodic timer, works, measures itself */
	PVS_VMM_MIXED = 1,   /* the same beside a burner, in one vCPU that never halts */
	PVS_VMM_BURN = 2,    /* counts units of work */
	PVS_VMM_LOCKS = 3,   /* all vCPUs share one ticket lock */
	PVS_VMM_LIAR = 4,    /* claims everything, always */
	PVS_VMM_PULSE = 5,   /* claims everything whenever its accounts are full again */
	PVS_VMM_GARBAGE = 6, /* random words at random moments, doorbell storms */
	PVS_VMM_FLIP = 7,    /* an urgent word and a malformed one in turn */
	PVS_VMM_STALE = 8,   /* claims, then with a wrong generation, then dies while claiming */
	PVS_VMM_PROBE = 9,   /* a fixed sequence of statements; echoes what the host answers */
	PVS_VMM_WORK_COUNT = 10
};

#define PVS_VMM_BOOT_MAGIC PVS_U64(0x31544f4fu, 0x42535650u) /* "PVSBOOT1" */

/* The boot block [VMM -> guest], complete before the first vCPU runs. */
struct pvs_vmm_boot {
	pvs_u64 magic;          /* PVS_VMM_BOOT_MAGIC */
	pvs_u64 region_gpa;     /* 0 = none */
	pvs_u64 region_bytes;
	pvs_u32 tsc_khz;
	pvs_u32 apic_timer_khz;
	pvs_u32 vcpu_count;
	pvs_u32 work;           /* enum pvs_vmm_work */
	pvs_u32 hints;          /* 1: bind to the region and publish */
	pvs_u32 loops_per_ms;   /* PVS_VMM_LOOP turns in a millisecond of undisturbed CPU */
	pvs_u64 seed;

	pvs_u64 warmup_ns;      /* from start_tsc; nothing is recorded before */
	pvs_u64 run_ns;         /* length of the recorded interval */
	pvs_u64 period_ns;      /* audio, mixed */
	pvs_u64 work_ns;        /* audio, mixed: work in each period */
	pvs_u64 held_ns;        /* locks: in the critical section */
	pvs_u64 outside_ns;     /* locks: between two of them */
	pvs_u64 spin_ns;        /* locks: a waiter halts after this, to be woken; 0 = never */
	pvs_u64 refill_ns;      /* pulse: silence between two claims */
	pvs_u64 ring_ns;        /* liar, garbage: between two rings of the doorbell; 0 = never */
	pvs_u32 level;          /* 0..15, of urgent statements */
	pvs_u32 window_us;      /* boost window asked for by urgent statements */

	pvs_u64 start_tsc[PVS_VMM_VCPUS_MAX]; /* each vCPU starts at this value of its TSC */
};

/* Where a vCPU is. */
#define PVS_VMM_STATE_NONE    0u
#define PVS_VMM_STATE_BOOTED  1u
#define PVS_VMM_STATE_STARTED 2u /* its workload runs */
#define PVS_VMM_STATE_DONE    3u

/* What the host answered to one statement of the `probe` workload. */
struct pvs_vmm_echo {
	pvs_u64 intent;      /* the word stored */
	pvs_u64 applied;     /* the host's words, 20 ms later */
	pvs_u64 window_left;
	pvs_u64 boosts;
	pvs_u64 denials;
	pvs_u64 malformed;
};

/* One for each vCPU [guest -> VMM], at PVS_VMM_RESULT_GPA + index * PVS_VMM_RESULT_STRIDE. */
struct pvs_vmm_result {
	pvs_u32 state;          /* PVS_VMM_STATE_* */
	pvs_s32 bind_status;    /* PVS_GUEST_* of the negotiation; 1 = not tried */
	pvs_u64 features;       /* accepted */
	pvs_u64 work;           /* done since it started: periods, units of 10 us, or locks */
	pvs_u64 burned;         /* mixed: units of 10 us beside its periods */
	pvs_u64 periods;        /* audio, mixed: periods begun in the recorded interval */
	pvs_u64 misses;         /* ... whose work was not complete when the next one began */
	pvs_u64 samples;        /* valid elements of the sample arrays */
	pvs_u64 publishes;      /* statements made */
	pvs_u64 claims;         /* pulse: how often it claimed */
	pvs_u64 claim_ns;       /* pulse: how long it claimed, all together */
	pvs_u64 lock_wait_max_ns;
	pvs_u64 lock_contended; /* locks: found taken */
	pvs_u64 lock_halts;     /* locks: waited halted */
	pvs_u64 echo_count;
	struct pvs_vmm_echo echo[PVS_VMM_ECHOES_MAX];
};

/* A unit of work of the burners, in microseconds of undisturbed CPU. */
#define PVS_VMM_UNIT_US 10u

/*
 * Work is counted in turns of this loop, 64 instructions of register arithmetic, never in time:
 * whoever is preempted in it takes longer. Long bodies, because an emulator pays for each jump.
 */
#define PVS_VMM_LOOP_INSNS 64u

static inline void pvs_vmm_spin(pvs_u64 loops)
{
#if defined(__x86_64__)
	if (loops == 0)
		return;
	__asm__ volatile("1:\n\t"
			 ".rept 62\n\t"
			 "incl %%eax\n\t"
			 ".endr\n\t"
			 "decq %0\n\t"
			 "jnz 1b"
			 : "+r"(loops)
			 :
			 : "eax", "cc");
#else
	while (loops-- != 0)
		__asm__ volatile("" : : : "memory");
#endif
}

#endif /* PVS_VMM_GUEST_H */
