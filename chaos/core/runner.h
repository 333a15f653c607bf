/*
 * runner: carries out one scenario over a world and judges it.
 *
 * steady state -> method -> rollback, always -> steady state again -> collect
 * -> judge. It reads no clock and starts nothing itself: all of that is the
 * world's (world.h). The steady state failing before the method ends the run
 * (not started); failing behind the rollback it is dirty. A stop asked for by
 * the user skips what is left of the method, and still rolls back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "chaos/core/judge/verdict.h"
#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/pool.h"
#include "chaos/core/scenario/scenario.h"
#include "chaos/core/world.h"

#define RUNNER_EVIDENCE_MAX (256u << 20) /* bytes of one journal or audit trail */
#define RUNNER_POOL_MAX (64u << 20)

enum runner_result {
    RUNNER_MET,     /* done, and all that was expected holds */
    RUNNER_NOT_MET, /* done, something that was expected does not hold */
    RUNNER_ERROR,   /* could not be carried out */
    RUNNER_SKIPPED, /* not reached */
};

/* What came of one step. */
struct runner_step {
    const struct plan_step *plan;
    bool again; /* of the steady state behind the rollback */
    enum runner_result result;
    struct instant started, ended;
    const char *note;    /* what happened, in a few words; "" */
    const char *message; /* why not met; "" */
};

/* What a signer was started with: its contract from then on. */
struct runner_contract {
    const char *via; /* "api", "worker", "cli" */
    int64_t from_ns; /* wall clock */
    bool fallback_allowed;
    int64_t attempts_max;
    int64_t base_ms, max_ms; /* of the backoff */
    int64_t attempt_timeout_ms;
};

/* One sign call: the caller's ledger. */
struct runner_call {
    const struct plan_step *plan;
    bool again;
    const char *name; /* `as`, or NULL */
    const char *via;
    struct world_call told;
    struct runner_contract contract;
};

/* A stretch of time in which Vault was not healthy by the scenario's own doing. */
struct runner_fault {
    const struct plan_step *plan;
    enum verb_fault kind;
    bool implied;           /* follows from another step (a durable Vault is sealed when it starts);
                               nothing has to meet it */
    const char *rule;       /* VERB_FAULT_RULE: its id */
    int64_t from_ns, to_ns; /* wall clock; to_ns INT64_MAX: not taken back yet */
    int64_t made_ns;        /* when the step that made it was done */
    int64_t ending_ns;      /* when the step that took it back began; INT64_MAX as above */
    uint64_t hits;
    const char
        *evidence; /* where it was met, or why that cannot be told; "" before the judgement */
};

/* A step that may change the signing key or its pin. */
struct runner_key_event {
    const struct plan_step *plan;
    int64_t from_ns, to_ns; /* wall clock, while the step ran */
};

struct runner {
    struct pool pool; /* owns the texts */
    const struct scenario *scenario;
    const struct plan *plan;
    uint64_t seed;
    struct instant started, ended;
    struct runner_step *steps;
    size_t step_count;
    struct runner_call *calls;
    size_t call_count;
    struct runner_fault *faults;
    size_t fault_count;
    int shares_entered;                /* of the unsealing under way */
    struct runner_contract *contracts; /* in the order of time */
    size_t contract_count;
    struct runner_key_event *key_events;
    size_t key_event_count;
    uint64_t orphans; /* signatures that Vault made and nobody published */
    uint64_t resends; /* sign requests beyond the audited attempts */
    struct verdict_list findings;
    enum verdict verdict;
};

/*
 * Runs the scenario; *out is to be ended with runner_done whatever happens and
 * borrows scenario and plan. There is no error: trouble is a verdict.
 */
void runner_run(const struct scenario *scenario, const struct plan *plan, const struct world *world,
                uint64_t seed, struct runner *out);

/* Frees it; a zeroed one is fine. Fits CLEANUP(runner_done). */
void runner_done(struct runner *runner);
