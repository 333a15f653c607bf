#include <string.h>

#include "base/text/base64.h"
#include "base/text/hex.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/sys_body.h"
#include "fakevault/core/sys/sys_seal.h"

#define REPLY_BYTES (64u << 10) /* more than 255 shares take, hex and base64 */

static const struct sys_body_field init_fields[] = {
    {"secret_shares", SYS_BODY_INT},         {"secret_threshold", SYS_BODY_INT},
    {"pgp_keys", SYS_BODY_STRINGS},          {"recovery_shares", SYS_BODY_INT},
    {"recovery_threshold", SYS_BODY_INT},    {"recovery_pgp_keys", SYS_BODY_STRINGS},
    {"root_token_pgp_key", SYS_BODY_STRING},
};

void sys_init_read(struct vault_job *job)
{
    struct jsonwrite *w = call_data(job);
    jsonwrite_bool(w, "initialized", seal_initialized(&job->vault->seal));
    call_answer(job, CALL_BARE);
}

/* Parameters of auto-unseal, which a Shamir seal refuses by name. */
static void check_recovery(struct vault_job *job)
{
    bool shares = sys_body_int(job, "recovery_shares") != 0;
    bool threshold = sys_body_int(job, "recovery_threshold") != 0;
    bool keys = json_array_size(sys_body_get(job, "recovery_pgp_keys")) > 0;
    if (!shares && !threshold && !keys)
        return;
    call_fail(job, 400, "parameters %s%s%s%s%s not applicable to seal type shamir",
              shares ? "recovery_shares" : "", shares && threshold ? "," : "",
              threshold ? "recovery_threshold" : "", (shares || threshold) && keys ? "," : "",
              keys ? "recovery_pgp_keys" : "");
}

static void check_pgp(struct vault_job *job)
{
    size_t keys = json_array_size(sys_body_get(job, "pgp_keys"));
    if (keys > 0 && (json_int_t)keys != sys_body_int(job, "secret_shares"))
        call_fail(job, 400, "incorrect number of PGP keys");
    else if (keys > 0 || sys_body_text(job, "root_token_pgp_key").len > 0)
        call_fail(job, 400, "encrypting with PGP keys is not offered by this server");
}

void sys_init_prepare(struct vault_job *job)
{
    struct errc_why why = {{0}};
    sys_body_read(job, "InitRequest", init_fields, sizeof init_fields / sizeof init_fields[0]);
    if (!call_answered(job))
        check_recovery(job);
    if (!call_answered(job))
        check_pgp(job);
    if (call_answered(job))
        return;
    if (seal_check(sys_body_int(job, "secret_shares"), sys_body_int(job, "secret_threshold"),
                   &why) != ERRC_OK)
        call_fail(job, 400, "%s", why.text);
}

static void write_shares(struct vault_job *job, const uint8_t *bytes, unsigned shares,
                         const char *root_token)
{
    size_t size = seal_share_bytes(shares);
    char text[2 * (SEAL_SHARE_BYTES_MAX + 1)];
    struct buf line = {.ptr = text, .cap = sizeof text, .max = sizeof text - 1};
    struct jsonwrite *w = call_data(job);
    (void)buf_reserve(&job->data_out, REPLY_BYTES);
    jsonwrite_array(w, "keys");
    for (unsigned i = 0; i < shares; i++, buf_reset(&line)) {
        hex_format(slice_bytes(bytes + i * size, size), &line);
        jsonwrite_slice(w, NULL, buf_slice(&line));
    }
    jsonwrite_end(w);
    jsonwrite_array(w, "keys_base64");
    for (unsigned i = 0; i < shares; i++, buf_reset(&line)) {
        base64_format(slice_bytes(bytes + i * size, size), BASE64_STANDARD, &line);
        jsonwrite_slice(w, NULL, buf_slice(&line));
    }
    jsonwrite_end(w);
    jsonwrite_string(w, "root_token", root_token);
    secret_wipe(text, sizeof text);
    call_answer(job, CALL_BARE);
}

static void initialize(struct vault_job *job, const struct secret *key, const struct secret *pieces)
{
    struct vault *v = job->vault;
    unsigned shares = (unsigned)sys_body_int(job, "secret_shares");
    unsigned threshold = (unsigned)sys_body_int(job, "secret_threshold");
    struct errc_why why = {{0}};
    char id[TOKEN_ID_BYTES];
    struct token root = token_root(job->now.wall_ns);
    v->ports.entropy.fill(v->ports.entropy.context, key->ptr, key->len);
    token_id_root(&v->ports.entropy, id);
    seal_split(secret_slice(key), shares, threshold, &v->ports.entropy, pieces->ptr);
    enum errc code = state_create(v, secret_slice(key), shares, threshold, &root, slice_of(id),
                                  NULL, job->now, &why);
    if (code == ERRC_OK)
        write_shares(job, pieces->ptr, shares, id);
    else
        call_trouble(job, code, &why);
    secret_wipe(id, sizeof id);
}

void sys_init_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    if (seal_initialized(&v->seal)) {
        call_fail(job, 400, "Vault is already initialized");
        return;
    }
    unsigned shares = (unsigned)sys_body_int(job, "secret_shares");
    struct secret key CLEANUP(secret_done) = {0}, pieces CLEANUP(secret_done) = {0};
    if (secret_new(v->ports.arena, BARRIER_KEY_BYTES, &key) != ERRC_OK ||
        secret_new(v->ports.arena, shares * seal_share_bytes(shares), &pieces) != ERRC_OK)
        job->no_memory = true;
    else
        initialize(job, &key, &pieces);
}
