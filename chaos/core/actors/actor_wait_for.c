#include "chaos/core/actors/actors.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/check.h"

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

static void check_wait_for(struct check *c, const struct scenario_step *step)
{
    const char *name = scenario_text(step, "sign");
    const struct scenario_step *of = name == NULL ? NULL : check_named(c, name, step);
    if (of != NULL && !scenario_bool(of, "background"))
        check_value(c, step, scenario_field(step, "sign"),
                    "that step is not in the background, it has ended already");
}

static const struct verb verbs[] = {
    {.doc = "waits for an event", .role = VERB_WAITS, .fields = fields, .check = check_wait_for},
};

const struct actor actor_wait_for = {.name = "wait_for", .verbs = verbs, .verb_count = 1};
