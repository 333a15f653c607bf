/*
 * judge: compares what a step expects with what there is.
 *
 * Every sentence names what was expected, what was found, and the ledger line
 * that shows it, e.g.
 *     expected mode vault, the trail says fallback (audit.ndjson:7)
 */
#pragma once

#include "chaos/core/ledger/evidence.h"
#include "chaos/core/record.h"
#include "chaos/core/scenario/plan.h"
#include "chaos/core/world.h"

enum judge_result {
    JUDGE_MET,
    JUDGE_NOT_MET,
    JUDGE_UNKNOWN, /* evidence is missing */
};

/* What judging a step needs. */
struct judge {
    const struct world *world;
    const struct record *run;  /* its calls so far */
    struct evidence *evidence; /* of the run so far; refreshed before it is looked at */
    struct pool *pool;         /* for what else is read; may be freed after each step */
    struct buf *message;       /* sentences, joined by "; " */
};

/* Judges a finished sign call by the `expect` of its step. ERRC_NOMEM, ERRC_TOO_BIG, or what the
 * world's read says. */
MUST_USE enum errc judge_sign(const struct judge *j, const struct scenario_step *step,
                              const struct world_call *call, enum judge_result *out,
                              struct errc_why *why);

/* True when the request carries an input that an entry of the bundle names. */
bool judge_belongs_to(const struct judge *j, const struct ledger_request *request,
                      const char *bundle);

/* True when no entry of the trail names an input of the request. */
bool judge_is_stranger(const struct judge *j, const struct ledger_request *request);

/* Adds a sentence to the message. */
void judge_say(const struct judge *j, const char *format, ...) PRINTF_LIKE(2, 3);

/* Returns the bundle of the last call of the sign step called name; NULL: none. */
const char *judge_bundle_of(const struct record *record, const char *name);
