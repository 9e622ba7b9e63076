/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PVS_F_SPLIT_WORDS (G-11): a guest without 64-bit stores writes a word in two halves that carry one
 * tag (guest-shim/src/publish.c: pvs_shim_store_halves()); a host loads the word whole and takes it
 * when the tags agree, else keeps what it had (libpvsched/src/validate.c: torn()).
 *
 * Promised: whatever the host holds was said, as a whole, by one statement; and at rest it holds the
 * last one.
 */
#define STATEMENTS 20 /* more than there are tags */
#define TAGS 16
#define LOOKS 6

byte low;           /* the statement a half is of; its tag is that modulo TAGS */
byte high;
byte low_tag;
byte high_tag;
bool rest;          /* the guest says nothing more */

proctype guest() {
	byte n;
	byte tag;

	do
	:: n < STATEMENTS ->
		n++;
#ifdef FAULT_SAME_TAG
		tag = 0;
#else
		tag = n % TAGS;
#endif
#ifdef FAULT_TAG_LAST
		/* data of both halves first, then both tags: four stores */
		low = n;
		high = n;
		low_tag = tag;
		high_tag = tag;
#else
		if /* the order of the two halves does not matter */
		:: d_step { low = n; low_tag = tag }; d_step { high = n; high_tag = tag }
		:: d_step { high = n; high_tag = tag }; d_step { low = n; low_tag = tag }
		fi
#endif
	:: else -> break
	od;
	rest = true
}

proctype host() {
	byte held_low;
	byte held_high;
	byte looks;

	do
	:: looks < LOOKS ->
		d_step {
			if
#ifdef FAULT_TAGS_NOT_COMPARED
			:: low_tag < TAGS ->
#else
			:: low_tag == high_tag ->
#endif
				held_low = low;
				held_high = high
			:: else -> skip
			fi;
			assert(held_low == held_high)
		};
		looks++
	:: else -> break
	od;
	rest;
	d_step {
		assert(low_tag == high_tag);
		assert(low == STATEMENTS && high == STATEMENTS)
	}
}

init {
	atomic { run guest(); run host() }
}
