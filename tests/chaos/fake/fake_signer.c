#include "tests/chaos/fake/fake_signer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "chaos/core/ledger/asked.h"
#include "chaos/core/ledger/verify_manifest.h"
#include "tests/chaos/fake/fake_ledger.h"
#include "tests/chaos/fake/fake_survey.h"
#include "tests/chaos/fake/fake_vault.h"

struct signing {
    struct fake_world *f;
    const char *via;
    char bundle[WORLD_ID_BYTES];
    struct buf attempts;
    int attempt_count;
    char class[16];
    char input[DIGEST_HEX_BYTES];
    char hash[ASKED_HASH_BYTES]; /* of what was asked to be signed */
    char created[STAMP_BYTES], manifest_id[WORLD_ID_BYTES];
    bool ok;
    int64_t off_ns; /* by which the stamps of attempts are not true */
};

void fake_signer_asked(const char *bundle, struct buf *out)
{
    buf_addf(out,
             "{\"artefacts\":[{\"id\":\"a\"}],\"bundleRunId\":\"%s\",\"metadata\":{},"
             "\"operatorId\":\"chaos\"}",
             bundle);
}

/* Builds the manifest without signature, and the PAE of it. */
static void build(const struct signing *s, bool fallback, const char *fingerprint, json_t **out,
                  struct buf *pae)
{
    struct buf body CLEANUP(buf_done);
    buf_init(&body, FAKE_LEDGER_LINE_BYTES);
    json_t *signing =
        json_pack("{s:s,s:s,s:s?}", "mode", fallback ? "fallback" : "vault", "keyFingerprint",
                  fingerprint, "reason", fallback ? s->class : NULL);
    const char *who = s->f->other_operator ? "mallory" : "chaos";
    *out = json_pack("{s:[{s:s}],s:s,s:s,s:s,s:s,s:{s:o},s:s,s:s}", "artefacts", "id", "a",
                     "bundleRunId", s->bundle, "createdAt", s->created, "hash", s->hash, "id",
                     s->manifest_id, "metadata", "signing", signing, "operatorId", who,
                     "signingKeyId", fallback ? "fallback" : "docugen-manifest:v1");
    CHECK(verify_manifest_canonical(*out, NULL, &body, NULL) == ERRC_OK);
    verify_manifest_pae(SLICE_LITERAL(VERIFY_MANIFEST_TYPE), buf_slice(&body), pae);
}

static void sign_bytes(EVP_PKEY *key, bool fallback, struct slice message, struct buf *out)
{
    unsigned char signature[256];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(EVP_DigestSignInit(context, NULL, fallback ? NULL : EVP_sha256(), NULL, key) == 1);
    CHECK(EVP_DigestSign(context, signature, &len, (const unsigned char *)message.ptr,
                         message.len) == 1);
    EVP_MD_CTX_free(context);
    buf_add_text(out, fallback ? "ed25519:" : "vault:v1:");
    base64_format(slice_bytes(signature, len), BASE64_STANDARD, out);
}

static void note_attempt(struct signing *s, const char *class, int status, int wait_ms)
{
    char stamp[STAMP_BYTES];
    struct fake_world *f = s->f;
    int64_t taken_ms = f->no_patience ? 0 : (int64_t)wait_ms * f->wait_factor;
    f->now_ns += (taken_ms + 1) * NS_PER_MS;
    s->off_ns += f->no_patience ? 0 : (wait_ms - taken_ms) * NS_PER_MS;
    (void)fake_ledger_client_stamp(f, f->now_ns + s->off_ns, stamp);
    bool lie = f->lies_about_status && status != 200;
    buf_addf(&s->attempts,
             "%s{\"class\":\"%s\",\"n\":%d,\"status\":%d,\"started_at\":\"%s\",\"wait_ms\":%d,"
             "\"resends\":%d}",
             s->attempts.len == 0 ? "" : ",", lie ? "sealed" : class, ++s->attempt_count,
             lie ? 503 : status, stamp, wait_ms, f->repeats && status != 200 ? 1 : 0);
    (void)snprintf(s->class, sizeof s->class, "%s", lie ? "sealed" : class);
    fake_survey_attempt(f, s->class, s->attempt_count > 1 ? wait_ms : -1);
}

/* Vault's answer to a sign request right now; 0: connection refused. */
static int answer(struct fake_world *f, const char **rule)
{
    *rule = NULL;
    if (f->vault != NULL)
        return fake_vault_answer(f->vault, rule);
    if (f->refusing)
        return 0;
    if (f->rule != NULL && f->rule_left > 0) {
        f->rule_left--;
        *rule = f->rule;
        return (int)f->rule_status;
    }
    return f->sealed ? f->refusal : 200;
}

static const char *class_of(int status)
{
    return status == 0     ? "refused"
           : status == 200 ? "ok"
           : status == 403 ? "denied"
           : status == 503 ? "sealed"
                           : "unavailable";
}

static void attempt_all(struct signing *s, const char *signature_sha256)
{
    static const int waits[] = {0, 200, 400, 800, 1600}, longest[] = {0, 250, 500, 1000, 2000};
    struct fake_world *f = s->f;
    const char *rule = NULL;
    for (int i = 0; i < f->hidden_requests; i++)
        fake_ledger_request(f, s->input, 1, 500, NULL, NULL);
    for (int i = 0; i < f->attempts && !s->ok; i++) {
        int status = answer(f, &rule);
        bool absent = f->never_asks && status != 200;
        note_attempt(s, absent ? "timeout" : class_of(status), absent ? 0 : status,
                     f->no_backoff      ? 0
                     : f->longest_waits ? longest[i]
                                        : waits[i]);
        if (status != 0 && !absent)
            fake_ledger_request(f, s->input, f->always_first ? 1 : i + 1, status, signature_sha256,
                                rule);
        else
            f->now_ns += status == 200 ? 0 : f->attempt_takes_ms * NS_PER_MS;
        if (f->repeats && status != 200)
            fake_ledger_request(f, s->input, i + 1, status, signature_sha256, rule);
        s->ok = status == 200;
    }
}

static void publish(struct signing *s, json_t *manifest, const char *signature)
{
    json_object_set_new(manifest, "signature", json_string(signature));
    char *text = json_dumps(manifest, JSON_COMPACT | JSON_SORT_KEYS);
    struct buf *line = fake_ledger_line(s->f->manifests, &s->f->manifest_count, 16);
    buf_add_text(line, text);
    free(text);
}

/* What a manifest can be written again from. */
static void add_signature(const struct signing *s, const char *mode, const char *signature,
                          const char *signature_sha256, struct buf *out)
{
    bool fallback = strcmp(mode, "fallback") == 0;
    buf_addf(out,
             ",\"signature_sha256\":\"%s\",\"signing.fallback\":%s,\"signingMode\":\"%s\","
             "\"signature\":\"%s\",\"manifestId\":\"%s\",\"createdAt\":\"%s\","
             "\"signingKeyId\":\"%s\"",
             signature_sha256, fallback ? "true" : "false", mode, signature, s->manifest_id,
             s->created, fallback ? "fallback" : "docugen-manifest:v1");
    if (!fallback)
        return;
    buf_add_text(out, ",\"publicKey\":\"");
    for (const char *c = s->f->keys[2].pem; *c != '\0'; c++)
        if (*c == '\n')
            buf_add_text(out, "\\n");
        else
            buf_add_char(out, *c);
    buf_add_char(out, '"');
}

/* signature: NULL for a failure. */
static void audit_end(struct signing *s, const char *mode, const char *fingerprint,
                      const char *input, const char *signature, const char *signature_sha256)
{
    struct buf payload CLEANUP(buf_done);
    bool done = mode != NULL;
    buf_init(&payload, FAKE_LEDGER_LINE_BYTES);
    buf_addf(&payload,
             "\"attempts\":[%s],\"class\":%s%s%s,\"reason\":\"%s\",\"input_sha256\":\"%s\","
             "\"keyFingerprint\":\"%s\",\"manifestHash\":\"%s\"",
             buf_text(&s->attempts), done ? "" : "\"", done ? "null" : s->class, done ? "" : "\"",
             done ? s->class : "fallback_off", input, fingerprint, s->hash);
    if (done)
        add_signature(s, mode, signature, signature_sha256, &payload);
    else
        buf_add_text(&payload, ",\"message\":\"no\"");
    fake_ledger_audit(s->f, s->via, done ? "MANIFEST_SIGNED" : "MANIFEST_SIGNING_FAILED", s->bundle,
                      buf_text(&payload));
}

/* Signs with a key, verifiably or not, audits and publishes. */
static void sign_as(struct signing *s, bool fallback, EVP_PKEY *key, const char *fingerprint,
                    struct buf *signature, char signature_sha256[static DIGEST_HEX_BYTES],
                    json_t **manifest)
{
    struct buf pae CLEANUP(buf_done);
    buf_init(&pae, FAKE_LEDGER_LINE_BYTES);
    build(s, fallback, fingerprint, manifest, &pae);
    digest_sha256_hex(buf_slice(&pae), s->input);
    sign_bytes(key, fallback, buf_slice(&pae), signature);
    digest_sha256_hex(buf_slice(signature), signature_sha256);
}

static void fall_back(struct signing *s, struct world_call *call)
{
    struct fake_world *f = s->f;
    const char *fingerprint = fake_world_fingerprint(f, 2);
    char sha[DIGEST_HEX_BYTES];
    struct buf signature CLEANUP(buf_done);
    json_t *manifest CLEANUP(jsonread_done) = NULL;
    buf_init(&signature, FAKE_LEDGER_LINE_BYTES);
    sign_as(s, true, f->fallback_key, fingerprint, &signature, sha, &manifest);
    audit_end(s, "fallback", fingerprint, s->input, buf_text(&signature), sha);
    publish(s, manifest, buf_text(&signature));
    strcpy(call->mode, "fallback");
    strcpy(call->reason, s->class);
}

/* What the signer logs of it, when that is the service whose log there is. */
static void log_line(const struct signing *s, const struct world_call *call,
                     const char *vault_fingerprint)
{
    bool done = call->mode[0] != '\0', fallback = strcmp(call->mode, "fallback") == 0;
    struct buf *log = &s->f->log;
    char key[VERIFY_MANIFEST_FINGERPRINT_BYTES];
    CHECK(verify_manifest_fingerprint(s->f->keys[2].pem, key, NULL) == ERRC_OK);
    buf_addf(log, "level=%s actor=api event=%s bundle=%s attempts=%d", done ? "info" : "error",
             done ? "signed" : call->status, s->bundle, s->attempt_count);
    if (!done)
        buf_addf(log, " reason=fallback_off class=%s error=%s\n", s->class, call->error);
    else
        buf_addf(log, " key=%s%s%s signing_mode=%s\n", fallback ? key : vault_fingerprint,
                 fallback ? " reason=" : "", fallback ? s->class : "", call->mode);
}

static bool must_fail(struct fake_world *f)
{
    return !f->fallback_on && !f->ignores_switch;
}

static void hash_asked(struct signing *s)
{
    struct buf text CLEANUP(buf_done);
    struct asked asked;
    buf_init(&text, FAKE_LEDGER_LINE_BYTES);
    fake_signer_asked(s->bundle, &text);
    CHECK(asked_compare(buf_slice(&text), (struct slice){0}, &asked, NULL) == ERRC_OK);
    memcpy(s->hash, asked.hash, sizeof s->hash);
}

void fake_signer_sign(struct fake_world *f, const struct scenario_step *step,
                      struct world_call *call)
{
    struct signing s = {.f = f, .via = scenario_text(step, "via")};
    char sha[DIGEST_HEX_BYTES], intent[512];
    struct buf signature CLEANUP(buf_done);
    json_t *manifest CLEANUP(jsonread_done) = NULL;
    int key = f->new_key && f->bundles > 0 ? 1 : 0;
    if (f->uninvited && f->bundles == 0) {
        struct world_call nobody = {0};
        f->uninvited = false;
        fake_signer_sign(f, step, &nobody);
    }
    buf_init(&s.attempts, FAKE_LEDGER_LINE_BYTES);
    buf_init(&signature, FAKE_LEDGER_LINE_BYTES);
    (void)snprintf(s.bundle, sizeof s.bundle, "00000000-0000-4000-8000-%012u", ++f->bundles);
    (void)snprintf(s.manifest_id, sizeof s.manifest_id, "11111111-0000-4000-8000-%012u",
                   f->bundles);
    (void)fake_ledger_client_stamp(f, f->now_ns, s.created);
    strcpy(call->bundle, s.bundle);
    hash_asked(&s);
    const char *fingerprint = fake_world_fingerprint(f, (size_t)key);
    sign_as(&s, false, f->other_key ? f->stranger : f->vault_keys[key], fingerprint, &signature,
            sha, &manifest);
    (void)snprintf(intent, sizeof intent,
                   "\"input_sha256\":\"%s\",\"keyFingerprint\":\"%s\",\"manifestHash\":\"%s\"",
                   s.input, fingerprint, s.hash);
    if (!f->late_intent)
        fake_ledger_audit(f, s.via, "MANIFEST_SIGNING_STARTED", s.bundle, intent);
    f->now_ns += f->dawdles_ms[0] * NS_PER_MS;
    if (!(f->stuck && f->bundles > f->stuck_after))
        attempt_all(&s, sha);
    else
        strcpy(s.class, "sealed");
    f->now_ns += f->late_intent ? 50 * NS_PER_MS : 0;
    if (f->late_intent)
        fake_ledger_audit(f, s.via, "MANIFEST_SIGNING_STARTED", s.bundle, intent);
    f->now_ns += f->dawdles_ms[1] * NS_PER_MS;
    if (s.ok) {
        audit_end(&s, "vault", fingerprint, s.input, buf_text(&signature), sha);
        publish(&s, manifest, buf_text(&signature));
        strcpy(call->mode, "vault");
    } else if (must_fail(f)) {
        audit_end(&s, NULL, fingerprint, s.input, NULL, NULL);
    } else {
        fall_back(&s, call);
    }
    strcpy(call->status, call->mode[0] == '\0' ? "blocked" : "completed");
    call->attempts = s.attempt_count;
    call->exit = f->exit_0 ? 0 : -1;
    if (call->mode[0] == '\0')
        strcpy(call->error, f->says_internal ? "internal" : "vault_unavailable");
    log_line(&s, call, fingerprint);
    f->now_ns += f->dawdles_ms[2] * NS_PER_MS;
    if (f->tells != NULL)
        f->tells(call);
    buf_done(&s.attempts);
}
