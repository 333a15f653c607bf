#include "chaos/shell/stack/stack_signer.h"

#include <stdio.h>
#include <string.h>

#include "chaos/shell/stack/stack_vault.h"

#define ARGV_BYTES_MAX (1u << 20)
#define VALUE_BYTES_MAX 8192u
#define EXIT_INVALID 2 /* of the subject: invalid input or configuration */

enum errc stack_signer_overlay(const struct stack *stack, struct envmap *map,
                               const struct scenario_pair *pairs, size_t count,
                               struct errc_why *why)
{
    for (size_t i = 0; i < count; i++) {
        const struct variable *v = variable_find(&stack->spec->subject->variables, pairs[i].name);
        if (v != NULL && v->instead_of != NULL)
            envmap_unset(map, v->instead_of);
        TRY(envmap_set(map, pairs[i].name, pairs[i].value, why));
    }
    return ERRC_OK;
}

enum errc stack_signer_environment(struct stack *stack, struct errc_why *why)
{
    const struct variable_table *table = &stack->spec->subject->variables;
    struct envmap *map = &stack->environment;
    struct stack_values v;
    TRY(stack_vault_common(map, why));
    TRY(stack_fill_values(stack, NULL, NULL, &v, why));
    for (size_t i = 0; i < table->count; i++) {
        struct buf value CLEANUP(buf_done);
        buf_init(&value, VALUE_BYTES_MAX);
        if (table->items[i].given == NULL)
            continue;
        TRY(subject_template_expand(table->items[i].given, &v.values, &value, why));
        if (value.len > 0)
            TRY(envmap_set(map, table->items[i].name, buf_text(&value), why));
    }
    return stack_signer_overlay(stack, map, stack->spec->environment,
                                stack->spec->environment_count, why);
}

static enum errc start_one(struct stack *stack, struct stack_service *s, struct errc_why *why)
{
    struct stack_values v;
    struct folder_path log;
    const char *const *argv = NULL;
    struct pool pool CLEANUP(pool_done);
    pool_init(&pool, ARGV_BYTES_MAX);
    if (proc_alive(&s->proc, NULL))
        return errc_fail(why, ERRC_STATE, "%s runs already", s->name);
    TRY(stack_fill_values(stack, s->door, NULL, &v, why));
    TRY(subject_template_argv(stack->options.signer, s->door->start, &v.values, &pool, &argv, why));
    TRY(folder_format(&log, why, "%s/logs/%s.log", stack->options.run_folder, s->name));
    const struct proc_spec spec = {.name = s->name,
                                   .argv = argv,
                                   .env = envmap_items(&s->environment),
                                   .err_path = log.text,
                                   .await = &stack->await,
                                   .tells_ready = true};
    s->started_ns = stack_wall_ns(stack);
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
    s->ready_ns = stack_wall_ns(stack);
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

/* Says what came instead of the end with code 2 that a bad environment asks for. */
static enum errc await_refusal(struct stack *stack, struct stack_service *s, struct errc_why *why)
{
    struct proc_end end = {0};
    struct buf line CLEANUP(buf_done), how CLEANUP(buf_done);
    int64_t deadline_ns = await_deadline_ns(STACK_READY_MS);
    buf_init(&line, 4096);
    buf_init(&how, 128);
    enum errc code = proc_await_ready(&s->proc, &stack->await, deadline_ns, &line, why);
    if (code == ERRC_OK)
        return errc_fail(why, ERRC_RANGE, "%s was to refuse its environment, it serves", s->name);
    if (code != ERRC_STATE)
        return code;
    TRY(proc_await_end(&s->proc, &stack->await, deadline_ns, &end, why));
    if (end.exited && end.code == EXIT_INVALID)
        return ERRC_OK;
    proc_end_format(&end, &how);
    return errc_fail(why, ERRC_RANGE, "%s was to refuse its environment with exit code %d, it %s",
                     s->name, EXIT_INVALID, buf_text(&how));
}

enum errc stack_signer_refused(struct stack *stack, struct stack_service *s,
                               const struct scenario_pair *pairs, size_t count,
                               struct errc_why *why)
{
    struct envmap own = s->environment;
    s->environment = (struct envmap){0};
    enum errc code = envmap_copy(&own, &s->environment, why);
    if (code == ERRC_OK)
        code = stack_signer_overlay(stack, &s->environment, pairs, count, why);
    if (code == ERRC_OK)
        code = start_one(stack, s, why);
    if (code == ERRC_OK)
        code = await_refusal(stack, s, why);
    proc_stop(&s->proc, 0, NULL);
    envmap_done(&s->environment);
    s->environment = own;
    return code;
}

enum errc stack_signer_spawn(struct stack *stack, const char *name, const char *const *arguments,
                             const struct subject_template_values *values,
                             const struct envmap *environment, const char *out_path,
                             struct proc *out, struct errc_why *why)
{
    struct folder_path log;
    const char *const *argv = NULL;
    struct pool pool CLEANUP(pool_done);
    pool_init(&pool, ARGV_BYTES_MAX);
    TRY(subject_template_argv(stack->options.signer, arguments, values, &pool, &argv, why));
    TRY(folder_format(&log, why, "%s/logs/%s.log", stack->options.run_folder, name));
    const struct proc_spec spec = {.name = name,
                                   .argv = argv,
                                   .env = envmap_items(environment),
                                   .out_path = out_path,
                                   .err_path = log.text,
                                   .await = &stack->await};
    return proc_start(out, &spec, why);
}

enum errc stack_signer_standard(const struct stack *stack, bool patient, struct envmap *out,
                                struct errc_why *why)
{
    const struct variable_table *table = &stack->spec->subject->variables;
    TRY(envmap_copy(&stack->environment, out, why));
    for (size_t i = 0; i < table->count; i++) {
        const struct variable *v = &table->items[i];
        if (v->type == VARIABLE_NUMBER)
            envmap_unset(out, v->name);
        if (patient && v->patient != NULL)
            TRY(envmap_set(out, v->name, v->patient, why));
    }
    return ERRC_OK;
}

/* Runs the subject with its standard numbers, and waits for its end. */
static enum errc run(struct stack *stack, const char *name, const char *const *arguments,
                     bool patient, struct proc_end *end, struct errc_why *why)
{
    struct envmap environment CLEANUP(envmap_done) = {0};
    struct stack_values v;
    struct folder_path output;
    struct proc p = {0};
    TRY(stack_signer_standard(stack, patient, &environment, why));
    TRY(stack_fill_values(stack, NULL, NULL, &v, why));
    TRY(folder_format(&output, why, "%s/logs/%s.out", stack->options.run_folder, name));
    TRY(stack_signer_spawn(stack, name, arguments, &v.values, &environment, output.text, &p, why));
    enum errc code = proc_await_end(&p, &stack->await, await_deadline_ns(STACK_READY_MS), end, why);
    proc_stop(&p, 0, NULL);
    return code;
}

enum errc stack_signer_status(struct stack *stack, struct proc_end *end, struct errc_why *why)
{
    return run(stack, "status", stack->spec->subject->status, false, end, why);
}

enum errc stack_signer_accept(struct stack *stack, struct errc_why *why)
{
    struct proc_end end = {0};
    struct folder_path log;
    int64_t from_ns = stack_wall_ns(stack);
    TRY(run(stack, "trust", stack->spec->subject->accept, true, &end, why));
    if (end.exited && end.code == 0)
        return stack_vault_pinned(stack, from_ns, why);
    struct buf how CLEANUP(buf_done);
    buf_init(&how, 128);
    proc_end_format(&end, &how);
    TRY(folder_format(&log, why, "%s/logs/trust.log", stack->options.run_folder));
    (void)errc_fail(why, ERRC_STATE, "the signer was to trust Vault's key, it %s", buf_text(&how));
    stack_add_last_line(log.text, why);
    return ERRC_STATE;
}
