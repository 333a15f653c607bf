/*
 * fault: the rules that say which requests fail, and how.
 *
 * A rule is match + trigger + effect + lease (docs/architecture.md, "fakevault's control API").
 * Rules are asked in the order of their addition; the first one that matches and fires takes the
 * request. A rule that matches but does not fire (not yet, exhausted, outside its window, the roll
 * says no) passes it on. A rule never sees a request that an earlier one took.
 *
 *     matched   counts the requests that a rule saw and matched: "the nth request" of `after`
 *               and `every`
 *     hits      counts those it took; `times` limits them
 *
 * With {"after":1,"every":2,"times":2} matched requests 1 2 3 4 5 6 7 8 give - x - x - - - -: the
 * first is let by, of the rest every second beginning with the first, twice.
 *
 * Probability is decided by the rule's own matched count: roll = prng_at(seed, rule number,
 * matched) % 1000000 < ppm. Neither other rules nor other requests shift it. Numbers start over
 * with fault_swap and fault_clear, so that the same set under the same seed takes the same
 * decisions again.
 *
 * Not thread-safe: the caller holds one lock over everything, so a count is taken exactly once.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/outage/fault_types.h"

#define FAULT_RULES_MAX 10000u /* rules at a time */

struct fault_decision {
    enum fault_effect effect;
    char id[FAULT_ID_MAX];     /* of the rule that took the request, "" for none */
    uint64_t identity;         /* never used twice in a process, unlike the id; 0 for none */
    int64_t roll;              /* 0..999999 when the rule has a probability, else -1 */
    struct fault_reply *reply; /* of FAULT_RESPOND, else NULL; stays when the rule goes */
};

struct fault_set;

MUST_USE enum errc fault_set_new(uint64_t seed, struct fault_set **out, struct errc_why *why);
void fault_set_free(struct fault_set *set); /* NULL allowed */

/*
 * Adds the rule that the JSON object describes, behind all others; *id (lent by the set) is its id,
 * made up when none was given. ERRC_SCHEMA or ERRC_RANGE name the field ("trigger.ppm: ..."),
 * ERRC_EXISTS an id in use, ERRC_TOO_BIG when there are FAULT_RULES_MAX. The set is unchanged on
 * failure.
 */
MUST_USE enum errc fault_add(struct fault_set *set, const json_t *rule, struct instant now,
                             const char **id, struct errc_why *why);

/* Makes a set of the rules of a JSON array, to be swapped in: the long part, which needs no lock.
 * Sentences begin "rules[2].". */
MUST_USE enum errc fault_set_parse(uint64_t seed, const json_t *rules, struct fault_set **out,
                                   struct errc_why *why);

/* The set has fresh's rules, which begin now, and fresh those that were in the set. */
void fault_swap(struct fault_set *set, struct fault_set *fresh, struct instant now);

/*
 * Changes the parts of a rule that `change` names (RFC 7396: null takes a part away) and starts its
 * window and lease anew. Its place, identity and counts stay. ERRC_NOT_FOUND, else as fault_add.
 * Nothing is changed on failure.
 */
MUST_USE enum errc fault_patch(struct fault_set *set, const char *id, const json_t *change,
                               struct instant now, struct errc_why *why);

/* ERRC_NOT_FOUND names the id. */
MUST_USE enum errc fault_remove(struct fault_set *set, const char *id, struct errc_why *why);

/* Takes all rules away. */
void fault_clear(struct fault_set *set);

/* Takes away the rules whose lease is over; returns how many went. */
size_t fault_expire(struct fault_set *set, struct instant now);

/* Returns when to look for ended leases (mono_ns), never after the next one ends; INT64_MAX for
 * never. */
int64_t fault_next_expiry(const struct fault_set *set);

/* True while the rule with this identity is in the set. */
bool fault_alive(const struct fault_set *set, uint64_t identity);

/*
 * Asks the rules about one request and counts. Allocates nothing, so it cannot fail between two
 * counts. *out is to be given to fault_decision_done.
 */
void fault_decide(struct fault_set *set, const struct fault_facts *facts, struct instant now,
                  struct fault_decision *out);

/* Lets a decision's answer go; needs no lock. Fits CLEANUP, a zeroed decision is fine. */
void fault_decision_done(struct fault_decision *decision);

/* Writes all rules as an array, in order, each with its counts. */
void fault_format(const struct fault_set *set, struct jsonwrite *w, const char *key);

/* Writes one rule as an object. ERRC_NOT_FOUND. */
MUST_USE enum errc fault_format_one(const struct fault_set *set, const char *id,
                                    struct jsonwrite *w, const char *key, struct errc_why *why);

/* Returns the number of rules. */
size_t fault_count(const struct fault_set *set);
