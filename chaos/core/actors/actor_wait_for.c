#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/check/check.h"

static const struct verb_field fields[] = {
    FIELDS_SIGN_STEP("sign", true, "a sign step in the background"),
    {.name = "requests",
     .type = VERB_INT,
     .min = 1,
     .max = FIELDS_COUNT_MAX,
     .doc = "only until Vault has got that many sign requests since the step began; without it, "
            "until the step is done"},
    FIELDS_WITHIN("20000"),
    FIELDS_END};

/* Returns the step before this one that waited for the same end, or NULL. */
static const struct scenario_step *waited(const struct check *c, const struct scenario_step *step)
{
    for (unsigned phase = 0; phase < VERB_PHASES; phase++) {
        const struct scenario_steps *steps = &c->scenario->phases[phase];
        for (size_t i = 0; i < steps->count && &steps->items[i] != step; i++) {
            const struct scenario_step *other = &steps->items[i];
            if (phase <= step->phase && other->verb == step->verb &&
                !check_given(other, "requests") && scenario_text(other, "sign") != NULL &&
                strcmp(scenario_text(other, "sign"), scenario_text(step, "sign")) == 0)
                return other;
        }
    }
    return NULL;
}

static void check_wait_for(struct check *c, const struct scenario_step *step)
{
    const struct scenario_value *sign = scenario_field(step, "sign");
    const struct scenario_step *of = sign->text == NULL ? NULL : check_named(c, sign->text, step);
    if (of == NULL)
        return;
    const struct scenario_step *before = waited(c, step);
    if (!scenario_bool(of, "background"))
        check_value(c, step, sign, "that step is not in the background, it has ended already");
    else if (before != NULL)
        check_value(c, step, sign, "that step has ended already, line %zu waited for it",
                    before->line);
}

static const struct verb verbs[] = {
    {.doc = "waits for an event",
     .role = VERB_WAITS,
     .fields = fields,
     .check = check_wait_for,
     .excludes = CONDITION_UNCONTROLLED},
};

const struct actor actor_wait_for = {.name = "wait_for", .verbs = verbs, .verb_count = 1};
