/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Entry of a CPU, and of its interrupts and exceptions. EL1, MMU off, x0 = struct pvs_bm_start,
 * whose stack is used from the first call on.
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	msr	daifset, #0xf
	mov	x19, x0
	ldr	x1, [x19]
	mov	sp, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	isb
	ldr	x0, [x19, #24]
	ldr	x1, [x19, #8]
	bl	pvs_bm_mmu_on
	ldp	x0, x1, [x19, #8]
	bl	pvs_bm_main
0:	wfi
	b	0b

/*
 * Sixteen vectors of 128 bytes (Arm ARM, D1.10.2). Only an interrupt taken from this very level is
 * expected; it saves what C may clobber, and no vector registers (-mgeneral-regs-only). Interrupts
 * do not nest, so ELR_EL1 and SPSR_EL1 stay what they are.
 */
	.macro	unexpected
	.balign	128
	b	fault
	.endm

	.text
	.balign	2048
vectors:
	unexpected
	unexpected
	unexpected
	unexpected

	unexpected
	.balign	128
	sub	sp, sp, #160
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	mrs	x0, tpidr_el1
	bl	pvs_bm_interrupt
	b	leave
	unexpected
	unexpected

	.rept	8
	unexpected
	.endr

leave:
	ldp	x18, x30, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #160
	eret

fault:
	mrs	x0, esr_el1
	bl	pvs_bm_fault
	b	.

	.section .note.GNU-stack, "", @progbits
