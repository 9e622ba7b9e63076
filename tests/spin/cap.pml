/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM's cap (libpvsched/src/cap.c): a time, moved ahead by whoever takes from it. Several vCPUs
 * take a quantum by a bounded compare-and-swap, use some of it or all and more, give the rest back
 * or are charged for the overrun; meanwhile time passes and refills.
 *
 * Promised: what was granted less what was given back is never more than the capacity and the time
 * that has passed; overruns are always charged; a lost race gives nothing away.
 *
 * A word that is more than twice the capacity ahead is taken for that of a clock that was set back.
 * So nobody may decide by a time that is older than the capacity: then the word goes back, and the
 * guest gets one burst too many.
 */
#define TRIES 2     /* 4 in the engine */
#define CAPACITY 4
#define QUANTUM 2
#define TIME 1      /* how long it goes on */
#define START 8     /* the clock's first value: the cap has never been touched */

byte cap;
byte now = START;
byte granted;       /* by takes that succeeded, less refunds */
byte overran;
byte charged;

inline take() {
	tries = 0;
	got = false;
	do
	:: tries < TRIES ->
		seen = cap;
		next = (seen > clock -> seen : clock);
		next = (next > clock + 2 * CAPACITY -> clock + 2 * CAPACITY : next) + QUANTUM;
		if
		:: next > clock + CAPACITY -> break
		:: else -> skip
		fi;
#ifdef FAULT_TAKE_BY_STORE
		atomic { cap = next; got = true; granted = granted + QUANTUM };
#else
		if
		:: atomic { cap == seen -> cap = next; got = true; granted = granted + QUANTUM }
		:: atomic { cap != seen -> tries++ }
		fi;
#endif
		if
		:: got -> break
		:: else -> skip
		fi
	:: else ->
#ifdef FAULT_LOST_RACE_GIVES
		atomic { got = true; granted = granted + QUANTUM };
#endif
		break
	od
}

inline refund(amount) {
	tries = 0;
	do
	:: tries < TRIES ->
		seen = cap;
#ifdef FAULT_REFUND_TWICE
		atomic { cap = cap - amount };
#endif
		if
		:: atomic { cap == seen ->
			cap = (seen > amount -> seen - amount : 0);
			granted = granted - amount;
			break
		   }
		:: atomic { cap != seen -> tries++ }
		fi
	:: else -> break /* forgotten: to the guest's disadvantage */
	od
}

/* An overrun is charged by the same swap, and by an addition when the races are lost. */
inline charge(amount) {
	tries = 0;
	do
	:: tries < TRIES ->
		seen = cap;
		next = (seen > clock -> seen : clock);
		next = (next > clock + 2 * CAPACITY -> clock + 2 * CAPACITY : next) + amount;
		if
		:: atomic { cap == seen -> cap = next; charged = charged + amount; break }
		:: atomic { cap != seen -> tries++ }
		fi
	:: else ->
#ifndef FAULT_CHARGE_IS_FORGOTTEN
		atomic { cap = cap + amount; charged = charged + amount };
#endif
		break
	od
}

proctype vcpu(byte times) {
	byte clock;
	byte seen;
	byte next;
	byte tries;
	byte boosts;
	bool got;

	do
	:: boosts < times ->
		clock = now;
		take();
		if
		:: got ->
			if
			:: skip /* used up */
			:: refund(1)
			:: atomic { clock = now; overran++ }; charge(1)
			fi
		:: else -> skip
		fi;
		/* values that are read no more must not tell states apart */
		atomic { clock = 0; seen = 0; next = 0; tries = 0; got = false; boosts++ }
	:: else -> break
	od
}

proctype clock_and_judge() {
	do
	:: now < START + TIME -> now++
	:: atomic { granted > CAPACITY + (now - START) -> assert(false) }
	:: timeout -> break
	od;
	assert(charged == overran)
}

init {
	atomic {
		run vcpu(2);
		run vcpu(1);
		run vcpu(1);
		run clock_and_judge();
	}
}
