#include "chaos/shell/world/exec_verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct exec_actor *const actors[] = {
    &do_vault, &do_service, &do_trust, &do_fallback_key, &do_sign, &do_wait_for, &do_status,
};

#define ACTORS_THAT_ACT (sizeof actors / sizeof actors[0])

const struct exec_actor *exec_verbs_actor(size_t i)
{
    return i < ACTORS_THAT_ACT ? actors[i] : NULL;
}

void exec_verbs_note(const struct exec_run *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->out->note, sizeof r->out->note, format, args);
    va_end(args);
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct exec_verb *find(const char *actor, const char *verb)
{
    for (size_t i = 0; i < ACTORS_THAT_ACT; i++)
        for (size_t k = 0; strcmp(actors[i]->name, actor) == 0 && k < actors[i]->verb_count; k++)
            if (same(actors[i]->verbs[k].name, verb))
                return &actors[i]->verbs[k];
    return NULL;
}

enum errc exec_verbs_run(struct exec_verbs *exec, const struct world_step *step,
                         struct world_outcome *out, struct errc_why *why)
{
    const struct scenario_step *what = step->step;
    const struct exec_run r = {
        .exec = exec, .stack = exec->stack, .at = step, .step = what, .out = out};
    const struct exec_verb *verb = find(what->actor->name, what->verb->name);
    if (verb == NULL)
        return errc_fail(why, ERRC_INTERNAL, "the live world cannot carry out \"%s\"",
                         what->actor->name);
    return verb->run(&r, why);
}
