#include "chaos/core/scenario/scenario_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chaos/core/language/variable.h"

struct check {
    const struct scenario *scenario;
    struct lint *lint;
};

/* True when the value is a member of the step's `expect`. */
static bool is_expectation(const struct scenario_step *step, const struct scenario_value *value)
{
    const struct scenario_value *expect = scenario_field(step, "expect");
    return expect != NULL && value >= expect->values && value < expect->values + expect->count;
}

/* Complains at a value of a step: its verb's own argument, a field, or an expectation. */
static void complain(struct check *c, const struct scenario_step *step,
                     const struct scenario_value *value, const char *text)
{
    char field[LINT_FIELD_BYTES];
    const char *name = value == &step->main ? step->verb->name : value->field->name;
    (void)snprintf(field, sizeof field, "%s[%zu].%s%s.%s", verb_phase_name(step->phase),
                   step->index, step->verb->actor, is_expectation(step, value) ? ".expect" : "",
                   name);
    lint_add(c->lint, value->line, value->column, field, "%s", text);
}

static void complain_step(struct check *c, const struct scenario_step *step, const char *text)
{
    char field[LINT_FIELD_BYTES];
    (void)snprintf(field, sizeof field, "%s[%zu].%s", verb_phase_name(step->phase), step->index,
                   step->verb->actor);
    lint_add(c->lint, step->line, step->column, field, "%s", text);
}

/* True when the step has the field and the file gives it. */
static bool given(const struct scenario_step *step, const char *name)
{
    const struct scenario_value *value = scenario_field(step, name);
    return value != NULL && value->given;
}

/* --- names of sign steps --- */

/* Returns the sign step called name that comes before `until` (NULL: anywhere), or NULL. */
static const struct scenario_step *named(struct check *c, const char *name,
                                         const struct scenario_step *until)
{
    for (unsigned phase = 0; phase < VERB_PHASES; phase++) {
        const struct scenario_steps *steps = &c->scenario->phases[phase];
        for (size_t i = 0; i < steps->count; i++) {
            const struct scenario_step *step = &steps->items[i];
            if (step == until)
                return NULL;
            if (step->verb->id == VERB_SIGN && scenario_text(step, "as") != NULL &&
                strcmp(scenario_text(step, "as"), name) == 0)
                return step;
        }
    }
    return NULL;
}

static void check_reference(struct check *c, const struct scenario_step *step, const char *field)
{
    const struct scenario_value *value = scenario_field(step, field);
    if (value == NULL || value->text == NULL || named(c, value->text, step) != NULL)
        return;
    char text[ERRC_WHY_MAX];
    bool later = named(c, value->text, NULL) != NULL;
    (void)snprintf(text, sizeof text, "no sign step before this one is called \"%.64s\"%s",
                   value->text, later ? ", only a later one" : "");
    complain(c, step, value, text);
}

static void check_names(struct check *c, const struct scenario_step *step)
{
    check_reference(c, step, "of");
    check_reference(c, step, "retry");
    check_reference(c, step, "sign");
    const struct scenario_value *as = scenario_field(step, "as");
    const struct scenario_step *before =
        as == NULL || as->text == NULL ? NULL : named(c, as->text, step);
    if (before == NULL)
        return;
    char text[ERRC_WHY_MAX];
    (void)snprintf(text, sizeof text, "\"%.64s\" is taken already, by the step in line %zu",
                   as->text, before->line);
    complain(c, step, as, text);
}

/* --- phases --- */

static void check_phase(struct check *c, const struct scenario_step *step)
{
    if (verb_allowed_in(step->verb, step->phase))
        return;
    if (step->phase == VERB_PHASE_EXPECT)
        complain_step(c, step, "expect only looks at evidence, put this into method or rollback");
    else
        complain_step(c, step, "the steady state changes nothing, put this into method");
}

/* --- services --- */

static bool has_service(const struct scenario *scenario, const char *name)
{
    return strcmp(name, "api") == 0      ? scenario->stack.api
           : strcmp(name, "worker") == 0 ? scenario->stack.worker
                                         : true;
}

static void check_service_name(struct check *c, const struct scenario_step *step,
                               const struct scenario_value *value, const char *name)
{
    if (name == NULL || has_service(c->scenario, name))
        return;
    char text[ERRC_WHY_MAX];
    (void)snprintf(text, sizeof text, "\"%s\" is not among stack.services", name);
    complain(c, step, value, text);
}

static void check_services(struct check *c, const struct scenario_step *step)
{
    static const char *const fields[] = {"via", "service"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct scenario_value *value = scenario_field(step, fields[i]);
        if (value != NULL)
            check_service_name(c, step, value, value->text);
    }
    if (strcmp(step->verb->actor, "service") == 0)
        for (size_t i = 0; i < step->main.count; i++)
            check_service_name(c, step, &step->main, step->main.texts[i]);
}

/* --- variables --- */

/* A misspelt switch would silently rehearse something else, and a bad value nothing at all: the
 * signer would not start. may_refuse: that is what the step wants to see. */
static void check_variables(struct check *c, const struct scenario_value *map, const char *path,
                            bool may_refuse)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct scenario_pair *pair = &map->pairs[i];
        struct errc_why why = {{0}};
        enum errc code = variable_check_name(pair->name, &why);
        if (code == ERRC_OK && strcmp(pair->name, "VAULT_ADDR") == 0)
            code =
                errc_fail(&why, ERRC_SCHEMA, "VAULT_ADDR belongs to the stack, it cannot be set");
        if (code == ERRC_OK && !may_refuse)
            code = variable_check_value(pair->name, pair->value, &why);
        if (code != ERRC_OK)
            lint_add(c->lint, pair->line, pair->column, path, "%s", why.text);
    }
}

/* A command that is expected to end 2 has been given what it must refuse. */
static bool expects_refusal(const struct scenario_step *step)
{
    const struct scenario_value *expect = scenario_field(step, "expect");
    const struct scenario_value *code = expect == NULL ? NULL : scenario_member(expect, "exit");
    return code != NULL && code->given && code->number == 2;
}

static void check_environment(struct check *c, const struct scenario_step *step)
{
    const struct scenario_value *map = scenario_field(step, "environment");
    if (map == NULL || !map->given)
        return;
    char path[LINT_FIELD_BYTES];
    (void)snprintf(path, sizeof path, "%s[%zu].%s.environment", verb_phase_name(step->phase),
                   step->index, step->verb->actor);
    check_variables(c, map, path, expects_refusal(step));
}

/* --- single verbs --- */

static void check_sign(struct check *c, const struct scenario_step *step)
{
    const char *via = scenario_text(step, "via");
    bool cli = via != NULL && strcmp(via, "cli") == 0;
    const struct scenario_value *expect = scenario_field(step, "expect");
    const struct scenario_value *exit_code = scenario_member(expect, "exit");
    const struct scenario_value *is_signed = scenario_member(expect, "signed");
    const struct scenario_value *mode = scenario_member(expect, "mode");
    if (via != NULL && !cli && given(step, "environment"))
        complain(c, step, scenario_field(step, "environment"),
                 "a running service keeps its environment: use via cli, or service restart");
    if (via != NULL && !cli && exit_code->given)
        complain(c, step, exit_code, "only the command has an exit code, via is not cli");
    if (is_signed->given && !is_signed->flag && mode->given)
        complain(c, step, mode, "what is not signed has no mode");
}

/* True when a step waits for the end of that one. */
static bool is_awaited(struct check *c, const struct scenario_step *sign)
{
    const char *name = scenario_text(sign, "as");
    for (unsigned phase = 0; name != NULL && phase < VERB_PHASES; phase++) {
        const struct scenario_steps *steps = &c->scenario->phases[phase];
        for (size_t i = 0; i < steps->count; i++) {
            const struct scenario_step *step = &steps->items[i];
            const char *waits =
                step->verb->id == VERB_WAIT_FOR ? scenario_text(step, "sign") : NULL;
            if (waits != NULL && strcmp(waits, name) == 0 && !given(step, "requests"))
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
        complain(c, step, scenario_field(step, "background"), "not in the steady state");
    else if (!given(step, "as"))
        complain_step(c, step, "a step in the background needs a name: as");
    else if (!is_awaited(c, step))
        complain_step(c, step, "no wait_for waits for the end of this step in the background");
}

static void check_retry(struct check *c, const struct scenario_step *step)
{
    const char *retry = scenario_text(step, "retry");
    const struct scenario_step *of = retry == NULL ? NULL : named(c, retry, step);
    const char *via = scenario_text(step, "via");
    if (of == NULL || via == NULL || scenario_text(of, "via") == NULL ||
        strcmp(scenario_text(of, "via"), via) == 0)
        return;
    char text[ERRC_WHY_MAX];
    (void)snprintf(text, sizeof text, "\"%.64s\" went via %s, only that has its bundle", retry,
                   scenario_text(of, "via"));
    complain(c, step, scenario_field(step, "retry"), text);
}

static void check_wait_for(struct check *c, const struct scenario_step *step)
{
    const char *name = scenario_text(step, "sign");
    const struct scenario_step *of = name == NULL ? NULL : named(c, name, step);
    if (of != NULL && !scenario_bool(of, "background"))
        complain(c, step, scenario_field(step, "sign"),
                 "that step is not in the background, it has ended already");
}

static void check_unseal(struct check *c, const struct scenario_step *step)
{
    char text[ERRC_WHY_MAX];
    if (step->main.number <= c->scenario->stack.shares)
        return;
    (void)snprintf(text, sizeof text, "there are only %d unseal keys", c->scenario->stack.shares);
    complain(c, step, &step->main, text);
}

static void check_respond(struct check *c, const struct scenario_step *step)
{
    if (given(step, "errors") && given(step, "body"))
        complain(c, step, scenario_field(step, "body"), "excludes errors, give one of them");
}

/* path and after say which request; at once there is none. */
static void check_trigger(struct check *c, const struct scenario_step *step)
{
    static const char *const fields[] = {"path", "after"};
    bool at_request = scenario_at_request(step);
    for (size_t i = 0; i < 2 && !at_request; i++)
        if (given(step, fields[i]))
            complain(c, step, scenario_field(step, fields[i]), "only with at_request");
    if (at_request && given(step, "drain"))
        complain(c, step, scenario_field(step, "drain"), "only with now");
}

static void check_observation(struct check *c, const struct scenario_step *step,
                              const char *const fields[])
{
    for (size_t i = 0; fields[i] != NULL; i++)
        if (given(step, fields[i]))
            return;
    char text[ERRC_WHY_MAX] = "compares nothing, give at least one of";
    for (size_t i = 0, len = strlen(text); fields[i] != NULL && len < sizeof text; i++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s %s", i == 0 ? "" : ",", fields[i]);
    complain_step(c, step, text);
}

static void check_manifest(struct check *c, const struct scenario_step *step)
{
    bool absent = !scenario_bool(step, "exists");
    if (absent && given(step, "mode"))
        complain(c, step, scenario_field(step, "mode"), "what does not exist has no mode");
    if (absent && given(step, "verifies"))
        complain(c, step, scenario_field(step, "verifies"), "what does not exist cannot verify");
}

static const char *const audit_counts[] = {"started", "vault",    "fallback",
                                           "failed",  "repaired", NULL};
static const char *const journal_counts[] = {"requests", "executed", NULL};
static const char *const state_values[] = {"sealed", "accepting", "held", NULL};

/* One row per verb that has more to check than all have. */
static const struct {
    enum verb_id id;
    void (*check)(struct check *c, const struct scenario_step *step);
    const char *const *observes; /* at least one of these must be given */
} checks[] = {
    {VERB_SIGN, check_sign, NULL},           {VERB_SIGN, check_retry, NULL},
    {VERB_SIGN, check_background, NULL},     {VERB_WAIT_FOR, check_wait_for, NULL},
    {VERB_VAULT_UNSEAL, check_unseal, NULL}, {VERB_VAULT_RESPOND, check_respond, NULL},
    {VERB_VAULT_SEAL, check_trigger, NULL},  {VERB_VAULT_REFUSE, check_trigger, NULL},
    {VERB_VAULT_HANG, check_trigger, NULL},  {VERB_VAULT_CRASH, check_trigger, NULL},
    {VERB_MANIFEST, check_manifest, NULL},   {VERB_AUDIT, NULL, audit_counts},
    {VERB_JOURNAL, NULL, journal_counts},    {VERB_STATE, NULL, state_values},
};

static void check_step(struct check *c, const struct scenario_step *step)
{
    check_phase(c, step);
    check_names(c, step);
    check_services(c, step);
    check_environment(c, step);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].id != step->verb->id)
            continue;
        if (checks[i].check != NULL)
            checks[i].check(c, step);
        if (checks[i].observes != NULL)
            check_observation(c, step, checks[i].observes);
    }
}

/* --- the stack --- */

static void check_vault(struct check *c, const struct scenario_value *vault)
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

static void check_stack(struct check *c, const struct scenario_value *values)
{
    const struct verb_field *fields = verb_scenario_fields();
    const struct scenario_value *stack = &values[verb_field_find(fields, "stack") - fields];
    check_vault(c, scenario_member(stack, "vault"));
    check_variables(c, scenario_member(stack, "environment"), "stack.environment", false);
}

void scenario_check(const struct scenario *scenario, const struct scenario_value *values,
                    struct lint *lint)
{
    struct check c = {.scenario = scenario, .lint = lint};
    check_stack(&c, values);
    for (unsigned phase = 0; phase < VERB_PHASES; phase++)
        for (size_t i = 0; i < scenario->phases[phase].count; i++)
            check_step(&c, &scenario->phases[phase].items[i]);
}
