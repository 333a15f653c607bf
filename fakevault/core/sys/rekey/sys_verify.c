#include "fakevault/core/state.h"
#include "fakevault/core/sys/rekey/sys_rekey.h"
#include "fakevault/core/sys/sys_body.h"

void sys_verify_read(struct vault_job *job)
{
    const struct rekey *r = &job->vault->rekey;
    if (!sys_rekey_is_open(job))
        return;
    if (!r->started) {
        call_fail(job, 400, "no rekey configuration found");
        return;
    }
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "nonce", r->verify_nonce);
    jsonwrite_bool(w, "started", rekey_waits(r));
    jsonwrite_int(w, "t", r->threshold);
    jsonwrite_int(w, "n", r->shares);
    jsonwrite_int(w, "progress", r->verified.count);
    call_answer(job, CALL_BARE);
}

/* Begins a verification anew. */
static void restart(struct vault *v)
{
    quorum_reset(&v->rekey.verified);
    entropy_uuid(&v->ports.entropy, v->rekey.verify_nonce);
}

void sys_verify_restart(struct vault_job *job)
{
    if (!sys_rekey_is_open(job))
        return;
    if (job->vault->rekey.started)
        restart(job->vault);
    sys_verify_read(job);
}

static const struct sys_body_field fields[] = {{"nonce", SYS_BODY_STRING},
                                               {"key", SYS_BODY_STRING}};

void sys_verify_prepare(struct vault_job *job)
{
    if (sys_rekey_is_open(job))
        sys_body_read(job, "RekeyVerificationUpdateRequest", fields, 2);
}

static bool take_share(struct vault_job *job)
{
    struct rekey *r = &job->vault->rekey;
    struct secret share CLEANUP(secret_done) = {0};
    if (!sys_rekey_share(job, &share))
        return false;
    if (!r->started)
        call_fail(job, 400, "no rekey in progress");
    else if (!rekey_waits(r))
        call_fail(job, 400, "no rekey verification in progress");
    else if (!slice_equal_text(sys_body_text(job, "nonce"), r->verify_nonce))
        call_fail(job, 400, "incorrect nonce supplied; nonce for this verify operation is \"%s\"",
                  r->verify_nonce);
    else if (quorum_has(&r->verified, secret_slice(&share)))
        call_fail(job, 400, "given key has already been provided during this verify operation");
    else if (quorum_give(&r->verified, job->vault->ports.arena, secret_slice(&share)) != ERRC_OK)
        job->no_memory = true;
    return !call_answered(job) && !job->no_memory;
}

/* True when the shares make the key that waits. */
static bool shares_are_right(struct vault_job *job)
{
    const struct rekey *r = &job->vault->rekey;
    struct errc_why why = {{0}};
    struct secret key CLEANUP(secret_done) = {0};
    enum errc code = quorum_join(&r->verified, r->threshold, job->vault->ports.arena, &key, &why);
    if (code == ERRC_NOMEM)
        job->no_memory = true;
    else if (code != ERRC_OK)
        call_fail(job, 500, "failed to compute key for verification: %s", why.text);
    else if (!secret_equal(secret_slice(&key), secret_slice(&r->key)))
        call_fail(job, 400, "rekey verification failed; incorrect key shares supplied");
    return !call_answered(job) && !job->no_memory;
}

void sys_verify_update(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct rekey *r = &v->rekey;
    if (!sys_rekey_is_open(job) || !take_share(job))
        return;
    if (r->verified.count < r->threshold) {
        sys_verify_read(job);
        return;
    }
    if (!shares_are_right(job) ||
        !sys_rekey_store(job, "failed to perform rekey", secret_slice(&r->key))) {
        restart(v);
        return;
    }
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "nonce", r->verify_nonce);
    jsonwrite_bool(w, "complete", true);
    call_answer(job, CALL_BARE);
    rekey_reset(r);
}
