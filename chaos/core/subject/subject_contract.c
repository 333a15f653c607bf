#include "chaos/core/subject/subject_contract.h"

#include <string.h>

/* The numbers of a contract. */
static int64_t *term(struct record_contract *c, enum variable_binds binds)
{
    switch (binds) {
    case VARIABLE_BINDS_NOTHING:
    case VARIABLE_BINDS_FALLBACK:
        break;
    case VARIABLE_BINDS_ATTEMPTS:
        return &c->attempts_max;
    case VARIABLE_BINDS_BASE:
        return &c->base_ms;
    case VARIABLE_BINDS_MAX:
        return &c->max_ms;
    case VARIABLE_BINDS_ATTEMPT_TIMEOUT:
        return &c->attempt_timeout_ms;
    case VARIABLE_BINDS_TOTAL_TIMEOUT:
        return &c->total_timeout_ms;
    }
    return NULL;
}

static void take(const struct variable_table *table, const struct scenario_pair *pair,
                 struct record_contract *out)
{
    uint64_t n = 0;
    const struct variable *v = variable_find(table, pair->name);
    if (v == NULL)
        return;
    int64_t *number = term(out, v->binds);
    if (v->binds == VARIABLE_BINDS_FALLBACK)
        out->fallback_allowed = strcmp(pair->value, "true") == 0;
    if (number != NULL && slice_to_u64(slice_of(pair->value), &n) && n < INT32_MAX)
        *number = (int64_t)n;
}

void subject_contract(const struct subject *subject, const struct scenario_pair *pairs,
                      size_t count, struct record_contract *out)
{
    const struct variable_table *table = &subject->variables;
    out->fallback_allowed = false;
    for (size_t i = 0; i < table->count; i++) {
        int64_t *number = term(out, table->items[i].binds);
        if (number != NULL)
            *number = table->items[i].standard;
    }
    for (size_t i = 0; i < count; i++)
        take(table, &pairs[i], out);
}
