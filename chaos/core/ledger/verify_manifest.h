/*
 * verify_manifest: the third verifier. It shares no code with the signer, nor
 * with fakevault: a bug must not be able to hide in all three.
 *
 * What was signed is the PAE of the canonical JSON of the manifest without
 * `signature` (docs/architecture.md, "Signature"; DSSE 1.0.2). Arithmetic only:
 * no key is made, nothing is drawn, nothing read.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/world.h"

#define VERIFY_MANIFEST_TYPE "application/vnd.docugen.manifest+json"
#define VERIFY_MANIFEST_FINGERPRINT_BYTES 72u /* "sha256:" and hex, with the NUL */

/* What a manifest says, and what is so. Texts are "" when it says nothing. */
struct verify_manifest {
    bool good;       /* one of the keys verifies the signature */
    bool fallback;   /* which kind of key does; only when good */
    int version;     /* of that key */
    const char *pem; /* of that key; lent by the world */
    char fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES]; /* of that key */
    char said_mode[16];
    char said_fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES];
    char said_reason[48];
    char bundle[WORLD_ID_BYTES];
    char id[WORLD_ID_BYTES];
    char created_at[40];
    char signing_key_id[200];
    char input_sha256[DIGEST_HEX_BYTES];     /* of the PAE */
    char signature_sha256[DIGEST_HEX_BYTES]; /* of the signature's text */
    char trouble[200];                       /* why it is not good */
};

/* Reads a manifest and tries the keys of the kind that its signature's prefix names. ERRC_OK also
 * when nothing verifies; ERRC_SYNTAX or ERRC_SCHEMA when it is no manifest; ERRC_NOMEM. */
MUST_USE enum errc verify_manifest(struct slice text, const struct world_key *keys,
                                   size_t key_count, struct verify_manifest *out,
                                   struct errc_why *why);

/* Appends the canonical JSON of a value; the member `except` (NULL: none) of the top object is
 * left out. ERRC_SCHEMA for a real number; ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc verify_manifest_canonical(const json_t *value, const char *except,
                                             struct buf *out, struct errc_why *why);

/* Appends "DSSEv1 SP LEN(type) SP type SP LEN(body) SP body". */
void verify_manifest_pae(struct slice type, struct slice body, struct buf *out);

/* Writes "sha256:" and the hex digest of the key's SubjectPublicKeyInfo. ERRC_SYNTAX when the PEM
 * is no public key. */
MUST_USE enum errc verify_manifest_fingerprint(const char *pem,
                                               char out[static VERIFY_MANIFEST_FINGERPRINT_BYTES],
                                               struct errc_why *why);

/* Appends the PEM of the public key that belongs to a 32-byte Ed25519 seed: how a world turns a
 * fallback key file into a world_key. ERRC_SCHEMA for another length. */
MUST_USE enum errc verify_manifest_public_of_seed(struct slice seed, struct buf *pem,
                                                  struct errc_why *why);
