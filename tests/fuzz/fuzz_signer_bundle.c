/*
 * fuzz_signer_bundle: a bundle that is accepted gives a manifest, and that manifest reads back
 * with the same hash and the same bytes to sign. What is read as a manifest at once must not
 * crash either, nor what is read as a line of the audit trail.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signer/core/bundle/canonical.h"
#include "signer/core/bundle/manifest.h"
#include "signer/core/trail/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_manifest(const struct manifest_bundle *bundle)
{
    static const struct manifest_terms terms = {.id = "6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01",
                                                .signing_key_id = "k:v1",
                                                .mode = MANIFEST_VAULT,
                                                .key_fingerprint = "sha256:00"};
    struct buf body CLEANUP(buf_done), text CLEANUP(buf_done), pae CLEANUP(buf_done);
    struct manifest back CLEANUP(manifest_done) = {0};
    char hash[MANIFEST_CHECKSUM_BYTES];
    buf_init(&body, LIMIT_MANIFEST_BYTES);
    buf_init(&text, LIMIT_MANIFEST_BYTES);
    buf_init(&pae, LIMIT_MANIFEST_BYTES);
    if (manifest_inputs_hash(bundle, hash, NULL) != ERRC_OK ||
        manifest_format(bundle, &terms, NULL, &body, NULL) != ERRC_OK ||
        manifest_format(bundle, &terms, "vault:v1:YQ==", &text, NULL) != ERRC_OK)
        return;
    canonical_pae(slice_of(MANIFEST_TYPE), buf_slice(&body), &pae);
    if (manifest_parse(buf_slice(&text), &back, NULL) != ERRC_OK || strcmp(back.hash, hash) != 0 ||
        !slice_equal(buf_slice(&back.pae), buf_slice(&pae)))
        abort();
}

static void read_bundle(struct slice text, enum manifest_source source)
{
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    static const uint8_t hash[32] = {1};
    struct errc_why why = {0};
    if (manifest_bundle_parse(text, source, &bundle, &why) != ERRC_OK) {
        if (why.text[0] == '\0')
            abort();
        return;
    }
    for (size_t i = 0; i < bundle.artefact_count; i++)
        if (bundle.artefacts[i].checksum[0] == '\0' &&
            manifest_set_checksum(&bundle, i, hash, NULL) != ERRC_OK)
            abort();
    check_manifest(&bundle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_bytes(data, size);
    struct manifest manifest CLEANUP(manifest_done) = {0};
    struct audit_index index CLEANUP(audit_index_done);
    struct audit_signed entry;
    audit_index_init(&index);
    read_bundle(text, MANIFEST_FOLDER);
    read_bundle(text, MANIFEST_REQUEST);
    (void)!manifest_parse(text, &manifest, NULL);
    (void)!audit_index_feed(&index, text);
    (void)!audit_signed_parse(text, &entry, NULL);
    (void)audit_tail_is_whole(text);
    return 0;
}
