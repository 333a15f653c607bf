#include "chaos/shell/world/exec_before.h"

#include "base/text/jsonread.h"

/* What only Vault itself can tell. */
#define INSIDE (CONDITION_CLOSED | CONDITION_HELD | CONDITION_SEALED)

static bool is_set(const json_t *state, const char *part, const char *flag)
{
    return json_is_true(json_object_get(json_object_get(state, part), flag));
}

static enum errc ask(struct stack *stack, unsigned excludes, struct errc_why *why)
{
    json_t *state CLEANUP(jsonread_done) = NULL;
    TRY(vault_client_control(&stack->client, "GET", "/state", slice_of(NULL), &state, why));
    if ((excludes & CONDITION_CLOSED) != 0 && !is_set(state, "listener", "accepting"))
        return errc_fail(why, ERRC_STATE, "vault refuses connections");
    if ((excludes & CONDITION_HELD) != 0 && is_set(state, "hold", "active"))
        return errc_fail(why, ERRC_STATE, "vault holds requests");
    if ((excludes & CONDITION_SEALED) != 0 && is_set(state, "vault", "sealed"))
        return errc_fail(why, ERRC_STATE, "vault is sealed");
    return ERRC_OK;
}

enum errc exec_before_vault(struct stack *stack, const struct verb *verb, struct errc_why *why)
{
    struct proc *vault = &stack->vault;
    bool runs = proc_alive(vault, NULL);
    if ((verb->excludes & CONDITION_GONE) != 0 && !runs)
        return errc_fail(why, ERRC_STATE, "vault does not run");
    if ((verb->needs & CONDITION_GONE) != 0 && runs)
        return errc_fail(why, ERRC_STATE, "vault runs already");
    if ((verb->excludes & CONDITION_FROZEN) != 0 && vault->stopped)
        return errc_fail(why, ERRC_STATE, "vault is frozen");
    if ((verb->needs & CONDITION_FROZEN) != 0 && !vault->stopped)
        return errc_fail(why, ERRC_STATE, "vault is not frozen");
    return (verb->excludes & INSIDE) != 0 ? ask(stack, verb->excludes, why) : ERRC_OK;
}
