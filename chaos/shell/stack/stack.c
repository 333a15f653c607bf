#include "chaos/shell/stack/stack.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"
#include "base/secret.h"
#include "base/text/jsonread.h"
#include "chaos/shell/client/answers.h"

#define LOG_BYTES_MAX (64u << 20)

enum errc stack_path(const struct stack *stack, const char *relative, struct folder_path *out,
                     struct errc_why *why)
{
    return folder_format(out, why, "%s/%s", stack->options.run_folder, relative);
}

static enum errc make_folder(const struct stack *stack, const char *name, struct errc_why *why)
{
    struct folder_path path;
    TRY(stack_path(stack, name, &path, why));
    return file_make_folder(path.text, 0700, why);
}

static enum errc make_folders(const struct stack *stack, struct errc_why *why)
{
    static const char *const names[] = {STACK_LEDGERS, "logs",         "vault",
                                        "private",     ANSWERS_FOLDER, STACK_TLS};
    const struct subject *subject = stack->spec->subject;
    for (size_t i = 0; i < COUNT(names); i++)
        TRY(make_folder(stack, names[i], why));
    for (size_t i = 0; i < subject->door_count; i++)
        TRY(make_folder(stack, subject->doors[i].name, why));
    return ERRC_OK;
}

static enum errc open_services(struct stack *stack, struct errc_why *why)
{
    const struct subject *subject = stack->spec->subject;
    for (size_t i = 0; i < subject->door_count; i++) {
        struct stack_service *s = &stack->services[i];
        s->door = &subject->doors[i];
        s->name = s->door->name;
        s->used = stack->spec->services[i];
        if (s->used)
            TRY(portkeep_open(&s->port, why));
    }
    return ERRC_OK;
}

static enum errc make_certificates(struct stack *stack, struct errc_why *why)
{
    struct folder_path folder;
    if (!stack->spec->tls)
        return ERRC_OK;
    TRY(stack_path(stack, STACK_TLS, &folder, why));
    TRY(folder_format(&stack->authority, why, "%s/" CERTIFICATES_AUTHORITY, folder.text));
    stack->client.authority = stack->authority.text;
    return certificates_make(folder.text, why);
}

enum errc stack_open(struct stack *stack, const struct stack_options *options,
                     const struct scenario_stack *spec, struct errc_why *why)
{
    *stack = (struct stack){.options = *options,
                            .spec = spec,
                            .await = {.interrupt_fd = options->interrupt_fd},
                            .clock = clock_os(),
                            .entropy = entropy_os(),
                            .vault_port = PORTKEEP_NONE,
                            .decoy = DECOY_NONE};
    for (size_t i = 0; i < STACK_SERVICES; i++)
        stack->services[i].port = PORTKEEP_NONE;
    knownkeys_init(&stack->known);
    stack->client.await = &stack->await;
    stack->client.patience_ms = STACK_CALL_MS;
    char uuid[ENTROPY_UUID_BYTES]; /* nobody else knows it */
    entropy_uuid(&stack->entropy, uuid);
    (void)snprintf(stack->client.mark, sizeof stack->client.mark, "chaos-%s", uuid);
    TRY(make_folders(stack, why));
    TRY(portkeep_open(&stack->vault_port, why));
    TRY(decoy_open(&stack->decoy, why));
    (void)snprintf(stack->client.address, sizeof stack->client.address, "%s://127.0.0.1:%u",
                   spec->tls ? "https" : "http", stack->vault_port.port);
    TRY(make_certificates(stack, why));
    int n = snprintf(stack->client.admin, sizeof stack->client.admin, "%s/vault.sock",
                     options->socket_folder);
    if (n < 0 || (size_t)n >= sizeof stack->client.admin)
        return errc_fail(why, ERRC_TOO_BIG, "socket path \"%s\" is too long",
                         options->socket_folder);
    return open_services(stack, why);
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
    for (size_t i = 0; i < STACK_SERVICES; i++)
        proc_ask(&stack->services[i].proc);
    for (size_t i = 0; i < STACK_SERVICES; i++)
        (void)stack_end(stack, &stack->services[i].proc, &end);
    (void)stack_end(stack, &stack->vault, &end);
    (void)!trailfault_restore(&stack->trail, &stack->trouble); /* the trouble is told */
    (void)!publishfault_restore(&stack->publish, &stack->trouble);
}

void stack_close(struct stack *stack)
{
    stack_stop(stack);
    for (size_t i = 0; i < STACK_SERVICES; i++) {
        portkeep_close(&stack->services[i].port);
        envmap_done(&stack->services[i].environment);
    }
    portkeep_close(&stack->vault_port);
    decoy_close(&stack->decoy);
    envmap_done(&stack->environment);
    envmap_done(&stack->command_environment);
    jsonread_done(&stack->shares);
    stack->shares = NULL;
    secret_wipe(&stack->first_fallback, sizeof stack->first_fallback);
    secret_wipe(&stack->fallback, sizeof stack->fallback);
    secret_wipe(stack->client.token, sizeof stack->client.token);
    knownkeys_done(&stack->known);
}

struct stack_service *stack_service_of(struct stack *stack, const char *name)
{
    for (size_t i = 0; i < STACK_SERVICES; i++)
        if (stack->services[i].used && strcmp(stack->services[i].name, name) == 0)
            return &stack->services[i];
    return NULL;
}

const struct envmap *stack_environment_of(struct stack *stack, const char *door)
{
    const struct stack_service *s = stack_service_of(stack, door);
    if (s != NULL)
        return &s->environment;
    return subject_is_command(stack->spec->subject, door) ? &stack->command_environment : NULL;
}

static const char *format_port(const struct stack_service *s, char out[static 8])
{
    if (s == NULL)
        return NULL;
    (void)snprintf(out, 8, "%u", s->port.port);
    return out;
}

enum errc stack_fill_values(struct stack *stack, const struct subject_door *door, const char *call,
                            struct stack_values *out, struct errc_why *why)
{
    TRY(stack_path(stack, STACK_TOKEN_FILE, &out->token_file, why));
    TRY(stack_path(stack, STACK_FALLBACK_FILE, &out->fallback_file, why));
    TRY(stack_path(stack, door == NULL ? "" : door->name, &out->dir, why));
    const struct stack_service *s = door == NULL ? NULL : stack_service_of(stack, door->name);
    out->values = (struct subject_template_values){
        {[SUBJECT_TEMPLATE_RUN] = stack->options.run_folder,
         [SUBJECT_TEMPLATE_NAME] = door == NULL ? NULL : door->name,
         [SUBJECT_TEMPLATE_DIR] = door == NULL ? NULL : out->dir.text,
         [SUBJECT_TEMPLATE_PORT] = format_port(s, out->port),
         [SUBJECT_TEMPLATE_VAULT_ADDR] = stack->client.address,
         [SUBJECT_TEMPLATE_VAULT_CACERT] = stack->authority.text,
         [SUBJECT_TEMPLATE_TOKEN_FILE] = out->token_file.text,
         [SUBJECT_TEMPLATE_KEY] = STACK_KEY,
         [SUBJECT_TEMPLATE_FALLBACK_FILE] = out->fallback_file.text,
         [SUBJECT_TEMPLATE_CALL] = call}};
    return ERRC_OK;
}

enum errc stack_subject_path(const char *text, const struct subject_template_values *values,
                             struct folder_path *out, struct errc_why *why)
{
    struct buf path CLEANUP(buf_done);
    buf_init(&path, sizeof out->text);
    TRY(subject_template_expand(text, values, &path, why));
    return folder_format(out, why, "%s", buf_text(&path));
}

enum errc stack_trail(struct stack *stack, struct folder_path *out, struct errc_why *why)
{
    struct stack_values v;
    TRY(stack_fill_values(stack, NULL, NULL, &v, why));
    return stack_subject_path(stack->spec->subject->audit, &v.values, out, why);
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
