#include "chaos/shell/stack/stack.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"
#include "base/secret.h"
#include "base/text/jsonread.h"
#include "chaos/shell/stack/stack_signer.h"
#include "chaos/shell/stack/stack_vault.h"

#define LOG_BYTES_MAX (64u << 20)

enum errc stack_path(const struct stack *stack, const char *relative, struct folder_path *out,
                     struct errc_why *why)
{
    return folder_format(out, why, "%s/%s", stack->options.run_folder, relative);
}

static enum errc make_folders(const struct stack *stack, struct errc_why *why)
{
    static const char *const names[] = {"ledgers", "logs",   "vault",  "cli",
                                        "api",     "worker", "private"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct folder_path path;
        TRY(stack_path(stack, names[i], &path, why));
        TRY(file_make_folder(path.text, 0700, why));
    }
    return ERRC_OK;
}

static enum errc open_services(struct stack *stack, struct errc_why *why)
{
    stack->services[STACK_API].name = "api";
    stack->services[STACK_API].used = stack->spec->api;
    stack->services[STACK_WORKER].name = "worker";
    stack->services[STACK_WORKER].used = stack->spec->worker;
    for (int i = 0; i < STACK_SERVICES; i++)
        if (stack->services[i].used)
            TRY(portkeep_open(&stack->services[i].port, why));
    return ERRC_OK;
}

enum errc stack_open(struct stack *stack, const struct stack_options *options,
                     const struct scenario_stack *spec, struct errc_why *why)
{
    *stack = (struct stack){.options = *options,
                            .spec = spec,
                            .await = {.interrupt_fd = options->interrupt_fd},
                            .clock = clock_os(),
                            .entropy = entropy_os(),
                            .vault_port = PORTKEEP_NONE};
    for (int i = 0; i < STACK_SERVICES; i++)
        stack->services[i].port = PORTKEEP_NONE;
    knownkeys_init(&stack->known);
    stack->client.await = &stack->await;
    stack->client.patience_ms = STACK_CALL_MS;
    TRY(make_folders(stack, why));
    TRY(portkeep_open(&stack->vault_port, why));
    (void)snprintf(stack->client.address, sizeof stack->client.address, "http://127.0.0.1:%u",
                   stack->vault_port.port);
    int n = snprintf(stack->client.admin, sizeof stack->client.admin, "%s/vault.sock",
                     options->socket_folder);
    if (n < 0 || (size_t)n >= sizeof stack->client.admin)
        return errc_fail(why, ERRC_TOO_BIG, "socket path \"%s\" is too long",
                         options->socket_folder);
    return open_services(stack, why);
}

enum errc stack_start(struct stack *stack, struct errc_why *why)
{
    struct stack_service *used[STACK_SERVICES];
    size_t count = 0;
    for (int i = 0; i < STACK_SERVICES; i++)
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

bool stack_end(struct stack *stack, struct proc *p, struct proc_end *end)
{
    *end = (struct proc_end){.exited = true};
    proc_stop(p, STACK_GRACE_MS, end);
    if (end->exited && end->code == STACK_EXIT_INTERNAL && stack->trouble.text[0] == '\0')
        (void)errc_fail(&stack->trouble, ERRC_INTERNAL,
                        "%s exited with code %d, an internal error; see logs/%s.log", p->name,
                        end->code, p->name);
    return end->exited ? end->code == 0 : end->code == SIGTERM;
}

void stack_stop(struct stack *stack)
{
    struct proc_end end;
    for (int i = 0; i < STACK_SERVICES; i++)
        (void)stack_end(stack, &stack->services[i].proc, &end);
    (void)stack_end(stack, &stack->vault, &end);
}

void stack_close(struct stack *stack)
{
    stack_stop(stack);
    for (int i = 0; i < STACK_SERVICES; i++) {
        portkeep_close(&stack->services[i].port);
        envmap_done(&stack->services[i].environment);
    }
    portkeep_close(&stack->vault_port);
    envmap_done(&stack->environment);
    envmap_done(&stack->cli_environment);
    jsonread_done(&stack->shares);
    stack->shares = NULL;
    secret_wipe(&stack->first_fallback, sizeof stack->first_fallback);
    secret_wipe(stack->client.token, sizeof stack->client.token);
    knownkeys_done(&stack->known);
}

struct stack_service *stack_service_of(struct stack *stack, const char *name)
{
    for (int i = 0; i < STACK_SERVICES; i++)
        if (stack->services[i].used && strcmp(stack->services[i].name, name) == 0)
            return &stack->services[i];
    return NULL;
}

int64_t stack_wall_ns(const struct stack *stack)
{
    return stack->clock.now(stack->clock.context).wall_ns;
}

void stack_add_last_line(const char *log_path, struct errc_why *why)
{
    struct buf log CLEANUP(buf_done);
    buf_init(&log, LOG_BYTES_MAX);
    if (why == NULL || file_read(log_path, &log, NULL) != ERRC_OK)
        return;
    struct slice rest = slice_trim(buf_slice(&log));
    struct slice last = rest;
    while (rest.len > 0)
        last = slice_cut(&rest, '\n');
    size_t used = strlen(why->text);
    if (last.len > 0)
        (void)snprintf(why->text + used, sizeof why->text - used, ": %.*s", SLICE_FMT(last));
}
