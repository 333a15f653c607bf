/*
 * fuzz_chaos_scenario: any text is either a scenario with a plan, or has a
 * finding with a place inside the text.
 */
#include <stdint.h>
#include <stdlib.h>

#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/read/scenario_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t lines_of(struct slice text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n' || text.ptr[i] == '\r' ||
                 (unsigned char)text.ptr[i] >= 0x80; /* YAML knows other line ends, too */
    return lines;
}

static void check_findings(const struct lint *lint, struct slice text)
{
    size_t most = lines_of(text) + 1;
    if (lint->count == 0)
        abort();
    for (size_t i = 0; i < lint->count; i++)
        if (lint->items[i].line == 0 || lint->items[i].line > most || lint->items[i].column == 0 ||
            lint->items[i].reason.text[0] == '\0')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    struct scenario scenario CLEANUP(scenario_done);
    struct lint lint CLEANUP(lint_done) = {0};
    struct plan plan;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, (size_t)16 << 20);
    enum errc code = scenario_parse(text, "f.yaml", &scenario, &lint, NULL);
    if (code == ERRC_SCHEMA) {
        check_findings(&lint, text);
        lint_format(&lint, "f.yaml", &out);
    } else if (code == ERRC_OK && plan_make(&scenario, &plan, NULL) == ERRC_OK) {
        if (lint.count != 0 || plan.count < 2)
            abort();
        plan_format(&plan, &scenario, &out);
    }
    return 0;
}
