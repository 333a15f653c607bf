/*
 * retry: how long to wait between attempts.
 *
 * After attempt n (from 1): cap = min(max, base * 2^(n-1)); wait = cap/2 + uniform(0, cap/2).
 * With base 250 and max 2000: after attempt 1 125..250 ms, after 2 250..500, after 3 500..1000.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "base/text/slice.h"
#include "signer/core/config.h"

/* Returns the cap of the wait after attempt n, in milliseconds. Requires n >= 1. */
int64_t retry_cap_ms(const struct config_retry *retry, int64_t n);

/* Draws the wait after attempt n: cap - cap/2 ... no less than cap/2, no more than cap. */
int64_t retry_wait_ms(const struct config_retry *retry, int64_t n, struct prng *prng);

/*
 * Reads a Retry-After value (RFC 9110 10.2.3): seconds, or an HTTP date, which is compared with
 * wall_ns. A date in the past is 0. False for anything else (negative, fraction, empty): then
 * the ordinary wait applies. Seconds beyond a year are a year.
 */
bool retry_after_ms(struct slice value, int64_t wall_ns, int64_t *out);

/* Lengthens a drawn wait to what the server asked for, but never beyond backoff_max_ms: a server
 * must not be able to park its clients (failures.md 0, item 11). */
int64_t retry_clamp_ms(const struct config_retry *retry, int64_t wait_ms, int64_t asked_ms);
