/*
 * judgement: what a record is worth: findings, their worst, and for every fault
 * whether it was met. Reports print it beside the record.
 */
#pragma once

#include "chaos/core/condition.h"
#include "chaos/core/judge/verdict.h"
#include "chaos/core/record.h"

/* A stretch of the condition, and who met it. */
struct judgement_fault {
    struct condition_window window;
    uint64_t hits;
    const char *evidence; /* where it was met first, or why that cannot be told; "" if not judged */
};

struct judgement {
    const struct record *record;
    struct pool pool; /* owns the texts */
    struct verdict_list findings;
    enum verdict verdict;
    struct judgement_fault *faults;
    size_t fault_count;
    uint64_t orphans; /* signatures that Vault made and nobody published */
    uint64_t resends; /* sign requests beyond the audited attempts */
};

/* Prepares an empty one over a record, which is lent. */
void judgement_init(struct judgement *judgement, const struct record *record);

/* Frees it; a zeroed one is fine. Fits CLEANUP(judgement_done). */
void judgement_done(struct judgement *judgement);

/* Adds a finding. step: number in the plan, 0: the run as a whole. */
void judgement_add(struct judgement *judgement, enum verdict flag, const char *rule, size_t step,
                   const char *format, ...) PRINTF_LIKE(5, 6);

/* True when a fault with one of the bits lasted in the stretch of time. */
bool judgement_overlap(const struct judgement *judgement, unsigned bits, int64_t from_ns,
                       int64_t to_ns);
