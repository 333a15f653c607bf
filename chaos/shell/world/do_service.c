#include "base/count.h"
#include "chaos/shell/stack/stack_signer.h"
#include "chaos/shell/world/exec_verbs.h"

static struct stack_service *service_at(const struct exec_run *r, size_t i)
{
    return stack_service_of(r->stack, r->step->main.texts[i]);
}

static enum errc find_service(const struct exec_run *r, size_t i, struct stack_service **out,
                              struct errc_why *why)
{
    *out = service_at(r, i);
    return *out != NULL ? ERRC_OK
                        : errc_fail(why, ERRC_NOT_FOUND, "there is no service \"%s\" in this stack",
                                    r->step->main.texts[i]);
}

static enum errc service_start(const struct exec_run *r, struct errc_why *why)
{
    struct stack_service *services[STACK_SERVICES];
    size_t count = r->step->main.count;
    for (size_t i = 0; i < count; i++)
        TRY(find_service(r, i, &services[i], why));
    return stack_signer_start(r->stack, services, count, why);
}

typedef enum errc change_service(const struct exec_run *r, struct stack_service *s,
                                 struct errc_why *why);

/* Does `change` to each service of the step that runs. */
static enum errc each_service(const struct exec_run *r, change_service *change,
                              struct errc_why *why)
{
    for (size_t i = 0; i < r->step->main.count; i++) {
        struct stack_service *s = service_at(r, i);
        if (s == NULL || !proc_alive(&s->proc, NULL))
            return errc_fail(why, ERRC_STATE, "%s does not run", r->step->main.texts[i]);
        TRY(change(r, s, why));
    }
    return ERRC_OK;
}

/* One that has to be killed although it was asked has not been stopped: what it does at its end
 * did not happen. */
static enum errc end_gently(const struct exec_run *r, struct stack_service *s, struct errc_why *why)
{
    struct proc_end end;
    struct buf how CLEANUP(buf_done);
    buf_init(&how, 128);
    if (stack_end(r->stack, &s->proc, &end))
        return ERRC_OK;
    proc_end_format(&end, &how);
    return errc_fail(why, ERRC_STATE, "%s %s when it was to stop (SIGTERM, SIGKILL after %d ms)",
                     s->name, buf_text(&how), STACK_GRACE_MS);
}

static enum errc end_at_once(const struct exec_run *r, struct stack_service *s,
                             struct errc_why *why)
{
    (void)r;
    (void)why;
    proc_stop(&s->proc, 0, NULL);
    return ERRC_OK;
}

static enum errc freeze(const struct exec_run *r, struct stack_service *s, struct errc_why *why)
{
    return proc_freeze(&s->proc, &r->stack->await, why);
}

static enum errc thaw(const struct exec_run *r, struct stack_service *s, struct errc_why *why)
{
    return proc_thaw(&s->proc, &r->stack->await, why);
}

static enum errc service_stop(const struct exec_run *r, struct errc_why *why)
{
    return each_service(r, end_gently, why);
}

static enum errc service_kill(const struct exec_run *r, struct errc_why *why)
{
    return each_service(r, end_at_once, why);
}

static enum errc service_pause(const struct exec_run *r, struct errc_why *why)
{
    return each_service(r, freeze, why);
}

static enum errc service_unpause(const struct exec_run *r, struct errc_why *why)
{
    return each_service(r, thaw, why);
}

/* As docker compose does it: a restart keeps the environment that the service was created with;
 * only being created anew gives it another one. One that has died is started all the same. */
static enum errc service_restart(const struct exec_run *r, struct errc_why *why)
{
    const struct scenario_value *environment = scenario_field(r->step, "environment");
    for (size_t i = 0; i < r->step->main.count; i++) {
        struct stack_service *s = NULL;
        TRY(find_service(r, i, &s, why));
        TRY(end_gently(r, s, why));
        TRY(stack_signer_overlay(r->stack, &s->environment, environment->pairs, environment->count,
                                 why));
    }
    exec_verbs_note(r, environment->given ? "re-created with a new environment"
                                          : "environment unchanged");
    return service_start(r, why);
}

static enum errc service_refuses(const struct exec_run *r, struct errc_why *why)
{
    const struct scenario_value *environment = scenario_field(r->step, "environment");
    for (size_t i = 0; i < r->step->main.count; i++) {
        struct stack_service *s = NULL;
        TRY(find_service(r, i, &s, why));
        if (proc_alive(&s->proc, NULL))
            TRY(end_gently(r, s, why));
        TRY(stack_signer_refused(r->stack, s, environment->pairs, environment->count, why));
    }
    exec_verbs_note(r, "refused, as it must");
    return ERRC_OK;
}

static const struct exec_verb verbs[] = {
    {"start", service_start},     {"stop", service_stop},       {"kill", service_kill},
    {"pause", service_pause},     {"unpause", service_unpause}, {"restart", service_restart},
    {"refuses", service_refuses},
};

const struct exec_actor do_service = {
    .name = "service", .verbs = verbs, .verb_count = COUNT(verbs)};
