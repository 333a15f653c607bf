/*
 * fuzz_scenario: a file is either taken, and then it has a plan, or every complaint about it has a
 * place and a reason.
 */
#include <stdint.h>
#include <stdlib.h>

#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/read/scenario_parse.h"

#define PLAN_BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plan(struct scenario *scenario)
{
    struct plan plan = {0};
    struct buf text CLEANUP(buf_done);
    buf_init(&text, PLAN_BYTES_MAX);
    if (plan_make(scenario, &plan, NULL) != ERRC_OK || plan.count == 0)
        abort();
    plan_format(&plan, scenario, &text);
    if (buf_status(&text, NULL) != ERRC_OK || text.len == 0)
        abort();
}

static void check_findings(const struct lint *lint)
{
    if (lint->count == 0 || lint->count > LINT_MAX)
        abort();
    for (size_t i = 0; i < lint->count; i++)
        if (lint->items[i].line == 0 || lint->items[i].column == 0 ||
            lint->items[i].reason.text[0] == '\0')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lint lint CLEANUP(lint_done) = {0};
    struct scenario scenario CLEANUP(scenario_done) = {0};
    enum errc code = scenario_parse(slice_bytes(data, size), "fuzz.yaml", &scenario, &lint, NULL);
    if (code == ERRC_OK)
        check_plan(&scenario);
    else
        check_findings(&lint);
    return 0;
}
