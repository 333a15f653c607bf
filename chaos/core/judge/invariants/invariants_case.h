/*
 * invariants_case: what one invariant is judged on, and how it complains. For
 * the files that hold the invariants; everyone else includes invariants.h.
 *
 * An invariant goes over the joined ledgers (ledger/join.h), bundle by bundle.
 * Complaints of one cause are one finding: the first is told in full, the others
 * are counted, so that a clock that is an hour off does not fill a page.
 */
#pragma once

#include "chaos/core/judge/judgement.h"
#include "chaos/core/ledger/evidence.h"

#define INVARIANTS_CAUSES_MAX 64u /* different causes of one invariant */
#define INVARIANTS_SLACK_MS 5     /* stamps have milliseconds, and clocks are slewed */

/* A cause, and how often it was found. */
struct invariants_cause {
    const char *cause;
    size_t finding; /* index */
    size_t more;    /* beyond the first */
};

struct invariants_case {
    const struct record *record;
    struct judgement *out;
    const struct evidence *evidence;
    const char *name; /* of the invariant */
    struct invariants_cause causes[INVARIANTS_CAUSES_MAX];
    size_t cause_count;
};

/* Adds a finding, or counts it to the one with the same format. step: number in the plan, 0 when no
 * step is to blame. */
void invariants_case_violated(struct invariants_case *c, size_t step, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same, but the cause is told: one format may stand for several (a literal, or a text that
 * outlives the judging). */
void invariants_case_caused(struct invariants_case *c, const char *cause, size_t step,
                            const char *format, ...) PRINTF_LIKE(4, 5);

/* Puts the counts into the findings; once, when the invariant is judged. */
void invariants_case_end(struct invariants_case *c);

/* Returns the call of a bundle that was the last to begin before wall_ns, else its first one; NULL
 * when nobody asked for it. */
const struct record_call *invariants_case_call(const struct join_bundle *bundle, int64_t wall_ns);

/* Returns the step number of the call during which the entry was written, or 0. */
size_t invariants_case_step(const struct join_bundle *bundle, const struct ledger_entry *entry);

/* What the signer that wrote the entry was started with; false when that is not known. */
bool invariants_case_contract(const struct invariants_case *c, const struct join_bundle *bundle,
                              const struct ledger_entry *entry, struct record_contract *out);

/* True when an attempt of this class says that Vault is not available, so that fallback may
 * follow; true when it says that Vault or the client refused, so that it never may. Some say
 * neither (rate_limited, stale). */
bool invariants_case_is_outage(const char *class);
bool invariants_case_is_refusal(const char *class);

/* True when the entry ends an intent that a crash left open. */
bool invariants_case_was_interrupted(const struct ledger_entry *entry);

/* Calls visit for every run of every bundle. */
void invariants_case_each_run(struct invariants_case *c,
                              void (*visit)(struct invariants_case *c,
                                            const struct join_bundle *bundle,
                                            const struct join_run *run));

/* Calls visit for every entry of every bundle. */
void invariants_case_each_entry(struct invariants_case *c,
                                void (*visit)(struct invariants_case *c,
                                              const struct join_bundle *bundle,
                                              const struct ledger_entry *entry));
