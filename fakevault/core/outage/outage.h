/*
 * outage: all that goes wrong with a Vault on purpose, as one machine: rules, hold, listener and
 * crash, and which changes of them the journal tells.
 *
 * It has no clock, no thread, no socket and no file. Whoever owns it calls it under one lock and
 * carries out, still under that lock, what it orders: what stops, then records, then what goes on.
 *
 *     outage_arrive     a request is there: who takes it; nothing has happened yet
 *     outage_take       its `request` record is written: the effect of what took it
 *     outage_may_hold   it is to be held: is there a reason to, still?
 *     verbs             what people order
 *     outage_tick       leases end
 *
 * Verbs are idempotent and fine in every order. What a verb did, only the opposite verb undoes, and
 * reset; what a rule did, also the rule's end does. The listener is closed by the first that closes
 * it: a rule that fires while it is closed has closed nothing, a verb takes over from a rule. After
 * outage_reset the machine is as it was at the start, but for the generation.
 *
 * Example: refuse, a rule {"refuse":true} fires on a request in flight, the rule is removed: the
 * listener stays closed, because the verb closed it.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/errc.h"
#include "fakevault/core/outage/effect.h"
#include "fakevault/core/outage/fault.h"

#define OUTAGE_CHANGES_MAX 4u /* of one call: leases ended, the verb, the listener each time */

struct outage;

/* What is out of order. */
enum outage_condition {
    OUTAGE_CLOSED = 1u << 0, /* the listener refuses */
    OUTAGE_HELD = 1u << 1,   /* every request is held */
    OUTAGE_RULED = 1u << 2,  /* there are rules */
};

enum outage_turn_away {
    OUTAGE_NOBODY,
    OUTAGE_RESET, /* all open connections */
    OUTAGE_DRAIN, /* those without a request in flight; the others behind their reply */
};

/* A `control` record. */
struct outage_change {
    const char *verb; /* static */
    uint64_t generation;
    char rule[FAULT_ID_MAX]; /* "" when no rule did it */
};

/* What is to be done. Calls add to it, so it has to be zeroed before the first. */
struct outage_orders {
    struct outage_change changes[OUTAGE_CHANGES_MAX]; /* to be recorded, in this order */
    size_t change_count;
    bool open; /* listen again; when that fails, outage_failed_to_open */
    bool shut; /* stop listening: it does listen */
    enum outage_turn_away turn_away;
    bool release; /* let go whoever outage_keeps does not keep */
    bool release_all;
    bool seal;
    bool die; /* behind the records, at once */
};

struct outage_decision {
    struct fault_decision fault;
    bool held;       /* before anything else, and only if outage_may_hold */
    uint64_t owner;  /* of the hold: a rule's identity, 0 for the verb */
    uint64_t resume; /* number of resumes before it */
};

MUST_USE enum errc outage_new(uint64_t seed, struct outage **out, struct errc_why *why);
void outage_free(struct outage *outage); /* NULL allowed */

/* ---- requests ---- */

/* Ends leases, asks the rules, counts. Cannot fail. *out is to be given to outage_decision_done. */
void outage_arrive(struct outage *outage, const struct fault_facts *facts, struct instant now,
                   struct outage_decision *out, struct outage_orders *orders);

/* Applies the effect of what took the request, once. */
enum effect_course outage_take(struct outage *outage, const struct outage_decision *decision,
                               struct outage_orders *orders);

/* False when what it was to be held for is over since it arrived. */
bool outage_may_hold(const struct outage *outage, const struct outage_decision *decision);

/* True while a request that this owner holds stays held. */
bool outage_keeps(const struct outage *outage, uint64_t owner);

/* Fits CLEANUP; a zeroed decision is fine. Needs no lock. */
void outage_decision_done(struct outage_decision *decision);

/* ---- verbs ---- */

void outage_accept(struct outage *outage, struct outage_orders *orders);
void outage_refuse(struct outage *outage, bool drain, struct outage_orders *orders);
void outage_hang(struct outage *outage, struct outage_orders *orders);

/* Lets go what rules hold, too: the requests, not the rules. */
void outage_resume(struct outage *outage, struct outage_orders *orders);
void outage_crash(struct outage *outage, struct outage_orders *orders);
void outage_reset(struct outage *outage, struct outage_orders *orders);

/* What the vault itself was told. */
void outage_seal(struct outage *outage, struct outage_orders *orders);
void outage_unseal(struct outage *outage, struct outage_orders *orders);

/* Somebody else took the port's listening: it stays closed. */
void outage_failed_to_open(struct outage *outage, struct outage_orders *orders);

/* Rules, as fault_add, fault_swap, fault_patch, fault_remove and fault_clear do; nothing is ordered
 * on failure. */
MUST_USE enum errc outage_add(struct outage *outage, const json_t *rule, struct instant now,
                              const char **id, struct outage_orders *orders, struct errc_why *why);
void outage_swap(struct outage *outage, struct fault_set *fresh, struct instant now,
                 struct outage_orders *orders);
MUST_USE enum errc outage_patch(struct outage *outage, const char *id, const json_t *change,
                                struct instant now, struct outage_orders *orders,
                                struct errc_why *why);
MUST_USE enum errc outage_remove(struct outage *outage, const char *id,
                                 struct outage_orders *orders, struct errc_why *why);
void outage_clear(struct outage *outage, struct outage_orders *orders);

/* Ends leases. Returns when to call it again at the latest (mono_ns), INT64_MAX for never. */
int64_t outage_tick(struct outage *outage, struct instant now, struct outage_orders *orders);

/* ---- to look at ---- */

unsigned outage_condition(const struct outage *outage); /* bits of enum outage_condition */
uint64_t outage_generation(const struct outage *outage);
const struct fault_set *outage_rules(const struct outage *outage);
