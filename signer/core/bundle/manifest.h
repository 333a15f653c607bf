/*
 * manifest: what is asked for (a bundle), and what is signed and published (a manifest).
 *
 * bundle.json of a folder, and the body of POST /api/v1/bundles:
 *     {"bundleRunId": UUID, "operatorId": "...", "metadata": {},
 *      "artefacts": [{"id", "type", "path" | "checksum", "storageKey", "renderVersion"}]}
 *
 * Manifest, written as canonical JSON (canonical.h):
 *     {"artefacts":[{"checksum","id","renderVersion","storageKey","type"}],"bundleRunId",
 *      "createdAt","hash","id","metadata":{...,"signing":{"keyFingerprint","mode","reason"}},
 *      "operatorId","signature","signingKeyId"}
 *
 * What is signed is the PAE of that text without `signature`. `hash` covers the inputs only
 * (artefacts, bundleRunId, metadata as given, operatorId), so that the same inputs have the same
 * hash, whoever signs. `reason` is null in mode vault, else the class of the last failed attempt.
 * `metadata.signing` is ours: a bundle that brings its own is refused.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/limits.h"
#include "base/text/buf.h"
#include "signer/core/ids.h"
#include "signer/core/keys/keyport.h"

#define MANIFEST_TYPE "application/vnd.docugen.manifest+json"
#define MANIFEST_CHECKSUM_BYTES 72 /* "sha256:" and 64 hex digits, with the NUL */

enum manifest_mode { MANIFEST_VAULT, MANIFEST_FALLBACK };

enum manifest_source {
    MANIFEST_FOLDER,  /* artefacts have `path`; a checksum that is given must match the file */
    MANIFEST_REQUEST, /* artefacts have `checksum`, no `path` */
};

struct manifest_artefact {
    const char *id;
    const char *type;
    const char *path; /* relative, inside the folder; NULL in a request */
    const char *storage_key;
    const char *render_version;
    char checksum[MANIFEST_CHECKSUM_BYTES]; /* "" until it is known */
};

/* A bundle; its strings are lent by `document`. */
struct manifest_bundle {
    char bundle_run_id[IDS_UUID_BYTES];
    const char *operator_id;
    struct manifest_artefact *artefacts;
    size_t artefact_count;
    const json_t *metadata; /* an object */
    json_t *document;
};

/* Reads a bundle. ERRC_SYNTAX with line and column, ERRC_SCHEMA or ERRC_RANGE with the field;
 * *out is empty then. Free it with manifest_bundle_done. */
MUST_USE enum errc manifest_bundle_parse(struct slice text, enum manifest_source source,
                                         struct manifest_bundle *out, struct errc_why *why);

/* Fits CLEANUP; the zeroed struct and NULL are allowed. */
void manifest_bundle_done(struct manifest_bundle *bundle);

/* Stores the checksum of artefact i, computed from its file. ERRC_SCHEMA when bundle.json gave
 * another one. */
MUST_USE enum errc manifest_set_checksum(struct manifest_bundle *bundle, size_t i,
                                         const uint8_t sha256[static 32], struct errc_why *why);

/* Writes "sha256:..." of the canonical inputs. Every artefact has its checksum. */
MUST_USE enum errc manifest_inputs_hash(const struct manifest_bundle *bundle,
                                        char out[static MANIFEST_CHECKSUM_BYTES],
                                        struct errc_why *why);

/* What a signature adds to a bundle. */
struct manifest_terms {
    const char *id;             /* the manifest's UUID */
    int64_t created_wall_ns;    /* written with milliseconds */
    const char *signing_key_id; /* "docugen-manifest:v1", "fallback" */
    enum manifest_mode mode;
    const char *key_fingerprint;
    const char *reason; /* NULL in mode vault */
};

/* Appends the canonical text, without `signature` when that is NULL. */
MUST_USE enum errc manifest_format(const struct manifest_bundle *bundle,
                                   const struct manifest_terms *terms, const char *signature,
                                   struct buf *out, struct errc_why *why);

/* A manifest that was read. Strings are lent by `document`. */
struct manifest {
    const char *id;
    const char *bundle_run_id;
    const char *hash;
    const char *created_at;
    const char *signature;
    const char *signing_key_id;
    enum manifest_mode mode;
    const char *key_fingerprint;
    const char *reason; /* NULL in mode vault */
    struct buf pae;     /* what must have been signed */
    json_t *document;
};

/*
 * Reads a manifest strictly: every field, no other ones, and the hash recomputed over its
 * inputs. ERRC_SYNTAX, ERRC_SCHEMA, ERRC_CRYPTO (hash). Free with manifest_done.
 */
MUST_USE enum errc manifest_parse(struct slice text, struct manifest *out, struct errc_why *why);
void manifest_done(struct manifest *manifest);

const char *manifest_mode_text(enum manifest_mode mode);
