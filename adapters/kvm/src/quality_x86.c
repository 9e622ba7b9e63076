/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The self-test guest on x86-64: long mode, one page of code that counts down and halts; the same
 * three instructions natively for comparison. Rounds grow until one takes long enough to measure
 * or the time is up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvm_private.h"

#define GUEST_SIZE 0x10000u
#define PML4_AT 0x1000u
#define PDPT_AT 0x2000u
#define PD_AT 0x3000u
#define CODE_AT 0x4000u

#define PAGE_PRESENT_WRITE 0x3u
#define PAGE_LARGE 0x80u
#define CR0_PE_ET_PG 0x80000011u
#define CR4_PAE 0x20u
#define EFER_LME_LMA 0x500u
#define RFLAGS_RESERVED 0x2u
#define TYPE_CODE 11u /* execute, read, accessed */
#define TYPE_DATA 3u  /* read, write, accessed */

/* First round: even a KVM 10 000 times slower ends it within a tenth of a second. */
#define ROUND_FIRST 4096u
#define ROUND_FACTOR 8u
#define ROUND_LAST 134217728u
/* A round this long is measured well enough: a scheduling slice or two of noise at most. */
#define ROUND_ENOUGH_NS 20000000u
/* So slow that more rounds only take time. */
#define HOPELESS 100.0
#define NS_PER_S 1000000000u

struct guest {
	int vcpu_fd;
	struct kvm_run *run;
};

static volatile struct kvm_run *interrupted;

static void on_timer(int sig)
{
	(void)sig;
	if (interrupted)
		interrupted->immediate_exit = 1;
}

#define REASON(q, ...) (void)snprintf((q)->reason, sizeof((q)->reason), __VA_ARGS__)

static void write_guest(unsigned char *ram)
{
	/* 1: dec rcx; jnz 1b; hlt; and again if somebody resumes it */
	static const unsigned char code[] = { 0x48, 0xff, 0xc9, 0x75, 0xfb, 0xf4, 0xeb, 0xfd };
	pvs_u64 entry;

	entry = PDPT_AT | PAGE_PRESENT_WRITE;
	memcpy(ram + PML4_AT, &entry, sizeof(entry));
	entry = PD_AT | PAGE_PRESENT_WRITE;
	memcpy(ram + PDPT_AT, &entry, sizeof(entry));
	entry = PAGE_PRESENT_WRITE | PAGE_LARGE;
	memcpy(ram + PD_AT, &entry, sizeof(entry));
	memcpy(ram + CODE_AT, code, sizeof(code));
}

static struct kvm_segment segment(unsigned int type, int is_code)
{
	struct kvm_segment s;

	memset(&s, 0, sizeof(s));
	s.limit = 0xffffffffu;
	s.selector = is_code ? 0x8 : 0x10;
	s.type = (unsigned char)type;
	s.present = 1;
	s.s = 1;
	s.l = is_code ? 1 : 0;
	s.db = is_code ? 0 : 1;
	s.g = 1;
	return s;
}

static int set_long_mode(int vcpu_fd)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs = segment(TYPE_CODE, 1);
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = segment(TYPE_DATA, 0);
	sregs.cr0 = CR0_PE_ET_PG;
	sregs.cr3 = PML4_AT;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME_LMA;
	return ioctl(vcpu_fd, KVM_SET_SREGS, &sregs);
}

/* Descriptors stay open: the process ends with them. Returns the step that failed, or NULL. */
static const char *make_guest(struct guest *g)
{
	struct kvm_userspace_memory_region slot = { .memory_size = GUEST_SIZE };
	int kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	unsigned char *ram;
	int size;

	if (vm_fd < 0)
		return "KVM_CREATE_VM";
	ram = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		return "guest memory";
	write_guest(ram);
	slot.userspace_addr = (pvs_u64)(size_t)ram;
	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &slot))
		return "KVM_SET_USER_MEMORY_REGION";
	g->vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (g->vcpu_fd < 0 || size < (int)sizeof(*g->run))
		return "KVM_CREATE_VCPU";
	g->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu_fd, 0);
	if (g->run == MAP_FAILED)
		return "kvm_run";
	return set_long_mode(g->vcpu_fd) ? "KVM_SET_SREGS" : NULL;
}

/* 0: the loop ran to its end. */
static int run_guest(struct guest *g, pvs_u64 iterations, pvs_u64 *ns)
{
	struct kvm_regs regs;
	pvs_u64 start_ns;

	memset(&regs, 0, sizeof(regs));
	regs.rip = CODE_AT;
	regs.rcx = iterations;
	regs.rflags = RFLAGS_RESERVED;
	if (ioctl(g->vcpu_fd, KVM_SET_REGS, &regs))
		return -1;
	start_ns = pvs_kvm_clock_ns();
	if (ioctl(g->vcpu_fd, KVM_RUN, 0))
		return -1;
	*ns = pvs_kvm_clock_ns() - start_ns;
	return g->run->exit_reason == KVM_EXIT_HLT ? 0 : -1;
}

static pvs_u64 run_native(pvs_u64 iterations)
{
	pvs_u64 start_ns = pvs_kvm_clock_ns();

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(iterations) : : "cc");
	return pvs_kvm_clock_ns() - start_ns;
}

/* A signal ends KVM_RUN; the flag makes sure if the signal comes just before it. */
static void set_deadline(pvs_u64 deadline_ns)
{
	struct sigaction action;
	struct sigevent event;
	struct itimerspec when;
	timer_t timer;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_timer;
	sigaction(SIGALRM, &action, NULL);
	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGALRM;
	memset(&when, 0, sizeof(when));
	when.it_value.tv_sec = (time_t)(deadline_ns / NS_PER_S);
	when.it_value.tv_nsec = (long)(deadline_ns % NS_PER_S);
	if (!timer_create(CLOCK_MONOTONIC, &event, &timer))
		timer_settime(timer, TIMER_ABSTIME, &when, NULL);
}

static void measure(struct guest *g, struct pvs_kvm_quality *q)
{
	pvs_u64 n;

	for (n = ROUND_FIRST; n <= ROUND_LAST; n *= ROUND_FACTOR) {
		pvs_u64 native_ns = run_native(n);
		pvs_u64 guest_ns;

		if (run_guest(g, n, &guest_ns)) {
			if (!q->iterations)
				REASON(q, "/dev/kvm: %s", errno == EINTR
				       ? "a guest loop of some thousand instructions did not end"
				       : "the self-test guest did not run as it should");
			return;
		}
		q->iterations = n;
		q->slowdown = (double)guest_ns / (double)(native_ns ? native_ns : 1u);
		if (guest_ns >= ROUND_ENOUGH_NS && (native_ns >= ROUND_ENOUGH_NS / 4 ||
						    q->slowdown > HOPELESS))
			return;
	}
}

void pvs_kvm_quality_measure(struct pvs_kvm_quality *q, pvs_u64 deadline_ns)
{
	struct guest g = { .vcpu_fd = -1 };
	const char *failed;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	set_deadline(deadline_ns);
	failed = make_guest(&g);
	if (failed) {
		REASON(q, "/dev/kvm: %s failed: %s", failed, strerror(errno));
		return;
	}
	interrupted = g.run;
	measure(&g, q);
}
