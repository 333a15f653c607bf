#include "base/count.h"
#include "chaos/shell/stack/stack_signer.h"
#include "chaos/shell/world/exec_verbs.h"

static enum errc status(const struct exec_run *r, struct errc_why *why)
{
    struct proc_end end = {0};
    TRY(stack_signer_status(r->stack, &end, why));
    r->out->exit = end.exited ? end.code : 128 + end.code;
    exec_verbs_note(r, "signer status: exit code %d", r->out->exit);
    return ERRC_OK;
}

static const struct exec_verb verbs[] = {
    {NULL, status},
};

const struct exec_actor do_status = {.name = "status", .verbs = verbs, .verb_count = COUNT(verbs)};
