/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `pending` word of a slot (guest-shim/src/wait.c): raised by any vCPU with a bounded
 * compare-and-swap maximum, cleared by its owner with one compare-and-swap.
 *
 * Promised (G-16): others only raise it; a clear takes away nothing that was raised during it; of
 * who was told "done", the urgency stands, or the owner has seen as much before it cleared. (So an
 * urgency that is not above what the owner has just loaded goes with it: it raised nothing.)
 */
#define WAKERS 3
#define TRIES 2     /* 8 in the shim: more tries, the same steps */
#define CLEARS 3

byte word;
byte seen;          /* most that the owner has loaded and then cleared */
byte done_max;      /* most that anybody was told is done */
byte ended;

proctype waker(byte want) {
	byte now;
	byte tries;
	bool done;

	do
	:: tries < TRIES ->
		now = word;
		if
		:: now >= want -> done = true; break
		:: else -> skip
		fi;
#ifdef FAULT_RAISE_BY_STORE
		atomic { assert(word <= want); word = want; done = true };
#else
		if
		:: atomic { word == now -> assert(word < want); word = want; done = true }
		:: atomic { word != now -> tries++ }
		fi;
#endif
		if
		:: done -> break
		:: else -> skip
		fi
	:: else ->
#ifdef FAULT_LOST_IS_DONE
		done = true;
#endif
		break
	od;
	atomic {
		if
		:: done && want > done_max -> done_max = want
		:: else -> skip
		fi;
		now = 0; tries = 0; done = false; ended++
	}
}

proctype owner() {
	byte now;
	byte clears;

	do
	:: clears < CLEARS ->
		now = word;
		if
		:: now == 0 -> skip
#ifdef FAULT_CLEAR_BY_STORE
		:: atomic { now -> assert(word == now); word = 0; seen = (now > seen -> now : seen) }
#else
		:: atomic { now && word == now -> word = 0; seen = (now > seen -> now : seen) }
		:: atomic { now && word != now -> assert(word > now) } /* that stands */
#endif
		fi;
		clears++
	:: else -> break
	od;
	ended++
}

proctype judge() {
	ended == WAKERS + 1;
	assert(word >= done_max || seen >= done_max)
}

init {
	atomic {
		run waker(1);
		run waker(2);
		run waker(3);
		run owner();
		run judge();
	}
}
