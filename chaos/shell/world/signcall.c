#include "chaos/shell/world/signcall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bug.h"
#include "base/os/file.h"
#include "chaos/core/actors/actor_sign.h"
#include "chaos/core/subject/subject_answer.h"
#include "chaos/core/subject/subject_contract.h"
#include "chaos/shell/client/service_client.h"
#include "chaos/shell/stack/stack_signer.h"

#define SUBMIT_MS 30000 /* for a service to take a call; holds on a busy machine */
#define FIRST_ROOM 64u
#define OUTPUT_BYTES_MAX (1u << 20)

static enum errc make_room(struct signcalls *calls, struct errc_why *why)
{
    if (calls->count < calls->room)
        return ERRC_OK;
    size_t room = calls->room == 0 ? FIRST_ROOM : 2 * calls->room;
    struct signcall *items = reallocarray(calls->items, room, sizeof *items);
    if (items == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    calls->items = items;
    calls->room = room;
    return ERRC_OK;
}

enum errc signcall_open(struct signcalls *calls, struct stack *stack, struct errc_why *why)
{
    *calls = (struct signcalls){.stack = stack};
    prng_init(&calls->prng, stack->options.seed);
    return make_room(calls, why);
}

void signcall_close(struct signcalls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        proc_stop(&calls->items[i].command, 0, NULL);
    free(calls->items);
    *calls = (struct signcalls){0};
}

static struct instant now(const struct signcalls *calls)
{
    return calls->stack->clock.now(calls->stack->clock.context);
}

static void fill_from_prng(void *context, void *out, size_t len)
{
    struct prng *prng = context;
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)prng_next(prng);
}

static const struct subject_door *door_of(const struct signcalls *calls, const char *via)
{
    const struct subject_door *door = subject_door(calls->stack->spec->subject, via);
    CHECK(door != NULL); /* lint knows the doors */
    return door;
}

/* What the templates of a call are filled with. */
static enum errc fill_values(const struct signcalls *calls, const struct signcall *call,
                             struct stack_values *out, struct errc_why *why)
{
    return stack_fill_values(calls->stack, door_of(calls, call->via), call->told.bundle, out, why);
}

/* --- via the command --- */

/* What is there already is left alone: a call may take up a bundle again; but for one that asks for
 * something else. n: of the artefact. */
static enum errc put_file(const struct folder_path *folder, const struct subject_door *door,
                          const struct subject_file *file, int n, const struct signcall *call,
                          const struct stack_values *values, struct errc_why *why)
{
    struct folder_path path;
    struct stat st;
    struct buf name CLEANUP(buf_done), text CLEANUP(buf_done);
    buf_init(&name, sizeof path.text);
    buf_init(&text, OUTPUT_BYTES_MAX);
    TRY(subject_bundle_file(door, file, n, &call->bundle, &values->values, &name, &text, why));
    TRY(folder_format(&path, why, "%s/%s", folder->text, buf_text(&name)));
    if (stat(path.text, &st) == 0 && !call->bundle.other)
        return ERRC_OK;
    return file_put(path.text, buf_slice(&text), 0600, why);
}

static enum errc make_call_folder(const struct subject_door *door, const struct signcall *call,
                                  const struct stack_values *values, struct errc_why *why)
{
    struct folder_path folder;
    TRY(stack_subject_path(door->folder, &values->values, &folder, why));
    TRY(file_make_folder(folder.text, 0700, why));
    for (size_t i = 0; i < SUBJECT_FILES && door->files[i].name != NULL; i++) {
        int count = door->files[i].of_each_artefact ? call->bundle.artefacts : 1;
        for (int n = 1; n <= count; n++)
            TRY(put_file(&folder, door, &door->files[i], n, call, values, why));
    }
    return ERRC_OK;
}

static enum errc begin_command(struct signcalls *calls, struct signcall *call,
                               const struct scenario_step *step, struct errc_why *why)
{
    struct stack *stack = calls->stack;
    const struct subject_door *door = door_of(calls, call->via);
    const struct scenario_value *extra = scenario_field(step, "environment");
    struct stack_values values;
    struct folder_path output;
    TRY(fill_values(calls, call, &values, why));
    TRY(make_call_folder(door, call, &values, why));
    TRY(envmap_copy(&stack->environment, &stack->command_environment, why));
    TRY(stack_signer_overlay(stack, &stack->command_environment, extra->pairs, extra->count, why));
    TRY(folder_format(&output, why, "%s/%zu.out", values.dir.text, calls->count));
    (void)snprintf(call->out_path, sizeof call->out_path, "%s", output.text);
    return stack_signer_spawn(stack, door->name, door->sign, &values.values,
                              &stack->command_environment, output.text, &call->command, why);
}

/* Tells the watcher of an answer. */
static void show(const struct signcalls *calls, const struct signcall *call,
                 enum world_surface surface, int status, struct slice text)
{
    const struct stack_service *s = stack_service_of(calls->stack, call->via);
    const struct world_sample sample = {.surface = surface,
                                        .door = call->via,
                                        .bundle = call->told.bundle,
                                        .from_ns = call->told.started.wall_ns,
                                        .to_ns = now(calls).wall_ns,
                                        .since_ns = s == NULL ? 0 : s->started_ns,
                                        .ready_ns = s == NULL ? 0 : s->ready_ns,
                                        .status = status,
                                        .text = text};
    if (calls->watcher.answered != NULL)
        calls->watcher.answered(calls->watcher.context, &sample);
}

/* What the command printed; nothing at all is what a refusal prints. */
static void read_output(const struct signcalls *calls, struct signcall *call)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_BYTES_MAX);
    if (file_read(call->out_path, &text, NULL) != ERRC_OK)
        return;
    subject_answer_take(door_of(calls, call->via), buf_slice(&text), &call->told);
    show(calls, call, WORLD_PRINTED, call->told.exit, buf_slice(&text));
}

static enum errc await_command(struct signcalls *calls, struct signcall *call, int64_t deadline_ns,
                               struct errc_why *why)
{
    struct proc_end end = {0};
    TRY(proc_await_end(&call->command, &calls->stack->await, deadline_ns, &end, why));
    call->told.ended = now(calls);
    call->told.finished = true;
    call->told.exit = end.exited ? end.code : -1;
    call->told.signal = end.exited ? 0 : end.code;
    read_output(calls, call);
    return ERRC_OK;
}

/* --- via a service --- */

static struct service_client client_of(const struct signcalls *calls, const char *via)
{
    const struct stack_service *s = stack_service_of(calls->stack, via);
    CHECK(s != NULL); /* lint knows the services of the stack */
    return service_client_of(calls->stack, s);
}

static enum errc begin_service(struct signcalls *calls, struct signcall *call, bool again,
                               struct errc_why *why)
{
    const struct service_client client = client_of(calls, call->via);
    const struct subject_request *request = again ? &client.door->retry : &client.door->submit;
    struct stack_values values;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_BYTES_MAX);
    TRY(fill_values(calls, call, &values, why));
    TRY(service_client_ask(&client, request, again ? NULL : &call->bundle, &values.values,
                           await_deadline_ns(SUBMIT_MS), &call->told.http_status, &text, why));
    subject_answer_take(client.door, buf_slice(&text), &call->told);
    show(calls, call, WORLD_ACCEPTED, call->told.http_status, buf_slice(&text));
    if (subject_answer_accepted(call->told.http_status) ||
        (again && call->told.http_status == client.door->retry_needless))
        return ERRC_OK;
    call->told.finished = true; /* refused at the door: there is no run to wait for */
    call->told.ended = now(calls);
    return ERRC_OK;
}

static enum errc await_service(struct signcalls *calls, struct signcall *call, int64_t deadline_ns,
                               struct errc_why *why)
{
    const struct service_client client = client_of(calls, call->via);
    struct world_call told = call->told;
    struct stack_values values;
    TRY(fill_values(calls, call, &values, why));
    TRY(service_client_await(&client, values.values, deadline_ns, &told, why));
    call->told = told;
    call->told.ended = now(calls);
    call->told.finished = true;
    return ERRC_OK;
}

/* --- both --- */

static bool is_command(const struct signcalls *calls, const struct signcall *call)
{
    return door_of(calls, call->via)->kind == SUBJECT_COMMAND;
}

/* As long as the signer itself may take, and some grace; but no scenario keeps chaos for longer
 * than the maximum. */
static void set_patience(const struct signcalls *calls, struct signcall *call)
{
    struct record_contract contract = {0};
    struct scenario_pair pairs[ENVMAP_MAX];
    const struct envmap *map = stack_environment_of(calls->stack, call->via);
    CHECK(map != NULL);
    size_t count = envmap_pairs(map, NULL, pairs);
    subject_contract(calls->stack->spec->subject, pairs, count, &contract);
    call->allowed_ms = contract.total_timeout_ms;
}

/* Adds why that was all the time there was. */
static void explain_limit(const struct signcall *call, struct errc_why *why)
{
    size_t used = why == NULL ? 0 : strlen(why->text);
    if (why == NULL || call->allowed_ms + SIGNCALL_GRACE_MS <= SIGNCALL_PATIENCE_MAX_MS)
        return;
    (void)snprintf(why->text + used, sizeof why->text - used,
                   "; chaos waits %d s at most, the signer was allowed %lld s",
                   SIGNCALL_PATIENCE_MAX_MS / 1000, (long long)(call->allowed_ms / 1000));
}

/* The call that asked for this bundle first. */
static const struct signcall *first_for(const struct signcalls *calls, const char *bundle)
{
    for (size_t i = 0; i < calls->count; i++)
        if (calls->items[i].first && strcmp(calls->items[i].told.bundle, bundle) == 0)
            return &calls->items[i];
    return NULL;
}

/* A call that takes up a bundle again asks for what the first one did, if not for something else on
 * purpose. */
static struct subject_bundle bundle_of(const struct signcalls *calls, const struct signcall *call)
{
    const struct signcall *first = first_for(calls, call->told.bundle);
    struct subject_bundle bundle = actor_sign_bundle(first == NULL ? call->step : first->step);
    bundle.other = actor_sign_is_other(call->step);
    return bundle;
}

static struct signcall *add_call(struct signcalls *calls, const struct world_step *step)
{
    const struct entropy seeded = {.fill = fill_from_prng, .context = &calls->prng};
    struct signcall *call = &calls->items[calls->count++];
    char fresh[ENTROPY_UUID_BYTES];
    entropy_uuid(&seeded, fresh);
    *call = (struct signcall){.id = step->call, .step = step->step, .first = step->bundle == NULL};
    (void)snprintf(call->via, sizeof call->via, "%s", scenario_text(step->step, "via"));
    (void)snprintf(call->told.bundle, sizeof call->told.bundle, "%s",
                   step->bundle != NULL ? step->bundle : fresh);
    call->told.exit = -1;
    call->told.attempts = -1;
    call->told.started = now(calls);
    call->bundle = bundle_of(calls, call);
    return call;
}

static enum errc await_call(struct signcalls *calls, struct signcall *call, int64_t deadline_ns,
                            struct errc_why *why)
{
    if (call->told.finished)
        return ERRC_OK;
    return is_command(calls, call) ? await_command(calls, call, deadline_ns, why)
                                   : await_service(calls, call, deadline_ns, why);
}

static enum errc await_patiently(struct signcalls *calls, struct signcall *call,
                                 struct errc_why *why)
{
    int64_t ms = call->allowed_ms + SIGNCALL_GRACE_MS;
    if (ms > SIGNCALL_PATIENCE_MAX_MS)
        ms = SIGNCALL_PATIENCE_MAX_MS;
    enum errc code = await_call(calls, call, await_deadline_ns(ms), why);
    if (code == ERRC_TIMEOUT)
        explain_limit(call, why);
    return code;
}

enum errc signcall_begin(struct signcalls *calls, const struct world_step *step,
                         struct world_call *out, struct errc_why *why)
{
    TRY(make_room(calls, why));
    struct signcall *call = add_call(calls, step);
    enum errc code =
        is_command(calls, call)
            ? begin_command(calls, call, step->step, why)
            : begin_service(calls, call, step->bundle != NULL && !call->bundle.other, why);
    set_patience(calls, call);
    if (code == ERRC_OK && !scenario_bool(step->step, "background"))
        code = await_patiently(calls, call, why);
    *out = call->told;
    return code;
}

/* The last one: a call that the record did not get has left its index to the next. */
static struct signcall *find(const struct signcalls *calls, size_t id)
{
    for (size_t i = calls->count; i > 0; i--)
        if (calls->items[i - 1].id == id)
            return &calls->items[i - 1];
    return NULL;
}

const struct signcall *signcall_find(const struct signcalls *calls, size_t id)
{
    return find(calls, id);
}

enum errc signcall_await(struct signcalls *calls, size_t id, int64_t deadline_ns,
                         struct world_call *out, struct errc_why *why)
{
    struct signcall *call = find(calls, id);
    if (call == NULL)
        return errc_fail(why, ERRC_NOT_FOUND, "there was no such call");
    enum errc code = await_call(calls, call, deadline_ns, why);
    *out = call->told;
    return code;
}

enum errc signcall_asked(const struct signcalls *calls, const char *bundle, struct buf *out,
                         struct errc_why *why)
{
    const struct signcall *call = first_for(calls, bundle);
    struct stack_values values;
    if (call == NULL)
        return errc_fail(why, ERRC_NOT_FOUND, "bundle %s was never asked for", bundle);
    TRY(fill_values(calls, call, &values, why));
    const struct subject_door *door = door_of(calls, call->via);
    return subject_bundle_expand(door, door->asked, door->asked_artefact, &call->bundle,
                                 &values.values, out, why);
}
