#include "tests/chaos/fake_world.h"

#include <inttypes.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "chaos/core/ledger/asked.h"
#include "chaos/core/ledger/verify_manifest.h"

#define LINE_MAX_BYTES 8192u
#define BEGINNING 1763920000000000000

static const char token[] = "hvs.fake-world-canary";

/* --- keys --- */

static void add_key(struct fake_world *f, size_t i, EVP_PKEY *key, bool fallback, int version)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    CHECK(PEM_write_bio_PUBKEY(bio, key) == 1);
    long len = BIO_get_mem_data(bio, &text);
    buf_init(&f->pems[i], 4096);
    buf_add(&f->pems[i], text, (size_t)len);
    BIO_free(bio);
    f->keys[i] =
        (struct world_key){.fallback = fallback, .version = version, .pem = buf_text(&f->pems[i])};
}

void fake_world_init(struct fake_world *f)
{
    *f = (struct fake_world){.attempts = 3, .refusal = 503, .wait_factor = 1, .now_ns = BEGINNING};
    f->vault_keys[0] = EVP_EC_gen("P-256");
    f->vault_keys[1] = EVP_EC_gen("P-256");
    f->stranger = EVP_EC_gen("P-256");
    f->fallback_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    add_key(f, 0, f->vault_keys[0], false, 1);
    add_key(f, 1, f->vault_keys[1], false, 1);
    add_key(f, 2, f->fallback_key, true, 0);
    f->keys[0].since_wall_ns = f->keys[2].since_wall_ns = BEGINNING;
    f->canary = (struct world_canary){.name = "token", .bytes = slice_of(token)};
    buf_init(&f->log, 1u << 16);
}

void fake_world_done(struct fake_world *f)
{
    for (size_t i = 0; i < f->audit_count; i++)
        buf_done(&f->audit[i]);
    for (size_t i = 0; i < f->journal_count; i++)
        buf_done(&f->journal[i]);
    for (size_t i = 0; i < f->manifest_count; i++)
        buf_done(&f->manifests[i]);
    for (size_t i = 0; i < 3; i++)
        buf_done(&f->pems[i]);
    buf_done(&f->log);
    EVP_PKEY_free(f->vault_keys[0]);
    EVP_PKEY_free(f->vault_keys[1]);
    EVP_PKEY_free(f->fallback_key);
    EVP_PKEY_free(f->stranger);
}

void fake_world_edit(struct fake_world *f, struct fake_world_edit edit)
{
    CHECK(f->edit_count < FAKE_WORLD_EDITS_MAX);
    f->edits[f->edit_count++] = edit;
}

/* --- ledgers --- */

/* By the client's clock. */
static const char *client_stamp(const struct fake_world *f, int64_t ns,
                                char room[static STAMP_BYTES])
{
    stamp_format(ns - f->clock_off_ms * NS_PER_MS, STAMP_NANO, room);
    return room;
}

static const char *stamp_now(struct fake_world *f, char room[static STAMP_BYTES])
{
    stamp_format(f->now_ns, STAMP_NANO, room);
    return room;
}

static struct buf *new_line(struct buf *lines, size_t *count, size_t max)
{
    CHECK(*count < max);
    struct buf *line = &lines[(*count)++];
    buf_init(line, LINE_MAX_BYTES);
    return line;
}

static void journal(struct fake_world *f, const char *kind, const char *rest)
{
    char stamp[STAMP_BYTES];
    struct buf *line = new_line(f->journal, &f->journal_count, 128);
    f->now_ns += NS_PER_MS;
    buf_addf(line, "{\"seq\":%u,\"kind\":\"%s\",\"wall\":\"%s\",%s}", ++f->seq, kind,
             stamp_now(f, stamp), rest);
}

/* A sign request and its reply. */
static void journal_request(struct fake_world *f, const char *input, int attempt, int status,
                            const char *signature_sha256, const char *rule)
{
    char rest[1024];
    (void)snprintf(rest, sizeof rest,
                   "\"path\":\"/v1/transit/sign/docugen-manifest\",\"key\":\"docugen-manifest\","
                   "\"input_sha256\":[\"%s\"],\"attempt\":%d%s%s%s",
                   input, attempt, rule == NULL ? "" : ",\"rule\":\"", rule == NULL ? "" : rule,
                   rule == NULL ? "" : "\"");
    journal(f, "request", rest);
    (void)snprintf(rest, sizeof rest, "\"request\":%u,\"status\":%d,\"executed\":%s%s%s%s", f->seq,
                   status, status == 200 ? "true" : "false",
                   status == 200 ? ",\"signature_sha256\":[\"" : "",
                   status == 200 ? signature_sha256 : "", status == 200 ? "\"]" : "");
    journal(f, "reply", rest);
}

static void audit(struct fake_world *f, const char *via, const char *action, const char *bundle,
                  const char *payload)
{
    char stamp[STAMP_BYTES];
    struct buf *line = new_line(f->audit, &f->audit_count, 64);
    buf_addf(line,
             "{\"action\":\"%s\",\"actor\":{\"id\":\"%s\",\"type\":\"automation\"},\"bundleRunId\":"
             "\"%s\",\"id\":\"e%zu\","
             "\"payload\":{%s,\"previous\":\"@\"},\"timestamp\":\"%s\"}",
             action, via, bundle, f->audit_count, payload, client_stamp(f, f->now_ns, stamp));
}

/* --- signing --- */

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

static void format_asked(const char *bundle, struct buf *out)
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
    buf_init(&body, LINE_MAX_BYTES);
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
    (void)client_stamp(f, f->now_ns + s->off_ns, stamp);
    bool lie = f->lies_about_status && status != 200;
    buf_addf(&s->attempts,
             "%s{\"class\":\"%s\",\"n\":%d,\"status\":%d,\"started_at\":\"%s\",\"wait_ms\":%d,"
             "\"resends\":%d}",
             s->attempts.len == 0 ? "" : ",", lie ? "sealed" : class, ++s->attempt_count,
             lie ? 503 : status, stamp, wait_ms, f->repeats && status != 200 ? 1 : 0);
    (void)snprintf(s->class, sizeof s->class, "%s", lie ? "sealed" : class);
}

/* Vault's answer to a sign request right now; 0: connection refused. */
static int answer(struct fake_world *f, const char **rule)
{
    *rule = NULL;
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
        journal_request(f, s->input, 1, 500, NULL, NULL);
    for (int i = 0; i < f->attempts && !s->ok; i++) {
        int status = answer(f, &rule);
        bool absent = f->never_asks && status != 200;
        note_attempt(s, absent ? "timeout" : class_of(status), absent ? 0 : status,
                     f->no_backoff      ? 0
                     : f->longest_waits ? longest[i]
                                        : waits[i]);
        if (status != 0 && !absent)
            journal_request(f, s->input, f->always_first ? 1 : i + 1, status, signature_sha256,
                            rule);
        if (f->repeats && status != 200)
            journal_request(f, s->input, i + 1, status, signature_sha256, rule);
        f->now_ns += status == 200 ? 0 : f->attempt_takes_ms * NS_PER_MS;
        s->ok = status == 200;
    }
}

static void publish(struct signing *s, json_t *manifest, const char *signature)
{
    json_object_set_new(manifest, "signature", json_string(signature));
    char *text = json_dumps(manifest, JSON_COMPACT);
    struct buf *line = new_line(s->f->manifests, &s->f->manifest_count, 16);
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
    buf_init(&payload, LINE_MAX_BYTES);
    buf_addf(&payload,
             "\"attempts\":[%s],\"class\":%s%s%s,\"reason\":\"%s\",\"input_sha256\":\"%s\","
             "\"keyFingerprint\":\"%s\",\"manifestHash\":\"%s\"",
             buf_text(&s->attempts), done ? "" : "\"", done ? "null" : s->class, done ? "" : "\"",
             done ? s->class : "fallback_off", input, fingerprint, s->hash);
    if (done)
        add_signature(s, mode, signature, signature_sha256, &payload);
    else
        buf_add_text(&payload, ",\"message\":\"no\"");
    audit(s->f, s->via, done ? "MANIFEST_SIGNED" : "MANIFEST_SIGNING_FAILED", s->bundle,
          buf_text(&payload));
}

/* Signs with a key, verifiably or not, audits and publishes. */
static void sign_as(struct signing *s, bool fallback, EVP_PKEY *key, const char *fingerprint,
                    struct buf *signature, char signature_sha256[static DIGEST_HEX_BYTES],
                    json_t **manifest)
{
    struct buf pae CLEANUP(buf_done);
    buf_init(&pae, LINE_MAX_BYTES);
    build(s, fallback, fingerprint, manifest, &pae);
    digest_sha256_hex(buf_slice(&pae), s->input);
    sign_bytes(key, fallback, buf_slice(&pae), signature);
    digest_sha256_hex(buf_slice(signature), signature_sha256);
}

static void fall_back(struct signing *s, struct world_call *call)
{
    struct fake_world *f = s->f;
    char fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES], sha[DIGEST_HEX_BYTES];
    struct buf signature CLEANUP(buf_done);
    json_t *manifest CLEANUP(jsonread_done) = NULL;
    buf_init(&signature, LINE_MAX_BYTES);
    CHECK(verify_manifest_fingerprint(f->keys[2].pem, fingerprint, NULL) == ERRC_OK);
    sign_as(s, true, f->fallback_key, fingerprint, &signature, sha, &manifest);
    audit_end(s, "fallback", fingerprint, s->input, buf_text(&signature), sha);
    publish(s, manifest, buf_text(&signature));
    strcpy(call->mode, "fallback");
    strcpy(call->reason, s->class);
}

static bool must_fail(struct fake_world *f)
{
    return !f->fallback_on && !f->ignores_switch;
}

static void hash_asked(struct signing *s)
{
    struct buf text CLEANUP(buf_done);
    struct asked asked;
    buf_init(&text, LINE_MAX_BYTES);
    format_asked(s->bundle, &text);
    CHECK(asked_compare(buf_slice(&text), (struct slice){0}, &asked, NULL) == ERRC_OK);
    memcpy(s->hash, asked.hash, sizeof s->hash);
}

static void sign(struct fake_world *f, const struct scenario_step *step, struct world_call *call)
{
    struct signing s = {.f = f, .via = scenario_text(step, "via")};
    char fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES], sha[DIGEST_HEX_BYTES], intent[512];
    struct buf signature CLEANUP(buf_done);
    json_t *manifest CLEANUP(jsonread_done) = NULL;
    int key = f->new_key && f->bundles > 0 ? 1 : 0;
    if (f->uninvited && f->bundles == 0) {
        struct world_call nobody = {0};
        f->uninvited = false;
        sign(f, step, &nobody);
    }
    buf_init(&s.attempts, LINE_MAX_BYTES);
    buf_init(&signature, LINE_MAX_BYTES);
    (void)snprintf(s.bundle, sizeof s.bundle, "00000000-0000-4000-8000-%012u", ++f->bundles);
    (void)snprintf(s.manifest_id, sizeof s.manifest_id, "11111111-0000-4000-8000-%012u",
                   f->bundles);
    (void)client_stamp(f, f->now_ns, s.created);
    strcpy(call->bundle, s.bundle);
    hash_asked(&s);
    CHECK(verify_manifest_fingerprint(f->keys[key].pem, fingerprint, NULL) == ERRC_OK);
    sign_as(&s, false, f->other_key ? f->stranger : f->vault_keys[key], fingerprint, &signature,
            sha, &manifest);
    (void)snprintf(intent, sizeof intent,
                   "\"input_sha256\":\"%s\",\"keyFingerprint\":\"%s\",\"manifestHash\":\"%s\"",
                   s.input, fingerprint, s.hash);
    if (!f->late_intent)
        audit(f, s.via, "MANIFEST_SIGNING_STARTED", s.bundle, intent);
    if (!(f->stuck && f->bundles > 2))
        attempt_all(&s, sha);
    else
        strcpy(s.class, "sealed");
    f->now_ns += f->late_intent ? 50 * NS_PER_MS : 0;
    if (f->late_intent)
        audit(f, s.via, "MANIFEST_SIGNING_STARTED", s.bundle, intent);
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
    buf_addf(&f->log, "event=%s signing_mode=%s\n", call->status, call->mode);
    buf_done(&s.attempts);
}

/* --- the port --- */

static struct instant now(void *context)
{
    struct fake_world *f = context;
    f->now_ns += NS_PER_MS;
    return (struct instant){.mono_ns = f->now_ns - BEGINNING, .wall_ns = f->now_ns};
}

static int interrupted(void *context)
{
    struct fake_world *f = context;
    return f->interrupt_before > 0 && f->acts + 1 >= f->interrupt_before ? f->interrupts : 0;
}

static enum errc start(void *context, const struct scenario *scenario, struct errc_why *why)
{
    struct fake_world *f = context;
    f->started = true;
    for (size_t i = 0; i < scenario->stack.environment_count; i++)
        f->fallback_on |= strcmp(scenario->stack.environment[i].value, "true") == 0;
    journal(f, "process", "\"event\":\"start\",\"boot_id\":\"b1\"");
    return f->start_code == ERRC_OK ? ERRC_OK : errc_fail(why, f->start_code, "no port");
}

static void set_rule(struct fake_world *f, const struct world_step *step)
{
    static char id[24];
    (void)snprintf(id, sizeof id, "%s", step->rule);
    bool matches = strcmp(scenario_text(step->step, "path"), "*/sign/*") == 0;
    f->rule = id;
    f->rule_status = step->step->main.number;
    f->rule_left = !matches                              ? 0
                   : scenario_given(step->step, "times") ? scenario_int(step->step, "times")
                                                         : INT32_MAX;
}

static enum errc act(void *context, const struct world_step *step, struct world_outcome *out,
                     struct errc_why *why)
{
    struct fake_world *f = context;
    if (++f->acts == f->act_fails_at)
        return errc_fail(why, f->act_code, "it did not work");
    out->call.started = now(f);
    const char *actor = step->step->actor->name, *verb = step->step->verb->name;
    bool vault = strcmp(actor, "vault") == 0;
    if (vault && (strcmp(verb, "seal") == 0 || strcmp(verb, "unseal") == 0))
        f->sealed = strcmp(verb, "seal") == 0;
    if (vault && (strcmp(verb, "refuse") == 0 || strcmp(verb, "accept") == 0))
        f->refusing = strcmp(verb, "refuse") == 0;
    if (strcmp(actor, "trust") == 0)
        f->keys[1].since_wall_ns = f->keys[0].until_wall_ns = f->now_ns;
    if (vault && strcmp(verb, "respond") == 0)
        set_rule(f, step);
    if (vault && strcmp(verb, "reset") == 0)
        f->rule = NULL;
    if (step->step->verb->role == VERB_SIGNS) {
        out->call.finished = true;
        sign(f, step->step, &out->call);
    }
    out->call.ended = now(f);
    return ERRC_OK;
}

static void wait_change(void *context, int64_t deadline_mono_ns)
{
    struct fake_world *f = context;
    f->now_ns = BEGINNING + deadline_mono_ns;
}

/* Appends the line as the edits leave it; false when it is left out. */
static bool edit_line(const struct fake_world *f, enum fake_world_file file, size_t line,
                      bool behind, struct slice text, struct buf *out)
{
    for (size_t i = 0; i < f->edit_count; i++) {
        const struct fake_world_edit *e = &f->edits[i];
        if (e->file != file || (e->line != 0 && e->line != line) || e->behind != behind)
            continue;
        const char *at =
            e->from == NULL ? text.ptr : memmem(text.ptr, text.len, e->from, strlen(e->from));
        if (e->to == NULL)
            return false;
        if (at == NULL)
            continue;
        size_t cut = e->from == NULL ? text.len : strlen(e->from);
        buf_add(out, text.ptr, (size_t)(at - text.ptr));
        buf_add_text(out, e->to);
        buf_add_slice(out, slice_from(text, (size_t)(at - text.ptr) + cut));
        return true;
    }
    buf_add_slice(out, text);
    return true;
}

static void read_audit(const struct fake_world *f, struct buf *out)
{
    if (f->rewrites && f->stopped && f->reads_at_end > 0) {
        buf_add_text(out, "{}\n");
        return;
    }
    char previous[DIGEST_HEX_BYTES];
    memset(previous, '0', sizeof previous - 1);
    previous[sizeof previous - 1] = '\0';
    for (size_t i = 0; i < f->audit_count; i++) {
        struct buf edited CLEANUP(buf_done), chained CLEANUP(buf_done);
        buf_init(&edited, LINE_MAX_BYTES);
        buf_init(&chained, LINE_MAX_BYTES);
        if (!edit_line(f, FAKE_AUDIT, i + 1, false, buf_slice(&f->audit[i]), &edited))
            continue;
        struct slice rest = buf_slice(&edited), before = slice_cut(&rest, '@');
        buf_add_slice(&chained, before);
        if (before.len < edited.len)
            buf_addf(&chained, "%s", previous);
        buf_add_slice(&chained, rest);
        digest_sha256_hex(buf_slice(&chained), previous);
        if (edit_line(f, FAKE_AUDIT, i + 1, true, buf_slice(&chained), out))
            buf_add_char(out, '\n');
    }
}

static void read_journal(const struct fake_world *f, struct buf *out)
{
    for (size_t i = 0; i < f->journal_count; i++)
        if (edit_line(f, FAKE_JOURNAL, i + 1, false, buf_slice(&f->journal[i]), out))
            buf_add_char(out, '\n');
}

static enum errc read_manifest(const struct fake_world *f, const char *bundle, struct buf *out)
{
    for (size_t i = 0; i < f->manifest_count && !f->no_manifests; i++)
        if (strstr(buf_text(&f->manifests[i]), bundle) != NULL) {
            edit_line(f, FAKE_MANIFEST, i + 1, false, buf_slice(&f->manifests[i]), out);
            return ERRC_OK;
        }
    return ERRC_NOT_FOUND;
}

/* What a ledger holds from a byte on. */
static enum errc read_from(const struct fake_world *f,
                           void (*read)(const struct fake_world *f, struct buf *out), uint64_t from,
                           struct buf *out)
{
    struct buf whole CLEANUP(buf_done);
    buf_init(&whole, 1u << 24);
    read(f, &whole);
    buf_add_slice(out, slice_from(buf_slice(&whole), (size_t)from));
    return ERRC_OK;
}

static enum errc read_evidence(void *context, enum world_evidence kind, const char *name,
                               uint64_t from, struct buf *out, struct errc_why *why)
{
    struct fake_world *f = context;
    (void)why;
    f->reads_at_end += f->stopped && kind == WORLD_AUDIT && from == 0;
    if (kind == WORLD_AUDIT && !f->no_audit)
        return read_from(f, read_audit, from, out);
    if (kind == WORLD_JOURNAL && !f->no_journal)
        return read_from(f, read_journal, from, out);
    if (kind == WORLD_MANIFEST)
        return read_manifest(f, name, out);
    if (kind == WORLD_ASKED) {
        if (strncmp(name, "00000000-", 9) == 0)
            format_asked(name, out);
        return out->len > 0 ? ERRC_OK : ERRC_NOT_FOUND;
    }
    if (kind == WORLD_LOG && strcmp(name, "api") == 0) {
        edit_line(f, FAKE_API_LOG, 1, false, buf_slice(&f->log), out);
        return ERRC_OK;
    }
    if (kind == WORLD_METRICS) {
        buf_add_text(out, "# TYPE signing_total counter\nsigning_total{mode=\"vault\"} 2\n"
                          "signing_total{mode=\"fallback\"} 1\nvault_up 1\n");
        return ERRC_OK;
    }
    if (kind == WORLD_STATE) {
        buf_addf(
            out,
            "{\"vault\":{\"sealed\":%s},\"listener\":{\"accepting\":%s},\"hold\":{\"held\":0}}",
            f->sealed ? "true" : "false", f->refusing ? "false" : "true");
        return ERRC_OK;
    }
    return ERRC_NOT_FOUND;
}

static const struct scenario_pair *environment(void *context, const char *name, size_t *count)
{
    static struct scenario_pair pair = {.name = "ALLOW_FALLBACK_SIGNING"};
    const struct fake_world *f = context;
    (void)name;
    pair.value = f->fallback_on ? "true" : "false";
    *count = 1;
    return &pair;
}

static size_t keys(void *context, const struct world_key **out)
{
    struct fake_world *f = context;
    *out = f->keys;
    return 3;
}

static size_t growth(void *context, const struct world_growth **out)
{
    struct fake_world *f = context;
    *out = f->growth;
    return f->growth_count;
}

static size_t canaries(void *context, const struct world_canary **out)
{
    struct fake_world *f = context;
    *out = &f->canary;
    return 1;
}

static void stop(void *context)
{
    struct fake_world *f = context;
    CHECK(!f->stopped);
    f->stopped = true;
}

struct world fake_world_port(struct fake_world *f)
{
    return (struct world){.context = f,
                          .now = now,
                          .interrupted = interrupted,
                          .start = start,
                          .act = act,
                          .wait_change = wait_change,
                          .read = read_evidence,
                          .environment = environment,
                          .growth = growth,
                          .keys = keys,
                          .canaries = canaries,
                          .stop = stop};
}
