#include "fakevault/core/sys/rekey/sys_rekey.h"

#include <string.h>

#include "base/count.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/rekey/sys_share.h"
#include "fakevault/core/sys/sys_body.h"

bool sys_rekey_is_open(struct vault_job *job)
{
    if (state_sealed(job->vault))
        call_fail(job, 503, "node is not active");
    return !call_answered(job);
}

static void status_read(struct vault_job *job)
{
    const struct vault *v = job->vault;
    const struct rekey *r = &v->rekey;
    if (!sys_rekey_is_open(job))
        return;
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "nonce", r->nonce);
    jsonwrite_bool(w, "started", r->started);
    jsonwrite_int(w, "t", r->threshold);
    jsonwrite_int(w, "n", r->shares);
    jsonwrite_int(w, "progress", r->given.count);
    jsonwrite_int(w, "required", v->seal.threshold);
    jsonwrite_null(w, "pgp_fingerprints");
    jsonwrite_bool(w, "backup", false);
    jsonwrite_bool(w, "verification_required", r->verify);
    if (r->verify_nonce[0] != '\0')
        jsonwrite_string(w, "verification_nonce", r->verify_nonce);
    call_answer(job, CALL_BARE);
}

/* --- init ------------------------------------------------------------------------------------- */

static const struct sys_body_field start_fields[] = {
    {"secret_shares", SYS_BODY_INT}, {"secret_threshold", SYS_BODY_INT},
    {"stored_shares", SYS_BODY_INT}, {"pgp_keys", SYS_BODY_STRINGS},
    {"backup", SYS_BODY_BOOL},       {"require_verification", SYS_BODY_BOOL},
};

static void start_prepare(struct vault_job *job)
{
    if (sys_rekey_is_open(job))
        sys_body_read(job, "RekeyRequest", start_fields, COUNT(start_fields));
}

static bool start_is_sound(struct vault_job *job)
{
    int64_t shares = sys_body_int(job, "secret_shares");
    int64_t threshold = sys_body_int(job, "secret_threshold");
    const json_t *keys = sys_body_get(job, "pgp_keys");
    struct errc_why why = {{0}};
    if (sys_body_flag(job, "backup") && json_array_size(keys) == 0)
        call_fail(job, 400,
                  "cannot request a backup of the new keys without providing PGP keys for "
                  "encryption");
    else if (json_array_size(keys) > 0 && (json_int_t)json_array_size(keys) != shares)
        call_fail(job, 400, "incorrect number of PGP keys for rekey");
    else if (threshold > shares)
        call_fail(job, 400, "provided threshold greater than the total shares");
    else if (seal_check(shares, threshold, &why) != ERRC_OK)
        call_fail(job, 500, "invalid rekey seal configuration: %s", why.text);
    else if (json_array_size(keys) > 0)
        sys_share_refuse_pgp(job, json_array_get(keys, 0), 500,
                             "invalid rekey seal configuration: ");
    return !call_answered(job);
}

static void start_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct rekey *r = &v->rekey;
    if (!sys_rekey_is_open(job) || !start_is_sound(job))
        return;
    if (r->started) {
        call_fail(job, 400, "rekey already in progress");
        return;
    }
    r->started = true;
    r->shares = (unsigned)sys_body_int(job, "secret_shares");
    r->threshold = (unsigned)sys_body_int(job, "secret_threshold");
    r->verify = sys_body_flag(job, "require_verification");
    entropy_uuid(&v->ports.entropy, r->nonce);
    status_read(job);
}

static void cancel_finish(struct vault_job *job)
{
    if (!sys_rekey_is_open(job))
        return;
    rekey_reset(&job->vault->rekey);
    call_empty(job);
}

/* --- update ----------------------------------------------------------------------------------- */

static const struct sys_body_field update_fields[] = {{"Nonce", SYS_BODY_STRING},
                                                      {"Key", SYS_BODY_STRING}};

static void update_prepare(struct vault_job *job)
{
    if (sys_rekey_is_open(job))
        sys_body_read(job, "RekeyUpdateRequest", update_fields, 2);
}

bool sys_rekey_share(struct vault_job *job, struct secret *out)
{
    struct errc_why why = {{0}};
    if (!sys_share_read(job, "", out))
        return false;
    if (seal_check_share(secret_slice(out), &why) != ERRC_OK)
        call_fail(job, 400, "%s", why.text);
    return !call_answered(job);
}

/* Takes one share of the present key; answers when it cannot be one. */
static bool take_share(struct vault_job *job)
{
    struct rekey *r = &job->vault->rekey;
    struct secret share CLEANUP(secret_done) = {0};
    if (!sys_rekey_share(job, &share))
        return false;
    if (!r->started)
        call_fail(job, 400, "no barrier rekey in progress");
    else if (rekey_waits(r))
        call_fail(job, 400,
                  "rekey operation already finished; verification must be performed; nonce for the "
                  "verification operation is \"%s\"",
                  r->verify_nonce);
    else if (!slice_equal_text(sys_body_text(job, "Nonce"), r->nonce))
        call_fail(job, 400, "incorrect nonce supplied; nonce for this rekey operation is \"%s\"",
                  r->nonce);
    else if (quorum_has(&r->given, secret_slice(&share)))
        call_fail(job, 400, "given key has already been provided during this generation operation");
    else if (quorum_give(&r->given, job->vault->ports.arena, secret_slice(&share)) != ERRC_OK)
        job->no_memory = true;
    return !call_answered(job) && !job->no_memory;
}

/* Asks whether the shares make the present key; they are forgotten in any case. */
static bool shares_are_right(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    struct secret key CLEANUP(secret_done) = {0};
    enum errc code = quorum_join(&v->rekey.given, v->seal.threshold, v->ports.arena, &key, &why);
    quorum_reset(&v->rekey.given);
    if (code == ERRC_SCHEMA)
        call_fail(job, 500, "failed to compute root key: %s", why.text);
    else if (code == ERRC_OK)
        code = barrier_verify(&v->barrier, secret_slice(&key), &why);
    if (call_answered(job) || code == ERRC_OK)
        return code == ERRC_OK;
    if (code == ERRC_SCHEMA)
        call_fail(job, 500, "%s", why.text);
    else if (code == ERRC_CRYPTO)
        call_fail(job, 500, "failed to read root key: %s", why.text);
    else
        call_trouble(job, code, &why);
    return false;
}

bool sys_rekey_store(struct vault_job *job, const char *trouble, struct slice key)
{
    struct vault *v = job->vault;
    struct errc_why why = {{0}};
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    seal_batch(v->rekey.shares, v->rekey.threshold, &batch);
    enum errc code = barrier_rekey(&v->barrier, key, &batch, &why);
    if (code == ERRC_OK)
        seal_adopt(&v->seal, v->rekey.shares, v->rekey.threshold);
    else if (code == ERRC_NOMEM)
        job->no_memory = true;
    else
        call_fail(job, 500, "%s: %s", trouble, why.text);
    return code == ERRC_OK;
}

static void answer_shares(struct vault_job *job, const struct secret *pieces)
{
    const struct rekey *r = &job->vault->rekey;
    struct jsonwrite *w = call_data(job);
    jsonwrite_slice(w, "nonce", sys_body_text(job, "Nonce"));
    jsonwrite_bool(w, "complete", true);
    sys_share_write(job, w, pieces->ptr, r->shares);
    jsonwrite_null(w, "pgp_fingerprints");
    jsonwrite_bool(w, "backup", false);
    jsonwrite_bool(w, "verification_required", r->verify);
    if (r->verify)
        jsonwrite_string(w, "verification_nonce", r->verify_nonce);
    call_answer(job, CALL_BARE);
}

static void complete(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct rekey *r = &v->rekey;
    struct secret key CLEANUP(secret_done) = {0}, pieces CLEANUP(secret_done) = {0};
    if (sys_share_draw(v, r->shares, r->threshold, &key, &pieces) != ERRC_OK) {
        job->no_memory = true;
        return;
    }
    if (r->verify)
        entropy_uuid(&v->ports.entropy, r->verify_nonce);
    else if (!sys_rekey_store(job, "failed to perform barrier rekey", secret_slice(&key)))
        return;
    answer_shares(job, &pieces);
    if (r->verify) {
        r->key = key; /* moved */
        key = (struct secret){0};
    } else {
        rekey_reset(r);
    }
}

static void update_finish(struct vault_job *job)
{
    const struct vault *v = job->vault;
    if (!sys_rekey_is_open(job) || !take_share(job))
        return;
    if (v->rekey.given.count < v->seal.threshold)
        status_read(job);
    else if (shares_are_right(job))
        complete(job);
}

/* --- the keys of an auto-unseal, which there is not ----------------------------------------- */

static void recovery_finish(struct vault_job *job)
{
    if (sys_rekey_is_open(job))
        call_fail(job, 400, "recovery rekeying not supported");
}

static void recovery_update(struct vault_job *job)
{
    struct secret share CLEANUP(secret_done) = {0};
    if (sys_rekey_is_open(job) && sys_rekey_share(job, &share))
        call_fail(job, 500, "failed to fetch existing recovery config: recovery not supported");
}

#define ANY_METHOD(path, first, last)                                                              \
    {.pattern = path, .operation = ROUTE_READ, .prepare = first, .finish = last},                  \
        {.pattern = path, .operation = ROUTE_LIST, .prepare = first, .finish = last},              \
        {.pattern = path, .operation = ROUTE_UPDATE, .prepare = first, .finish = last},            \
        {.pattern = path, .operation = ROUTE_DELETE, .prepare = first, .finish = last},            \
    {                                                                                              \
        .pattern = path, .operation = ROUTE_PATCH, .prepare = first, .finish = last                \
    }

static const struct route_endpoint rows[] = {
    {.pattern = "sys/rekey/init", .operation = ROUTE_READ, .finish = status_read},
    {.pattern = "sys/rekey/init",
     .operation = ROUTE_UPDATE,
     .prepare = start_prepare,
     .finish = start_finish},
    {.pattern = "sys/rekey/init", .operation = ROUTE_DELETE, .finish = cancel_finish},
    ANY_METHOD("sys/rekey/update", update_prepare, update_finish),
    {.pattern = "sys/rekey/verify", .operation = ROUTE_READ, .finish = sys_verify_read},
    {.pattern = "sys/rekey/verify",
     .operation = ROUTE_UPDATE,
     .prepare = sys_verify_prepare,
     .finish = sys_verify_update},
    {.pattern = "sys/rekey/verify", .operation = ROUTE_DELETE, .finish = sys_verify_restart},
    ANY_METHOD("sys/rekey-recovery-key/init", NULL, recovery_finish),
    ANY_METHOD("sys/rekey-recovery-key/update", update_prepare, recovery_update),
    ANY_METHOD("sys/rekey-recovery-key/verify", NULL, recovery_finish),
};

const struct route_table sys_rekey_table = ROUTE_TABLE(rows);

/* --- behind the token: backups of keys, of which there are none without PGP ------------------- */

static void backup_read(struct vault_job *job)
{
    call_fail(job, 400, "no backed-up keys found");
}

static const struct route_endpoint backup_rows[] = {
    {.pattern = "rekey/backup", .operation = ROUTE_READ, .finish = backup_read},
    {.pattern = "rekey/backup", .operation = ROUTE_DELETE, .finish = call_empty},
    {.pattern = "rekey/recovery-key-backup", .operation = ROUTE_READ, .finish = backup_read},
    {.pattern = "rekey/recovery-key-backup", .operation = ROUTE_DELETE, .finish = call_empty},
};

const struct route_table sys_rekey_backup_table = ROUTE_TABLE(backup_rows);
