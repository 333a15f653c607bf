#include "chaos/core/scenario/check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* True when the value is a member of the step's `expect`. */
static bool is_expectation(const struct scenario_step *step, const struct scenario_value *value)
{
    const struct scenario_value *expect = scenario_field(step, "expect");
    return expect != NULL && value >= expect->values && value < expect->values + expect->count;
}

static void path_of(const struct scenario_step *step, const struct scenario_value *value,
                    char out[static LINT_FIELD_BYTES])
{
    const char *name = value == &step->main ? step->verb->name : value->field->name;
    (void)snprintf(out, LINT_FIELD_BYTES, "%s[%zu].%s%s.%s", verb_phase_name(step->phase),
                   step->index, step->actor->name, is_expectation(step, value) ? ".expect" : "",
                   name);
}

void check_value(struct check *c, const struct scenario_step *step,
                 const struct scenario_value *value, const char *format, ...)
{
    char path[LINT_FIELD_BYTES], text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    path_of(step, value, path);
    lint_add(c->lint, value->line, value->column, path, "%s", text);
}

void check_step(struct check *c, const struct scenario_step *step, const char *format, ...)
{
    char path[LINT_FIELD_BYTES], text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)snprintf(path, sizeof path, "%s[%zu].%s", verb_phase_name(step->phase), step->index,
                   step->actor->name);
    lint_add(c->lint, step->line, step->column, path, "%s", text);
}

void check_pair(struct check *c, const struct scenario_step *step,
                const struct scenario_value *value, const struct scenario_pair *pair,
                const char *format, ...)
{
    char path[LINT_FIELD_BYTES], text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    path_of(step, value, path);
    lint_add(c->lint, pair->line, pair->column, path, "%s", text);
}

bool check_given(const struct scenario_step *step, const char *name)
{
    const struct scenario_value *value = scenario_field(step, name);
    return value != NULL && value->given;
}

const struct scenario_step *check_before(const struct check *c, const struct scenario_step *step,
                                         bool (*is)(const struct check *c,
                                                    const struct scenario_step *step))
{
    const struct scenario_step *found = NULL;
    for (unsigned phase = 0; phase <= step->phase; phase++) {
        const struct scenario_steps *steps = &c->scenario->phases[phase];
        for (size_t i = 0; i < steps->count && &steps->items[i] != step; i++)
            if (is(c, &steps->items[i]))
                found = &steps->items[i];
    }
    return found;
}

const struct scenario_step *check_named(const struct check *c, const char *name,
                                        const struct scenario_step *until)
{
    for (unsigned phase = 0; phase < VERB_PHASES; phase++) {
        const struct scenario_steps *steps = &c->scenario->phases[phase];
        for (size_t i = 0; i < steps->count; i++) {
            const struct scenario_step *step = &steps->items[i];
            if (step == until)
                return NULL;
            if (step->verb->role == VERB_SIGNS && scenario_text(step, "as") != NULL &&
                strcmp(scenario_text(step, "as"), name) == 0)
                return step;
        }
    }
    return NULL;
}
