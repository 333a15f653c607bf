#include "chaos/core/scenario/scenario.h"

#include <string.h>

#include "base/bug.h"

void scenario_done(struct scenario *scenario)
{
    if (scenario == NULL)
        return;
    pool_done(&scenario->pool);
    *scenario = (struct scenario){0};
}

bool scenario_tagged(const struct scenario *scenario, const char *tag)
{
    for (size_t i = 0; i < scenario->tag_count; i++)
        if (strcmp(scenario->tags[i], tag) == 0)
            return true;
    return false;
}

/* --- access --- */

static const struct scenario_value *
find_value(const struct verb_field *fields, const struct scenario_value *values, const char *name)
{
    const struct verb_field *field = verb_field_find(fields, name);
    return field == NULL || values == NULL ? NULL : &values[field - fields];
}

const struct scenario_value *scenario_field(const struct scenario_step *step, const char *name)
{
    return find_value(step->verb->fields, step->values, name);
}

const struct scenario_value *scenario_member(const struct scenario_value *value, const char *name)
{
    return find_value(value->field->fields, value->values, name);
}

static const struct scenario_value *must_have(const struct scenario_step *step, const char *name)
{
    const struct scenario_value *value = scenario_field(step, name);
    CHECK(value != NULL);
    return value;
}

const char *scenario_text(const struct scenario_step *step, const char *name)
{
    return must_have(step, name)->text;
}

int64_t scenario_int(const struct scenario_step *step, const char *name)
{
    return must_have(step, name)->number;
}

bool scenario_bool(const struct scenario_step *step, const char *name)
{
    return must_have(step, name)->flag;
}

bool scenario_given(const struct scenario_step *step, const char *name)
{
    return must_have(step, name)->given;
}

bool scenario_at_request(const struct scenario_step *step)
{
    return step->main.text != NULL && strcmp(step->main.text, "at_request") == 0;
}

struct condition_effect scenario_effect(const struct scenario_step *step,
                                        const struct scenario_stack *stack)
{
    struct condition_effect effect = step->verb->effect;
    if (step->actor->of_services)
        return (struct condition_effect){0};
    if (step->verb->derive != NULL)
        step->verb->derive(step, stack, &effect);
    return scenario_at_request(step) ? condition_at_request(effect) : effect;
}
