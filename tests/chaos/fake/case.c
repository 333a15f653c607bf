#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "chaos/core/scenario/read/scenario_parse.h"
#include "tests/chaos/fake/case.h"
#include "tests/chaos/fake/fake_port.h"

void case_run_scenario(struct case_run *c, struct fake_world *f, const char *text)
{
    struct lint lint CLEANUP(lint_done) = {0};
    struct errc_why why = {{0}};
    struct world world = fake_port(f);
    *c = (struct case_run){0};
    if (scenario_parse(slice_of(text), "case.yaml", &c->scenario, &lint, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    assert_int_equal(plan_make(&c->scenario, &c->plan, NULL), ERRC_OK);
    runner_run(&c->scenario, &c->plan, &world, 7, &c->record, &c->judged);
    assert_true(f->stopped);
}

void case_done(struct case_run *c)
{
    judgement_done(&c->judged);
    record_done(&c->record);
    scenario_done(&c->scenario);
}

const char *case_finding(const struct case_run *c, const char *rule)
{
    for (size_t i = 0; i < c->judged.findings.count; i++)
        if (strcmp(c->judged.findings.items[i].rule, rule) == 0)
            return c->judged.findings.items[i].text;
    return NULL;
}
