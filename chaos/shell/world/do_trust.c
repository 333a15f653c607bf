#include "base/count.h"
#include "chaos/shell/stack/stack_signer.h"
#include "chaos/shell/world/exec_verbs.h"

static enum errc trust_accept(const struct exec_run *r, struct errc_why *why)
{
    return exec_verbs_on_the_way(stack_signer_accept(r->stack, why));
}

static const struct exec_verb verbs[] = {
    {"accept", trust_accept},
};

const struct exec_actor do_trust = {
    .name = "trust", .verbs = verbs, .verb_count = COUNT(verbs), .needs_vault = true};
