/*
 * bundle_folder: a bundle on disk: bundle.json and the artefacts' files beside it.
 */
#pragma once

#include "signer/core/bundle/manifest.h"

#define BUNDLE_FOLDER_FILE "bundle.json"
#define BUNDLE_FOLDER_MANIFEST "manifest.json"

/*
 * Reads DIR/bundle.json and computes each artefact's checksum. No step of a path may be a
 * symbolic link. What manifest_bundle_parse says, and ERRC_NOT_FOUND, ERRC_IO; the sentence
 * names the file.
 */
MUST_USE enum errc bundle_folder_read(const char *folder, struct manifest_bundle *out,
                                      struct errc_why *why);

/* Writes "FOLDER/NAME". ERRC_TOO_BIG. */
MUST_USE enum errc bundle_folder_path(const char *folder, const char *name, char *out, size_t size,
                                      struct errc_why *why);
