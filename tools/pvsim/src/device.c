/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - interrupts from outside: requests that arrive for a mailbox, or mere noise.
 *
 * A request is in the mailbox when it arrives, as in a ring of virtio; whoever waits for it wakes
 * when a vCPU has handled the interrupt. Requests that come while one is pending share it.
 */
#include <stdlib.h>
#include <string.h>

#include "guest_inner.h"

static struct sim_vcpu *receiver(struct sim_device *d)
{
	struct sim_vm *vm = d->vm;
	uint32_t index = d->spec->vcpu;

	if (index == SIM_IPI_RANDOM)
		index = (uint32_t)sim_rng_below(&d->rng, vm->vcpu_count);
	index %= vm->vcpu_count;
	if (!vm->vcpus[index].online)
		for (index = 0; index + 1 < vm->vcpu_count && !vm->vcpus[index].online;)
			index++;
	return &vm->vcpus[index];
}

static void arm_next(struct sim *sim, struct sim_device *d)
{
	uint64_t ns = sim_dist_draw(&d->spec->every, &d->rng);
	uint64_t at_ns = sim->now_ns + (ns ? ns : 1);

	if (!d->spec->stop_ns || at_ns < d->spec->stop_ns)
		sim_arm(sim, &d->timer, at_ns);
}

static void fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_device *d = timer->owner;
	uint32_t i, burst = d->spec->burst ? d->spec->burst : 1;
	struct sim_world *w = &sim_gm(d->vm)->world;

	if (d->spec->mailbox < w->box_count)
		for (i = 0; i < burst; i++)
			sim_box_put(sim, &w->boxes[d->spec->mailbox], sim->now_ns);
	sim_vcpu_interrupt(sim, receiver(d), d->vector);
	arm_next(sim, d);
}

void sim_devices_handle(struct sim *sim, struct sim_vcpu *v, uint32_t vector)
{
	struct sim_gvm *gm = sim_gm(v->vm);
	uint32_t i, box;

	for (i = 0; i < gm->device_count; i++) {
		box = gm->devices[i]->spec->mailbox;
		if (gm->devices[i]->vector == vector && box < gm->world.box_count)
			sim_box_serve(sim, &gm->world.boxes[box], v);
	}
}

static void attach(struct sim_gvm *gm, struct sim_device *d)
{
	struct sim_device **more;

	more = realloc(gm->devices, (gm->device_count + 1) * sizeof(*more));
	if (!more)
		abort();
	gm->devices = more;
	gm->devices[gm->device_count++] = d;
}

/* One for each VM of that name; a VM with a count is all of its copies. */
void sim_devices_init(struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;
	struct sim_guests *guests = sim_guests(sim);
	struct sim_device *d;
	struct sim_vm *vm;
	uint32_t i, n;

	guests->devices = calloc((size_t)s->device_count * sim->vm_count + 1, sizeof(*d));
	if (!guests->devices)
		abort();
	for (i = 0; i < s->device_count; i++) {
		for (n = 0; n < sim->vm_count; n++) {
			vm = &sim->vms[n];
			if (strcmp(vm->spec->name, s->devices[i].vm) != 0 &&
			    strcmp(vm->name, s->devices[i].vm) != 0)
				continue;
			d = &guests->devices[guests->device_count++];
			d->spec = &s->devices[i];
			d->vm = vm;
			d->vector = SIM_VECTOR_DEVICE + i % SIM_VECTOR_DEVICES;
			d->timer.owner = d;
			d->timer.fire = fires;
			sim_rng_seed(&d->rng, sim->seed, sim_stream(vm->name, d->spec->name) + 1);
			attach(sim_gm(vm), d);
			/* the first one comes as long after `start` as the others after it */
			sim_arm(sim, &d->timer, d->spec->start_ns +
				sim_dist_draw(&d->spec->every, &d->rng));
		}
	}
}
