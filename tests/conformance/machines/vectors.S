/* SPDX-License-Identifier: BSD-2-Clause */
/* All vectors in one piece; PVS_VECTORS names the file. */
	.section .rodata
	.globl	pvs_vectors, pvs_vectors_end
pvs_vectors:
	.incbin	PVS_VECTORS
pvs_vectors_end:
	.byte	0

	.section .note.GNU-stack, "", @progbits
