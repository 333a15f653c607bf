#include "base/count.h"
#include "chaos/shell/stack/trailfault.h"
#include "chaos/shell/world/exec_verbs.h"

static enum errc trail_deny(const struct exec_run *r, struct errc_why *why)
{
    struct folder_path path;
    TRY(stack_trail(r->stack, &path, why));
    return trailfault_deny(&r->stack->trail, path.text, why);
}

static enum errc trail_restore(const struct exec_run *r, struct errc_why *why)
{
    return trailfault_restore(&r->stack->trail, why);
}

static enum errc trail_tear(const struct exec_run *r, struct errc_why *why)
{
    struct folder_path path;
    TRY(stack_trail(r->stack, &path, why));
    return trailfault_tear(path.text, why);
}

static const struct exec_verb verbs[] = {
    {"deny", trail_deny},
    {"restore", trail_restore},
    {"tear", trail_tear},
};

const struct exec_actor do_trail = {.name = "trail", .verbs = verbs, .verb_count = COUNT(verbs)};
