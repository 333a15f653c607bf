/*
 * case: one scenario over a fake world, for the tests of runner and judges.
 */
#pragma once

#include "chaos/core/runner.h"
#include "tests/chaos/fake/fake_world.h"

struct case_run {
    struct scenario scenario;
    struct plan plan;
    struct record record;
    struct judgement judged;
};

/* Runs the text; fails the test when it is no good scenario. */
void case_run_scenario(struct case_run *c, struct fake_world *f, const char *text);
void case_done(struct case_run *c);

/* Returns the text of the first finding under a rule, or NULL. */
const char *case_finding(const struct case_run *c, const char *rule);
