#include "chaos/core/scenario/check/scenario_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "chaos/core/language/verb_stack.h"
#include "chaos/core/scenario/check/check.h"
#include "chaos/core/scenario/check/scenario_walk.h"

/* --- names of sign steps --- */

static void see_reference(struct check *c, const struct scenario_step *step, const char *field)
{
    const struct scenario_value *value = scenario_field(step, field);
    if (value == NULL || value->text == NULL || check_named(c, value->text, step) != NULL)
        return;
    bool later = check_named(c, value->text, NULL) != NULL;
    check_value(c, step, value, "no sign step before this one is called \"%.64s\"%s", value->text,
                later ? ", only a later one" : "");
}

static void see_names(struct check *c, const struct scenario_step *step)
{
    see_reference(c, step, "of");
    see_reference(c, step, "retry");
    see_reference(c, step, "sign");
    const struct scenario_value *as = scenario_field(step, "as");
    const struct scenario_step *before =
        as == NULL || as->text == NULL ? NULL : check_named(c, as->text, step);
    if (before != NULL)
        check_value(c, step, as, "\"%.64s\" is taken already, by the step in line %zu", as->text,
                    before->line);
}

/* --- phases --- */

static void see_phase(struct check *c, const struct scenario_step *step)
{
    if (verb_allowed_in(step->verb, step->phase))
        return;
    if (step->phase == VERB_PHASE_EXPECT)
        check_step(c, step, "expect only looks at evidence, put this into method or rollback");
    else
        check_step(c, step, "the steady state changes nothing, put this into method");
}

/* --- services --- */

static bool has_service(const struct scenario *scenario, const char *name)
{
    const struct subject *subject = scenario->stack.subject;
    const struct subject_door *door = subject_door(subject, name);
    return door == NULL || door->kind != SUBJECT_SERVICE ||
           scenario->stack.services[door - subject->doors];
}

static void see_service(struct check *c, const struct scenario_step *step,
                        const struct scenario_value *value, const char *name)
{
    if (name != NULL && !has_service(c->scenario, name))
        check_value(c, step, value, "\"%s\" is not among stack.services", name);
}

static void see_services(struct check *c, const struct scenario_step *step)
{
    static const char *const fields[] = {"via", "service"};
    for (size_t i = 0; i < COUNT(fields); i++) {
        const struct scenario_value *value = scenario_field(step, fields[i]);
        if (value != NULL)
            see_service(c, step, value, value->text);
    }
    for (size_t i = 0; step->actor->of_services && i < step->main.count; i++)
        see_service(c, step, &step->main, step->main.texts[i]);
}

/* --- variables --- */

/* A misspelt switch would silently rehearse something else, and a bad value nothing at all: the
 * signer would not start. may_refuse: that is what the step wants to see. */
static void see_variables(struct check *c, const struct scenario_value *map, const char *path,
                          bool may_refuse)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct scenario_pair *pair = &map->pairs[i];
        struct errc_why why = {{0}};
        const struct variable_table *variables = &c->scenario->stack.subject->variables;
        enum errc code = variable_check_name(variables, pair->name, &why);
        if (code == ERRC_OK && !may_refuse)
            code = variable_check_value(variables, pair->name, pair->value, &why);
        if (code != ERRC_OK)
            lint_add(c->lint, pair->line, pair->column, path, "%s", why.text);
    }
}

/* A command that is expected to end 2, and a service that must not start, have been given what they
 * must refuse. */
static bool expects_refusal(const struct scenario_step *step)
{
    if (step->actor->of_services && strcmp(step->verb->name, "refuses") == 0)
        return true;
    const struct scenario_value *expect = scenario_field(step, "expect");
    const struct scenario_value *code = expect == NULL ? NULL : scenario_member(expect, "exit");
    return code != NULL && code->given && code->number == 2;
}

static void see_environment(struct check *c, const struct scenario_step *step)
{
    const struct scenario_value *map = scenario_field(step, "environment");
    if (map == NULL || !map->given)
        return;
    char path[LINT_FIELD_BYTES];
    (void)snprintf(path, sizeof path, "%s[%zu].%s.environment", verb_phase_name(step->phase),
                   step->index, step->actor->name);
    see_variables(c, map, path, expects_refusal(step));
}

/* --- one step --- */

/* One that compares must be told with what. */
static void see_compared(struct check *c, const struct scenario_step *step)
{
    const char *const *fields = step->verb->compares;
    for (size_t i = 0; fields[i] != NULL; i++)
        if (check_given(step, fields[i]))
            return;
    char text[ERRC_WHY_MAX] = "";
    for (size_t i = 0, len = 0; fields[i] != NULL && len < sizeof text; i++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s %s", i == 0 ? "" : ",", fields[i]);
    check_step(c, step, "compares nothing, give at least one of%s", text);
}

static void see_step(struct check *c, const struct scenario_step *step)
{
    see_phase(c, step);
    see_names(c, step);
    see_services(c, step);
    see_environment(c, step);
    if (step->verb->compares != NULL)
        see_compared(c, step);
    if (step->verb->check != NULL)
        step->verb->check(c, step);
}

/* --- the stack --- */

static void see_vault(struct check *c, const struct scenario_value *vault)
{
    const struct scenario_value *dev = scenario_member(vault, "dev");
    const struct scenario_value *shares = scenario_member(vault, "shares");
    const struct scenario_value *threshold = scenario_member(vault, "threshold");
    const struct scenario_value *storage = scenario_member(vault, "storage");
    if (dev->flag && (shares->given || threshold->given || storage->given))
        lint_add(c->lint, dev->line, dev->column, "stack.vault.dev",
                 "a dev server has one unseal key and no storage, leave shares, threshold and "
                 "storage out");
    else if (threshold->number > shares->number)
        lint_add(c->lint, threshold->given ? threshold->line : shares->line,
                 threshold->given ? threshold->column : shares->column, "stack.vault.threshold",
                 "%" PRId64 " is more than the %" PRId64 " shares", threshold->number,
                 shares->number);
    else if (threshold->number == 1 && shares->number > 1)
        lint_add(c->lint, threshold->line, threshold->column, "stack.vault.threshold",
                 "Vault wants more than 1 when there are several shares");
}

static void see_stack(struct check *c, const struct scenario_value *values)
{
    const struct verb_field *fields = verb_scenario_fields();
    const struct scenario_value *stack = &values[verb_field_find(fields, "stack") - fields];
    see_vault(c, scenario_member(stack, "vault"));
    see_variables(c, scenario_member(stack, "environment"), "stack.environment", false);
}

void scenario_check(const struct scenario *scenario, const struct scenario_value *values,
                    struct lint *lint)
{
    struct check c = {.scenario = scenario, .lint = lint};
    see_stack(&c, values);
    for (unsigned phase = 0; phase < VERB_PHASES; phase++)
        for (size_t i = 0; i < scenario->phases[phase].count; i++)
            see_step(&c, &scenario->phases[phase].items[i]);
    if (lint->count == 0) /* a step that cannot be read may be the one that is missed */
        scenario_walk(&c);
}
