#include "chaos/shell/world/exec_verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "chaos/shell/world/exec_before.h"

static const struct exec_actor *const actors[] = {
    &do_vault, &do_service, &do_command, &do_trust,    &do_fallback_key,
    &do_trail, &do_publish, &do_sign,    &do_wait_for, &do_status,
};

#define ACTORS_THAT_ACT COUNT(actors)

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

enum errc exec_verbs_on_the_way(enum errc code)
{
    return code == ERRC_STATE ? ERRC_UNAVAILABLE : code;
}

static const struct exec_actor *find_actor(const char *name)
{
    for (size_t i = 0; i < ACTORS_THAT_ACT; i++)
        if (strcmp(actors[i]->name, name) == 0)
            return actors[i];
    return NULL;
}

static const struct exec_verb *find(const struct exec_actor *actor, const char *verb)
{
    for (size_t i = 0; actor != NULL && i < actor->verb_count; i++)
        if (same(actor->verbs[i].name, verb))
            return &actor->verbs[i];
    return NULL;
}

enum errc exec_verbs_run(struct exec_verbs *exec, const struct world_step *step,
                         struct world_outcome *out, struct errc_why *why)
{
    const struct scenario_step *what = step->step;
    const struct exec_run r = {
        .exec = exec, .stack = exec->stack, .at = step, .step = what, .out = out};
    const struct exec_actor *actor = find_actor(what->actor->name);
    const struct exec_verb *verb = find(actor, what->verb->name);
    if (verb == NULL)
        return errc_fail(why, ERRC_INTERNAL, "the live world cannot carry out \"%s\"",
                         what->actor->name);
    if (actor->needs_vault)
        TRY(exec_before_vault(exec->stack, what->verb, why));
    return verb->run(&r, why);
}
