/*
 * certificates: an authority of the run's own, and the certificates that a Vault of the stack can
 * serve: a good one, and one for each way in which a client must not trust it.
 *
 * The folder has ca.pem (what clients trust), server.pem and server.key (what is served), and one
 * NAME.pem for each row of certificates_kinds.
 */
#pragma once

#include "base/errc.h"

#define CERTIFICATES_AUTHORITY "ca.pem"
#define CERTIFICATES_SERVED "server.pem"
#define CERTIFICATES_KEY "server.key"

/* Makes all of it, the good one being served. The folder exists. ERRC_CRYPTO, ERRC_IO. */
MUST_USE enum errc certificates_make(const char *folder, struct errc_why *why);

/* Puts another one in the place of the served one: "good", "expired", "wrong_name", "unknown_ca".
 * The server has to read it. ERRC_NOT_FOUND, ERRC_IO. */
MUST_USE enum errc certificates_serve(const char *folder, const char *kind, struct errc_why *why);
