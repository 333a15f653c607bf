/*
 * record: what was run. The runner writes it; ledger, judge and report read
 * it, and none of them knows the runner.
 *
 * It says what was done and what callers were told, never what that is worth:
 * that is the judgement's (judge/judgement.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "chaos/core/condition.h"
#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/pool.h"
#include "chaos/core/scenario/scenario.h"
#include "chaos/core/world.h"

#define RECORD_POOL_MAX (64u << 20)

enum record_result {
    RECORD_MET,     /* done, and all that was expected holds */
    RECORD_NOT_MET, /* done, something that was expected does not hold */
    RECORD_ERROR,   /* could not be carried out */
    RECORD_SKIPPED, /* not reached */
};

/* What came of one step. */
struct record_step {
    const struct plan_step *plan;
    bool again; /* of the steady state behind the rollback */
    enum record_result result;
    struct instant started, ended;
    const char *note;    /* what happened, in a few words; "" */
    const char *message; /* why not met; "" */
};

/* What a signer was started with: its contract from then on. */
struct record_contract {
    const char *via;                         /* the door: "api", "worker", "cli" */
    int64_t from_ns;                         /* wall clock */
    const struct scenario_pair *environment; /* all of it but the token */
    size_t environment_count;
    bool fallback_allowed;
    int64_t attempts_max;
    int64_t base_ms, max_ms; /* of the backoff */
    int64_t attempt_timeout_ms, total_timeout_ms;
};

/* One sign call: the caller's ledger. */
struct record_call {
    const struct plan_step *plan;
    bool again;
    bool in_background;
    const char *name; /* `as`, or NULL */
    const char *via;
    struct world_call told;
    struct record_contract contract;
};

struct record {
    struct pool pool; /* owns the texts */
    const struct scenario *scenario;
    const struct plan *plan;
    uint64_t seed;
    struct instant started, ended;
    bool begun; /* the steady state held, the method was run */
    struct record_step *steps;
    size_t step_count;
    struct record_call *calls;
    size_t call_count;
    struct condition_change *changes; /* the history of Vault's condition */
    size_t change_count;
    struct record_contract *contracts; /* in the order of time */
    size_t contract_count;
};

/* Makes room for what the plan can leave behind. ERRC_NOMEM. */
MUST_USE enum errc record_init(struct record *record, const struct scenario *scenario,
                               const struct plan *plan, uint64_t seed);

/* Frees it; a zeroed one is fine. Fits CLEANUP(record_done). */
void record_done(struct record *record);

/* Returns the last call of the sign step called name; NULL: none. */
struct record_call *record_call_named(const struct record *record, const char *name);
