#include "chaos/shell/world/exec_verbs.h"

#include "base/count.h"

static enum errc sign(const struct exec_run *r, struct errc_why *why)
{
    return signcall_begin(r->exec->calls, r->at, &r->out->call, why);
}

static const struct exec_verb verbs[] = {
    {NULL, sign},
};

const struct exec_actor do_sign = {.name = "sign", .verbs = verbs, .verb_count = COUNT(verbs)};
