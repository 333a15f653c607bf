#include "chaos/shell/world/exec_verbs.h"

#include "base/count.h"

/* Waiting for requests is the runner's: it reads the journal anyway. */
static enum errc wait_for(const struct exec_run *r, struct errc_why *why)
{
    int64_t deadline_ns = await_deadline_ns(scenario_int(r->step, "within_ms"));
    return signcall_await(r->exec->calls, r->at->call, deadline_ns, &r->out->call, why);
}

static const struct exec_verb verbs[] = {
    {NULL, wait_for},
};

const struct exec_actor do_wait_for = {
    .name = "wait_for", .verbs = verbs, .verb_count = COUNT(verbs)};
