/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU: its registers at the start, and the thread that runs it. The thread knows nothing of the
 * library. It is scheduled by others, and says when it has ended.
 */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Long mode, as in the Intel SDM, volume 3: CR0.PE|ET|PG, CR4.PAE, EFER.LME|LMA. */
#define CR0_LONG_MODE  0x80000011u
#define CR4_LONG_MODE  0x20u
#define EFER_LONG_MODE 0x500u
#define RFLAGS_FIXED   0x2u
#define SELECTOR_CODE  8u
#define SELECTOR_DATA  16u
#define GDT_LIMIT      23u
#define TYPE_CODE      11u /* execute, read, accessed */
#define TYPE_DATA      3u  /* read, write, accessed */

#define MSR_TSC 0x10u

/* The priority that people give to vCPUs with audio in them today. */
#define STATIC_RT_PRIORITY 50

/* The signal that takes a vCPU thread out of the guest; its handler does nothing. */
#define KICK_SIGNAL SIGUSR1

/* ---- creation -------------------------------------------------------------------------------- */

/* CPUID as KVM supports it, with this vCPU's APIC id in it, x2APIC and TSC deadline. */
static int set_cpuid(const struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = vcpu->vm->vmm->cpuid;
	struct kvm_cpuid_entry2 *entry;

	for (entry = cpuid->entries; entry < cpuid->entries + cpuid->nent; entry++) {
		switch (entry->function) {
		case 1:
			entry->ebx = (entry->ebx & 0x00ffffffu) | vcpu->index << 24;
			entry->ecx |= 1u << 21; /* x2APIC */
			entry->ecx |= 1u << 24; /* TSC deadline: the in-kernel APIC has it */
			break;
		case 0xb:
		case 0x1f:
			entry->edx = vcpu->index;
			break;
		default:
			break;
		}
	}
	return ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) == 0 ? 0 : fail("CPUID");
}

static int set_registers(const struct vcpu *vcpu)
{
	struct kvm_segment code = {
		.limit = UINT32_MAX, .selector = SELECTOR_CODE, .type = TYPE_CODE,
		.present = 1, .s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = UINT32_MAX, .selector = SELECTOR_DATA, .type = TYPE_DATA,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_regs regs = {
		.rip = PVS_VMM_IMAGE_GPA,
		.rsp = PVS_VMM_STACK_GPA + (uint64_t)(vcpu->index + 1) * PVS_VMM_STACK_SIZE,
		.rdi = vcpu->index,
		.rsi = PVS_VMM_BOOT_GPA,
		.rflags = RFLAGS_FIXED,
	};
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
		return fail("registers");
	sregs.cr0 = CR0_LONG_MODE;
	sregs.cr3 = PVS_VMM_PML4_GPA;
	sregs.cr4 = CR4_LONG_MODE;
	sregs.efer = EFER_LONG_MODE;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = PVS_VMM_GDT_GPA;
	sregs.gdt.limit = GDT_LIMIT;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) != 0 ||
	    ioctl(vcpu->fd, KVM_SET_REGS, &regs) != 0 ||
	    ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable) != 0)
		return fail("registers");
	return 0;
}

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index)
{
	vcpu->vm = vm;
	vcpu->index = index;
	if (sem_init(&vcpu->go, 0, 0) != 0)
		return fail("semaphore");
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return fail("vCPU");
	vcpu->run_size = vm->vmm->run_size;
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return fail("vCPU");
	}
	return set_cpuid(vcpu) == 0 && set_registers(vcpu) == 0 ? 0 : -1;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	if (vcpu->bell.fd >= 0)
		close(vcpu->bell.fd);
}

int vcpu_tsc(const struct vcpu *vcpu, uint64_t *tsc)
{
	/* a struct kvm_msrs, and the one entry behind it */
	union {
		struct kvm_msrs head;
		char room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} msrs = { .head = { .nmsrs = 1 } };
	struct kvm_msr_entry entry = { .index = MSR_TSC };

	memcpy(msrs.room + sizeof(msrs.head), &entry, sizeof(entry));
	if (ioctl(vcpu->fd, KVM_GET_MSRS, &msrs) != 1)
		return fail("time stamp counter");
	memcpy(&entry, msrs.room + sizeof(msrs.head), sizeof(entry));
	*tsc = entry.data;
	return 0;
}

int vcpu_tsc_khz(const struct vcpu *vcpu, uint32_t *khz)
{
	int result = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	if (result <= 0)
		return fail("time stamp counter");
	*khz = (uint32_t)result;
	return 0;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void set_end(struct vcpu *vcpu, enum vcpu_end end, int detail)
{
	vcpu->detail = detail;
	atomic_store(&vcpu->end, end);
}

/*
 * A return to user space is a checkpoint like a ring, and under the same limit: a guest can cause
 * as many as it likes.
 */
static bool go_on(const struct vcpu *vcpu)
{
	static const uint64_t one = 1;

	if (write(vcpu->bell.fd, &one, sizeof(one)) < 0)
		fail("eventfd"); /* cannot be: it is far from full */
	return true;
}

/* The guest did what only this process can answer. True: it may go on. */
static bool handle_exit(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t code;

	switch (run->exit_reason) {
	case KVM_EXIT_INTR:
		return true;
	case KVM_EXIT_IO:
		if (run->io.direction != KVM_EXIT_IO_OUT || run->io.port != PVS_VMM_PORT_EXIT)
			return go_on(vcpu); /* no device there: nothing happens */
		memcpy(&code, (const char *)run + run->io.data_offset, sizeof(code));
		if (code < PVS_VMM_EXIT_FAULT)
			set_end(vcpu, VCPU_DONE, 0);
		else
			set_end(vcpu, VCPU_FAULT, (int)(code - PVS_VMM_EXIT_FAULT));
		return false;
	case KVM_EXIT_MMIO:
		return go_on(vcpu);
	case KVM_EXIT_SHUTDOWN:
		set_end(vcpu, VCPU_SHUTDOWN, 0);
		return false;
	default:
		set_end(vcpu, VCPU_ERROR, (int)run->exit_reason);
		return false;
	}
}

/*
 * Whoever wants the vCPU out of the guest sets immediate_exit and sends the signal. The flag is
 * cleared before `stop` is looked at, so that a stop between the two is not lost.
 */
static void run_guest(struct vcpu *vcpu)
{
	while (!atomic_load(&vcpu->stop)) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
			if (!handle_exit(vcpu))
				return;
		} else if (errno == EINTR || errno == EAGAIN) {
			vcpu->run->immediate_exit = 0;
		} else {
			set_end(vcpu, VCPU_ERROR, -errno);
			return;
		}
	}
}

static int pin(const struct vcpu *vcpu)
{
	cpu_set_t set;

	if (vcpu->vm->options->cpu == VMM_CPU_ANY)
		return 0;
	CPU_ZERO(&set);
	CPU_SET((size_t)vcpu->vm->options->cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : fail("pinning a vCPU");
}

static int raise_if_static(const struct vcpu *vcpu)
{
	struct sched_param priority = { .sched_priority = STATIC_RT_PRIORITY };

	if (vcpu->vm->vmm->options.mode != VMM_STATIC_RT || !vcpu->vm->options->rt)
		return 0;
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) != 0)
		return fail("real-time priority");
	return 0;
}

static void on_kick(int number)
{
	(void)number;
}

static void block_signals(void)
{
	struct sigaction kick = { .sa_handler = on_kick };
	sigset_t others;

	sigaction(KICK_SIGNAL, &kick, NULL);
	sigfillset(&others);
	sigdelset(&others, KICK_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &others, NULL);
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

static void *vcpu_thread(void *argument)
{
	struct vcpu *vcpu = argument;

	block_signals();
	vcpu->tid = gettid();
	if (pin(vcpu) != 0 || raise_if_static(vcpu) != 0)
		set_end(vcpu, VCPU_ERROR, -errno);
	sem_post(&vcpu->vm->vmm->started);
	wait_for(&vcpu->go);
	if (atomic_load(&vcpu->end) == VCPU_RUNS)
		run_guest(vcpu);
	if (atomic_load(&vcpu->end) != VCPU_RUNS)
		control_vcpu_ended(vcpu);
	/* The library lets go of the thread before it ends. */
	wait_for(&vcpu->go);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	int error = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);

	if (error) {
		errno = error;
		return fail("vCPU thread");
	}
	vcpu->started = true;
	wait_for(&vcpu->vm->vmm->started);
	if (atomic_load(&vcpu->end) != VCPU_RUNS)
		return -1;
	if (pthread_getcpuclockid(vcpu->thread, &vcpu->clock) != 0)
		return fail("CPU clock of a vCPU");
	return 0;
}

void vcpu_kick_setup(struct vcpu *vcpu)
{
	vcpu->knobs.kick_signal = KICK_SIGNAL;
	vcpu->knobs.immediate_exit = &vcpu->run->immediate_exit;
}

void vcpu_ask_to_stop(struct vcpu *vcpu)
{
	if (!vcpu->started || atomic_exchange(&vcpu->stop, true))
		return;
	vcpu->run->immediate_exit = 1;
	pthread_kill(vcpu->thread, KICK_SIGNAL);
	sem_post(&vcpu->go);
	sem_post(&vcpu->go);
}

void vcpu_stop(struct vcpu *vcpu)
{
	if (!vcpu->started)
		return;
	vcpu_ask_to_stop(vcpu);
	pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}

/* ---- counting -------------------------------------------------------------------------------- */

static uint64_t wait_ns(pid_t tid)
{
	char text[96];
	unsigned long long run = 0;
	unsigned long long wait = 0;
	ssize_t length;
	int fd;

	snprintf(text, sizeof(text), "/proc/self/task/%d/schedstat", (int)tid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	return sscanf(text, "%llu %llu", &run, &wait) == 2 ? wait : 0;
}

void vcpu_sample(const struct vcpu *vcpu, struct vcpu_sample *sample)
{
	const volatile struct pvs_vmm_result *result = vm_result(vcpu->vm, vcpu->index);

	sample->run_ns = clock_ns(vcpu->clock);
	sample->work = result->work;
	sample->burned = result->burned;
	sample->wait_ns = wait_ns(vcpu->tid);
	sample->core = vcpu->vm->host_vcpus[vcpu->index].core;
}
