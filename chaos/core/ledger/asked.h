/*
 * asked: what was asked to be signed, held against what is in a manifest.
 *
 * The inputs of a manifest are its artefacts (with checksums), bundleRunId, operatorId, and
 * metadata without `signing`, which the signer adds. Their canonical JSON has the hash that the
 * manifest carries as `hash` and the trail as `manifestHash`.
 */
#pragma once

#include <stdbool.h>

#include "base/digest.h"
#include "base/errc.h"
#include "base/text/slice.h"

#define ASKED_HASH_BYTES (sizeof "sha256:" + DIGEST_HEX_BYTES)

struct asked {
    bool known;                  /* the world can tell what was asked */
    char hash[ASKED_HASH_BYTES]; /* "sha256:" and hex, of what was asked */
    const char *differs;         /* the first member of the manifest that is not as it was asked,
                                    "hash" when only that is wrong; NULL: none, or no manifest */
};

/* Compares; text.ptr NULL: there is none of it, and it is no error. ERRC_SYNTAX or ERRC_SCHEMA when
 * what was asked is not an object of these members; a manifest that cannot be read differs in
 * nothing. ERRC_NOMEM. */
MUST_USE enum errc asked_compare(struct slice asked, struct slice manifest, struct asked *out,
                                 struct errc_why *why);
