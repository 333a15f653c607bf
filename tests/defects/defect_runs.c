/*
 * defect_runs: a run that was accepted is forgotten.
 */
#include <stdatomic.h>

#include "tests/defects/defect.h"

/* The third run of a process is saved, told with a 202, and never taken up. */
static void put_but_third(struct run_pool *pool, const char *id)
{
    static atomic_uint count;
    if (atomic_fetch_add(&count, 1) != 2) {
        __real_run_pool_put(pool, id);
        return;
    }
    defect_acts();
    run_pool_unreserve(pool);
}
DEFECT(third_run_forgotten, .run_pool_put = put_but_third);

static enum errc lose(void *context, const char *id, struct errc_why *why)
{
    (void)context, (void)id, (void)why;
    defect_acts();
    return ERRC_OK;
}

static enum errc visit_none(struct run_store *store, const struct run_store_visitor *visitor,
                            struct errc_why *why)
{
    struct run_store_visitor blind = *visitor;
    blind.visit = lose;
    return __real_run_store_each_open(store, &blind, why);
}
DEFECT(runs_lost_at_restart, .run_store_each_open = visit_none);

/* What was blocked waits for ever; the others are taken up again. */
static struct run_store *visited;
static const struct run_store_visitor *inner;

static enum errc visit_unblocked(void *context, const char *id, struct errc_why *why)
{
    struct run run CLEANUP(run_done) = {0};
    TRY(run_store_load(visited, id, &run, why));
    if (run.status != RUN_BLOCKED)
        return inner->visit(context, id, why);
    defect_acts();
    return ERRC_OK;
}

static enum errc visit_but_blocked(struct run_store *store, const struct run_store_visitor *visitor,
                                   struct errc_why *why)
{
    struct run_store_visitor outer = *visitor;
    visited = store;
    inner = visitor;
    outer.visit = visit_unblocked;
    return __real_run_store_each_open(store, &outer, why);
}
DEFECT(blocked_runs_left_at_restart, .run_store_each_open = visit_but_blocked);
