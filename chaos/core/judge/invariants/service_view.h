/*
 * service_view: what a service must know of itself at the moment of a sample, as far as the ledgers
 * can tell: what it has signed, whether the local key is active, whether Vault is up.
 *
 * A service counts an operation behind its entry in the trail and before its caller hears of it. So
 * what callers were told before the question is counted for certain, and what has no entry by the
 * answer is not counted: two bounds, and no assumption about how fast a machine is.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

/* An operation that a service brought to an end. */
struct service_view_done {
    const struct ledger_entry *entry;
    int64_t intent_ns; /* when it began; INT64_MIN: not known */
    int64_t told_ns;   /* when its caller heard of it; INT64_MAX: never */
};

struct service_view {
    struct invariants_case *c;
    struct service_view_done *done; /* in no order */
    size_t done_count;
    const struct ledger_entry **unended; /* intents without an end of their own */
    size_t unended_count;
};

/* Made once for an invariant; lives in the judgement's pool. */
struct service_view service_view_make(struct invariants_case *c);

enum service_view_part {
    SERVICE_VIEW_NOT,     /* not of this process, or not by then */
    SERVICE_VIEW_MAYBE,   /* it may be counted */
    SERVICE_VIEW_CERTAIN, /* it is counted */
};

/* How an operation stands to a sample. */
enum service_view_part service_view_part(const struct world_sample *sample,
                                         const struct service_view_done *done);

/* True when the process had an operation whose end is not in the trail: it may have counted what
 * nobody sees. */
bool service_view_has_unended(const struct service_view *view, const struct world_sample *sample);

/* 1: the last signature of the process was by the local key; 0: it was not; -1: not certain. */
int service_view_fallback(const struct service_view *view, const struct world_sample *sample);

/* 1: the service must know that Vault is up; 0: that it is not; -1: it may know either. */
int service_view_vault(const struct invariants_case *c, const struct world_sample *sample);

/* What the service was bound to then; NULL: not known. */
const struct record_contract *service_view_contract(const struct invariants_case *c,
                                                    const struct world_sample *sample);

/* The step behind which the sample was taken; 0: none. */
size_t service_view_step(const struct invariants_case *c, const struct world_sample *sample);
