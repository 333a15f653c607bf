/* sys_genroot: sys/generate-root: a root token for whoever has enough shares (vault-api.md 2.15);
 * sys/decode-token, which undoes its disguise. */
#include <string.h>

#include "base/limits.h"
#include "base/text/base64.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/rekey/sys_share.h"
#include "fakevault/core/sys/sys_body.h"
#include "fakevault/core/sys/sys_seal.h"
#include "fakevault/core/token/token_id.h"
#include "fakevault/core/token/token_store.h"

/* These requests go through the audit log as others do, so their body is read before anything is
 * looked at, and a sealed vault refuses them all. */
static bool is_open(struct vault_job *job)
{
    if (job->operation == ROUTE_UPDATE && !sys_seal_body_is_sound(job))
        return false;
    if (state_sealed(job->vault))
        call_fail(job, 503, CALL_SEALED);
    return !call_answered(job);
}

struct status {
    const char *nonce;
    bool started, complete;
    unsigned progress, required, otp_length;
    struct slice token, otp;
};

static void answer(struct vault_job *job, const struct status *s)
{
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "nonce", s->nonce);
    jsonwrite_bool(w, "started", s->started);
    jsonwrite_int(w, "progress", s->progress);
    jsonwrite_int(w, "required", s->required);
    jsonwrite_bool(w, "complete", s->complete);
    jsonwrite_slice(w, "encoded_token", s->token);
    jsonwrite_slice(w, "encoded_root_token", s->token);
    jsonwrite_string(w, "pgp_fingerprint", "");
    jsonwrite_slice(w, "otp", s->otp);
    jsonwrite_int(w, "otp_length", s->otp_length);
    call_answer(job, CALL_BARE);
}

/* The OTP is told once, when it was made here. */
static void answer_attempt(struct vault_job *job, struct slice otp)
{
    const struct vault *v = job->vault;
    answer(job, &(struct status){.nonce = v->genroot.nonce,
                                 .started = genroot_started(&v->genroot),
                                 .progress = v->genroot.given.count,
                                 .required = v->seal.threshold,
                                 .otp_length = GENROOT_OTP_BYTES,
                                 .otp = otp});
}

static void attempt_read(struct vault_job *job)
{
    if (is_open(job))
        answer_attempt(job, (struct slice){0});
}

static void attempt_cancel(struct vault_job *job)
{
    if (!is_open(job))
        return;
    genroot_reset(&job->vault->genroot);
    call_empty(job);
}

static const struct sys_body_field start_fields[] = {{"otp", SYS_BODY_STRING},
                                                     {"pgp_key", SYS_BODY_STRING}};

static void start_prepare(struct vault_job *job)
{
    bool bodiless = slice_trim(job->request.body).len == 0;
    if (is_open(job) && !bodiless)
        sys_body_read(job, "GenerateRootInitRequest", start_fields, 2);
}

/* As long as a token, of letters and digits. */
static enum errc draw_otp(struct vault *v, struct secret *out)
{
    char text[2 * TOKEN_ID_RANDOM_BYTES];
    TRY(secret_new(v->ports.arena, GENROOT_OTP_BYTES, out));
    token_id_random(&v->ports.entropy, text);
    memcpy(out->ptr, text, TOKEN_ID_RANDOM_BYTES - 1);
    token_id_random(&v->ports.entropy, text);
    memcpy(out->ptr + TOKEN_ID_RANDOM_BYTES - 1, text,
           GENROOT_OTP_BYTES - (TOKEN_ID_RANDOM_BYTES - 1));
    secret_wipe(text, sizeof text);
    return ERRC_OK;
}

static bool start_is_sound(struct vault_job *job)
{
    struct slice otp = sys_body_text(job, "otp");
    if (otp.len > 0 && otp.len != GENROOT_OTP_BYTES)
        call_fail(job, 400, "OTP string is wrong length");
    else if (otp.len == 0 && sys_body_text(job, "pgp_key").len > 0)
        sys_share_refuse_pgp(job, sys_body_get(job, "pgp_key"), 400, "error parsing PGP key: ");
    else if (genroot_started(&job->vault->genroot))
        call_fail(job, 400, "root generation already in progress");
    return !call_answered(job);
}

static void start_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct slice otp = sys_body_text(job, "otp");
    if (!is_open(job) || !start_is_sound(job))
        return;
    enum errc code = otp.len > 0 ? secret_copy(v->ports.arena, otp, &v->genroot.otp)
                                 : draw_otp(v, &v->genroot.otp);
    if (code != ERRC_OK) {
        job->no_memory = true;
        return;
    }
    entropy_uuid(&v->ports.entropy, v->genroot.nonce);
    answer_attempt(job, otp.len > 0 ? (struct slice){0} : secret_slice(&v->genroot.otp));
}

/* --- update ----------------------------------------------------------------------------------- */

static const struct sys_body_field update_fields[] = {{"Nonce", SYS_BODY_STRING},
                                                      {"Key", SYS_BODY_STRING}};

static void update_prepare(struct vault_job *job)
{
    if (is_open(job))
        sys_body_read(job, "GenerateRootUpdateRequest", update_fields, 2);
}

static bool take_share(struct vault_job *job)
{
    struct genroot *g = &job->vault->genroot;
    struct errc_why why = {{0}};
    struct secret share CLEANUP(secret_done) = {0};
    if (!sys_share_read(job, "", &share))
        return false;
    if (seal_check_share(secret_slice(&share), &why) != ERRC_OK)
        call_fail(job, 400, "invalid key: %s", why.text);
    else if (!genroot_started(g))
        call_fail(job, 400, "no root generation in progress");
    else if (!slice_equal_text(sys_body_text(job, "Nonce"), g->nonce))
        call_fail(job, 400,
                  "incorrect nonce supplied; nonce for this root generation operation is \"%s\"",
                  g->nonce);
    else if (quorum_has(&g->given, secret_slice(&share)))
        call_fail(job, 400, "given key has already been provided during this generation operation");
    else if (quorum_give(&g->given, job->vault->ports.arena, secret_slice(&share)) != ERRC_OK)
        job->no_memory = true;
    return !call_answered(job) && !job->no_memory;
}

/* Asks whether the shares make the unseal key; they are forgotten in any case. */
static bool shares_are_right(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    struct secret key CLEANUP(secret_done) = {0};
    enum errc code = quorum_join(&v->genroot.given, v->seal.threshold, v->ports.arena, &key, &why);
    quorum_reset(&v->genroot.given);
    if (code == ERRC_SCHEMA) {
        call_fail(job, 400, "failed to compute root key: %s", why.text);
        return false;
    }
    if (code == ERRC_OK)
        code = barrier_verify(&v->barrier, secret_slice(&key), &why);
    if (code == ERRC_SCHEMA || code == ERRC_CRYPTO)
        call_fail(
            job, 400, "root generation aborted: unable to authenticate: %s%s",
            code == ERRC_CRYPTO ? "unable to retrieve stored keys: " : "invalid key: ", why.text);
    else if (code != ERRC_OK)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

/* Appends base64 without padding of a token XORed with the OTP. */
static void disguise(const char *id, struct slice otp, struct buf *out)
{
    char bytes[GENROOT_OTP_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(id[i] ^ otp.ptr[i]);
    base64_format(slice_bytes(bytes, sizeof bytes), BASE64_STANDARD, out);
    while (out->len > 0 && out->ptr[out->len - 1] == '=')
        out->ptr[--out->len] = '\0';
    secret_wipe(bytes, sizeof bytes);
}

static void make_token(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    struct token root = token_root(job->now.wall_ns);
    char id[TOKEN_ID_BYTES], text[2 * GENROOT_OTP_BYTES];
    struct buf told = {.ptr = text, .cap = sizeof text, .max = sizeof text - 1};
    token_id_root(&v->ports.entropy, id);
    enum errc code = token_store_create(&v->tokens, &v->barrier, &root, slice_of(id), NULL, &why);
    if (code == ERRC_OK) {
        disguise(id, secret_slice(&v->genroot.otp), &told);
        answer(job, &(struct status){.nonce = v->genroot.nonce,
                                     .started = true,
                                     .complete = true,
                                     .progress = v->seal.threshold,
                                     .required = v->seal.threshold,
                                     .token = buf_slice(&told)});
        genroot_reset(&v->genroot);
    } else {
        call_trouble(job, code, &why);
    }
    secret_wipe(id, sizeof id);
}

static void update_finish(struct vault_job *job)
{
    const struct vault *v = job->vault;
    if (!is_open(job) || !take_share(job))
        return;
    if (v->genroot.given.count >= v->seal.threshold) {
        if (shares_are_right(job))
            make_token(job);
        return;
    }
    answer(job, &(struct status){.nonce = v->genroot.nonce,
                                 .started = true,
                                 .progress = v->genroot.given.count,
                                 .required = v->seal.threshold});
}

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "sys/generate-root/attempt", .operation = ROUTE_READ, .finish = attempt_read},
    {.pattern = "sys/generate-root/attempt", .operation = ROUTE_UPDATE,
     .prepare = start_prepare, .finish = start_finish},
    {.pattern = "sys/generate-root/attempt", .operation = ROUTE_DELETE, .finish = attempt_cancel},
    {.pattern = "sys/generate-root/update", .operation = ROUTE_READ,
     .prepare = update_prepare, .finish = update_finish},
    {.pattern = "sys/generate-root/update", .operation = ROUTE_UPDATE,
     .prepare = update_prepare, .finish = update_finish},
    {.pattern = "sys/generate-root/update", .operation = ROUTE_DELETE,
     .prepare = update_prepare, .finish = update_finish},
};
/* clang-format on */

const struct route_table sys_genroot_table = ROUTE_TABLE(rows);

/* --- decode-token ----------------------------------------------------------------------------- */

static const struct field_spec decode_fields[] = {
    {.name = "encoded_token", .type = FIELD_STRING},
    {.name = "otp", .type = FIELD_STRING},
    {0},
};

/* Vault reads padded base64 when there is no OTP, and has other words for it then. */
static bool decode(struct vault_job *job, struct slice text, bool padded, struct buf *out)
{
    static const char padding[] = "===";
    size_t bad = 0;
    struct buf whole CLEANUP(buf_done);
    buf_init(&whole, LIMIT_REQUEST_BODY_BYTES);
    buf_add_slice(&whole, text);
    buf_add(&whole, padding, padded ? 0 : (4 - text.len % 4) % 4);
    job->no_memory = job->no_memory || whole.failed;
    if (base64_parse(buf_slice(&whole), BASE64_STANDARD, out, &bad) == ERRC_OK)
        return !job->no_memory;
    call_fail(job, 500, "%s: illegal base64 data at input byte %zu",
              padded ? "error xoring token: error decoding first base64 value"
                     : "error decoding base64'd token",
              bad);
    return false;
}

static void decode_finish(struct vault_job *job)
{
    struct slice otp = field_text(&job->fields, "otp");
    struct buf bytes CLEANUP(buf_done), token CLEANUP(buf_done);
    buf_init(&bytes, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&token, LIMIT_REQUEST_BODY_BYTES);
    if (!decode(job, field_text(&job->fields, "encoded_token"), otp.len == 0, &bytes))
        return;
    if (otp.len == 0) {
        call_fail(job, 500, "error xoring token: decoded %s base64 value is nil or empty",
                  bytes.len == 0 ? "first" : "second");
        return;
    }
    if (otp.len != bytes.len) {
        call_fail(job, 500,
                  "error xoring token: length of byte slices is not equivalent: %zu != %zu",
                  bytes.len, otp.len);
        return;
    }
    for (size_t i = 0; i < otp.len; i++)
        bytes.ptr[i] = (char)(bytes.ptr[i] ^ otp.ptr[i]);
    gojson_valid_utf8(buf_slice(&bytes), &token);
    job->no_memory = job->no_memory || token.failed;
    jsonwrite_slice(call_data(job), "token", buf_slice(&token));
    call_answer(job, CALL_DATA);
}

static const struct route_endpoint decode_rows[] = {
    {.pattern = "decode-token",
     .operation = ROUTE_UPDATE,
     .public = true,
     .fields = decode_fields,
     .finish = decode_finish},
    {.pattern = "generate-root", .operation = ROUTE_OTHER}, /* is there, and does nothing */
};

const struct route_table sys_genroot_decode_table = ROUTE_TABLE(decode_rows);
