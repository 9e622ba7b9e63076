/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine: memory, the region as a memory slot of its own, and one doorbell for each
 * vCPU. Interrupt controllers and timers are the kernel's, so that neither a halt, nor a timer,
 * nor a doorbell ever returns to this process.
 */
#include "vmm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	SLOT_RAM = 0,
	SLOT_REGION = 1,
};

/* Page table entries: present, writable; in the last level also "page of 2 MB". */
#define PTE_TABLE    0x3u
#define PTE_PAGE_2MB 0x83u
#define PD_ENTRIES   512u
#define PD_SHIFT     21

/* The descriptors behind the selectors that vcpu.c loads. */
#define GDT_CODE64 UINT64_C(0x00af9b000000ffff)
#define GDT_DATA   UINT64_C(0x00cf93000000ffff)

static int add_memory(const struct vm *vm, uint32_t slot, uint64_t gpa, void *memory, size_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0 ? 0 : fail("memory slot");
}

/* Memory shared with the guest; present from the start, so that no page fault is measured. */
static void *map_memory(int fd, size_t size)
{
	int flags = MAP_SHARED | MAP_POPULATE | (fd < 0 ? MAP_ANONYMOUS : 0);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int create_ram(struct vm *vm)
{
	vm->ram_size = PVS_VMM_RAM_SIZE(vm->vcpu_count);
	vm->ram = map_memory(-1, vm->ram_size);
	if (!vm->ram)
		return fail("guest memory");
	return add_memory(vm, SLOT_RAM, 0, vm->ram, vm->ram_size);
}

/* The region is a memfd, so that another process could look at it as well. */
static int create_region(struct vm *vm)
{
	int fd = memfd_create("pvs-region", MFD_CLOEXEC);

	vm->region_size = (size_t)pvs_host_region_size(vm->vcpu_count);
	if (fd < 0 || ftruncate(fd, (off_t)vm->region_size) != 0)
		return fail("region");
	vm->region = map_memory(fd, vm->region_size);
	close(fd);
	if (!vm->region)
		return fail("region");
	return add_memory(vm, SLOT_REGION, PVS_VMM_REGION_GPA, vm->region, vm->region_size);
}

/* A store of `index` to the doorbell's port signals an eventfd, and the vCPU goes on. */
static int create_bell(struct vm *vm, struct vcpu *vcpu)
{
	struct kvm_ioeventfd bell = {
		.datamatch = vcpu->index,
		.addr = PVS_VMM_PORT_DOORBELL,
		.len = sizeof(uint32_t),
		.flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH,
	};

	vcpu->bell.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (vcpu->bell.fd < 0)
		return fail("doorbell");
	bell.fd = vcpu->bell.fd;
	return ioctl(vm->fd, KVM_IOEVENTFD, &bell) == 0 ? 0 : fail("doorbell");
}

static void write_tables(struct vm *vm)
{
	uint64_t *gdt = (uint64_t *)(vm->ram + PVS_VMM_GDT_GPA);
	uint64_t *pml4 = (uint64_t *)(vm->ram + PVS_VMM_PML4_GPA);
	uint64_t *pdpt = (uint64_t *)(vm->ram + PVS_VMM_PDPT_GPA);
	uint64_t *pd = (uint64_t *)(vm->ram + PVS_VMM_PD_GPA);
	uint64_t i;

	gdt[0] = 0;
	gdt[1] = GDT_CODE64;
	gdt[2] = GDT_DATA;
	pml4[0] = PVS_VMM_PDPT_GPA | PTE_TABLE;
	pdpt[0] = PVS_VMM_PD_GPA | PTE_TABLE;
	for (i = 0; i < PD_ENTRIES; i++)
		pd[i] = i << PD_SHIFT | PTE_PAGE_2MB;
}

int vm_create(struct vm *vm, struct vmm *vmm, const struct vm_options *options)
{
	unsigned index;

	vm->vmm = vmm;
	vm->options = options;
	vm->vcpu_count = options->vcpus;
	vm->armed_ns = PVS_NEVER;
	vm->vcpus = calloc(vm->vcpu_count, sizeof(*vm->vcpus));
	vm->host_vcpus = calloc(vm->vcpu_count, sizeof(*vm->host_vcpus));
	if (!vm->vcpus || !vm->host_vcpus)
		return fail("memory");
	for (index = 0; index < vm->vcpu_count; index++)
		vm->vcpus[index].fd = vm->vcpus[index].bell.fd = -1;

	vm->fd = ioctl(vmm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0 || ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) != 0)
		return fail("virtual machine");
	if (create_ram(vm) != 0 || create_region(vm) != 0)
		return -1;
	write_tables(vm);
	memcpy(vm->ram + PVS_VMM_IMAGE_GPA, vmm->image, vmm->image_size);

	for (index = 0; index < vm->vcpu_count; index++) {
		if (vcpu_create(&vm->vcpus[index], vm, index) != 0 ||
		    create_bell(vm, &vm->vcpus[index]) != 0)
			return -1;
	}
	return 0;
}

void vm_destroy(struct vm *vm)
{
	unsigned index;

	for (index = 0; vm->vcpus && index < vm->vcpu_count; index++)
		vcpu_destroy(&vm->vcpus[index]);
	if (vm->fd > 0)
		close(vm->fd);
	if (vm->ram)
		munmap(vm->ram, vm->ram_size);
	if (vm->region)
		munmap(vm->region, vm->region_size);
	free(vm->vcpus);
	free(vm->host_vcpus);
}

int vm_boot(struct vm *vm, uint64_t start_ns)
{
	const struct vmm_options *all = &vm->vmm->options;
	const struct vm_options *own = vm->options;
	struct pvs_vmm_boot *boot = (struct pvs_vmm_boot *)(vm->ram + PVS_VMM_BOOT_GPA);
	uint64_t vm_number = (uint64_t)(vm - vm->vmm->vms);
	uint64_t tsc;
	unsigned index;

	*boot = (struct pvs_vmm_boot){
		.magic = PVS_VMM_BOOT_MAGIC,
		.region_gpa = PVS_VMM_REGION_GPA,
		.region_bytes = vm->region_size,
		.apic_timer_khz = PVS_VMM_APIC_TIMER_KHZ,
		.vcpu_count = vm->vcpu_count,
		.work = own->work,
		.hints = own->hints,
		.loops_per_ms = vm->vmm->loops_per_ms,
		.seed = all->seed ^ vm_number << 48,
		.warmup_ns = all->warmup_ns,
		.run_ns = all->run_ns,
		.period_ns = own->period_ns,
		.work_ns = own->work_ns,
		.held_ns = own->held_ns,
		.outside_ns = own->outside_ns,
		.spin_ns = own->spin_ns,
		.refill_ns = own->refill_ns,
		.ring_ns = own->ring_ns,
		.level = own->level,
		.window_us = own->window_us,
	};
	if (vcpu_tsc_khz(&vm->vcpus[0], &boot->tsc_khz) != 0)
		return -1;
	for (index = 0; index < vm->vcpu_count; index++) {
		if (vcpu_tsc(&vm->vcpus[index], &tsc) != 0)
			return -1;
		boot->start_tsc[index] = tsc + start_ns * boot->tsc_khz / NS_PER_MS;
	}
	return 0;
}

const volatile struct pvs_vmm_result *vm_result(const struct vm *vm, unsigned index)
{
	size_t gpa = PVS_VMM_RESULT_GPA + (size_t)index * PVS_VMM_RESULT_STRIDE;

	return (const volatile struct pvs_vmm_result *)(vm->ram + gpa);
}

const volatile uint32_t *vm_samples(const struct vm *vm, unsigned index, uint32_t offset)
{
	size_t gpa = PVS_VMM_RESULT_GPA + (size_t)index * PVS_VMM_RESULT_STRIDE + offset;

	return (const volatile uint32_t *)(vm->ram + gpa);
}
