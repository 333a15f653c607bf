#include "base/count.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/scenario/check/check.h"

/* Only a command that runs on its own can be ended. */
static void check_kill(struct check *c, const struct scenario_step *step)
{
    const char *name = step->main.text;
    const struct scenario_step *of = name == NULL ? NULL : check_named(c, name, step);
    const char *via = of == NULL ? NULL : scenario_text(of, "via");
    if (name == NULL)
        return;
    if (via == NULL || !subject_is_command(c->scenario->stack.subject, via) ||
        !scenario_bool(of, "background"))
        check_value(c, step, &step->main,
                    "there is no sign step \"%.64s\" via cli in the background ahead of it", name);
}

static const struct verb verbs[] = {
    {.name = "kill",
     .doc = "ends the command of a sign step with SIGKILL; one that is over already stays as it is",
     .main = {.type = VERB_TEXT,
              .format = VERB_FORMAT_NAME,
              .required = true,
              .max = 64,
              .doc = "a sign step via cli, in the background"},
     .check = check_kill,
     .names_sign = true},
};

const struct actor actor_command = {.name = "command", .verbs = verbs, .verb_count = COUNT(verbs)};
