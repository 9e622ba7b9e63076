/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control thread: one libuv loop that owns every struct pvs_host, so that nothing needs a lock.
 * What wakes it:
 *
 *   a doorbell          the guest's word changed in a way the host asked to be told of
 *   the clock           the library wants to look again (pvs_host_timer), the measured interval
 *                       begins or ends, a stormy doorbell opens again
 *   a vCPU that ended   the library lets go of its thread
 *   SIGTERM, SIGINT     everybody back to baseline, and out
 */
#include "vmm.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* From here to the first instruction that counts: the guests boot and negotiate meanwhile. */
#define START_DELAY_NS (50 * NS_PER_MS)

/* Without the library nobody is above the static priority of vcpu.c (50) but this thread. */
#define CONTROL_RT_PRIORITY 51

/* "Now" the region changes hands: the first generation of each VM. */
#define FIRST_GENERATION 1u

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#define for_each_vm(vm, vmm) \
	for ((vm) = (vmm)->vms; (vm) < (vmm)->vms + (vmm)->vm_count; (vm)++)

#define for_each_vcpu(vcpu, vm) \
	for ((vcpu) = (vm)->vcpus; (vcpu) < (vm)->vcpus + (vm)->vcpu_count; (vcpu)++)

/* ---- the library ----------------------------------------------------------------------------- */

/*
 * The adapter's operations, but for two. A VMM knows who shares which CPU; and one timer does for
 * all VMs of one thread.
 */
static struct pvs_adapter_ops ops;

static int now(void *ctx, struct pvs_facts *facts, int sample)
{
	const struct vcpu *vcpu = container_of(ctx, struct vcpu, knobs);

	int status = pvs_kvm_ops.now(ctx, facts, sample);

	if (sample != PVS_SAMPLE_CLOCK)
		facts->entitlement_q16 = vcpu->entitlement_q16;
	return status;
}

static int arm(void *ctx, pvs_u64 at_ns)
{
	container_of(ctx, struct vm, timer)->armed_ns = at_ns;
	return PVS_OK;
}

/* Equal threads on one CPU: each is entitled to its part of it. */
static uint32_t entitlement_of(const struct vmm *vmm, const struct vm *of)
{
	const struct vmm_options *options = &vmm->options;
	uint32_t sharing = 0;
	const struct vm *vm;

	if (options->entitlement_learned || options->entitlement_q16)
		return options->entitlement_q16;
	if (of->options->cpu == VMM_CPU_ANY)
		return 0;
	for_each_vm(vm, vmm) {
		if (vm->options->cpu == of->options->cpu)
			sharing += vm->vcpu_count;
	}
	return 65536u / sharing;
}

static int library_failed(const struct vm *vm, const char *what, int status)
{
	fprintf(stderr, "pvs-vmm: %s: %s: status %d\n", vm->options->name, what, status);
	return -1;
}

static int attach_vcpu(struct vm *vm, struct vcpu *vcpu)
{
	int status = pvs_kvm_thread_open(&vcpu->knobs, &vm->vmm->knobs, getpid(), vcpu->tid);

	if (status != PVS_OK)
		return library_failed(vm, "thread", status);
	vcpu_kick_setup(vcpu);
	vcpu->entitlement_q16 = entitlement_of(vm->vmm, vm);
	status = pvs_host_attach(&vm->host, vcpu->index, &vcpu->knobs, vcpu->index);
	return status == PVS_OK ? 0 : library_failed(vm, "attach", status);
}

static int open_host(struct vm *vm)
{
	struct vmm *vmm = vm->vmm;
	struct pvs_config config = vmm->options.config;
	struct pvs_host_args args = {
		.ops = &ops,
		.ctx = &vm->timer,
		.config = &config,
		.region = vm->region,
		.vcpus = vm->host_vcpus,
		.slot_count = vm->vcpu_count,
		.caps = pvs_kvm_caps(&vmm->knobs) | PVS_CAP_CAN_KICK,
		.generation = FIRST_GENERATION,
		.kick_kind = PVS_KICK_PIO,
		.kick_addr = PVS_VMM_PORT_DOORBELL,
	};
	struct vcpu *vcpu;
	int status;

	vm->timer.kvm = &vmm->knobs;
	if (vmm->options.mode == VMM_MEASURE || !pvs_kvm_can_boost(&vmm->knobs))
		config.flags |= PVS_CONFIG_MEASURE_ONLY;
	status = pvs_host_init(&vm->host, &args);
	if (status != PVS_OK)
		return library_failed(vm, "host", status);
	for_each_vcpu(vcpu, vm) {
		if (attach_vcpu(vm, vcpu) != 0)
			return -1;
	}
	return 0;
}

static int open_library(struct vmm *vmm)
{
	struct vm *vm;
	int status;

	if (vmm->options.mode != VMM_ON && vmm->options.mode != VMM_MEASURE)
		return 0;
	ops = pvs_kvm_ops;
	ops.now = now;
	ops.arm = arm;
	status = pvs_kvm_control_enter(&vmm->knobs);
	if (status != PVS_OK)
		fprintf(stderr, "pvs-vmm: control thread: status %d\n", status);
	vmm->control.realtime = status == PVS_OK && (vmm->knobs.range.knobs & PVS_KVM_KNOB_RT);
	if (!pvs_kvm_can_boost(&vmm->knobs))
		fprintf(stderr, "pvs-vmm: measures only: %s\n", vmm->knobs.reason);
	vmm->control.library = true;
	for_each_vm(vm, vmm) {
		if (open_host(vm) != 0)
			return -1;
	}
	return 0;
}

/* Every vCPU back to what it was. */
static void close_library(struct vmm *vmm)
{
	struct vcpu *vcpu;
	struct vm *vm;

	if (!vmm->control.library)
		return;
	for_each_vm(vm, vmm) {
		pvs_host_close(&vm->host);
		for_each_vcpu(vcpu, vm)
			pvs_kvm_thread_close(&vcpu->knobs);
	}
	pvs_kvm_control_leave(&vmm->knobs);
}

/* ---- what wakes the loop --------------------------------------------------------------------- */

static void drain(int fd, uint64_t *total)
{
	uint64_t count = 0;

	if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count) && total)
		*total += count;
}


/*
 * A guest may ring as often as it likes, but each look costs the host: one for kick_min_ns, with
 * one more to spare, since urgency that is worth a ring ends soon after. More is a storm. Then the
 * bell is shut, which costs only the guest's own time, and whoever rang is served when it opens.
 */
static void rest_bell(struct vcpu *vcpu, uint64_t now_ns)
{
	uint64_t opens_ns = vcpu->bell.opens_ns + vcpu->vm->host.config.kick_min_ns;

	vcpu->bell.opens_ns = opens_ns > now_ns ? opens_ns : now_ns;
}

static void serve_bell(struct vcpu *vcpu, uint64_t now_ns)
{
	const struct pvs_decision *decision = &vcpu->vm->host_vcpus[vcpu->index].decision;

	rest_bell(vcpu, now_ns);
	/* A vCPU that was let go of may still ring: that is no error. */
	(void)pvs_host_event(&vcpu->vm->host, vcpu->index, PVS_EV_KICK, 0);
	if (vcpu->bell.opens_ns < decision->ring_at_ns)
		vcpu->bell.opens_ns = decision->ring_at_ns;
}

static void on_bell(uv_poll_t *poll, int status, int events)
{
	struct vcpu *vcpu = poll->data;
	struct bell *bell = &vcpu->bell;
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	(void)status;
	(void)events;
	vcpu->vm->vmm->control.wakeups++;
	if (now_ns >= bell->opens_ns) {
		drain(bell->fd, &bell->rings);
		serve_bell(vcpu, now_ns);
		return;
	}
	uv_poll_stop(poll); /* the ring stays in the eventfd until the bell opens */
	bell->storms++;
	bell->shut = true;
}

/* The rest of a shut bell is over. It stays shut while somebody rings. */
static void reopen_bell(struct vcpu *vcpu, uint64_t now_ns)
{
	struct bell *bell = &vcpu->bell;
	uint64_t rings = bell->rings;

	drain(bell->fd, &bell->rings);
	if (bell->rings == rings) {
		bell->shut = false;
		uv_poll_start(&bell->poll, UV_READABLE, on_bell);
		return;
	}
	serve_bell(vcpu, now_ns);
}

static void sample_all(struct vmm *vmm, bool at_end)
{
	struct control *control = &vmm->control;
	struct vcpu *vcpu;
	struct vm *vm;

	*(at_end ? &control->to_cpu_ns : &control->from_cpu_ns) =
		clock_ns(CLOCK_THREAD_CPUTIME_ID);
	for_each_vm(vm, vmm) {
		for_each_vcpu(vcpu, vm)
			vcpu_sample(vcpu, at_end ? &vcpu->to : &vcpu->from);
	}
	*(at_end ? &control->to_ns : &control->from_ns) = clock_ns(CLOCK_MONOTONIC);
}

static void look_again(struct vm *vm, uint64_t now_ns)
{
	struct vcpu *vcpu;

	if (vm->armed_ns <= now_ns)
		pvs_host_timer(&vm->host);
	for_each_vcpu(vcpu, vm) {
		if (vcpu->bell.shut && vcpu->bell.opens_ns <= now_ns)
			reopen_bell(vcpu, now_ns);
	}
}

static void on_clock(uv_poll_t *poll, int status, int events)
{
	struct vmm *vmm = poll->data;
	struct control *control = &vmm->control;
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct vm *vm;

	(void)status;
	(void)events;
	control->wakeups++;
	control->clock_ns = 0; /* rung: armed anew before the loop waits */
	if (!control->began && now_ns >= control->from_ns) {
		control->began = true;
		sample_all(vmm, false);
	} else if (control->began && now_ns >= control->to_ns) {
		control->complete = true;
		uv_stop(&control->loop);
		return;
	}
	for_each_vm(vm, vmm)
		look_again(vm, now_ns);
}

static uint64_t next_ns(const struct vmm *vmm)
{
	const struct control *control = &vmm->control;
	uint64_t at_ns = control->began ? control->to_ns : control->from_ns;
	const struct vcpu *vcpu;
	const struct vm *vm;

	for_each_vm(vm, vmm) {
		if (vm->armed_ns < at_ns)
			at_ns = vm->armed_ns;
		for_each_vcpu(vcpu, vm) {
			if (vcpu->bell.shut && vcpu->bell.opens_ns < at_ns)
				at_ns = vcpu->bell.opens_ns;
		}
	}
	return at_ns;
}

/* Before each wait: one clock, set to the earliest of everything; and only when that changed.
 * libuv's own timers count milliseconds. Setting it also takes back an expiry nobody has read. */
static void before_wait(uv_prepare_t *prepare)
{
	struct vmm *vmm = prepare->data;
	uint64_t at_ns = next_ns(vmm);
	struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(at_ns / NS_PER_S),
			      .tv_nsec = (long)(at_ns % NS_PER_S) },
	};

	if (at_ns == vmm->control.clock_ns)
		return;
	vmm->control.clock_ns = at_ns;
	timerfd_settime(vmm->control.clock_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_ended(uv_poll_t *poll, int status, int events)
{
	struct vmm *vmm = poll->data;
	bool running = false;
	struct vcpu *vcpu;
	struct vm *vm;

	(void)status;
	(void)events;
	drain(vmm->control.ended_fd, NULL);
	for_each_vm(vm, vmm) {
		for_each_vcpu(vcpu, vm) {
			if (atomic_load(&vcpu->end) == VCPU_RUNS)
				running = true;
			else if (vmm->control.library)
				pvs_host_detach(&vm->host, vcpu->index);
		}
	}
	if (!running) {
		vmm->control.complete = true;
		uv_stop(&vmm->control.loop);
	}
}

/*
 * Not uv_async_send(): libuv's loop waits, yielding, for a sender that it has overtaken. A loop of
 * real-time priority never yields to an ordinary thread: on one CPU both would stand still.
 */
void control_vcpu_ended(struct vcpu *vcpu)
{
	static const uint64_t one = 1;

	if (write(vcpu->vm->vmm->control.ended_fd, &one, sizeof(one)) < 0)
		fail("eventfd"); /* cannot be: it is far from full */
}

static void on_terminate(uv_signal_t *handle, int number)
{
	struct vmm *vmm = handle->data;

	(void)number;
	uv_stop(&vmm->control.loop);
}

/* ---- setting it up, and down ----------------------------------------------------------------- */

static int watch(struct vmm *vmm, uv_poll_t *poll, int fd, uv_poll_cb callback, void *data)
{
	poll->data = data;
	if (uv_poll_init(&vmm->control.loop, poll, fd) != 0 ||
	    uv_poll_start(poll, UV_READABLE, callback) != 0)
		return fail("event loop");
	return 0;
}

static int watch_signals(struct vmm *vmm)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct control *control = &vmm->control;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		control->terminate[i].data = vmm;
		if (uv_signal_init(&control->loop, &control->terminate[i]) != 0 ||
		    uv_signal_start(&control->terminate[i], on_terminate, signals[i]) != 0)
			return fail("signals");
	}
	return 0;
}

static int watch_all(struct vmm *vmm)
{
	struct control *control = &vmm->control;
	struct vcpu *vcpu;
	struct vm *vm;

	control->prepare.data = vmm;
	if (uv_prepare_init(&control->loop, &control->prepare) != 0 ||
	    uv_prepare_start(&control->prepare, before_wait) != 0)
		return fail("event loop");
	if (watch_signals(vmm) != 0 ||
	    watch(vmm, &control->clock_poll, control->clock_fd, on_clock, vmm) != 0 ||
	    watch(vmm, &control->ended_poll, control->ended_fd, on_ended, vmm) != 0)
		return -1;
	if (!control->library)
		return 0;
	for_each_vm(vm, vmm) {
		for_each_vcpu(vcpu, vm) {
			if (watch(vmm, &vcpu->bell.poll, vcpu->bell.fd, on_bell, vcpu) != 0)
				return -1;
		}
	}
	return 0;
}

/* The moments at which things are read should not depend on who else wants the CPU. */
static void outrank_all(struct vmm *vmm)
{
	struct sched_param priority = { .sched_priority = CONTROL_RT_PRIORITY };

	if (vmm->control.library)
		return;
	vmm->control.realtime =
		sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) == 0;
}

static int start_all(struct vmm *vmm)
{
	struct control *control = &vmm->control;
	struct vcpu *vcpu;
	struct vm *vm;

	control->start_ns = clock_ns(CLOCK_MONOTONIC) + START_DELAY_NS;
	control->from_ns = control->start_ns + vmm->options.warmup_ns;
	control->to_ns = control->from_ns + vmm->options.run_ns;
	for_each_vm(vm, vmm) {
		if (vm_boot(vm, control->start_ns - clock_ns(CLOCK_MONOTONIC)) != 0)
			return -1;
	}
	for_each_vm(vm, vmm) {
		for_each_vcpu(vcpu, vm)
			sem_post(&vcpu->go);
	}
	return 0;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void stop_all(struct vmm *vmm)
{
	struct vcpu *vcpu;
	struct vm *vm;

	close_library(vmm);
	/* All at once: one that spins at a real-time priority would keep its equals from ending. */
	for_each_vm(vm, vmm) {
		for_each_vcpu(vcpu, vm)
			vcpu_ask_to_stop(vcpu);
	}
	for_each_vm(vm, vmm) {
		for_each_vcpu(vcpu, vm)
			vcpu_stop(vcpu);
	}
	uv_walk(&vmm->control.loop, close_handle, NULL);
	uv_run(&vmm->control.loop, UV_RUN_DEFAULT);
	uv_loop_close(&vmm->control.loop);
	close(vmm->control.clock_fd);
	close(vmm->control.ended_fd);
}

int control_run(struct vmm *vmm)
{
	struct control *control = &vmm->control;
	int result;

	control->clock_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	control->ended_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (control->clock_fd < 0 || control->ended_fd < 0 || uv_loop_init(&control->loop) != 0)
		return fail("event loop");
	result = open_library(vmm);
	outrank_all(vmm);
	if (result == 0)
		result = watch_all(vmm);
	if (result == 0)
		result = start_all(vmm);
	if (result == 0) {
		uv_run(&control->loop, UV_RUN_DEFAULT);
		if (!control->began)
			sample_all(vmm, false);
		sample_all(vmm, true);
	}
	stop_all(vmm);
	return result;
}
