/*
 * backoff: whether waits between attempts keep the contract.
 *
 * Before attempt n (n >= 2) the wait is in cap/2..cap with cap = min(max, base * 2^(n-2)). With
 * base 250 and max 2000: before attempt 2 125..250 ms, before 3 250..500, before 4 500..1000.
 * Before the first there is none. A Retry-After of a rate limit lengthens a wait to what it asks
 * for, up to max: then that is its lower bound as well. What was asked for is judged, since elapsed
 * time flaps; elapsed time is only checked not to be shorter.
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "chaos/core/ledger/join.h"
#include "chaos/core/record.h"

#define BACKOFF_SLACK_MS 5 /* stamps have milliseconds, and clocks are slewed */

/* Fills *low and *high with the bounds of the wait before attempt n >= 2. */
void backoff_bounds(const struct record_contract *contract, int64_t n, int64_t *low, int64_t *high);

/* ERRC_OK, or ERRC_RANGE with a sentence about the first wait of the run's result that breaks the
 * contract. The record says which headers a rule of the scenario answered with. */
MUST_USE enum errc backoff_check(const struct join_run *run, const struct record_contract *contract,
                                 const struct record *record, struct errc_why *why);

/* The same for an entry without its requests: a Retry-After is not known, so any wait up to max may
 * have been asked for where the scenario sends that header. */
MUST_USE enum errc backoff_check_entry(const struct ledger_entry *entry,
                                       const struct record_contract *contract,
                                       const struct record *record, struct errc_why *why);
