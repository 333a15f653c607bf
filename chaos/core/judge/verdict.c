#include "chaos/core/judge/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/count.h"

static const struct {
    const char *name, *meaning;
    enum verdict_exit code;
} verdicts[VERDICT_COUNT] = {
    [VERDICT_PASS] = {"pass", "every expectation and every invariant holds, every fault was met",
                      VERDICT_EXIT_PASS},
    [VERDICT_SKIPPED] = {"skipped", "not selected, or not possible here", VERDICT_EXIT_SKIPPED},
    [VERDICT_NOT_EXERCISED] = {"not exercised", "a declared fault was never met",
                               VERDICT_EXIT_NOT_EXERCISED},
    [VERDICT_UNKNOWN] = {"unknown", "evidence is missing, so nothing can be said",
                         VERDICT_EXIT_UNKNOWN},
    [VERDICT_DIRTY] = {"dirty", "the rollback did not restore the steady state",
                       VERDICT_EXIT_DIRTY},
    [VERDICT_FAIL] = {"fail", "an expectation or an invariant does not hold", VERDICT_EXIT_FAIL},
    [VERDICT_NOT_STARTED] = {"not started", "the steady state did not hold before the method",
                             VERDICT_EXIT_NOT_STARTED},
    [VERDICT_INTERRUPTED] = {"interrupted", "the user stopped it", VERDICT_EXIT_INTERRUPTED},
    [VERDICT_INTERNAL] = {"internal", "chaos itself had trouble", VERDICT_EXIT_INTERNAL},
};

/* Over several files, the first of these that occurred. */
static const enum verdict exit_order[] = {
    VERDICT_INTERNAL, VERDICT_INTERRUPTED, VERDICT_FAIL,          VERDICT_DIRTY,
    VERDICT_UNKNOWN,  VERDICT_NOT_STARTED, VERDICT_NOT_EXERCISED, VERDICT_PASS,
};

static const struct {
    enum verdict_exit code;
    const char *meaning;
} other_exits[] = {
    {VERDICT_EXIT_USAGE, "wrong flags or arguments; nothing was started"},
    {VERDICT_EXIT_SCENARIO, "a scenario file is broken; nothing was started"},
};

void verdict_done(struct verdict_list *list)
{
    if (list == NULL)
        return;
    free(list->items);
    *list = (struct verdict_list){0};
}

static bool grow(struct verdict_list *list)
{
    if (list->count < list->cap)
        return true;
    size_t cap = list->cap == 0 ? 16 : list->cap * 2;
    struct verdict_finding *items = realloc(list->items, cap * sizeof *items);
    if (items == NULL)
        return false;
    list->items = items;
    list->cap = cap;
    return true;
}

void verdict_add(struct verdict_list *list, struct pool *pool, enum verdict flag, const char *rule,
                 size_t step, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    list->flags |= 1u << flag;
    const char *kept = pool_text(pool, slice_of(text));
    if (kept == NULL || !grow(list)) {
        list->failed = true;
        return;
    }
    list->items[list->count++] =
        (struct verdict_finding){.flag = flag, .rule = rule, .step = step, .text = kept};
}

enum verdict verdict_worst(const struct verdict_list *list)
{
    if (list->failed)
        return VERDICT_INTERNAL;
    for (unsigned v = VERDICT_COUNT - 1; v > VERDICT_PASS; v--)
        if ((list->flags & 1u << v) != 0)
            return (enum verdict)v;
    return VERDICT_PASS;
}

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict].name;
}

const char *verdict_meaning(enum verdict verdict)
{
    return verdicts[verdict].meaning;
}

int verdict_exit_code(enum verdict verdict)
{
    return (int)verdicts[verdict].code;
}

int verdict_exit_of_all(const enum verdict *all, size_t count)
{
    for (size_t i = 0; i < COUNT(exit_order); i++)
        for (size_t k = 0; k < count; k++)
            if (all[k] == exit_order[i])
                return verdict_exit_code(exit_order[i]);
    return VERDICT_EXIT_SKIPPED;
}

static void format_rows(struct buf *out)
{
    for (unsigned code = 0; code <= VERDICT_EXIT_INTERRUPTED; code++) {
        for (unsigned v = 0; v < VERDICT_COUNT; v++)
            if ((unsigned)verdicts[v].code == code)
                buf_addf(out, "| %u | %s | %s |\n", code, verdicts[v].name, verdicts[v].meaning);
        for (size_t i = 0; i < COUNT(other_exits); i++)
            if ((unsigned)other_exits[i].code == code)
                buf_addf(out, "| %u | | %s |\n", code, other_exits[i].meaning);
    }
}

void verdict_format_exit_codes(struct buf *out)
{
    buf_add_text(out, "# Exit codes of chaos\n\n"
                      "Made from the table in `chaos/core/judge/verdict.c`; a test compares.\n\n"
                      "| code | verdict | meaning |\n|---|---|---|\n");
    format_rows(out);
    buf_add_text(out, "\nA scenario gets the worst of its flags, in this order:\n");
    for (unsigned v = VERDICT_COUNT - 1; v > VERDICT_SKIPPED; v--)
        buf_addf(out, "%s, ", verdicts[v].name);
    buf_add_text(out, "pass.\nAll flags are kept in `result.json`.\n\n"
                      "Over several scenarios the exit code is the first of these that occurred: ");
    size_t last = COUNT(exit_order) - 1;
    for (size_t i = 0; i <= last; i++)
        buf_addf(out, "%d%s", verdict_exit_code(exit_order[i]), i < last ? ", " : ". ");
    buf_addf(out,
             "When all were\nskipped it is %d.\n\n"
             "chaos never reports %d for its own trouble: that is %d, as is a sanitizer report of "
             "any of our programs.\n",
             VERDICT_EXIT_SKIPPED, VERDICT_EXIT_FAIL, VERDICT_EXIT_INTERNAL);
}
