#include "chaos/shell/world/signcall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "chaos/core/language/variable.h"
#include "chaos/shell/client/service_client.h"
#include "chaos/shell/stack/stack_signer.h"

#define GRACE_MS 5000 /* beyond it, before a signer counts as hanging */
#define SUBMIT_MS 5000
#define OUTPUT_BYTES_MAX (1u << 20)
#define ARTEFACT "statement.pdf"
#define ARTEFACT_TYPE "bank_statement"
/* The SHA-256 of no bytes: a service never sees the artefact itself. */
#define NO_BYTES "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum errc signcall_open(struct signcalls *calls, struct stack *stack, struct errc_why *why)
{
    *calls = (struct signcalls){.stack = stack};
    prng_init(&calls->prng, stack->options.seed);
    calls->items = calloc(SIGNCALL_MAX, sizeof calls->items[0]);
    return calls->items != NULL ? ERRC_OK : errc_fail(why, ERRC_NOMEM, "out of memory");
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

static void keep_word(char *out, size_t size, const json_t *object, const char *field)
{
    (void)snprintf(out, size, "%s", jsonread_string_or(object, field, ""));
}

static int attempts_in(const json_t *object)
{
    const json_t *n = json_object_get(object, "attempts");
    return json_is_integer(n) ? (int)json_integer_value(n) : -1;
}

/* --- bundles --- */

/* path, checksum: NULL: left out. */
static void write_artefact(struct jsonwrite *w, const char *bundle, const char *path,
                           const char *checksum)
{
    char key[96];
    (void)snprintf(key, sizeof key, "bundles/%s/" ARTEFACT, bundle);
    jsonwrite_array(w, "artefacts");
    jsonwrite_object(w, NULL);
    jsonwrite_string(w, "id", "artefact-1");
    jsonwrite_string(w, "type", ARTEFACT_TYPE);
    if (path != NULL)
        jsonwrite_string(w, "path", path);
    if (checksum != NULL)
        jsonwrite_string(w, "checksum", checksum);
    jsonwrite_string(w, "storageKey", key);
    jsonwrite_string(w, "renderVersion", "1.0.0");
    jsonwrite_end(w);
    jsonwrite_end(w);
}

static enum errc bundle_format(const char *bundle, const char *path, const char *checksum,
                               struct buf *out, struct errc_why *why)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "bundleRunId", bundle);
    jsonwrite_string(&w, "operatorId", "chaos");
    write_artefact(&w, bundle, path, checksum);
    jsonwrite_object(&w, "metadata");
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    return buf_status(out, why);
}

/* --- via the command --- */

static enum errc make_bundle_folder(const struct signcalls *calls, const char *bundle,
                                    struct folder_path *folder, struct errc_why *why)
{
    struct folder_path path;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_BYTES_MAX);
    TRY(folder_format(folder, why, "%s/cli/%s", calls->stack->options.run_folder, bundle));
    TRY(folder_format(&path, why, "%s/bundle.json", folder->text));
    struct stat st;
    if (stat(path.text, &st) == 0)
        return ERRC_OK;
    TRY(file_make_folder(folder->text, 0700, why));
    TRY(bundle_format(bundle, ARTEFACT, NULL, &text, why));
    TRY(file_replace(path.text, buf_slice(&text), 0600, why));
    TRY(folder_format(&path, why, "%s/" ARTEFACT, folder->text));
    return file_replace(path.text, slice_of(bundle), 0600, why);
}

static enum errc begin_command(struct signcalls *calls, struct signcall *call,
                               const struct scenario_step *step, struct errc_why *why)
{
    struct stack *stack = calls->stack;
    struct folder_path folder;
    struct folder_path output;
    const struct scenario_value *extra = scenario_field(step, "environment");
    TRY(make_bundle_folder(calls, call->told.bundle, &folder, why));
    TRY(envmap_copy(&stack->environment, &stack->cli_environment, why));
    TRY(stack_signer_overlay(&stack->cli_environment, extra->pairs, extra->count, why));
    TRY(folder_format(&output, why, "%s/cli/%zu.out", stack->options.run_folder, calls->count));
    (void)snprintf(call->out_path, sizeof call->out_path, "%s", output.text);
    const char *arguments[] = {"sign", folder.text, "--actor", "cli-user:chaos", NULL};
    return stack_signer_spawn(stack, "cli", arguments, &stack->cli_environment, output.text,
                              &call->command, why);
}

/* What the command printed; nothing at all is what a refusal prints. */
static void read_output(struct signcall *call)
{
    struct buf text CLEANUP(buf_done);
    json_t *said CLEANUP(jsonread_done) = NULL;
    buf_init(&text, OUTPUT_BYTES_MAX);
    if (file_read(call->out_path, &text, NULL) != ERRC_OK ||
        jsonread_parse(slice_trim(buf_slice(&text)), &said, NULL) != ERRC_OK)
        return;
    keep_word(call->told.status, sizeof call->told.status, said, "status");
    keep_word(call->told.mode, sizeof call->told.mode, said, "signingMode");
    keep_word(call->told.reason, sizeof call->told.reason, said, "reason");
    keep_word(call->told.error, sizeof call->told.error, json_object_get(said, "error"), "code");
    call->told.attempts = attempts_in(said);
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
    read_output(call);
    return ERRC_OK;
}

/* --- via a service --- */

static struct service_client client_of(const struct signcalls *calls, const char *via)
{
    const struct stack_service *s = stack_service_of(calls->stack, via);
    struct service_client client = {.await = &calls->stack->await};
    CHECK(s != NULL); /* lint knows the services of the stack */
    (void)snprintf(client.address, sizeof client.address, "http://127.0.0.1:%u", s->port.port);
    return client;
}

static void take_answer(struct signcall *call, const struct service_client_answer *answer)
{
    struct world_call *told = &call->told;
    const json_t *signing = json_object_get(answer->body, "signing");
    told->http_status = answer->status;
    keep_word(told->status, sizeof told->status, answer->body, "status");
    keep_word(told->error, sizeof told->error, json_object_get(answer->body, "error"), "code");
    keep_word(told->mode, sizeof told->mode, signing, "mode");
    keep_word(told->reason, sizeof told->reason, signing, "reason");
    told->attempts = attempts_in(signing);
}

static enum errc begin_service(struct signcalls *calls, struct signcall *call, bool again,
                               struct errc_why *why)
{
    const struct service_client client = client_of(calls, call->via);
    struct service_client_answer answer CLEANUP(service_client_done) = {0};
    struct buf bundle CLEANUP(buf_done);
    int64_t deadline_ns = await_deadline_ns(SUBMIT_MS);
    buf_init(&bundle, OUTPUT_BYTES_MAX);
    TRY(bundle_format(call->told.bundle, NULL, NO_BYTES, &bundle, why));
    if (again)
        TRY(service_client_retry(&client, call->told.bundle, deadline_ns, &answer, why));
    else
        TRY(service_client_submit(&client, buf_slice(&bundle), deadline_ns, &answer, why));
    take_answer(call, &answer);
    if (answer.status >= 200 && answer.status < 300)
        return ERRC_OK;
    call->told.finished = true; /* refused at the door: there is no run to wait for */
    call->told.ended = now(calls);
    return ERRC_OK;
}

static enum errc await_service(struct signcalls *calls, struct signcall *call, int64_t deadline_ns,
                               struct errc_why *why)
{
    const struct service_client client = client_of(calls, call->via);
    struct service_client_answer answer CLEANUP(service_client_done) = {0};
    TRY(service_client_await(&client, call->told.bundle, deadline_ns, &answer, why));
    call->told.ended = now(calls);
    call->told.finished = true;
    take_answer(call, &answer);
    return ERRC_OK;
}

/* --- both --- */

static bool is_command(const struct signcall *call)
{
    return strcmp(call->via, "cli") == 0;
}

static int64_t patience_ms(const struct signcalls *calls, const struct signcall *call)
{
    const struct stack *stack = calls->stack;
    const struct envmap *map = is_command(call)
                                   ? &stack->cli_environment
                                   : &stack_service_of(calls->stack, call->via)->environment;
    const char *text = envmap_get(map, "SIGNER_TOTAL_TIMEOUT_MS");
    uint64_t ms = 0;
    if (text == NULL || !slice_to_u64(slice_of(text), &ms) || ms > INT32_MAX)
        ms = (uint64_t)variable_standard("SIGNER_TOTAL_TIMEOUT_MS");
    return (int64_t)ms + GRACE_MS;
}

static uint64_t journal_length(const struct stack *stack)
{
    struct folder_path path;
    struct stat st;
    if (stack_path(stack, "ledgers/journal.ndjson", &path, NULL) != ERRC_OK ||
        stat(path.text, &st) != 0)
        return 0;
    return (uint64_t)st.st_size;
}

static struct signcall *add_call(struct signcalls *calls, const char *via, const char *bundle)
{
    const struct entropy seeded = {.fill = fill_from_prng, .context = &calls->prng};
    struct signcall *call = &calls->items[calls->count++];
    char fresh[ENTROPY_UUID_BYTES];
    entropy_uuid(&seeded, fresh);
    *call = (struct signcall){.used = true, .journal_bytes = journal_length(calls->stack)};
    (void)snprintf(call->via, sizeof call->via, "%s", via);
    (void)snprintf(call->told.bundle, sizeof call->told.bundle, "%s",
                   bundle != NULL ? bundle : fresh);
    call->told.exit = -1;
    call->told.attempts = -1;
    call->told.started = now(calls);
    return call;
}

static enum errc await_call(struct signcalls *calls, struct signcall *call, int64_t deadline_ns,
                            struct errc_why *why)
{
    if (call->told.finished)
        return ERRC_OK;
    return is_command(call) ? await_command(calls, call, deadline_ns, why)
                            : await_service(calls, call, deadline_ns, why);
}

enum errc signcall_begin(struct signcalls *calls, const struct scenario_step *step,
                         const char *bundle, struct world_call *out, struct errc_why *why)
{
    if (calls->count == SIGNCALL_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u sign calls in one run", SIGNCALL_MAX);
    struct signcall *call = add_call(calls, scenario_text(step, "via"), bundle);
    enum errc code = is_command(call) ? begin_command(calls, call, step, why)
                                      : begin_service(calls, call, bundle != NULL, why);
    if (code == ERRC_OK && !scenario_bool(step, "background"))
        code = await_call(calls, call, await_deadline_ns(patience_ms(calls, call)), why);
    *out = call->told;
    return code;
}

static struct signcall *find_last(const struct signcalls *calls, const char *bundle)
{
    for (size_t i = calls->count; i > 0; i--)
        if (strcmp(calls->items[i - 1].told.bundle, bundle) == 0)
            return &calls->items[i - 1];
    return NULL;
}

enum errc signcall_await(struct signcalls *calls, const char *bundle, int64_t deadline_ns,
                         struct world_call *out, struct errc_why *why)
{
    struct signcall *call = find_last(calls, bundle);
    if (call == NULL)
        return errc_fail(why, ERRC_NOT_FOUND, "bundle %s was never asked for", bundle);
    enum errc code = await_call(calls, call, deadline_ns, why);
    *out = call->told;
    return code;
}

const struct signcall *signcall_find(const struct signcalls *calls, const char *bundle)
{
    return find_last(calls, bundle);
}

enum errc signcall_asked(const struct signcalls *calls, const char *bundle, struct buf *out,
                         struct errc_why *why)
{
    char checksum[sizeof "sha256:" + DIGEST_HEX_BYTES] = "sha256:";
    const struct signcall *call = find_last(calls, bundle);
    if (call == NULL)
        return errc_fail(why, ERRC_NOT_FOUND, "bundle %s was never asked for", bundle);
    if (!is_command(call))
        return bundle_format(bundle, NULL, NO_BYTES, out, why);
    digest_sha256_hex(slice_of(bundle), checksum + strlen("sha256:")); /* the artefact's bytes */
    return bundle_format(bundle, NULL, checksum, out, why);
}
