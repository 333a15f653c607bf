#include "chaos/shell/stack/stack_signer.h"

#include <stdio.h>
#include <string.h>

#include "chaos/shell/stack/stack_vault.h"

#define ARGUMENTS_MAX 8

struct variable {
    const char *name;
    const char *file; /* in the run's folder */
};

enum errc stack_signer_overlay(struct envmap *map, const struct scenario_pair *pairs, size_t count,
                               struct errc_why *why)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].name, "VAULT_TOKEN") == 0)
            envmap_unset(map, "VAULT_TOKEN_FILE");
        TRY(envmap_set(map, pairs[i].name, pairs[i].value, why));
    }
    return ERRC_OK;
}

enum errc stack_signer_environment(struct stack *stack, struct errc_why *why)
{
    static const struct variable files[] = {
        {"VAULT_TOKEN_FILE", "private/root-token"},
        {"FALLBACK_KEY_FILE", "private/fallback.json"},
        {"TRUST_FILE", "trust.json"},
        {"AUDIT_LOG", "ledgers/audit.ndjson"},
    };
    struct envmap *map = &stack->environment;
    TRY(stack_vault_common(map, why));
    TRY(envmap_set(map, "VAULT_ADDR", stack->client.address, why));
    TRY(envmap_set(map, "SIGNING_KEY", STACK_KEY, why));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct folder_path path;
        TRY(stack_path(stack, files[i].file, &path, why));
        TRY(envmap_set(map, files[i].name, path.text, why));
    }
    return stack_signer_overlay(map, stack->spec->environment, stack->spec->environment_count, why);
}

static enum errc start_one(struct stack *stack, struct stack_service *s, struct errc_why *why)
{
    struct folder_path listen;
    struct folder_path data;
    struct folder_path log;
    if (proc_alive(&s->proc, NULL))
        return errc_fail(why, ERRC_STATE, "%s runs already", s->name);
    TRY(folder_format(&listen, why, "127.0.0.1:%u", s->port.port));
    TRY(stack_path(stack, s->name, &data, why));
    TRY(folder_format(&log, why, "%s/logs/%s.log", stack->options.run_folder, s->name));
    const char *argv[] = {stack->options.signer,
                          "serve",
                          "--name",
                          s->name,
                          "--listen",
                          listen.text,
                          "--data",
                          data.text,
                          "--ready-fd",
                          "3",
                          NULL};
    const struct proc_spec spec = {.name = s->name,
                                   .argv = argv,
                                   .env = envmap_items(&s->environment),
                                   .err_path = log.text,
                                   .await = &stack->await,
                                   .tells_ready = true};
    return proc_start(&s->proc, &spec, why);
}

static enum errc await_one(struct stack *stack, struct stack_service *s, int64_t deadline_ns,
                           struct errc_why *why)
{
    struct buf line CLEANUP(buf_done);
    struct folder_path log;
    buf_init(&line, 4096);
    TRY(folder_format(&log, why, "%s/logs/%s.log", stack->options.run_folder, s->name));
    enum errc code = proc_await_ready(&s->proc, &stack->await, deadline_ns, &line, why);
    if (code == ERRC_STATE)
        stack_add_last_line(log.text, why);
    if (code != ERRC_OK)
        proc_stop(&s->proc, 0, NULL);
    return code;
}

enum errc stack_signer_start(struct stack *stack, struct stack_service *const services[],
                             size_t count, struct errc_why *why)
{
    int64_t deadline_ns = await_deadline_ns(STACK_READY_MS);
    for (size_t i = 0; i < count; i++)
        TRY(start_one(stack, services[i], why));
    for (size_t i = 0; i < count; i++)
        TRY(await_one(stack, services[i], deadline_ns, why));
    return ERRC_OK;
}

enum errc stack_signer_spawn(struct stack *stack, const char *name, const char *const *arguments,
                             const struct envmap *environment, const char *out_path,
                             struct proc *out, struct errc_why *why)
{
    const char *argv[ARGUMENTS_MAX + 2] = {stack->options.signer};
    struct folder_path log;
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    TRY(folder_format(&log, why, "%s/logs/%s.log", stack->options.run_folder, name));
    const struct proc_spec spec = {.name = name,
                                   .argv = argv,
                                   .env = envmap_items(environment),
                                   .out_path = out_path,
                                   .err_path = log.text,
                                   .await = &stack->await};
    return proc_start(out, &spec, why);
}

enum errc stack_signer_run(struct stack *stack, const char *name, const char *const *arguments,
                           struct proc_end *end, struct errc_why *why)
{
    struct folder_path output;
    struct proc p = {0};
    TRY(folder_format(&output, why, "%s/logs/%s.out", stack->options.run_folder, name));
    TRY(stack_signer_spawn(stack, name, arguments, &stack->environment, output.text, &p, why));
    enum errc code = proc_await_end(&p, &stack->await, await_deadline_ns(STACK_READY_MS), end, why);
    proc_stop(&p, 0, NULL);
    return code;
}

enum errc stack_signer_accept(struct stack *stack, struct errc_why *why)
{
    static const char *const arguments[] = {"trust", "accept", NULL};
    struct proc_end end = {0};
    struct folder_path log;
    TRY(stack_signer_run(stack, "trust", arguments, &end, why));
    if (end.exited && end.code == 0)
        return stack_vault_learn_keys(stack, why);
    struct buf how CLEANUP(buf_done);
    buf_init(&how, 128);
    proc_end_format(&end, &how);
    TRY(folder_format(&log, why, "%s/logs/trust.log", stack->options.run_folder));
    (void)errc_fail(why, ERRC_STATE, "signer trust accept %s", buf_text(&how));
    stack_add_last_line(log.text, why);
    return ERRC_STATE;
}
