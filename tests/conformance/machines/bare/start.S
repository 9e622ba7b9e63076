/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entered as Xen's PVH boot protocol has it: 32-bit protected mode, flat segments, paging off. From
 * there to long mode, the first gigabyte mapped one to one. There are no interrupts, and no table
 * for exceptions: the first one resets the machine, whose end then has no summary.
 */
#define CR0_PAGING   0x80000000
#define CR4_PAE      0x20
#define MSR_EFER     0xc0000080
#define EFER_LONG    0x100
#define PAGE_TABLE   0x3    /* present, writable */
#define PAGE_2MB     0x83
#define NOTE_PHYS32  18     /* XEN_ELFNOTE_PHYS32_ENTRY */

	.section .note.pvh, "a", @note
	.long	4, 4, NOTE_PHYS32
	.asciz	"Xen"
	.long	_start

	.section .text.start, "ax"
	.code32
	.globl	_start
_start:
	cld
	movl	$stack_top, %esp
	movl	$(pdpt + PAGE_TABLE), pml4
	movl	$(pd + PAGE_TABLE), pdpt
	xorl	%ecx, %ecx
0:	movl	%ecx, %eax
	shll	$21, %eax
	orl	$PAGE_2MB, %eax
	movl	%eax, pd(, %ecx, 8)
	incl	%ecx
	cmpl	$512, %ecx
	jne	0b

	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LONG, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PAGING, %eax
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $long_mode

	.code64
long_mode:
	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	call	bare_main
	ud2

	.section .rodata
	.balign	8
gdt:
	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.bss
	.balign	4096
pml4:	.skip	4096
pdpt:	.skip	4096
pd:	.skip	4096
	.skip	65536
stack_top:

	.section .note.GNU-stack, "", @progbits
