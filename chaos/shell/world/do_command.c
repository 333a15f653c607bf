#include <signal.h>

#include "base/count.h"
#include "chaos/shell/world/exec_verbs.h"

/* It is reaped by whoever waits for the call. */
static enum errc command_kill(const struct exec_run *r, struct errc_why *why)
{
    const struct signcall *call = signcall_find(r->exec->calls, r->at->call);
    if (r->at->bundle == NULL || call == NULL)
        return errc_fail(why, ERRC_STATE, "\"%s\" was not run", r->step->main.text);
    bool ended = call->command.pid <= 0 || kill(-call->command.pid, SIGKILL) != 0;
    exec_verbs_note(r, ended ? "it was over" : "killed");
    return ERRC_OK;
}

static const struct exec_verb verbs[] = {
    {"kill", command_kill},
};

const struct exec_actor do_command = {
    .name = "command", .verbs = verbs, .verb_count = COUNT(verbs)};
