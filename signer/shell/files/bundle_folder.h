/*
 * bundle_folder: a bundle on disk: bundle.json and the artefacts' files beside it.
 */
#pragma once

#include "signer/core/bundle/manifest.h"

#define BUNDLE_FOLDER_FILE "bundle.json"
#define BUNDLE_FOLDER_MANIFEST "manifest.json"

/*
 * Reads DIR/bundle.json and computes each artefact's checksum. No step of a path may be a
 * symbolic link, and what is read must be a regular file. What manifest_bundle_parse says, and
 * ERRC_NOT_FOUND, ERRC_IO, ERRC_TOO_BIG for an artefact over LIMIT_ARTEFACT_BYTES, ERRC_TIMEOUT
 * when all are not read within LIMIT_ARTEFACTS_MS; the sentence names the file. A single read that
 * a file system does not answer cannot be given up.
 */
MUST_USE enum errc bundle_folder_read(const char *folder, struct manifest_bundle *out,
                                      struct errc_why *why);

struct bundle_folder_limits {
    uint64_t artefact_bytes;
    int64_t ms; /* for all artefacts together */
};

/* The same within other limits. */
MUST_USE enum errc bundle_folder_read_within(const char *folder,
                                             const struct bundle_folder_limits *limits,
                                             struct manifest_bundle *out, struct errc_why *why);

/* Writes "FOLDER/NAME". ERRC_TOO_BIG. */
MUST_USE enum errc bundle_folder_path(const char *folder, const char *name, char *out, size_t size,
                                      struct errc_why *why);
