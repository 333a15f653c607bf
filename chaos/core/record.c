#include "chaos/core/record.h"

#include <string.h>

enum errc record_init(struct record *record, const struct scenario *scenario,
                      const struct plan *plan, uint64_t seed)
{
    size_t steps = 2 * plan->count + 1; /* the steady state runs twice */
    *record = (struct record){.scenario = scenario, .plan = plan, .seed = seed};
    pool_init(&record->pool, RECORD_POOL_MAX);
    record->steps = pool_array(&record->pool, steps, sizeof *record->steps);
    record->calls = pool_array(&record->pool, steps, sizeof *record->calls);
    record->changes = pool_array(&record->pool, steps, sizeof *record->changes);
    record->contracts =
        pool_array(&record->pool, SUBJECT_DOORS_MAX * (steps + 1), sizeof *record->contracts);
    return pool_status(&record->pool, NULL);
}

void record_done(struct record *record)
{
    if (record == NULL)
        return;
    pool_done(&record->pool);
    *record = (struct record){0};
}

struct record_call *record_call_named(const struct record *record, const char *name)
{
    for (size_t i = record->call_count; name != NULL && i > 0; i--)
        if (record->calls[i - 1].name != NULL && strcmp(record->calls[i - 1].name, name) == 0)
            return &record->calls[i - 1];
    return NULL;
}
