#include "fakevault/core/state.h"

#include <stdio.h>
#include <string.h>

#include "fakevault/core/kv/kv_upgrade.h"
#include "fakevault/core/store/pack.h"

#define CLUSTER_NAME "core/cluster"

bool state_sealed(const struct vault *v)
{
    return !barrier_is_open(&v->barrier);
}

void state_seal(struct vault *v)
{
    keyring_cache_done(&v->keyrings);
    v->rotate_after_ns = 0;
    token_table_done(&v->tokens);
    mount_table_done(&v->mounts);
    settings_done(&v->settings);
    json_decref(v->moves);
    v->moves = NULL;
    policy_store_done(&v->policies);
    audit_table_done(&v->audit);
    secret_wipe(v->cluster_name, sizeof v->cluster_name);
    secret_wipe(v->cluster_id, sizeof v->cluster_id);
    barrier_close(&v->barrier);
    seal_reset(&v->seal);
    rekey_reset(&v->rekey);
    genroot_reset(&v->genroot);
}

static void batch_cluster(struct vault *v, struct barrier_batch *batch)
{
    uint8_t id[4], bytes[128];
    char name[STATE_CLUSTER_NAME_BYTES], uuid[ENTROPY_UUID_BYTES];
    v->ports.entropy.fill(v->ports.entropy.context, id, sizeof id);
    entropy_uuid(&v->ports.entropy, uuid);
    (void)snprintf(name, sizeof name, "vault-cluster-%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
    struct pack p = pack_into(bytes, sizeof bytes);
    pack_text(&p, name);
    pack_text(&p, uuid);
    barrier_batch_put(&v->barrier, batch, CLUSTER_NAME, slice_bytes(bytes, p.len));
}

static enum errc load_cluster(struct vault *v, struct errc_why *why)
{
    struct secret record CLEANUP(secret_done) = {0};
    TRY(barrier_get(&v->barrier, CLUSTER_NAME, &record, why));
    struct unpack u = pack_read_from(secret_slice(&record));
    pack_read_text(&u, v->cluster_name, sizeof v->cluster_name);
    pack_read_text(&u, v->cluster_id, sizeof v->cluster_id);
    memcpy(v->cluster_seen, v->cluster_name, sizeof v->cluster_seen);
    if (!pack_read_complete(&u))
        return errc_fail(why, ERRC_SCHEMA, "the stored \"%s\" is damaged", CLUSTER_NAME);
    return ERRC_OK;
}

static enum errc fill_batch(struct vault *v, struct slice unseal_key, const struct token *root,
                            struct slice root_id, const struct mount *extra, struct instant now,
                            struct barrier_batch *batch, struct errc_why *why)
{
    struct token *token;
    TRY(barrier_create(&v->barrier, unseal_key, now.wall_ns, batch, why));
    TRY(mount_table_defaults(&v->mounts, &v->ports.entropy));
    if (extra != NULL)
        TRY(mount_table_add(&v->mounts, extra));
    batch_cluster(v, batch);
    mount_table_batch(&v->mounts, &v->barrier, batch);
    token_store_salt(&v->tokens, &v->barrier, batch);
    TRY(token_store_draw(&v->tokens, &v->barrier, root, root_id, batch, &token));
    token_release(token);
    return batch->status;
}

enum errc state_create(struct vault *v, struct slice unseal_key, unsigned shares,
                       unsigned threshold, const struct token *root, struct slice root_id,
                       const struct mount *extra, struct instant now, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    enum errc code = fill_batch(v, unseal_key, root, root_id, extra, now, &batch, why);
    seal_batch(shares, threshold, &batch);
    if (code == ERRC_OK)
        code = barrier_commit(&v->barrier, &batch, why);
    state_seal(v);
    if (code == ERRC_OK)
        seal_adopt(&v->seal, shares, threshold);
    else if (why != NULL && why->text[0] == '\0')
        (void)errc_fail(why, code, "cannot make the vault: %s", errc_text(code));
    return code;
}

/* A mount says that it has versions before its secrets are made into such. */
static enum errc finish_upgrades(struct vault *v, struct instant now, struct errc_why *why)
{
    for (size_t i = 0; i < v->mounts.count; i++) {
        const struct mount *m = &v->mounts.items[i];
        if (m->kv_version_2)
            TRY(kv_upgrade_mount(&v->barrier, m->uuid, now.wall_ns, why));
    }
    return ERRC_OK;
}

static enum errc load_all(struct vault *v, struct instant now, struct errc_why *why)
{
    TRY(load_cluster(v, why));
    TRY(mount_table_load(&v->mounts, &v->barrier, why));
    TRY(finish_upgrades(v, now, why));
    TRY(settings_load(&v->settings, &v->barrier, why));
    TRY(policy_store_load(&v->policies, &v->barrier, why));
    TRY(audit_table_load(&v->audit, &v->barrier, v->ports.audit, why));
    return token_store_load(&v->tokens, &v->barrier, why);
}

/* Combines what was given and opens the barrier with it. The sentences are Vault 1.14's. */
static enum errc open_with_shares(struct vault *v, struct instant now, struct errc_why *why)
{
    struct secret key CLEANUP(secret_done) = {0};
    struct errc_why inner = {{0}};
    enum errc code = seal_join(&v->seal, &key, &inner);
    if (code == ERRC_SCHEMA)
        return errc_fail(why, code, "invalid key: failed to compute combined key: %s", inner.text);
    if (code == ERRC_OK && barrier_check_key(secret_slice(&key), &inner) != ERRC_OK)
        return errc_fail(why, ERRC_SCHEMA, "invalid key: %s", inner.text);
    if (code == ERRC_OK)
        code = barrier_open(&v->barrier, secret_slice(&key), &inner);
    if (code == ERRC_CRYPTO)
        return errc_fail(why, code,
                         "unable to retrieve stored keys: invalid key: failed to decrypt keys from "
                         "storage: cipher: message authentication failed");
    if (code != ERRC_OK)
        return errc_fail(why, code == ERRC_SCHEMA ? ERRC_IO : code, "%s",
                         inner.text[0] == '\0' ? errc_text(code) : inner.text);
    code = load_all(v, now, &inner);
    if (code == ERRC_OK)
        return ERRC_OK;
    return errc_fail(why, code == ERRC_NOMEM ? code : ERRC_IO, "cannot load the vault: %s",
                     inner.text[0] == '\0' ? errc_text(code) : inner.text);
}

enum errc state_give_share(struct vault *v, struct slice share, struct instant now,
                           struct errc_why *why)
{
    if (!state_sealed(v))
        return ERRC_OK;
    if (!seal_initialized(&v->seal))
        return errc_fail(why, ERRC_STATE, "Vault is not initialized");
    struct errc_why inner = {{0}};
    if (seal_check_share(share, &inner) != ERRC_OK)
        return errc_fail(why, ERRC_RANGE, "invalid key: %s", inner.text);
    if (seal_give(&v->seal, share, &v->ports.entropy) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    if (!seal_ready(&v->seal))
        return ERRC_OK;
    enum errc code = open_with_shares(v, now, why);
    if (code == ERRC_OK)
        seal_reset(&v->seal);
    else
        state_seal(v); /* drops what was loaded and given so far */
    return code;
}
