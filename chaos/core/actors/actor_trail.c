#include <string.h>

#include "base/count.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/scenario/check/check.h"

static bool is_verb(const struct scenario_step *step, const char *name)
{
    return step->actor == &actor_trail && strcmp(step->verb->name, name) == 0;
}

static bool changes(const struct check *c, const struct scenario_step *step)
{
    (void)c;
    return is_verb(step, "deny") || is_verb(step, "restore");
}

static void check_deny(struct check *c, const struct scenario_step *step)
{
    const struct scenario_step *last = check_before(c, step, changes);
    if (last != NULL && is_verb(last, "deny"))
        check_step(c, step, "the trail is denied here (line %zu): restore it first", last->line);
}

static void check_tear(struct check *c, const struct scenario_step *step)
{
    const struct scenario_step *last = check_before(c, step, changes);
    if (last != NULL && is_verb(last, "deny"))
        check_step(c, step, "a trail that is denied (line %zu) cannot be torn: restore it first",
                   last->line);
}

static bool denies(const struct check *c, const struct scenario_step *step)
{
    (void)c;
    return is_verb(step, "deny");
}

/* A rollback runs whatever happened before: there, any deny is a reason. */
static void check_restore(struct check *c, const struct scenario_step *step)
{
    bool undoing = step->phase == VERB_PHASE_ROLLBACK;
    const struct scenario_step *last = check_before(c, step, undoing ? denies : changes);
    if (last == NULL || !is_verb(last, "deny"))
        check_step(c, step, "nothing denies the trail here");
}

static const struct verb verbs[] = {
    {.name = "deny",
     .doc = "lets nobody write to the audit trail, which still can be read, until restore",
     .check = check_deny},
    {.name = "restore", .doc = "gives the trail back as it was", .check = check_restore},
    {.name = "tear",
     .doc = "leaves half a line at the end of the trail, as a crash in the middle of a write does",
     .check = check_tear},
};

const struct actor actor_trail = {.name = "trail", .verbs = verbs, .verb_count = COUNT(verbs)};
