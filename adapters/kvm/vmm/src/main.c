/* SPDX-License-Identifier: BSD-2-Clause */
/* A small VMM that links libpvsched the way a real one would. What happens, top to bottom. */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPUID_ENTRIES  128u
#define EXIT_SKIPPED   77

/* Long enough that a clock's resolution does not matter, short enough to repeat it. */
#define CALIBRATE_LOOPS  20000u
#define CALIBRATE_ROUNDS 9u

int fail(const char *what)
{
	fprintf(stderr, "pvs-vmm: %s: %s\n", what, strerror(errno));
	return -1;
}

static int host_check(void)
{
	struct pvs_kvm_quality quality;
	int status = pvs_kvm_probe_kvm(&quality);

	printf("%s: %s\n", status == PVS_OK ? "good" : "skipped", quality.reason);
	return status == PVS_OK ? EXIT_SUCCESS : EXIT_SKIPPED;
}

static int open_kvm(struct vmm *vmm)
{
	int size;

	vmm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vmm->kvm_fd < 0)
		return fail("/dev/kvm");
	if (ioctl(vmm->kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return fail("/dev/kvm: unknown API version");
	size = ioctl(vmm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	vmm->cpuid = calloc(1, sizeof(*vmm->cpuid) +
			    CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2));
	if (size <= 0 || !vmm->cpuid)
		return fail("/dev/kvm");
	vmm->run_size = (size_t)size;
	vmm->cpuid->nent = CPUID_ENTRIES;
	return ioctl(vmm->kvm_fd, KVM_GET_SUPPORTED_CPUID, vmm->cpuid) == 0 ? 0 : fail("CPUID");
}

static int load_image(struct vmm *vmm)
{
	FILE *file = fopen(vmm->options.image, "rb");

	if (!file)
		return fail(vmm->options.image);
	vmm->image = malloc(PVS_VMM_IMAGE_MAX);
	if (vmm->image)
		vmm->image_size = fread(vmm->image, 1, PVS_VMM_IMAGE_MAX, file);
	if (vmm->image_size == 0 || fgetc(file) != EOF) {
		fclose(file);
		fprintf(stderr, "pvs-vmm: %s: not a guest image\n", vmm->options.image);
		return -1;
	}
	fclose(file);
	return 0;
}

/* How often the guest's loop turns in a millisecond: told, or measured (the best of a few). */
static uint32_t loops_per_ms(const struct vmm_options *options)
{
	uint64_t best_ns = UINT64_MAX;
	uint64_t begin_ns;
	uint64_t took_ns;
	unsigned round;

	if (options->insns_per_us)
		return options->insns_per_us * 1000u / PVS_VMM_LOOP_INSNS;
	for (round = 0; round < CALIBRATE_ROUNDS; round++) {
		begin_ns = clock_ns(CLOCK_MONOTONIC);
		pvs_vmm_spin(CALIBRATE_LOOPS);
		took_ns = clock_ns(CLOCK_MONOTONIC) - begin_ns;
		if (took_ns && took_ns < best_ns)
			best_ns = took_ns;
	}
	return (uint32_t)(CALIBRATE_LOOPS * NS_PER_MS / best_ns);
}

static int create_machines(struct vmm *vmm)
{
	struct vm *vm;
	unsigned i;

	for (i = 0; i < vmm->options.vm_count; i++) {
		vmm->vm_count = i + 1;
		if (vm_create(&vmm->vms[i], vmm, &vmm->options.vms[i]) != 0)
			return -1;
	}
	if (mlockall(MCL_CURRENT) != 0)
		fprintf(stderr,
			"pvs-vmm: memory is not locked: latencies may include page faults\n");
	for (vm = vmm->vms; vm < vmm->vms + vmm->vm_count; vm++) {
		for (i = 0; i < vm->vcpu_count; i++) {
			if (vcpu_start(&vm->vcpus[i]) != 0)
				return -1;
		}
	}
	return 0;
}

static void destroy_machines(struct vmm *vmm)
{
	unsigned i;
	unsigned j;

	for (i = 0; i < vmm->vm_count; i++) {
		for (j = 0; vmm->vms[i].vcpus && j < vmm->vms[i].vcpu_count; j++)
			vcpu_stop(&vmm->vms[i].vcpus[j]);
	}
	for (i = 0; i < vmm->vm_count; i++)
		vm_destroy(&vmm->vms[i]);
}

static int run(struct vmm *vmm)
{
	int result = -1;

	if (open_kvm(vmm) != 0 || load_image(vmm) != 0)
		return -1;
	vmm->loops_per_ms = loops_per_ms(&vmm->options);
	if (create_machines(vmm) == 0)
		result = control_run(vmm);
	if (result == 0)
		result = report_write(vmm);
	destroy_machines(vmm);
	return result;
}

int main(int argc, char **argv)
{
	static struct vmm vmm;
	int result = options_parse(&vmm.options, argc, argv);
	int status;

	if (result != 0)
		return result > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (vmm.options.host_check)
		return host_check();

	status = pvs_kvm_open(&vmm.knobs, NULL);
	if (status != PVS_OK) {
		fprintf(stderr, "pvs-vmm: probing the scheduler: status %d\n", status);
		return EXIT_FAILURE;
	}
	sem_init(&vmm.started, 0, 0);
	result = run(&vmm);
	pvs_kvm_close(&vmm.knobs);
	free(vmm.cpuid);
	free(vmm.image);
	if (vmm.kvm_fd > 0)
		close(vmm.kvm_fd);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
