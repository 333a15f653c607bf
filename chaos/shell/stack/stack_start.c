#include "chaos/shell/stack/stack_start.h"

#include "chaos/shell/stack/stack_signer.h"
#include "chaos/shell/stack/stack_vault.h"

static enum errc start_all(struct stack *stack, struct errc_why *why)
{
    struct stack_service *used[STACK_SERVICES];
    size_t count = 0;
    for (size_t i = 0; i < STACK_SERVICES; i++)
        if (stack->services[i].used)
            used[count++] = &stack->services[i];
    TRY(stack_vault_start(stack, why));
    TRY(stack_vault_set_up(stack, why));
    TRY(stack_vault_bootstrap(stack, why));
    TRY(stack_signer_environment(stack, why));
    TRY(stack_signer_accept(stack, why));
    for (size_t i = 0; i < count; i++)
        TRY(envmap_copy(&stack->environment, &used[i]->environment, why));
    return stack_signer_start(stack, used, count, why);
}

enum errc stack_start(struct stack *stack, struct errc_why *why)
{
    stack->client.patience_ms = STACK_READY_MS;
    enum errc code = start_all(stack, why);
    stack->client.patience_ms = STACK_CALL_MS;
    return code;
}
