#include "signer/core/trail/rebuild.h"

#include <string.h>

#include "signer/core/bundle/canonical.h"

enum errc rebuild_check_content(const struct manifest_bundle *bundle,
                                const struct audit_signed *entry, struct errc_why *why)
{
    char hash[MANIFEST_CHECKSUM_BYTES];
    TRY(manifest_inputs_hash(bundle, hash, why));
    if (strcmp(hash, entry->manifest_hash) == 0)
        return ERRC_OK;
    return errc_fail(why, ERRC_EXISTS,
                     "bundle %s was signed at %s with other content (%s, now %s): give it a new "
                     "bundleRunId",
                     bundle->bundle_run_id, entry->timestamp, entry->manifest_hash, hash);
}

static enum errc find_key(const struct audit_signed *entry, const struct trust *trust,
                          const struct keyport *keyport, struct keyport_public *out,
                          struct errc_why *why)
{
    const struct trust_key *known = trust_find(trust, entry->key_fingerprint);
    if (known != NULL) {
        *out = known->key;
        return ERRC_OK;
    }
    if (entry->mode != MANIFEST_FALLBACK || entry->public_key[0] == '\0')
        return errc_fail(why, ERRC_NOT_FOUND, "TRUST_FILE does not know the key %s",
                         entry->key_fingerprint);
    TRY(keyport->read_pem(keyport->context, slice_of(entry->public_key), out, why));
    if (strcmp(out->fingerprint, entry->key_fingerprint) != 0)
        return errc_fail(why, ERRC_CRYPTO, "the entry's public key is not that of its fingerprint");
    return ERRC_OK;
}

static enum errc verify(const struct audit_signed *entry, const struct keyport_public *key,
                        const struct keyport *keyport, struct slice body, struct errc_why *why)
{
    struct buf pae CLEANUP(buf_done), raw CLEANUP(buf_done);
    enum keyport_kind kind = KEYPORT_ED25519;
    int64_t version = 0;
    buf_init(&pae, LIMIT_MANIFEST_BYTES + 256);
    buf_init(&raw, sizeof entry->signature);
    canonical_pae(slice_of(MANIFEST_TYPE), body, &pae);
    TRY(buf_status(&pae, why));
    TRY(keyport_parse_signature(slice_of(entry->signature), &kind, &version, &raw, why));
    if (kind != key->kind)
        return errc_fail(why, ERRC_CRYPTO, "the signature is not of its key's kind");
    return keyport->verify(keyport->context, key, buf_slice(&pae), buf_slice(&raw), why);
}

enum errc rebuild_manifest(const struct manifest_bundle *bundle, const struct audit_signed *entry,
                           const struct trust *trust, const struct keyport *keyport,
                           struct buf *out, struct errc_why *why)
{
    struct keyport_public key;
    struct buf body CLEANUP(buf_done);
    const struct manifest_terms terms = {
        .id = entry->manifest_id,
        .created_wall_ns = entry->created_wall_ns,
        .signing_key_id = entry->signing_key_id,
        .mode = entry->mode,
        .key_fingerprint = entry->key_fingerprint,
        .reason = entry->mode == MANIFEST_VAULT ? NULL : entry->reason,
    };
    buf_init(&body, LIMIT_MANIFEST_BYTES);
    TRY(rebuild_check_content(bundle, entry, why));
    TRY(find_key(entry, trust, keyport, &key, why));
    TRY(manifest_format(bundle, &terms, NULL, &body, why));
    TRY(verify(entry, &key, keyport, buf_slice(&body), why));
    return manifest_format(bundle, &terms, entry->signature, out, why);
}
