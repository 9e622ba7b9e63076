/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm-runner IMAGE: one virtual machine with one vCPU, and in it an image that starts by Xen's PVH
 * protocol. It has a serial port for output and a port to end it; nothing else.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAM_BYTES          (64u << 20)
#define PORT_SERIAL        0x3f8u
#define PORT_SERIAL_STATUS 0x3fdu
#define SERIAL_EMPTY       0x60u
#define PORT_EXIT          0xf4u
#define NOTE_PHYS32        18u /* XEN_ELFNOTE_PHYS32_ENTRY */
#define CR0_PROTECTED      0x1u
#define CPUID_ENTRIES      256u
#define EXIT_SKIPPED       77

static int fail(const char *what)
{
	fprintf(stderr, "kvm-runner: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

/* The entry in a note segment, 0 when it is not there. */
static uint32_t pvh_entry(const unsigned char *at, size_t bytes)
{
	const unsigned char *end = at + bytes;
	Elf64_Nhdr note;
	uint32_t entry;

	while ((size_t)(end - at) >= sizeof(note)) {
		memcpy(&note, at, sizeof(note));
		at += sizeof(note) + ((note.n_namesz + 3u) & ~3u);
		if (at > end || (size_t)(end - at) < note.n_descsz)
			return 0;
		if (note.n_type == NOTE_PHYS32 && note.n_descsz >= sizeof(entry)) {
			memcpy(&entry, at, sizeof(entry));
			return entry;
		}
		at += (note.n_descsz + 3u) & ~3u;
	}
	return 0;
}

/* Copies the image's segments to where they belong. Its entry; 0: this is no such image. */
static uint32_t load(unsigned char *ram, const unsigned char *file, size_t bytes)
{
	uint32_t entry = 0;
	Elf64_Phdr segment;
	Elf64_Ehdr head;
	unsigned i;

	if (bytes < sizeof(head))
		return 0;
	memcpy(&head, file, sizeof(head));
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phoff > bytes ||
	    head.e_phnum > (bytes - head.e_phoff) / sizeof(segment))
		return 0;
	for (i = 0; i < head.e_phnum; i++) {
		memcpy(&segment, file + head.e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_offset > bytes || segment.p_filesz > bytes - segment.p_offset)
			return 0;
		if (segment.p_type == PT_NOTE && !entry)
			entry = pvh_entry(file + segment.p_offset, segment.p_filesz);
		if (segment.p_type != PT_LOAD)
			continue;
		if (segment.p_paddr > RAM_BYTES || segment.p_memsz > RAM_BYTES - segment.p_paddr ||
		    segment.p_filesz > segment.p_memsz)
			return 0;
		memcpy(ram + segment.p_paddr, file + segment.p_offset, segment.p_filesz);
	}
	return entry;
}

static int load_file(unsigned char *ram, const char *path, uint32_t *entry)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	void *file;

	if (fd < 0 || fstat(fd, &info) != 0)
		return fail(path);
	file = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return fail(path);
	*entry = load(ram, file, (size_t)info.st_size);
	munmap(file, (size_t)info.st_size);
	errno = ENOEXEC;
	return *entry ? EXIT_SUCCESS : fail(path);
}

/* All that KVM can offer: without it there is no long mode. */
static int set_cpuid(int kvm, int vcpu)
{
	struct kvm_cpuid2 *cpuid;
	int rc = EXIT_SUCCESS;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return fail("memory");
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) != 0 ||
	    ioctl(vcpu, KVM_SET_CPUID2, cpuid) != 0)
		rc = fail("CPUID");
	free(cpuid);
	return rc;
}

/* 32-bit protected mode, flat segments, no paging. */
static int set_registers(int vcpu, uint32_t entry)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .db = 1, .s = 1,
		.g = 1,
	};
	struct kvm_regs regs = { .rip = entry, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) != 0)
		return fail("registers");
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
	flat.selector = 8;
	flat.type = 11;
	sregs.cs = flat;
	sregs.cr0 |= CR0_PROTECTED;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) != 0 || ioctl(vcpu, KVM_SET_REGS, &regs) != 0)
		return fail("registers");
	return EXIT_SUCCESS;
}

/* Serves one access to a port. 1: the image has ended. */
static int serve(struct kvm_run *run)
{
	unsigned char *data = (unsigned char *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_IN)
		*data = run->io.port == PORT_SERIAL_STATUS ? SERIAL_EMPTY : 0xff;
	else if (run->io.port == PORT_SERIAL)
		putchar(*data);
	return run->io.direction == KVM_EXIT_IO_OUT && run->io.port == PORT_EXIT;
}

static int run_guest(int vcpu, struct kvm_run *run)
{
	for (;;) {
		if (ioctl(vcpu, KVM_RUN, 0) != 0)
			return fail("KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO) {
			fprintf(stderr, "kvm-runner: the guest ended with exit %u\n",
				run->exit_reason);
			return EXIT_FAILURE;
		}
		if (serve(run)) {
			fflush(stdout);
			return EXIT_SUCCESS;
		}
	}
}

int main(int argc, char **argv)
{
	struct kvm_userspace_memory_region slot = { .memory_size = RAM_BYTES };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	unsigned char *ram;
	struct kvm_run *run;
	uint32_t entry;
	int vcpu;
	int vm;

	if (argc != 2) {
		fprintf(stderr, "usage: kvm-runner IMAGE\n");
		return EXIT_FAILURE;
	}
	if (kvm < 0) {
		printf("skipped: no /dev/kvm\n");
		return EXIT_SKIPPED;
	}
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
	ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vcpu < 0 || ram == MAP_FAILED)
		return fail("virtual machine");
	run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu, 0);
	slot.userspace_addr = (uintptr_t)ram;
	if (run == MAP_FAILED || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) != 0)
		return fail("memory");
	if (load_file(ram, argv[1], &entry) != EXIT_SUCCESS ||
	    set_cpuid(kvm, vcpu) != EXIT_SUCCESS ||
	    set_registers(vcpu, entry) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	return run_guest(vcpu, run);
}
