#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/scenario/scenario.h"

/* Only its owner may read and write it; anything else is unsafe. */
static void change_mode(const struct scenario_step *step, const struct scenario_stack *stack,
                        struct condition_effect *effect)
{
    (void)stack;
    if (strcmp(step->main.text, "0600") == 0 || strcmp(step->main.text, "0400") == 0)
        *effect = (struct condition_effect){.clears = CONDITION_FALLBACK_KEY};
}

static const struct verb verbs[] = {
    {.name = "write",
     .doc = "puts the first fallback key file back, mode 0600",
     .effect = {.clears = CONDITION_FALLBACK_KEY}},
    {.name = "remove",
     .doc = "removes the fallback key file, until write",
     .effect = {.sets = CONDITION_FALLBACK_KEY}},
    {.name = "chmod",
     .doc = "changes the permissions of the fallback key file",
     .main = {.type = VERB_TEXT,
              .format = VERB_FORMAT_MODE,
              .required = true,
              .max = 4,
              .doc = "four octal digits, quoted"},
     .effect = {.sets = CONDITION_FALLBACK_KEY},
     .derive = change_mode},
    {.name = "rotate",
     .doc = "writes a new fallback key, as DocuGen's script does",
     .effect = {.clears = CONDITION_FALLBACK_KEY}},
};

const struct actor actor_fallback_key = {
    .name = "fallback_key", .verbs = verbs, .verb_count = sizeof verbs / sizeof verbs[0]};
