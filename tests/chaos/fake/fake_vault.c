#include "tests/chaos/fake/fake_vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chaos/core/condition.h"

#define STEP_BYTES 128u

/* A step as vault_machine.c writes it. */
static void write_step(const struct scenario_step *step, char out[static STEP_BYTES])
{
    char main[32] = "";
    const struct scenario_value *times = scenario_field(step, "times");
    const struct scenario_value *drain = scenario_field(step, "drain");
    if (!step->main.given) {
        (void)snprintf(out, STEP_BYTES, "%s: %s", step->actor->name, step->verb->name);
        return;
    }
    if (step->verb->main.type == VERB_INT)
        (void)snprintf(main, sizeof main, "%" PRId64, step->main.number);
    else
        (void)snprintf(main, sizeof main, step->verb->main.type == VERB_TEXT ? "\"%s\"" : "%s",
                       step->main.text);
    int len = snprintf(out, STEP_BYTES, "%s: {%s: %s", step->actor->name, step->verb->name, main);
    if (times != NULL && times->given)
        len += snprintf(out + len, STEP_BYTES - (size_t)len, ", times: %" PRId64, times->number);
    if (drain != NULL && drain->given)
        len += snprintf(out + len, STEP_BYTES - (size_t)len, ", drain: true");
    (void)snprintf(out + len, STEP_BYTES - (size_t)len, "}");
}

const struct vault_machine_verb *fake_vault_verb(const struct scenario_step *step)
{
    char text[STEP_BYTES];
    const struct vault_machine_verb *verbs = NULL;
    size_t count = vault_machine_verbs(&verbs);
    if (step->verb->role != VERB_ACTS)
        return NULL;
    write_step(step, text);
    for (size_t i = 0; i < count; i++)
        if (strcmp(verbs[i].step, text) == 0)
            return &verbs[i];
    return NULL;
}

enum errc fake_vault_act(struct vault_machine *m, const struct world_step *step,
                         struct errc_why *why)
{
    const struct vault_machine_verb *verb = fake_vault_verb(step->step);
    if (verb == NULL)
        return ERRC_OK;
    if (!vault_machine_can(m, verb, step->step->verb->needs, step->step->verb->excludes))
        return errc_fail(why, ERRC_STATE, "that cannot be");
    m->step = step->number;
    verb->act(m);
    return ERRC_OK;
}

int fake_vault_answer(struct vault_machine *m, const char **rule)
{
    static char id[24];
    *rule = NULL;
    if ((vault_machine_bits(m) & (CONDITION_AWAY | CONDITION_HELD)) != 0)
        return 0;
    for (size_t i = 0; i < m->rule_count; i++) {
        size_t step = m->rules[i].step;
        if (!vault_machine_request(m, step))
            continue;
        (void)snprintf(id, sizeof id, "step-%zu", step);
        *rule = id;
        return 503;
    }
    return m->sealed ? 503 : 200;
}
