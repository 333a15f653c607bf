/*
 * state: what a vault is made of. For the core's own files; everybody else sees vault.h.
 */
#pragma once

#include "base/clock.h"
#include "fakevault/core/metrics/tally.h"
#include "fakevault/core/mount.h"
#include "fakevault/core/policy/policy_store.h"
#include "fakevault/core/seal/barrier.h"
#include "fakevault/core/seal/genroot.h"
#include "fakevault/core/seal/rekey.h"
#include "fakevault/core/seal/seal.h"
#include "fakevault/core/settings.h"
#include "fakevault/core/token/token_store.h"
#include "fakevault/core/transit/keyring/keyring.h"
#include "fakevault/core/vault_ports.h"

#define STATE_CLUSTER_NAME_BYTES 24u /* "vault-cluster-1a2b3c4d" */

struct vault {
    struct vault_ports ports;
    const char *version;
    struct barrier barrier;
    struct seal seal;

    /* From here on: known only while unsealed. */
    struct token_table tokens;
    struct mount_table mounts;
    json_t *moves; /* how remounts went, by id; NULL for none */
    struct policy_store policies;
    struct keyring_cache keyrings;
    int64_t rotate_after_ns; /* transit_rotate.h: the next look; 0: at once */
    bool rotating;           /* a request looks, or carries what it found */
    struct audit_table audit;
    struct settings settings;
    struct rekey rekey;
    struct genroot genroot;
    char cluster_name[STATE_CLUSTER_NAME_BYTES];
    char cluster_id[ENTROPY_UUID_BYTES];

    struct vault_job *jobs; /* open ones, linked */

    struct vault_options options;
    struct tally tally; /* since the start, whatever was sealed meanwhile */
    char cluster_seen[STATE_CLUSTER_NAME_BYTES]; /* the label that a sealed vault keeps */
};

/* True while the barrier is closed, also before an init. */
bool state_sealed(const struct vault *v);

/* Makes a vault in the store: keys, tokens, mounts, config, all in one batch; sealed again
 * afterwards. unseal_key has BARRIER_KEY_BYTES; `root` is the draft of the first token, with its
 * id. ERRC_IO, ERRC_NOMEM: nothing was made. */
MUST_USE enum errc state_create(struct vault *v, struct slice unseal_key, unsigned shares,
                                unsigned threshold, const struct token *root, struct slice root_id,
                                const struct mount *extra, struct instant now,
                                struct errc_why *why);

/* Takes one share; when it completes the threshold, unseals, and finishes what a process that was
 * killed left half done. Vault's sentences; ERRC_STATE: not
 * initialised; ERRC_RANGE, ERRC_CRYPTO, ERRC_SCHEMA: wrong shares (progress is 0 again for the last
 * two); ERRC_IO, ERRC_NOMEM. */
MUST_USE enum errc state_give_share(struct vault *v, struct slice share, struct instant now,
                                    struct errc_why *why);

/* Wipes everything that a sealed vault does not know. */
void state_seal(struct vault *v);
