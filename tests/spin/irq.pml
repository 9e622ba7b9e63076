/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `irq` word (guest-shim/src/irq.c): written by one vCPU from nested contexts, read by a host
 * at any time. Soft interrupts, interrupts within them and an NMI between any two instructions.
 *
 * Promised (G-07): each context's bit is in the word from when it has entered until it begins to
 * leave; whoever is interrupted goes on with the word it had; the acknowledgement is that of the
 * last who acknowledged, and no NMI touches it; at the end no bit is left.
 */
#define SOFT 1
#define HARD 2
#define NMI 4
#define BITS 7
#define ACK 8       /* tickets are counted above the bits */
#define ROUNDS 2    /* of each interrupting context */

byte word;          /* shared */
byte mine;          /* the private copy */
byte level;         /* what runs: 0 a task, then SOFT, HARD, NMI */
byte acked;         /* the ticket acknowledged last, whole */
bool masked;        /* maskable interrupts are off: during each call, as its contract says */
bool inside[5];     /* between enter and leave, by bit */
byte ended;

/* An instruction of the context `l`: nothing that has interrupted it runs. */
#define AT(l, instruction) atomic { (level == l) -> instruction }

inline put(me, value) {
#ifdef FAULT_SHARED_FIRST
	AT(me, word = value);
	AT(me, mine = value);
#else
	AT(me, mine = value);
	AT(me, word = value);
#endif
}

inline mask(me) {
#ifdef FAULT_INTERRUPTS_STAY_ON
	skip
#else
	if
	:: me == SOFT -> AT(me, masked = true)
	:: else -> skip
	fi
#endif
}

inline unmask(me) {
	if
	:: me == SOFT -> AT(me, masked = false)
	:: else -> skip
	fi
}

inline enter(me) {
	mask(me);
	AT(me, found = mine);
	put(me, found | me);
	AT(me, inside[me] = true);
	unmask(me);
}

inline leave(me) {
	mask(me);
	AT(me, inside[me] = false);
	AT(me, next = mine);
#ifdef FAULT_LEAVE_CLEARS_ALL
	AT(me, next = next - (next & BITS));
#else
	AT(me, next = (next - (next & BITS)) | (found & BITS));
#endif
	put(me, next);
	unmask(me);
}

inline acknowledge(me) {
	AT(me, next = (mine & BITS) + ACK * ticket);
	put(me, next);
	AT(me, acked = ticket);
}

/* An interrupt comes above a soft one unless masked, an NMI above everything but itself. */
inline begin(me) {
	atomic { (level < me && (me == NMI || !masked)) -> before = level; level = me }
}

inline finish(me) {
	atomic { (level == me) -> level = before; before = 0; found = 0; next = 0 }
}

proctype context(byte l; bool acks) {
	byte before;
	byte found;
	byte next;
	byte rounds;
	byte ticket;

	do
	:: rounds < ROUNDS ->
		begin(l);
		enter(l);
		if
		:: acks -> ticket = rounds + 1; acknowledge(l)
		:: else -> skip
		fi;
		leave(l);
		finish(l);
		rounds++
	:: else -> break
	od;
	ended++
}

/* Before its first instruction has stored, and after it has begun to leave, a context's bit may be
 * there or not. In between it is, whoever came and went; and what ran last has left nothing. */
proctype host() {
	atomic {
		(level == 0 && ended == 3) ->
		assert((word & BITS) == 0);
		assert(word == mine);
		assert(word / ACK == acked)
	}
}

/* What holds whenever nobody is between his two stores: the running context sees its own bits. */
proctype watch() {
end:	do
	:: atomic {
		(level == SOFT && inside[SOFT] && !inside[HARD] && !inside[NMI]) ->
		assert(word & SOFT)
	   }
	:: atomic {
		(level == HARD && inside[HARD] && !inside[NMI]) ->
		assert((word & HARD) && (!inside[SOFT] || (word & SOFT)))
	   }
	:: atomic {
		(level == NMI && inside[NMI]) ->
		assert((word & NMI) && (!inside[SOFT] || (word & SOFT)) &&
		       (!inside[HARD] || (word & HARD)))
	   }
	od
}

init {
	atomic {
		run context(SOFT, false);
		run context(HARD, true);
#ifdef FAULT_NMI_ACKNOWLEDGES
		run context(NMI, true);
#else
		run context(NMI, false);
#endif
		run host();
		run watch();
	}
}
