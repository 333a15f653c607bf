#include "signer/core/attempt/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/units.h"
#include "signer/core/attempt/codec.h"
#include "signer/core/attempt/retry.h"
#include "signer/core/bundle/canonical.h"

#define KEY_ID_BYTES 192
#define SIGNATURE_BYTES_MAX 512

struct op {
    struct op_setup setup;
    enum op_state state;
    struct prng prng;
    int64_t deadline_ns;
    int64_t created_wall_ns;

    char path[CODEC_PATH_BYTES];
    struct buf request;
    struct buf input; /* the PAE in use: of Vault's terms, or of the local key's */
    char input_sha256[DIGEST_HEX_BYTES];
    char manifest_hash[MANIFEST_CHECKSUM_BYTES];
    char key_id[KEY_ID_BYTES];
    enum manifest_mode mode;
    struct keyport_public key; /* the key in use */
    struct buf public_key;     /* PEM, of the local key */

    struct audit_entry entry;
    int64_t wait_ms; /* before the attempt that comes next */
    int64_t attempt_wall_ns;
    struct buf signature; /* text */
    struct buf manifest;
    struct op_result result;
};

static const char *const status_words[] = {
    [OP_COMPLETED] = "completed", [OP_FAILED] = "failed", [OP_BLOCKED] = "blocked"};

static const char *const error_words[OP_ERROR_COUNT] = {
    [OP_ERROR_NONE] = "none",
    [OP_ERROR_REFUSED] = "vault_refused",
    [OP_ERROR_UNAVAILABLE] = "vault_unavailable",
    [OP_ERROR_RATE] = "vault_rate_limited",
    [OP_ERROR_AUDIT] = "audit_unavailable",
    [OP_ERROR_PUBLISH] = "publish_failed",
    [OP_ERROR_TRUST] = "key_not_trusted",
    [OP_ERROR_CONFLICT] = "bundle_conflict",
    [OP_ERROR_BUSY] = "bundle_busy",
    [OP_ERROR_INTERNAL] = "internal",
};

const char *op_status_text(enum op_status status)
{
    return status_words[status];
}

const char *op_error_text(enum op_error error)
{
    CHECK(error < OP_ERROR_COUNT);
    return error_words[error];
}

static struct manifest_terms terms_of(const struct op *op)
{
    return (struct manifest_terms){
        .id = op->setup.manifest_id,
        .created_wall_ns = op->created_wall_ns,
        .signing_key_id = op->key_id,
        .mode = op->mode,
        .key_fingerprint = op->key.fingerprint,
        .reason = op->mode == MANIFEST_VAULT ? NULL : classify_text(op->result.last),
    };
}

/* Formats what the key in use is to sign. */
static enum errc make_input(struct op *op, struct errc_why *why)
{
    struct manifest_terms terms = terms_of(op);
    struct buf body CLEANUP(buf_done);
    buf_init(&body, LIMIT_MANIFEST_BYTES);
    TRY(manifest_format(op->setup.bundle, &terms, NULL, &body, why));
    buf_reset(&op->input);
    canonical_pae(slice_of(MANIFEST_TYPE), buf_slice(&body), &op->input);
    TRY(buf_status(&op->input, why));
    digest_sha256_hex(buf_slice(&op->input), op->input_sha256);
    return ERRC_OK;
}

static enum errc prepare(struct op *op, struct errc_why *why)
{
    const struct trust_key *pin = op->setup.pin;
    (void)snprintf(op->key_id, sizeof op->key_id, "%s:v%lld", pin->name, (long long)pin->version);
    op->key = pin->key;
    TRY(codec_sign_path(op->setup.signing_key, op->path, why));
    TRY(manifest_inputs_hash(op->setup.bundle, op->manifest_hash, why));
    TRY(make_input(op, why));
    codec_sign_request(buf_slice(&op->input), pin->version, &op->request);
    return buf_status(&op->request, why);
}

enum errc op_new(const struct op_setup *setup, struct instant now, struct op **out,
                 struct errc_why *why)
{
    CHECK(setup->retry->attempts >= 1 && setup->retry->attempts <= LIMIT_ATTEMPTS);
    struct op *op = calloc(1, sizeof *op);
    if (op == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    op->setup = *setup;
    op->deadline_ns = now.mono_ns + setup->retry->total_timeout_ms * NS_PER_MS;
    /* The manifest has milliseconds; what is read back from the trail must be the same. */
    op->created_wall_ns = now.wall_ns / NS_PER_MS * NS_PER_MS;
    prng_init(&op->prng, setup->seed);
    buf_init(&op->request, 2 * (size_t)LIMIT_MANIFEST_BYTES);
    buf_init(&op->input, LIMIT_MANIFEST_BYTES + 256);
    buf_init(&op->public_key, 1024);
    buf_init(&op->signature, SIGNATURE_BYTES_MAX);
    buf_init(&op->manifest, LIMIT_MANIFEST_BYTES + SIGNATURE_BYTES_MAX);
    enum errc code = prepare(op, why);
    if (code != ERRC_OK) {
        op_free(op);
        return code;
    }
    *out = op;
    return ERRC_OK;
}

void op_free(struct op *op)
{
    if (op == NULL)
        return;
    buf_done(&op->request);
    buf_done(&op->input);
    buf_done(&op->public_key);
    buf_done(&op->signature);
    buf_done(&op->manifest);
    free(op);
}

static struct op_action enter(struct op *op, enum op_state state, enum op_action_kind kind)
{
    op->state = state;
    return (struct op_action){.kind = kind};
}

static struct op_action finish(struct op *op)
{
    return enter(op, OP_DONE, OP_DO_FINISH);
}

static struct op_action give_up(struct op *op, enum op_error error, const char *message)
{
    op->result.status = OP_FAILED;
    op->result.error = error;
    audit_message(op->result.message, message);
    return finish(op);
}

static void fill_entry(struct op *op, enum audit_action action, const char *id, int64_t wall_ns)
{
    op->entry = (struct audit_entry){
        .action = action,
        .id = id,
        .bundle_run_id = op->setup.bundle->bundle_run_id,
        .actor = op->setup.actor,
        .wall_ns = wall_ns,
        .input_sha256 = op->input_sha256,
        .manifest_hash = op->manifest_hash,
        .attempts = op->result.attempts,
        .attempt_count = op->result.attempt_count,
        .key_fingerprint = op->key.fingerprint,
    };
}

/* Ends in a FAILED entry. */
static struct op_action fail(struct op *op, const struct op_event *event, enum op_status status,
                             enum op_error error, const char *reason, const char *message)
{
    op->result.status = status;
    op->result.error = error;
    op->result.reason = reason;
    audit_message(op->result.message, message);
    fill_entry(op, AUDIT_FAILED, op->setup.entry_ids[1], event->now.wall_ns);
    op->entry.class = classify_text(op->result.last);
    op->entry.reason = reason;
    op->entry.message = op->result.message;
    return enter(op, OP_FAILING, OP_DO_AUDIT);
}

/* Goes on to the SIGNED entry; op->signature is set. */
static struct op_action record(struct op *op, const struct op_event *event)
{
    struct manifest_terms terms = terms_of(op);
    struct errc_why why = {0};
    enum errc code =
        manifest_format(op->setup.bundle, &terms, buf_text(&op->signature), &op->manifest, &why);
    if (code != ERRC_OK)
        return fail(op, event, OP_FAILED, OP_ERROR_INTERNAL, "internal", why.text);
    fill_entry(op, AUDIT_SIGNED, op->setup.entry_ids[1], event->now.wall_ns);
    op->entry.mode = op->mode;
    op->entry.reason = terms.reason;
    op->entry.signature = buf_text(&op->signature);
    op->entry.manifest_id = op->setup.manifest_id;
    op->entry.created_wall_ns = op->created_wall_ns;
    op->entry.signing_key_id = op->key_id;
    op->entry.public_key = op->mode == MANIFEST_FALLBACK ? buf_text(&op->public_key) : NULL;
    return enter(op, OP_RECORDING, OP_DO_AUDIT);
}

static struct op_action send(struct op *op, const struct op_event *event)
{
    int64_t left_ms = (op->deadline_ns - event->now.mono_ns) / NS_PER_MS;
    int64_t timeout_ms = op->setup.retry->attempt_timeout_ms;
    if (left_ms < timeout_ms)
        timeout_ms = left_ms < 1 ? 1 : left_ms;
    op->attempt_wall_ns = event->now.wall_ns;
    struct op_action action = enter(op, OP_SENDING, OP_DO_SEND);
    action.request = (struct transport_request){
        .method = "POST",
        .path = op->path,
        .body = buf_slice(&op->request),
        .attempt = (int)op->result.attempt_count + 1,
        .timeout_ms = timeout_ms,
        .with_token = true,
    };
    return action;
}

static struct op_action on_begin(struct op *op, const struct op_event *event)
{
    fill_entry(op, AUDIT_STARTED, op->setup.entry_ids[0], event->now.wall_ns);
    op->entry.attempt_count = 0;
    return enter(op, OP_STARTING, OP_DO_AUDIT);
}

static struct op_action on_audit_broken(struct op *op, const struct op_event *event)
{
    return give_up(op, OP_ERROR_AUDIT, event->message);
}

static enum classify_class ours_or(enum errc code, enum classify_class class)
{
    return errc_class(code) == ERRC_CLASS_FATAL ? CLASSIFY_INTERNAL : class;
}

/* Parses and verifies a 200: it becomes a signature, or another class. There is room beforehand,
 * so that no memory does not pass for an answer that is too long. */
static enum classify_class examine(struct op *op, const struct transport_reply *reply,
                                   struct errc_why *why)
{
    const struct keyport *keyport = op->setup.keyport;
    struct buf raw CLEANUP(buf_done);
    buf_init(&raw, SIGNATURE_BYTES_MAX);
    buf_reset(&op->signature);
    if (buf_reserve(&raw, SIGNATURE_BYTES_MAX) == NULL ||
        buf_reserve(&op->signature, SIGNATURE_BYTES_MAX) == NULL)
        return ours_or(errc_fail(why, ERRC_NOMEM, "out of memory"), CLASSIFY_MALFORMED);
    enum errc code = codec_sign_reply(buf_slice(&reply->body), op->setup.pin->version,
                                      &op->signature, &raw, why);
    if (code != ERRC_OK)
        return ours_or(code, CLASSIFY_MALFORMED);
    code = keyport->verify(keyport->context, &op->setup.pin->key, buf_slice(&op->input),
                           buf_slice(&raw), why);
    return code == ERRC_OK ? CLASSIFY_OK : ours_or(code, CLASSIFY_KEY_MISMATCH);
}

/* What the attempt says to people: Vault's own words where there are any. */
static void explain(const struct transport_reply *reply, enum classify_class class,
                    const struct errc_why *found, char out[static LIMIT_MESSAGE_BYTES])
{
    char text[2 * LIMIT_MESSAGE_BYTES];
    struct buf errors CLEANUP(buf_done);
    buf_init(&errors, LIMIT_MESSAGE_BYTES);
    bool has_errors = codec_errors(buf_slice(&reply->body), &errors) == ERRC_OK && errors.len > 0;
    const char *detail = has_errors                 ? buf_text(&errors)
                         : found->text[0] != '\0'   ? found->text
                         : reply->detail[0] != '\0' ? reply->detail
                                                    : "no reason given";
    if (reply->status > 0)
        (void)snprintf(text, sizeof text, "%s: Vault answered %d: %.380s", classify_text(class),
                       reply->status, detail);
    else
        (void)snprintf(text, sizeof text, "%s: %.380s", classify_text(class), detail);
    audit_message(out, text);
}

static void note_attempt(struct op *op, const struct transport_reply *reply,
                         enum classify_class class)
{
    CHECK(op->result.attempt_count < LIMIT_ATTEMPTS);
    op->result.attempts[op->result.attempt_count] = (struct audit_attempt){
        .n = (int)op->result.attempt_count + 1,
        .class = class,
        .status = reply->status,
        .wait_ms = op->wait_ms,
        .started_wall_ns = op->attempt_wall_ns,
        .resends = reply->resends,
    };
    op->result.attempt_count++;
    if (class != CLASSIFY_OK)
        op->result.last = class;
}

/* No attempt is left, or no time for one. */
static struct op_action exhausted(struct op *op, const struct op_event *event, const char *message)
{
    enum classify_class class = op->result.last;
    if (class == CLASSIFY_RATE_LIMITED)
        return fail(op, event, OP_FAILED, OP_ERROR_RATE, "refused", message);
    if (!classify_policy(class)->fallback_eligible)
        return fail(op, event, OP_FAILED, OP_ERROR_REFUSED, "refused", message);
    if (!op->setup.allow_fallback)
        return fail(op, event, OP_BLOCKED, OP_ERROR_UNAVAILABLE,
                    fallback_verdict_text(FALLBACK_OFF), message);
    return enter(op, OP_LOCAL, OP_DO_FALLBACK);
}

static struct op_action retry(struct op *op, const struct op_event *event, const char *message)
{
    const struct config_retry *config = op->setup.retry;
    int64_t n = (int64_t)op->result.attempt_count, asked_ms = 0;
    if (n >= config->attempts)
        return exhausted(op, event, message);
    int64_t wait_ms = retry_wait_ms(config, n, &op->prng);
    if (classify_policy(op->result.last)->respects_retry_after &&
        retry_after_ms(slice_of(event->reply->retry_after), event->now.wall_ns, &asked_ms))
        wait_ms = retry_clamp_ms(config, wait_ms, asked_ms);
    int64_t wake_ns = event->now.mono_ns + wait_ms * NS_PER_MS;
    if (wake_ns >= op->deadline_ns)
        return exhausted(op, event, message);
    op->wait_ms = wait_ms;
    struct op_action action = enter(op, OP_WAITING, OP_DO_WAIT);
    action.wake_ns = wake_ns;
    return action;
}

static struct op_action on_reply(struct op *op, const struct op_event *event)
{
    char message[LIMIT_MESSAGE_BYTES];
    struct errc_why why = {0};
    enum classify_class class = classify_reply(event->reply);
    if (class == CLASSIFY_OK)
        class = examine(op, event->reply, &why);
    note_attempt(op, event->reply, class);
    if (class == CLASSIFY_OK)
        return record(op, event);
    explain(event->reply, class, &why, message);
    if (class == CLASSIFY_INTERNAL)
        return fail(op, event, OP_FAILED, OP_ERROR_INTERNAL, "internal", message);
    if (classify_policy(class)->fail_closed)
        return fail(op, event, OP_FAILED, OP_ERROR_REFUSED, "refused", message);
    return retry(op, event, message);
}

static struct op_action on_fallback_signed(struct op *op, const struct op_event *event)
{
    const struct keyport *keyport = op->setup.keyport;
    struct slice raw = slice_bytes(event->signature, KEYPORT_ED25519_BYTES);
    struct errc_why why = {0};
    CHECK(op->mode == MANIFEST_FALLBACK);
    if (keyport->verify(keyport->context, &op->key, buf_slice(&op->input), raw, &why) != ERRC_OK)
        return fail(op, event, OP_BLOCKED, OP_ERROR_UNAVAILABLE,
                    fallback_verdict_text(FALLBACK_KEY_UNSAFE), why.text);
    buf_reset(&op->signature);
    keyport_format_signature(KEYPORT_ED25519, 0, raw, &op->signature);
    if (op->signature.failed)
        return fail(op, event, OP_FAILED, OP_ERROR_INTERNAL, "internal", "out of memory");
    return record(op, event);
}

static struct op_action on_fallback_refused(struct op *op, const struct op_event *event)
{
    return fail(op, event, OP_BLOCKED, OP_ERROR_UNAVAILABLE, fallback_verdict_text(event->verdict),
                event->message);
}

static struct op_action on_recorded(struct op *op, const struct op_event *event)
{
    (void)event;
    op->result.mode = op->mode;
    memcpy(op->result.key_fingerprint, op->key.fingerprint, sizeof op->result.key_fingerprint);
    return enter(op, OP_PUBLISHING, OP_DO_PUBLISH);
}

static struct op_action on_published(struct op *op, const struct op_event *event)
{
    (void)event;
    op->result.status = OP_COMPLETED;
    op->result.error = OP_ERROR_NONE;
    return finish(op);
}

static struct op_action on_publish_broken(struct op *op, const struct op_event *event)
{
    return give_up(op, OP_ERROR_PUBLISH, event->message);
}

/* The failure is what it is, whether or not its entry could be written: there is no signature. */
static struct op_action on_failure_recorded(struct op *op, const struct op_event *event)
{
    (void)event;
    return finish(op);
}

typedef struct op_action (*handler)(struct op *op, const struct op_event *event);

static const handler transitions[OP_STATE_COUNT][OP_EVENT_COUNT] = {
    [OP_IDLE] = {[OP_BEGIN] = on_begin},
    [OP_STARTING] = {[OP_AUDITED] = send, [OP_AUDIT_BROKEN] = on_audit_broken},
    [OP_SENDING] = {[OP_REPLY] = on_reply},
    [OP_WAITING] = {[OP_WOKE] = send},
    [OP_LOCAL] =
        {[OP_FALLBACK_SIGNED] = on_fallback_signed, [OP_FALLBACK_REFUSED] = on_fallback_refused},
    [OP_RECORDING] = {[OP_AUDITED] = on_recorded, [OP_AUDIT_BROKEN] = on_audit_broken},
    [OP_PUBLISHING] = {[OP_PUBLISHED] = on_published, [OP_PUBLISH_BROKEN] = on_publish_broken},
    [OP_FAILING] = {[OP_AUDITED] = on_failure_recorded, [OP_AUDIT_BROKEN] = on_failure_recorded},
    [OP_DONE] = {0},
};

struct op_action op_step(struct op *op, const struct op_event *event)
{
    CHECK(event->kind < OP_EVENT_COUNT);
    handler handle = transitions[op->state][event->kind];
    CHECK(handle != NULL);
    return handle(op, event);
}

const struct audit_entry *op_entry(const struct op *op)
{
    CHECK(op->state == OP_STARTING || op->state == OP_RECORDING || op->state == OP_FAILING);
    return &op->entry;
}

enum errc op_use_fallback(struct op *op, const struct keyport_public *key, struct errc_why *why)
{
    CHECK(op->state == OP_LOCAL);
    if (strcmp(key->fingerprint, op->setup.pin->key.fingerprint) == 0)
        return errc_fail(why, ERRC_CRYPTO, "the fallback key is Vault's own key");
    op->mode = MANIFEST_FALLBACK;
    op->key = *key;
    (void)snprintf(op->key_id, sizeof op->key_id, "fallback");
    buf_reset(&op->public_key);
    keyport_format_pem(key, &op->public_key);
    TRY(buf_status(&op->public_key, why));
    return make_input(op, why);
}

struct slice op_input(const struct op *op)
{
    return buf_slice(&op->input);
}

struct slice op_manifest(const struct op *op)
{
    return buf_slice(&op->manifest);
}

enum op_state op_state(const struct op *op)
{
    return op->state;
}

const struct op_result *op_result(const struct op *op)
{
    return &op->result;
}
