/*
 * tls_session: one TLS connection on a socket that does not wait; the only file of fakevault that
 * knows OpenSSL's TLS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"

struct tls_options {
    const char *cert_file; /* PEM, the server's first, then the chain */
    const char *key_file;
    const char *client_ca_file; /* NULL: the system's */
    const char *min_version;    /* "tls10" .. "tls13"; NULL: tls12 */
    const char *max_version;    /* NULL: tls13 */
    const char *cipher_suites;  /* names as Go has them, by comma; NULL: OpenSSL's choice */
    bool require_client_cert;   /* and verify it */
    bool disable_client_certs;  /* do not ask */
};

/* Certificate, key and rules; shared by sessions, which hold it as long as they need it. */
struct tls_session_context;

/* A session on a socket that it does not own. */
struct tls_session;

enum tls_session_end {
    TLS_SESSION_DONE,       /* bytes moved, the handshake is done */
    TLS_SESSION_WANTS_IN,   /* again when the socket can be read */
    TLS_SESSION_WANTS_OUT,  /* again when it can be written */
    TLS_SESSION_ENDED,      /* the peer sends no more */
    TLS_SESSION_BROKEN,     /* nothing can be read or written any more */
    TLS_SESSION_PLAIN_HTTP, /* of a handshake: the peer does not speak TLS */
};

/* Reads the files. Texts are lent during the call. ERRC_USAGE, ERRC_NOT_FOUND, ERRC_SYNTAX with
 * Vault's sentence. */
MUST_USE enum errc tls_session_context_new(const struct tls_options *options,
                                           struct tls_session_context **out, struct errc_why *why);
void tls_session_context_free(struct tls_session_context *context); /* NULL allowed */

/* NULL when there is no memory. */
struct tls_session *tls_session_new(struct tls_session_context *context, int fd);
void tls_session_free(struct tls_session *session); /* NULL allowed */

enum tls_session_end tls_session_accept(struct tls_session *session);

/* Each moves up to max bytes and stores how many. */
enum tls_session_end tls_session_read(struct tls_session *session, char *bytes, size_t max,
                                      size_t *moved);
enum tls_session_end tls_session_write(struct tls_session *session, const char *bytes, size_t max,
                                       size_t *moved);

/* Tells the peer that nothing more comes. */
void tls_session_close(struct tls_session *session);
