#include "chaos/core/judge/judgement.h"

#include <stdarg.h>
#include <stdio.h>

#define POOL_BYTES_MAX (64u << 20)

void judgement_init(struct judgement *judgement, const struct record *record)
{
    *judgement = (struct judgement){.record = record};
    pool_init(&judgement->pool, POOL_BYTES_MAX);
}

void judgement_done(struct judgement *judgement)
{
    if (judgement == NULL)
        return;
    verdict_done(&judgement->findings);
    pool_done(&judgement->pool);
    *judgement = (struct judgement){0};
}

void judgement_add(struct judgement *judgement, enum verdict flag, const char *rule, size_t step,
                   const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    verdict_add(&judgement->findings, &judgement->pool, flag, rule, step, "%s", text);
}

bool judgement_overlap(const struct judgement *judgement, unsigned bits, int64_t from_ns,
                       int64_t to_ns)
{
    for (size_t i = 0; i < judgement->fault_count; i++) {
        const struct condition_window *w = &judgement->faults[i].window;
        if ((w->bit & bits) != 0 && w->from_ns <= to_ns && w->to_ns >= from_ns)
            return true;
    }
    return false;
}
