/*
 * prng: repeatable randomness for jitter, faults and schedules. Never for keys.
 *
 * Two forms. The stream (prng_next) is for one owner that draws in order. The
 * table (prng_at) answers "draw n of stream s under seed k" without state, so
 * that a new fault rule does not shift the draws of the others:
 *
 *     roll = prng_at(seed, rule_number, request_ordinal) % 1000000;
 */
#pragma once

#include <stdint.h>

struct prng {
    uint64_t state;
};

/* Starts a stream; every seed is allowed. */
void prng_init(struct prng *p, uint64_t seed);

/* Returns the next 64 bits (SplitMix64). */
uint64_t prng_next(struct prng *p);

/* Returns a number in 0..bound-1 without bias. Requires bound >= 1. */
uint64_t prng_below(struct prng *p, uint64_t bound);

/* Returns draw n of a stream under a seed. */
uint64_t prng_at(uint64_t seed, uint64_t stream, uint64_t n);
