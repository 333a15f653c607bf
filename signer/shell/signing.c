#include "signer/shell/signing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/os/file.h"
#include "base/units.h"
#include "signer/core/attempt/attempt_text.h"
#include "signer/core/trail/rebuild.h"
#include "signer/shell/attempt_log.h"
#include "signer/shell/files/audit_file.h"
#include "signer/shell/files/fallback_file.h"
#include "signer/shell/files/publish.h"
#include "signer/shell/files/trust_file.h"
#include "signer/shell/keyport_openssl.h"
#include "signer/shell/stderrlog.h"
#include "signer/shell/transport_curl.h"

struct signing {
    const struct startup *startup;
    struct stderrlog log;
    struct keyport keyport;
    struct transport_curl *curl;
    struct transport transport;
    struct audit_file *audit;
};

/* One call of signing_run. */
struct run {
    struct signing *signing;
    const struct signing_request *request;
    struct signing_result *result;
    struct trust trust;
    struct op *op;
};

static struct instant now(const struct signing *s)
{
    return s->startup->clock.now(s->startup->clock.context);
}

static void warn_about_fallback(const struct signing *s)
{
    const struct config *config = &s->startup->config;
    struct secret seed CLEANUP(secret_done) = {0};
    struct errc_why why = {0};
    struct stderrlog_line line;
    if (!config->allow_fallback)
        return;
    enum fallback_verdict verdict =
        fallback_file_read(config->fallback_key_file, s->startup->arena, &seed, &why);
    if (verdict == FALLBACK_USABLE)
        return;
    stderrlog_begin(&s->log, &line, "warn", "fallback_unusable");
    logline_add(&line.line, "reason", fallback_verdict_text(verdict));
    logline_add(&line.line, "message", why.text);
    stderrlog_end(&line);
}

enum errc signing_open(const struct startup *startup, const char *actor, struct signing **out,
                       struct errc_why *why)
{
    struct signing *s = calloc(1, sizeof *s);
    if (s == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    s->startup = startup;
    s->log = (struct stderrlog){.clock = startup->clock, .actor = actor};
    s->keyport = keyport_openssl();
    enum errc code = transport_curl_open(&startup->config, &startup->token, &s->curl, why);
    if (code == ERRC_OK)
        code = audit_file_open(startup->config.audit_log, startup->clock, startup->entropy,
                               &s->audit, why);
    if (code != ERRC_OK) {
        signing_close(s);
        return code;
    }
    s->transport = transport_curl_port(s->curl);
    warn_about_fallback(s);
    *out = s;
    return ERRC_OK;
}

void signing_close(struct signing *s)
{
    if (s == NULL)
        return;
    audit_file_close(s->audit);
    transport_curl_close(s->curl);
    free(s);
}

static enum errc refuse(struct run *run, enum op_error error, bool retryable, enum errc code,
                        const struct errc_why *why)
{
    run->result->op.status = OP_FAILED;
    run->result->op.error = error;
    run->result->retryable = retryable;
    run->result->code = code;
    audit_message(run->result->op.message, why->text);
    return code;
}

/* The pin, read anew for each operation. */
static enum errc load_trust(struct run *run)
{
    const struct config *config = &run->signing->startup->config;
    struct errc_why why = {0};
    enum errc code = trust_file_read(config->trust_file, &run->signing->keyport, &run->trust, &why);
    if (code != ERRC_OK)
        return refuse(run, OP_ERROR_TRUST, true, code, &why);
    const struct trust_key *pin = trust_pin(&run->trust);
    if (pin == NULL)
        code = errc_fail(&why, ERRC_NOT_FOUND,
                         "TRUST_FILE pins no key of Vault's: run `signer trust accept`");
    else if (strcmp(pin->name, config->signing_key) != 0)
        code = errc_fail(&why, ERRC_DENIED,
                         "TRUST_FILE pins the key \"%.80s\" but SIGNING_KEY is \"%.80s\"",
                         pin->name, config->signing_key);
    return code == ERRC_OK ? ERRC_OK : refuse(run, OP_ERROR_TRUST, true, code, &why);
}

static struct op_event audit_event(struct run *run, const struct audit_entry *entry,
                                   struct errc_why *why)
{
    bool durable = audit_file_append(run->signing->audit, entry, why) == ERRC_OK;
    return (struct op_event){.kind = durable ? OP_AUDITED : OP_AUDIT_BROKEN, .message = why->text};
}

static struct op_event wait_event(int64_t wake_ns)
{
    struct timespec at = {.tv_sec = wake_ns / NS_PER_S, .tv_nsec = wake_ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
    return (struct op_event){.kind = OP_WOKE};
}

static struct op_event fallback_event(struct run *run, uint8_t signature[KEYPORT_ED25519_BYTES],
                                      struct errc_why *why)
{
    const struct signing *s = run->signing;
    const struct keyport *keyport = &s->keyport;
    struct secret seed CLEANUP(secret_done) = {0};
    struct keyport_public public;
    enum fallback_verdict verdict =
        fallback_file_read(s->startup->config.fallback_key_file, s->startup->arena, &seed, why);
    bool good =
        verdict == FALLBACK_USABLE &&
        keyport->seed_public(keyport->context, secret_slice(&seed), &public, why) == ERRC_OK &&
        op_use_fallback(run->op, &public, why) == ERRC_OK &&
        keyport->seed_sign(keyport->context, secret_slice(&seed), op_input(run->op), signature,
                           why) == ERRC_OK;
    if (good)
        return (struct op_event){.kind = OP_FALLBACK_SIGNED, .signature = signature};
    return (struct op_event){.kind = OP_FALLBACK_REFUSED,
                             .verdict = verdict == FALLBACK_USABLE ? FALLBACK_KEY_UNSAFE : verdict,
                             .message = why->text};
}

static struct op_event publish_event(struct run *run, struct errc_why *why)
{
    bool durable = publish_file(run->request->manifest_path, op_manifest(run->op), why) == ERRC_OK;
    return (struct op_event){.kind = durable ? OP_PUBLISHED : OP_PUBLISH_BROKEN,
                             .message = why->text};
}

/* Does what the machine asks and says what came of it; reply, why and signature stay valid until
 * the machine has seen the event. */
static struct op_event perform(struct run *run, const struct op_action *action,
                               struct transport_reply *reply,
                               uint8_t signature[KEYPORT_ED25519_BYTES], struct errc_why *why)
{
    const struct transport *transport = &run->signing->transport;
    switch (action->kind) {
    case OP_DO_AUDIT:
        return audit_event(run, op_entry(run->op), why);
    case OP_DO_SEND:
        transport_reply_done(reply);
        transport->send(transport->context, &action->request, reply);
        return (struct op_event){.kind = OP_REPLY, .reply = reply};
    case OP_DO_WAIT:
        return wait_event(action->wake_ns);
    case OP_DO_FALLBACK:
        return fallback_event(run, signature, why);
    case OP_DO_PUBLISH:
        return publish_event(run, why);
    case OP_DO_FINISH:
        break;
    }
    bug_die(__FILE__, __LINE__, "an action without an event");
}

static void drive(struct run *run)
{
    uint8_t signature[KEYPORT_ED25519_BYTES];
    struct transport_reply reply CLEANUP(transport_reply_done) = {0};
    struct errc_why why = {0};
    const struct attempt_log log = {.log = &run->signing->log,
                                    .bundle = run->request->bundle->bundle_run_id,
                                    .of = run->signing->startup->config.retry.attempts};
    struct op_event event = {.kind = OP_BEGIN, .now = now(run->signing)};
    struct op_action action = op_step(run->op, &event);
    while (action.kind != OP_DO_FINISH) {
        int64_t timeout_ms = action.request.timeout_ms;
        event = perform(run, &action, &reply, signature, &why);
        event.now = now(run->signing);
        action = op_step(run->op, &event);
        if (event.kind == OP_REPLY)
            attempt_log_failed(&log, op_result(run->op), &reply, timeout_ms);
    }
}

/* Makes the machine and lets it run. */
static enum errc sign_anew(struct run *run)
{
    const struct startup *startup = run->signing->startup;
    char ids[3][ENTROPY_UUID_BYTES];
    struct errc_why why = {0};
    uint64_t seed = 0;
    for (size_t i = 0; i < 3; i++)
        entropy_uuid(&startup->entropy, ids[i]);
    startup->entropy.fill(startup->entropy.context, &seed, sizeof seed);
    const struct op_setup setup = {
        .retry = &startup->config.retry,
        .signing_key = startup->config.signing_key,
        .allow_fallback = startup->config.allow_fallback,
        .pin = trust_pin(&run->trust),
        .keyport = &run->signing->keyport,
        .bundle = run->request->bundle,
        .actor = run->request->actor,
        .manifest_id = ids[0],
        .entry_ids = {ids[1], ids[2]},
        .seed = seed,
    };
    enum errc code = op_new(&setup, now(run->signing), &run->op, &why);
    if (code != ERRC_OK)
        return refuse(run, OP_ERROR_INTERNAL, false, code, &why);
    drive(run);
    run->result->op = *op_result(run->op);
    run->result->attempts = (int)run->result->op.attempt_count;
    if (run->result->op.status != OP_COMPLETED) {
        run->result->retryable = run->result->op.error != OP_ERROR_REFUSED;
        return run->result->code = ERRC_UNAVAILABLE;
    }
    if (run->result->op.mode == MANIFEST_FALLBACK)
        (void)snprintf(run->result->reason, sizeof run->result->reason, "%s",
                       classify_text(run->result->op.last));
    return ERRC_OK;
}

/* Ends what a crash left open, so that each start has its end. What Vault made of the open
 * request, if anything, is an orphan: the entry names the start that tells its input. */
static enum errc end_interrupted(struct run *run, struct slice line)
{
    struct audit_open start;
    struct errc_why why = {0};
    char id[ENTROPY_UUID_BYTES], message[LIMIT_MESSAGE_BYTES];
    enum errc code = audit_open_parse(line, &start, &why);
    if (code != ERRC_OK)
        return refuse(run, OP_ERROR_AUDIT, false, code, &why);
    entropy_uuid(&run->signing->startup->entropy, id);
    (void)snprintf(message, sizeof message,
                   "the operation that started at %s (entry %s) never ended: Vault may have made a "
                   "signature that nobody has",
                   start.timestamp, start.id);
    const struct audit_entry entry = {
        .action = AUDIT_FAILED,
        .id = id,
        .bundle_run_id = run->request->bundle->bundle_run_id,
        .actor = run->request->actor,
        .wall_ns = now(run->signing).wall_ns,
        .input_sha256 = start.input_sha256,
        .manifest_hash = start.manifest_hash,
        .key_fingerprint = start.key_fingerprint,
        .class = "interrupted",
        .reason = "interrupted",
        .message = message,
    };
    code = audit_file_append(run->signing->audit, &entry, &why);
    return code == ERRC_OK ? ERRC_OK : refuse(run, OP_ERROR_AUDIT, true, code, &why);
}

/* ERRC_OK when the published manifest is the one of the entry; ERRC_NOT_FOUND when none is
 * there. */
static enum errc compare_published(const char *path, const struct audit_signed *entry,
                                   struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    struct manifest manifest CLEANUP(manifest_done) = {0};
    buf_init(&text, LIMIT_MANIFEST_BYTES + 1);
    TRY(file_read(path, &text, why));
    enum errc code = manifest_parse(buf_slice(&text), &manifest, why);
    if (code == ERRC_OK && strcmp(manifest.signature, entry->signature) == 0)
        return ERRC_OK;
    return errc_fail(why, ERRC_EXISTS,
                     "\"%.200s\" is not the manifest that was signed at %s: move it away, the "
                     "signed one is then written again",
                     path, entry->timestamp);
}

static enum errc write_again(struct run *run, const struct audit_signed *entry,
                             struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_MANIFEST_BYTES + sizeof entry->signature);
    TRY(rebuild_manifest(run->request->bundle, entry, &run->trust, &run->signing->keyport, &text,
                         why));
    return publish_file(run->request->manifest_path, buf_slice(&text), why);
}

static void report_signed(struct run *run, const struct audit_signed *entry)
{
    struct signing_result *result = run->result;
    result->already = true;
    result->attempts = entry->attempts;
    result->op.status = OP_COMPLETED;
    result->op.mode = entry->mode;
    memcpy(result->op.key_fingerprint, entry->key_fingerprint, sizeof result->op.key_fingerprint);
    memcpy(result->reason, entry->reason, sizeof result->reason);
}

/* Signed before: there must be its manifest, and there will be no second signature. */
static enum errc settle_signed(struct run *run, struct slice line)
{
    struct audit_signed entry;
    struct errc_why why = {0};
    enum errc code = audit_signed_parse(line, &entry, &why);
    if (code != ERRC_OK)
        return refuse(run, OP_ERROR_AUDIT, false, code, &why);
    code = rebuild_check_content(run->request->bundle, &entry, &why);
    if (code == ERRC_OK)
        code = compare_published(run->request->manifest_path, &entry, &why);
    if (code == ERRC_EXISTS)
        return refuse(run, OP_ERROR_CONFLICT, false, code, &why);
    if (code == ERRC_NOT_FOUND)
        code = write_again(run, &entry, &why);
    if (code != ERRC_OK)
        return refuse(run, OP_ERROR_PUBLISH, true, code, &why);
    report_signed(run, &entry);
    return ERRC_OK;
}

static enum errc check_unpublished(struct run *run)
{
    struct errc_why why = {0};
    if (access(run->request->manifest_path, F_OK) != 0)
        return ERRC_OK;
    enum errc code = errc_fail(&why, ERRC_EXISTS,
                               "\"%.200s\" is there, but the audit trail knows of no signature of "
                               "bundle %s: it is not replaced",
                               run->request->manifest_path, run->request->bundle->bundle_run_id);
    return refuse(run, OP_ERROR_CONFLICT, false, code, &why);
}

/* Decides by the trail; the bundle is claimed. */
static enum errc run_claimed(struct run *run)
{
    struct audit_bundle known;
    struct errc_why why = {0};
    struct buf line CLEANUP(buf_done);
    buf_init(&line, LIMIT_AUDIT_LINE_BYTES);
    TRY(load_trust(run));
    enum errc code = audit_file_lookup(run->signing->audit, run->request->bundle->bundle_run_id,
                                       &known, &line, &why);
    if (code != ERRC_OK)
        return refuse(run, OP_ERROR_AUDIT, true, code, &why);
    switch (known.state) {
    case AUDIT_DONE:
        return settle_signed(run, buf_slice(&line));
    case AUDIT_OPEN:
        publish_discard(run->request->manifest_path);
        TRY(end_interrupted(run, buf_slice(&line)));
        break;
    case AUDIT_UNKNOWN:
    case AUDIT_ENDED:
        break;
    }
    TRY(check_unpublished(run));
    return sign_anew(run);
}

static void log_result(const struct run *run)
{
    const struct signing_result *r = run->result;
    struct stderrlog_line line;
    bool good = r->op.status == OP_COMPLETED;
    stderrlog_begin(&run->signing->log, &line, good ? "info" : "error",
                    !good        ? op_status_text(r->op.status)
                    : r->already ? "already_signed"
                                 : "signed");
    logline_add(&line.line, "bundle", run->request->bundle->bundle_run_id);
    if (good)
        logline_add(&line.line, "signing_mode", manifest_mode_text(r->op.mode));
    logline_add_int(&line.line, "attempts", r->attempts);
    if (good)
        logline_add(&line.line, "key", r->op.key_fingerprint);
    logline_add(&line.line, "reason", good && r->reason[0] != '\0' ? r->reason : r->op.reason);
    if (!good) {
        if (r->op.last != CLASSIFY_OK)
            logline_add(&line.line, "class", classify_text(r->op.last));
        logline_add(&line.line, "error", op_error_text(r->op.error));
        logline_add(&line.line, "message", r->op.message);
    }
    stderrlog_end(&line);
}

void signing_run(struct signing *signing, const struct signing_request *request,
                 struct signing_result *result)
{
    struct run run = {.signing = signing, .request = request, .result = result};
    struct errc_why why = {0};
    int claim = -1;
    *result = (struct signing_result){0};
    trust_init(&run.trust);
    enum errc code = audit_file_claim(signing->audit, request->bundle->bundle_run_id, &claim, &why);
    if (code == ERRC_OK)
        code = run_claimed(&run);
    else
        (void)refuse(&run, code == ERRC_STATE ? OP_ERROR_BUSY : OP_ERROR_AUDIT, true, code, &why);
    CHECK((code == ERRC_OK) == (result->op.status == OP_COMPLETED));
    log_result(&run);
    op_free(run.op);
    trust_done(&run.trust);
    if (claim >= 0)
        (void)close(claim);
}

/* What each answer of sys/health means (vault-api.md 2.5); the rest is what classify says. */
static const struct {
    int status;
    bool online;
    enum classify_class class;
    const char *text;
} health[] = {
    {200, true, CLASSIFY_OK, "active"},
    {429, true, CLASSIFY_OK, "standby"},
    {473, true, CLASSIFY_OK, "performance standby"},
    {472, false, CLASSIFY_UNAVAILABLE, "disaster recovery secondary"},
    {474, false, CLASSIFY_UNAVAILABLE, "standby without its active node"},
    {501, false, CLASSIFY_UNAVAILABLE, "not initialised"},
    {503, false, CLASSIFY_SEALED, "sealed"},
    {530, false, CLASSIFY_UNAVAILABLE, "removed from its cluster"},
};

enum errc signing_probe(const struct transport *transport, int64_t timeout_ms,
                        enum classify_class *class, struct errc_why *why)
{
    const struct transport_request request = {
        .method = "GET", .path = "/v1/sys/health", .timeout_ms = timeout_ms};
    struct transport_reply reply CLEANUP(transport_reply_done) = {0};
    transport->send(transport->context, &request, &reply);
    for (size_t i = 0; i < COUNT(health); i++) {
        if (reply.outcome != TRANSPORT_COMPLETE || reply.status != health[i].status)
            continue;
        *class = health[i].class;
        return health[i].online ? ERRC_OK : errc_fail(why, ERRC_UNAVAILABLE, "%s", health[i].text);
    }
    *class = classify_reply(&reply);
    if (reply.outcome == TRANSPORT_COMPLETE)
        return errc_fail(why, ERRC_UNAVAILABLE, "%s: status %d", classify_text(*class),
                         reply.status);
    char text[LIMIT_MESSAGE_BYTES];
    attempt_text_format(&reply, *class, timeout_ms, text);
    return errc_fail(why, ERRC_UNAVAILABLE, "%s: %s", classify_text(*class), text);
}
