#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/check.h"

/* --- fields --- */

static const char *const via_words[] = {"api", "worker", "cli", NULL};
static const char *const status_words[] = {"pending", "running", "completed",
                                           "failed",  "blocked", NULL};

static const struct verb_field expect_fields[] = {
    {.name = "signed", .type = VERB_BOOL, .doc = "whether there is a signed manifest"},
    {.name = "mode",
     .type = VERB_WORD,
     .words = fields_modes,
     .doc = "which key signed, as told to the caller, audited, and as it verifies"},
    {.name = "attempts",
     .type = VERB_INT,
     .min = 0,
     .max = 100,
     .doc = "how many attempts at Vault were audited"},
    {.name = "reason",
     .type = VERB_WORD,
     .words = fields_reasons,
     .doc = "why it fell back, or why it was refused although fallback might have helped"},
    {.name = "class",
     .type = VERB_WORD,
     .words = fields_classes,
     .doc = "class of the last attempt"},
    {.name = "status", .type = VERB_WORD, .words = status_words, .doc = "status of the run"},
    {.name = "exit", .type = VERB_INT, .min = 0, .max = 255, .doc = "exit code; via cli only"},
    FIELDS_END};

static const struct verb_field fields[] = {
    {.name = "via",
     .type = VERB_WORD,
     .words = via_words,
     .required = true,
     .doc = "who is asked: a service, or the command"},
    FIELDS_SIGN_STEP("as", false, "a name for later steps to refer to"),
    FIELDS_SIGN_STEP("retry", false,
                     "sign the bundle of that earlier step again, instead of a new one"),
    {.name = "background",
     .type = VERB_BOOL,
     .standard = "false",
     .doc = "do not wait for the end; wait_for does, and the expectations hold then"},
    FIELDS_ENVIRONMENT("variables for this run of the command; via cli only"),
    {.name = "expect",
     .type = VERB_FIELDS,
     .fields = expect_fields,
     .doc = "what must come of it; without it, that there is a signed manifest"},
    FIELDS_END};

/* --- mistakes --- */

static void check_expectations(struct check *c, const struct scenario_step *step)
{
    const char *via = scenario_text(step, "via");
    bool cli = via != NULL && strcmp(via, "cli") == 0;
    const struct scenario_value *expect = scenario_field(step, "expect");
    const struct scenario_value *exit_code = scenario_member(expect, "exit");
    const struct scenario_value *is_signed = scenario_member(expect, "signed");
    const struct scenario_value *mode = scenario_member(expect, "mode");
    if (via != NULL && !cli && check_given(step, "environment"))
        check_value(c, step, scenario_field(step, "environment"),
                    "a running service keeps its environment: use via cli, or service restart");
    if (via != NULL && !cli && exit_code->given)
        check_value(c, step, exit_code, "only the command has an exit code, via is not cli");
    if (is_signed->given && !is_signed->flag && mode->given)
        check_value(c, step, mode, "what is not signed has no mode");
}

static void check_retry(struct check *c, const struct scenario_step *step)
{
    const char *retry = scenario_text(step, "retry");
    const struct scenario_step *of = retry == NULL ? NULL : check_named(c, retry, step);
    const char *via = scenario_text(step, "via");
    if (of == NULL || via == NULL || scenario_text(of, "via") == NULL ||
        strcmp(scenario_text(of, "via"), via) == 0)
        return;
    check_value(c, step, scenario_field(step, "retry"),
                "\"%.64s\" went via %s, only that has its bundle", retry, scenario_text(of, "via"));
}

/* True when a step waits for the end of that one. */
static bool is_awaited(struct check *c, const struct scenario_step *sign)
{
    const char *name = scenario_text(sign, "as");
    for (unsigned phase = 0; name != NULL && phase < VERB_PHASES; phase++) {
        const struct scenario_steps *steps = &c->scenario->phases[phase];
        for (size_t i = 0; i < steps->count; i++) {
            const struct scenario_step *step = &steps->items[i];
            const char *waits = step->verb->role == VERB_WAITS ? scenario_text(step, "sign") : NULL;
            if (waits != NULL && strcmp(waits, name) == 0 && !check_given(step, "requests"))
                return true;
        }
    }
    return false;
}

/* Nobody would look at what came of it. */
static void check_background(struct check *c, const struct scenario_step *step)
{
    if (!scenario_bool(step, "background"))
        return;
    if (step->phase == VERB_PHASE_STEADY)
        check_value(c, step, scenario_field(step, "background"), "not in the steady state");
    else if (!check_given(step, "as"))
        check_step(c, step, "a step in the background needs a name: as");
    else if (!is_awaited(c, step))
        check_step(c, step, "no wait_for waits for the end of this step in the background");
}

static void check_sign(struct check *c, const struct scenario_step *step)
{
    check_expectations(c, step);
    check_retry(c, step);
    check_background(c, step);
}

/* --- the verb --- */

static const struct verb verbs[] = {
    {.doc = "has a bundle signed and judges what came of it",
     .role = VERB_SIGNS,
     .fields = fields,
     .check = check_sign,
     .excludes = CONDITION_UNCONTROLLED},
};

const struct actor actor_sign = {.name = "sign", .verbs = verbs, .verb_count = 1};
