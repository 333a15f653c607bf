#include "base/count.h"
#include "chaos/shell/stack/publishfault.h"
#include "chaos/shell/world/exec_verbs.h"

static enum errc publish_deny(const struct exec_run *r, struct errc_why *why)
{
    struct stack_values values;
    struct folder_path path;
    const struct signcall *call = signcall_find(r->exec->calls, r->at->call);
    if (r->at->bundle == NULL || call == NULL)
        return errc_fail(why, ERRC_STATE, "\"%s\" was not run", r->step->main.text);
    const struct subject_door *door = subject_door(r->stack->spec->subject, call->via);
    TRY(stack_fill_values(r->stack, door, call->told.bundle, &values, why));
    TRY(stack_subject_path(door->manifest, &values.values, &path, why));
    return publishfault_deny(&r->stack->publish, path.text, why);
}

static enum errc publish_restore(const struct exec_run *r, struct errc_why *why)
{
    return publishfault_restore(&r->stack->publish, why);
}

static const struct exec_verb verbs[] = {
    {"deny", publish_deny},
    {"restore", publish_restore},
};

const struct exec_actor do_publish = {
    .name = "publish", .verbs = verbs, .verb_count = COUNT(verbs)};
