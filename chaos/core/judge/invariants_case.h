/*
 * invariants_case: what one invariant is judged on, and how it complains. For
 * the files that hold the invariants; everyone else includes invariants.h.
 */
#pragma once

#include "chaos/core/judge/judgement.h"
#include "chaos/core/ledger/evidence.h"

struct invariants_case {
    const struct record *record;
    struct judgement *out;
    const struct evidence *evidence;
    const char *name; /* of the invariant */
};

/* Adds a finding. step: number in the plan, 0 when no step is to blame. */
void invariants_case_violated(const struct invariants_case *c, size_t step, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Returns the call that asked for the bundle, the last one that began before wall_ns; NULL when
 * nobody did. */
const struct record_call *invariants_case_call(const struct invariants_case *c, const char *bundle,
                                               int64_t wall_ns);

/* Returns the step number of that call, or 0. */
size_t invariants_case_step(const struct invariants_case *c, const struct ledger_entry *entry);

/* What the signer that wrote the entry was started with; false when that is not known. */
bool invariants_case_contract(const struct invariants_case *c, const struct ledger_entry *entry,
                              struct record_contract *out);

/* True when an attempt of this class says that Vault is not available, so that fallback may
 * follow; true when it says that Vault or the client refused, so that it never may. Some say
 * neither (rate_limited, stale). */
bool invariants_case_is_outage(const char *class);
bool invariants_case_is_refusal(const char *class);
