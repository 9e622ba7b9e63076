/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng.c - random numbers: xoshiro256** 1.0 with splitmix64 for the seed, after the description of
 * D. Blackman and S. Vigna (prng.di.unimi.it), and durations drawn from them in integers.
 */
#include "engine.h"

#define LN2_Q56 0xb17217f7d1cf7aull

/* -ln(1 - i/64), Q56. */
static const uint64_t neg_ln_q56[33] = {
	0x00000000000000ull, 0x0408159624d612ull, 0x0820aec4f3a222ull, 0x0c4a550a4fd9a2ull,
	0x108598b59e3a07ull, 0x14d3115d207eacull, 0x19335e5d594989ull, 0x1da727638446a2ull,
	0x222f1d044fc8f8ull, 0x26cbf9602b202cull, 0x2b7e80d6a87b64ull, 0x304782caa34783ull,
	0x3527da7915b3c7ull, 0x3a206fe4cabcf7ull, 0x3f3238d96766f3ull, 0x445e3a089f91efull,
	0x49a58844d36e4aull, 0x4f0949dcccc60full, 0x548ab81ce28f5full, 0x5a2b20fa71a850ull,
	0x5febe8ef605470ull, 0x65ce8d0c4d5ab7ull, 0x6bd4a549233742ull, 0x71ffe71d155325ull,
	0x785228689c9b36ull, 0x7ecd62bde92211ull, 0x8573b71682a7d2ull, 0x8c47720791e533ull,
	0x934b1089a6dc94ull, 0x9a81456cec642eull, 0xa1ecff97c91e26ull, 0xa991713433c2baull,
	LN2_Q56
};

static uint64_t rotl(uint64_t x, unsigned k)
{
	return x << k | x >> (64 - k);
}

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void sim_rng_seed(struct sim_rng *r, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed;
	unsigned i;

	/* The stream goes through the mixer before the seed is added: neighbours of one are not
	 * those of the other. */
	x = splitmix64(&x) + stream * 0xd1342543de82ef95ull;
	for (i = 0; i < 4; i++)
		r->s[i] = splitmix64(&x);
}

uint64_t sim_rng_next(struct sim_rng *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

/* The upper half of a product. */
static uint64_t mul_high(uint64_t a, uint64_t b)
{
	uint64_t a0 = a & 0xffffffff, a1 = a >> 32;
	uint64_t b0 = b & 0xffffffff, b1 = b >> 32;
	uint64_t low = a0 * b0;
	uint64_t mid = a1 * b0 + (low >> 32);
	uint64_t mid2 = a0 * b1 + (mid & 0xffffffff);

	return a1 * b1 + (mid >> 32) + (mid2 >> 32);
}

uint64_t sim_rng_below(struct sim_rng *r, uint64_t n)
{
	return mul_high(sim_rng_next(r), n);
}

/*
 * x = m / 2^e with m in 2^63 .. 2^64-1; 1 - m/2^64 = i/64 + a remainder, and
 * 1 - (i/64 + remainder) = (1 - i/64)(1 - rest). The rest is less than 1/32, so that four terms of
 * its series are good for 1e-8.
 */
uint64_t sim_neg_ln_q56(uint64_t x)
{
	unsigned e;
	uint64_t d, i, rest, power, sum;

	if (!x)
		x = 1;
	e = (unsigned)__builtin_clzll(x);
	d = 0 - (x << e);
	i = d >> 58;
	rest = ((d - (i << 58)) << 6) / (64 - i);
	power = mul_high(rest, rest);
	sum = rest + power / 2;
	power = mul_high(power, rest);
	sum += power / 3;
	power = mul_high(power, rest);
	sum += power / 4;
	return e * LN2_Q56 + neg_ln_q56[i] + (sum >> 8);
}

uint64_t sim_dist_draw(const struct sim_dist *d, struct sim_rng *r)
{
	uint64_t ln, hi;

	switch (d->kind) {
	case SIM_DIST_UNIFORM:
		if (d->b <= d->a)
			return d->a;
		return d->a + sim_rng_below(r, d->b - d->a + 1);
	case SIM_DIST_EXP:
		/* At most 64 ln 2 = 44.4 times the mean: the cut at 64 needs no code. */
		ln = sim_neg_ln_q56(sim_rng_next(r));
		hi = mul_high(d->a, ln);
		return hi << 8 | d->a * ln >> 56;
	case SIM_DIST_CHOICE:
		return sim_rng_next(r) >> 48 < d->p_q16 ? d->a : d->b;
	default:
		return d->a;
	}
}
