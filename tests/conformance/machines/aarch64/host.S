/* SPDX-License-Identifier: BSD-2-Clause */
/* EL2: where QEMU starts the first CPU and PSCI the others, and what comes back from EL1. */
	.section .text.start, "ax"
	.globl	host_entry
host_entry:
	mov	x0, #0
	.globl	host_entry_secondary
host_entry_secondary:
	mov	x19, x0
	adrp	x1, host_stacks
	add	x1, x1, :lo12:host_stacks
	add	x2, x0, #1
	add	x1, x1, x2, lsl #14
	mov	sp, x1
	adr	x1, host_vectors
	msr	vbar_el2, x1
	isb
	bl	host_main
	eret

	.macro	unexpected
	.balign	128
	b	host_unexpected
	.endm

	.text
	.balign	2048
host_vectors:
	.rept	8
	unexpected
	.endr
	.balign	128
	sub	sp, sp, #256
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	str	x30, [sp, #240]
	b	trap
	.rept	7
	unexpected
	.endr

trap:
	mov	x0, sp
	bl	host_trap
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	add	sp, sp, #256
	eret

host_unexpected:
	bl	host_die
	b	.

	.section .note.GNU-stack, "", @progbits
