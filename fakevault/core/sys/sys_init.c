#include <string.h>

#include "base/count.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/rekey/sys_share.h"
#include "fakevault/core/sys/sys_body.h"
#include "fakevault/core/sys/sys_seal.h"

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
    const json_t *keys = sys_body_get(job, "pgp_keys");
    if (json_array_size(keys) > 0)
        sys_share_refuse_pgp(job, json_array_get(keys, 0), 400, "invalid seal configuration: ");
    else if (sys_body_text(job, "root_token_pgp_key").len > 0)
        sys_share_refuse_pgp(job, sys_body_get(job, "root_token_pgp_key"), 400, "");
}

void sys_init_prepare(struct vault_job *job)
{
    struct errc_why why = {{0}};
    sys_body_read(job, "InitRequest", init_fields, COUNT(init_fields));
    if (!call_answered(job))
        check_recovery(job);
    size_t pgp_keys = json_array_size(sys_body_get(job, "pgp_keys"));
    if (!call_answered(job) && pgp_keys > 0 &&
        (int64_t)pgp_keys != sys_body_int(job, "secret_shares"))
        call_fail(job, 400, "incorrect number of PGP keys");
    if (call_answered(job))
        return;
    if (seal_check(sys_body_int(job, "secret_shares"), sys_body_int(job, "secret_threshold"),
                   &why) != ERRC_OK)
        call_fail(job, 400, "invalid seal configuration: %s", why.text);
    else
        check_pgp(job);
}

static void initialize(struct vault_job *job, const struct secret *key, const struct secret *pieces)
{
    struct vault *v = job->vault;
    unsigned shares = (unsigned)sys_body_int(job, "secret_shares");
    unsigned threshold = (unsigned)sys_body_int(job, "secret_threshold");
    struct errc_why why = {{0}};
    char id[TOKEN_ID_BYTES];
    struct token root = token_root(job->now.wall_ns);
    token_id_root(&v->ports.entropy, id);
    enum errc code = state_create(v, secret_slice(key), shares, threshold, &root, slice_of(id),
                                  NULL, job->now, &why);
    if (code == ERRC_OK) {
        struct jsonwrite *w = call_data(job);
        sys_share_write(job, w, pieces->ptr, shares);
        jsonwrite_string(w, "root_token", id);
        call_answer(job, CALL_BARE);
    } else {
        call_trouble(job, code, &why);
    }
    secret_wipe(id, sizeof id);
}

void sys_init_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    if (seal_initialized(&v->seal)) {
        call_fail(job, 400, "Vault is already initialized");
        return;
    }
    struct secret key CLEANUP(secret_done) = {0}, pieces CLEANUP(secret_done) = {0};
    if (sys_share_draw(v, (unsigned)sys_body_int(job, "secret_shares"),
                       (unsigned)sys_body_int(job, "secret_threshold"), &key, &pieces) != ERRC_OK)
        job->no_memory = true;
    else
        initialize(job, &key, &pieces);
}
