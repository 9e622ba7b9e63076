/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Entry of a vCPU, and of its interrupts. The processor is in long mode, %rsp is a stack of this
 * vCPU, %rdi and %rsi are what the boot loader passes to pvs_bm_main().
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	cld
	call	pvs_bm_main
	ud2

/*
 * Interrupts: only what C may clobber is saved, and no floating point (the image is built with
 * -mgeneral-regs-only). The five words pushed by the processor and these nine keep the stack
 * aligned to 16 at the call.
 */
	.macro	interrupt name, handler
	.globl	\name
\name:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	cld
	mov	%gs:0, %rdi
	call	\handler
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq
	.endm

	.text
	interrupt pvs_bm_entry_timer, pvs_bm_timer_interrupt
	interrupt pvs_bm_entry_wake, pvs_bm_wake_interrupt

	.globl	pvs_bm_entry_spurious
pvs_bm_entry_spurious:
	iretq

/* Exceptions never return, so nothing is saved: 32 stubs of 16 bytes that name their vector. */
	.balign	16
	.globl	pvs_bm_entry_faults
pvs_bm_entry_faults:
	.set	vector, 0
	.rept	32
	.balign	16
	mov	$vector, %edi
	jmp	fault
	.set	vector, vector + 1
	.endr
fault:
	and	$-16, %rsp
	call	pvs_bm_fault
	ud2

	.section .note.GNU-stack, "", @progbits
