/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest-visible counters (libpvsched/src/step.c: publish_counters(); guest-shim/src/vcpu.c:
 * pvs_guest_counters()): written by the host between an odd and an even sequence, read by the guest
 * in a bounded number of tries. Stores and loads in program order, as both sides' barriers say.
 *
 * Promised: what a reader takes was written by one step; a reader comes to an end.
 */
#define STEPS 4
#define TRIES 3     /* 8 in the shim */

byte sequence;
byte first;
byte second;

proctype host() {
	byte n;

	do
	:: n < STEPS ->
		n++;
#ifndef FAULT_NEVER_ODD
		sequence = 2 * n - 1;
#endif
		first = n;
		second = n;
		sequence = 2 * n
	:: else -> break
	od
}

proctype guest() {
	byte before;
	byte one;
	byte two;
	byte tries;

	do
	:: tries < TRIES ->
		before = sequence;
		one = first;
		two = second;
		tries++;
		if
#ifdef FAULT_READS_SEQUENCE_ONCE
		:: (before & 1) == 0 ->
#else
		:: (before & 1) == 0 && sequence == before ->
#endif
			assert(one == two);
			break
		:: else -> skip
		fi
	:: else -> break
	od
}

init {
	atomic { run host(); run guest() }
}
