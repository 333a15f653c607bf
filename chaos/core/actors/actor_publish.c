#include <string.h>

#include "base/count.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/scenario/check/check.h"

static bool is_verb(const struct scenario_step *step, const char *name)
{
    return step->actor == &actor_publish && strcmp(step->verb->name, name) == 0;
}

static bool changes(const struct check *c, const struct scenario_step *step)
{
    (void)c;
    return step->actor == &actor_publish;
}

static bool denies(const struct check *c, const struct scenario_step *step)
{
    (void)c;
    return is_verb(step, "deny");
}

static void check_deny(struct check *c, const struct scenario_step *step)
{
    const struct scenario_step *last = check_before(c, step, changes);
    if (step->main.text != NULL && check_named(c, step->main.text, step) == NULL)
        check_value(c, step, &step->main, "there is no sign step \"%.64s\" ahead of it",
                    step->main.text);
    if (last != NULL && is_verb(last, "deny"))
        check_step(c, step, "publishing is denied here (line %zu): restore it first", last->line);
}

/* A rollback runs whatever happened before: there, any deny is a reason. */
static void check_restore(struct check *c, const struct scenario_step *step)
{
    bool undoing = step->phase == VERB_PHASE_ROLLBACK;
    const struct scenario_step *last = check_before(c, step, undoing ? denies : changes);
    if (last == NULL || !is_verb(last, "deny"))
        check_step(c, step, "nothing denies publishing here");
}

static const struct verb verbs[] = {
    {.name = "deny",
     .doc = "lets no manifest appear where that sign step's has to, until restore; what lies there "
            "cannot be seen meanwhile",
     .main = {.type = VERB_TEXT,
              .format = VERB_FORMAT_NAME,
              .required = true,
              .max = 64,
              .doc = "a sign step, in the background"},
     .check = check_deny,
     .names_sign = true},
    {.name = "restore", .doc = "lets manifests appear again", .check = check_restore},
};

const struct actor actor_publish = {.name = "publish", .verbs = verbs, .verb_count = COUNT(verbs)};
