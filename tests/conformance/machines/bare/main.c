/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The replayer without an operating system: all vectors are in the image, the summary goes out by
 * the first serial port, and the end is a write to QEMU's isa-debug-exit.
 */
#include "replay.h"

#define PORT_SERIAL        0x3f8u
#define PORT_SERIAL_STATUS 0x3fdu
#define SERIAL_EMPTY       0x20u
#define PORT_EXIT          0xf4u
#define EXIT_DONE          0x10u /* isa-debug-exit makes 2 * 16 + 1 of it: no status of QEMU's */

extern const char pvs_vectors[];
extern const char pvs_vectors_end[];
void bare_main(void);

static struct pvs_replay replay;

static void out8(pvs_u16 port, pvs_u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static pvs_u8 in8(pvs_u16 port)
{
	pvs_u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static void put(const char *text)
{
	for (; *text; text++) {
		while (!(in8(PORT_SERIAL_STATUS) & SERIAL_EMPTY))
			;
		out8(PORT_SERIAL, (pvs_u8)*text);
	}
}

/* Without them the compiler has no way to copy, clear or compare. */
void *memset(void *to, int byte, __SIZE_TYPE__ bytes)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory");
	return start;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ bytes)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
	return start;
}

void pvs_replay_observe(struct pvs_replay *r)
{
	(void)r;
}

void bare_main(void)
{
	char line[256];

	pvs_replay_init(&replay);
	pvs_replay_text(&replay, pvs_vectors, (pvs_u64)(pvs_vectors_end - pvs_vectors));
	pvs_replay_report(&replay, line, sizeof(line));
	put(line);
	put("\n");
	for (;;) {
		__asm__ volatile("outl %0, %1" : : "a"(EXIT_DONE), "Nd"((pvs_u16)PORT_EXIT));
		__asm__ volatile("hlt");
	}
}
