/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The template port, run as it stands on an operating system of a few lines.
 */
#include "region.h"

#include <string.h>

#include "../../../guest-shim/os/template/os.h"
#include "../../../guest-shim/os/template/port.h"

static struct region *host;
static pvs_u32 cpu;
static pvs_u32 status_after_pause; /* what the host answers, at the next pause */
static unsigned int rings, pauses, yields;
static pvs_u32 ring_value;

volatile void *os_map_region(pvs_u64 *bytes)
{
	*bytes = host ? PVS_HEADER_SIZE + sizeof(host->slots) : 0;
	return host;
}

pvs_u32 os_this_cpu(void)
{
	return cpu;
}

pvs_u32 os_arch_id(pvs_u32 of)
{
	return of * 2;
}

static void ring(pvs_u32 value)
{
	rings++;
	ring_value = value;
}

void os_out32(pvs_u64 port, pvs_u32 value)
{
	assert_int_equal(port, 0x5057);
	ring(value);
}

void os_mmio32(pvs_u64 guest_physical, pvs_u32 value)
{
	(void)guest_physical;
	ring(value);
}

void os_hypercall(pvs_u64 number, pvs_u32 argument)
{
	(void)number;
	ring(argument);
}

void os_yield_to_host(void)
{
	yields++;
}

void os_pause_1ms(void)
{
	pauses++;
	if (host->header.guest_command == PVS_CMD_RESET)
		host->header.status = PVS_STATUS_OFFERED;
	else
		host->header.status = status_after_pause;
}

static int fresh(void **state)
{
	(void)state;
	cpu = 0;
	rings = 0;
	pauses = 0;
	yields = 0;
	status_after_pause = PVS_STATUS_ACTIVE;
	host = region_new(PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
	return 0;
}

static int gone(void **state)
{
	(void)state;
	cpu = 0;
	port_cpu_down();
	cpu = 1;
	port_cpu_down();
	port_end();
	region_free(host);
	return 0;
}

static void template__boots_when_the_host_answers(void **state)
{
	(void)state;
	assert_int_equal(port_boot(), PVS_GUEST_OK);
	assert_int_equal(host->header.guest_command, PVS_CMD_ACCEPT);
	assert_int_equal(rings, 1);
	assert_int_equal(pauses, 1);
}

static void template__gives_up_when_it_does_not(void **state)
{
	(void)state;
	status_after_pause = PVS_STATUS_OFFERED;
	assert_int_equal(port_boot(), PVS_GUEST_NOT_READY);
	assert_in_range(pauses, 10, 1000);
}

static void template__takes_over_from_a_kernel_that_died(void **state)
{
	(void)state;
	host->header.status = PVS_STATUS_ACTIVE;
	host->header.guest_command = PVS_CMD_ACCEPT;
	assert_int_equal(port_boot(), PVS_GUEST_OK);
	assert_int_equal(host->header.guest_command, PVS_CMD_ACCEPT);
	assert_int_equal(rings, 2);
}

static void template__is_an_ordinary_guest_without_a_region(void **state)
{
	struct region *r = host;

	(void)state;
	host = NULL;
	assert_int_equal(port_boot(), PVS_GUEST_STATE);
	host = r;
	host->header.magic = 0;
	assert_int_equal(port_boot(), PVS_GUEST_MAGIC);
	assert_int_equal(port_cpu_up(), PVS_GUEST_STATE);
}

static void template__finds_its_slot_by_name(void **state)
{
	(void)state;
	region_slot(host, 3)->ident = PVS_IDENT_PRESENT | (pvs_u64)2 << PVS_IDENT_ARCH_SHIFT;
	assert_int_equal(port_boot(), PVS_GUEST_OK);
	assert_int_equal(port_cpu_up(), PVS_GUEST_OK);
	assert_true(region_slot(host, 0)->life & PVS_LIFE_ONLINE);
	cpu = 1;
	assert_int_equal(port_cpu_up(), PVS_GUEST_OK);
	assert_true(region_slot(host, 3)->life & PVS_LIFE_ONLINE);
	assert_true(region_slot(host, 1)->life == 0);
}

static void template__says_what_happens(void **state)
{
	const struct port_task audio = { PVS_URGENCY_REALTIME, 4, 100 };
	const struct port_task batch = { PVS_URGENCY_BACKGROUND, 0, 0 };
	struct pvs_slot *s = region_slot(host, 0);
	unsigned int before;
	pvs_u64 found;

	(void)state;
	assert_int_equal(port_boot(), PVS_GUEST_OK);
	assert_int_equal(port_cpu_up(), PVS_GUEST_OK);
	rings = 0;

	port_idle(&audio);
	assert_true(s->intent & (pvs_u64)1 << PVS_INTENT_IDLE_SHIFT);
	assert_true(s->intent & (pvs_u64)1 << PVS_INTENT_WAKE_VALID_SHIFT);
	port_idle(NULL);
	assert_false(s->intent & (pvs_u64)1 << PVS_INTENT_WAKE_VALID_SHIFT);
	port_queued_on(0, &audio);
	assert_int_equal(s->pending, 0x54);
	assert_int_equal(rings, 0);

	s->applied = PVS_CLASS_BASELINE | PVS_APPLIED_KICK_RAISE;
	port_switch(&audio);
	assert_int_equal(s->pending, 0);
	assert_int_equal(rings, 1);
	assert_int_equal(ring_value, 0);
	s->applied = PVS_CLASS_TASK | PVS_APPLIED_KICK_DEBOOST;
	port_switch(&batch);
	assert_int_equal(rings, 2);

	s->irq_ticket = 9;
	found = port_irq_enter(PVS_IRQ_HARDIRQ);
	port_irq_handled();
	assert_int_equal(s->irq, PVS_IRQ_HARDIRQ | 9 << PVS_IRQ_ACK_SHIFT);
	port_irq_leave(found);
	assert_int_equal(s->irq, 9 << PVS_IRQ_ACK_SHIFT);
	assert_int_equal(rings, 3);

	port_lock();
	assert_int_equal(s->crit, PVS_CRIT_LOCK_HELD);
	port_unlock();
	assert_int_equal(s->crit, 0);
	assert_int_equal(yields, 0);
	port_lock();
	s->applied = PVS_CLASS_CRITICAL | PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_GRANTED;
	before = rings;
	port_unlock();
	assert_int_equal(yields, 1);
	assert_int_equal(rings, before); /* a yield tells all that a ring would */
	port_spin_begin(0);
	assert_int_equal(s->wait, PVS_WAIT_LOCK);
	port_spin();
	assert_int_equal(yields, 1);
	s->applied |= PVS_APPLIED_YIELD_SPIN;
	port_spin();
	assert_int_equal(yields, 2);
	port_spin_begin(PORT_UNKNOWN);
	assert_int_equal(s->wait, PVS_WAIT_ANY);
	port_spin_end();
	assert_int_equal(s->wait, 0);
}

static void template__notices_that_the_host_has_moved(void **state)
{
	(void)state;
	assert_int_equal(port_boot(), PVS_GUEST_OK);
	assert_int_equal(port_tick(), 0);
	host->header.generation++;
	assert_int_equal(port_tick(), 1);
	host->header.status = PVS_STATUS_OFFERED;
	assert_int_equal(port_boot(), PVS_GUEST_OK);
	assert_int_equal(port_tick(), 0);
}

static void template__rings_each_kind_of_bell(void **state)
{
	pvs_u32 kind;

	(void)state;
	for (kind = PVS_KICK_NONE; kind <= PVS_KICK_HYPERCALL; kind++) {
		rings = 0;
		host->header.kick_kind = kind;
		host->header.status = PVS_STATUS_OFFERED;
		assert_int_equal(port_boot(), PVS_GUEST_OK);
		assert_int_equal(rings, kind != PVS_KICK_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			template__boots_when_the_host_answers, fresh, gone),
		cmocka_unit_test_setup_teardown(template__gives_up_when_it_does_not, fresh, gone),
		cmocka_unit_test_setup_teardown(
			template__takes_over_from_a_kernel_that_died, fresh, gone),
		cmocka_unit_test_setup_teardown(
			template__is_an_ordinary_guest_without_a_region, fresh, gone),
		cmocka_unit_test_setup_teardown(template__finds_its_slot_by_name, fresh, gone),
		cmocka_unit_test_setup_teardown(template__says_what_happens, fresh, gone),
		cmocka_unit_test_setup_teardown(
			template__notices_that_the_host_has_moved, fresh, gone),
		cmocka_unit_test_setup_teardown(template__rings_each_kind_of_bell, fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
