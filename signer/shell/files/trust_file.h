/*
 * trust_file: TRUST_FILE in and out. Read anew for each operation, so that an accepted key needs
 * no restart.
 */
#pragma once

#include "signer/core/keys/trust.h"

/* ERRC_NOT_FOUND (run `signer trust accept`), ERRC_DENIED (the file or its folder can be written
 * by others), and what trust_parse says, with the file's name. */
MUST_USE enum errc trust_file_read(const char *path, const struct keyport *keyport,
                                   struct trust *out, struct errc_why *why);

/* Replaces the file (0644: public keys only). */
MUST_USE enum errc trust_file_write(const char *path, const struct trust *trust,
                                    struct errc_why *why);
