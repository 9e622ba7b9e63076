/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inbox of a vCPU: one word; a bit for each kind of event in its low half, the number of posted
 * injections in its high half (libpvsched/src/event.c: pvs_post(), pvs_take_events()).
 *
 * Anybody posts: an event is one atomic OR, an injection one atomic add. The owner peeks, and takes
 * all of it by one atomic exchange. Promised: nothing posted is lost, nothing is taken
 * that was not posted, and no injection counts twice.
 */
#define POSTERS 3
#define POSTS 2     /* of each poster */
#define EVENTS 2    /* kinds of events but injections */
#define LOOKS 3     /* of the owner while others post */
#define UNIT 4      /* one injection in the word: above EVENTS bits */

byte inbox;
/* What was really done, by those who did it. */
bool owed[EVENTS];
byte injected;
byte drained;
byte ended;

inline post_event(kind) {
#ifdef FAULT_POST_IN_TWO_STEPS
	seen = inbox;
	d_step {
		inbox = seen | (1 << kind);
		owed[kind] = true;
	}
#else
	d_step {
		inbox = inbox | (1 << kind);
		owed[kind] = true;
	}
#endif
}

inline post_injection() {
#ifdef FAULT_COUNT_IS_A_BIT
	d_step {
		inbox = inbox | UNIT;
		injected++;
	}
#else
#ifdef FAULT_ADD_IN_TWO_STEPS
	seen = inbox;
	d_step { inbox = seen + UNIT; injected++ };
#else
	d_step { inbox = inbox + UNIT; injected++ };
#endif
#endif
}

/* What the owner has taken is no longer owed. */
inline take(word) {
	drained = drained + word / UNIT;
	assert(!(word & 1) || owed[0]);
	assert(!(word & 2) || owed[1]);
	owed[0] = owed[0] && !(word & 1);
	owed[1] = owed[1] && !(word & 2);
	word = 0;
}

inline drain() {
	if
	:: inbox == 0 -> skip
	:: else ->
#ifdef FAULT_DRAIN_IN_TWO_STEPS
		taken = inbox;
		d_step { inbox = 0; take(taken) }
#else
		d_step { taken = inbox; inbox = 0; take(taken) }
#endif
	fi
}

proctype poster() {
	byte seen;
	byte posts;

	do
	:: posts < POSTS ->
		if
		:: post_event(0)
		:: post_event(1)
		:: post_injection()
		fi;
		posts++
	:: else -> break
	od;
	atomic { seen = 0; posts = 0; ended++ }
}

proctype owner() {
	byte taken;
	byte looks;

	do
	:: looks < LOOKS -> drain(); looks++
	:: else -> break
	od;
	ended == POSTERS;
	drain();
	assert(inbox == 0);
	assert(!owed[0] && !owed[1]);
	assert(drained == injected);
}

init {
	byte i;

	atomic {
		do
		:: i < POSTERS -> run poster(); i++
		:: else -> break
		od;
		run owner();
	}
}
