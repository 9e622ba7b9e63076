/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One word of a yield set and its bit in the summary (libpvsched/src/yield.c: set_join(),
 * set_leave()). Several CPUs join and leave, each its own bit; all share the summary bit.
 *
 * Join: the word, then the summary. Leave: the word; if nothing is left, the summary; then the word
 * again. Promised: at rest, who is in the word is found through the summary; and a member whose
 * join has ended is missed only while somebody is between his two looks.
 */
#define MEMBERS 3
#define ROUNDS 2

byte word;
bool summary;
byte leaving;       /* members between clearing the summary and their second look */
bool joined[MEMBERS];
byte ended;

inline join(mark) {
#ifdef FAULT_SUMMARY_FIRST
	summary = true;
	word = word | mark;
#else
	word = word | mark;
	summary = true;
#endif
}

inline leave(mark) {
	word = word & (7 - mark);
	if
	:: word -> skip
	:: else ->
		atomic { summary = false; leaving++ };
#ifndef FAULT_NO_SECOND_LOOK
		if
		:: word -> summary = true
		:: else -> skip
		fi;
#endif
		leaving--
	fi
}

proctype member(byte me) {
	byte rounds;

	do
	:: rounds < ROUNDS ->
		join((1 << me));
		joined[me] = true;
		if
		:: rounds + 1 == ROUNDS && me == 0 -> break /* one stays */
		:: else -> skip
		fi;
		joined[me] = false;
		leave((1 << me));
		rounds++
	:: else -> break
	od;
	ended++
}

proctype judge() {
	do
	:: atomic {
		((joined[0] || joined[1] || joined[2]) && !leaving && ended < MEMBERS) ->
		assert(summary)
	   }
	:: ended == MEMBERS -> break
	od;
	assert(word == 1 && summary)
}

init {
	atomic {
		run member(0);
		run member(1);
		run member(2);
		run judge();
	}
}
