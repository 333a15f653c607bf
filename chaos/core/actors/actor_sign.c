#include <string.h>

#include "chaos/core/actors/actor_sign.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/check/check.h"

/* --- fields --- */

static const char *const via_words[] = {"api", "worker", "cli", NULL};
static const char *const content_words[] = {"same", "other", NULL};
static const char *const checksum_words[] = {"right", "wrong", NULL};
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
    {.name = "artefacts",
     .type = VERB_INT,
     .min = 1,
     .max = SUBJECT_BUNDLE_ARTEFACTS_MAX,
     .standard = "1",
     .doc = "how many artefacts the bundle has"},
    {.name = "metadata",
     .type = VERB_MAP,
     .format = VERB_FORMAT_NAME,
     .max = 32,
     .doc = "what the bundle says beside them"},
    {.name = "content",
     .type = VERB_WORD,
     .words = content_words,
     .standard = "same",
     .doc = "other: not what the bundle of that earlier step has; it must be refused, and what was "
            "signed stays; with retry only"},
    {.name = "checksum",
     .type = VERB_WORD,
     .words = checksum_words,
     .standard = "right",
     .doc = "wrong: the last artefact's does not fit its file; it must be refused; via cli only"},
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

/* --- what is asked for --- */

bool actor_sign_is_other(const struct scenario_step *step)
{
    const char *content = scenario_text(step, "content");
    return content != NULL && strcmp(content, "other") == 0;
}

bool actor_sign_is_wrong(const struct scenario_step *step)
{
    const char *checksum = scenario_text(step, "checksum");
    return checksum != NULL && strcmp(checksum, "wrong") == 0;
}

struct subject_bundle actor_sign_bundle(const struct scenario_step *step)
{
    const struct scenario_value *metadata = scenario_field(step, "metadata");
    return (struct subject_bundle){.artefacts = (int)scenario_int(step, "artefacts"),
                                   .metadata = metadata->pairs,
                                   .metadata_count = metadata->count,
                                   .other = actor_sign_is_other(step),
                                   .wrong_checksum = actor_sign_is_wrong(step)};
}

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

static void check_bundle(struct check *c, const struct scenario_step *step)
{
    const char *via = scenario_text(step, "via");
    const struct scenario_value *metadata = scenario_field(step, "metadata");
    bool again = check_given(step, "retry");
    for (size_t i = 0; i < metadata->count; i++)
        if (strcmp(metadata->pairs[i].name, "signing") == 0)
            check_value(c, step, metadata, "\"signing\" is what the signer adds");
    if (again && (check_given(step, "artefacts") || metadata->given))
        check_step(c, step, "the bundle is that of the earlier step: no artefacts, no metadata");
    if (!again && actor_sign_is_other(step))
        check_value(c, step, scenario_field(step, "content"), "other than what? Give retry");
    if (actor_sign_is_wrong(step) && (again || (via != NULL && strcmp(via, "cli") != 0)))
        check_value(c, step, scenario_field(step, "checksum"),
                    "only the command sees the file, when it makes the bundle: via cli, no retry");
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
    check_bundle(c, step);
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
