#include <string.h>

#include "base/count.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/scenario/check/check.h"

/* Only its owner may read and write it; anything else is unsafe. */
static void change_mode(const struct scenario_step *step, const struct scenario_stack *stack,
                        struct condition_effect *effect)
{
    (void)stack;
    if (strcmp(step->main.text, "0600") == 0 || strcmp(step->main.text, "0400") == 0)
        *effect = (struct condition_effect){.clears = CONDITION_FALLBACK_KEY};
}

/* True when the step takes the file away or puts one there. */
static bool is_about_file(const struct check *c, const struct scenario_step *step)
{
    (void)c;
    const char *name = step->verb->name == NULL ? "" : step->verb->name;
    if (strcmp(step->actor->name, "vault") == 0)
        return strcmp(name, "bootstrap") == 0;
    return step->actor == &actor_fallback_key && strcmp(name, "chmod") != 0;
}

static void check_there(struct check *c, const struct scenario_step *step)
{
    const struct scenario_step *before = check_before(c, step, is_about_file);
    if (before != NULL && before->actor == &actor_fallback_key &&
        strcmp(before->verb->name, "remove") == 0)
        check_step(c, step,
                   "there is no fallback key file here (line %zu removed it): write it "
                   "first",
                   before->line);
}

static const struct verb verbs[] = {
    {.name = "write",
     .doc = "puts the first fallback key file back, mode 0600",
     .effect = {.clears = CONDITION_FALLBACK_KEY | CONDITION_FALLBACK_GONE}},
    {.name = "remove",
     .doc = "removes the fallback key file, until write",
     .check = check_there,
     .effect = {.sets = CONDITION_FALLBACK_GONE, .clears = CONDITION_FALLBACK_KEY}},
    {.name = "chmod",
     .doc = "changes the permissions of the fallback key file",
     .main = {.type = VERB_TEXT,
              .format = VERB_FORMAT_MODE,
              .required = true,
              .max = 4,
              .doc = "four octal digits, quoted"},
     .check = check_there,
     .effect = {.sets = CONDITION_FALLBACK_KEY},
     .derive = change_mode},
    {.name = "rotate",
     .doc = "writes a new fallback key, as DocuGen's script does",
     .effect = {.clears = CONDITION_FALLBACK_KEY | CONDITION_FALLBACK_GONE}},
};

const struct actor actor_fallback_key = {
    .name = "fallback_key", .verbs = verbs, .verb_count = COUNT(verbs)};
