/*
 * ledger_problems: evidence that is missing or cannot be read, with its place.
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "chaos/core/scenario/pool.h"

#define LEDGER_JOURNAL "journal.ndjson"
#define LEDGER_AUDIT "audit.ndjson"
#define LEDGER_DECOY "decoy.ndjson"
#define LEDGER_PROBLEMS_MAX 20u

struct ledger_problem {
    const char *file; /* LEDGER_JOURNAL, LEDGER_AUDIT */
    size_t line;      /* 0: the file as a whole */
    const char *text;
};

struct ledger_problems {
    struct ledger_problem items[LEDGER_PROBLEMS_MAX];
    size_t count; /* those beyond the maximum are dropped */
};

/* Adds a problem; its text lives in pool. */
void ledger_problems_add(struct ledger_problems *problems, struct pool *pool, const char *file,
                         size_t line, const char *format, ...) PRINTF_LIKE(5, 6);
