#include "fakevault/shell/data/tls_session.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

#define SESSION_CONTEXT "fakevault"

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text == NULL ? "unknown" : text;
}

static const struct {
    const char *name;
    int version;
} versions[] = {
    {"tls10", TLS1_VERSION},
    {"tls11", TLS1_1_VERSION},
    {"tls12", TLS1_2_VERSION},
    {"tls13", TLS1_3_VERSION},
};

static enum errc version_of(const char *what, const char *name, int *out, struct errc_why *why)
{
    for (size_t i = 0; i < COUNT(versions); i++)
        if (strcmp(versions[i].name, name) == 0) {
            *out = versions[i].version;
            return ERRC_OK;
        }
    return errc_fail(why, ERRC_USAGE,
                     "'%s' value \"%.40s\" not supported, please specify one of "
                     "[tls10,tls11,tls12,tls13]",
                     what, name);
}

static enum errc set_versions(SSL_CTX *context, const struct tls_options *o, struct errc_why *why)
{
    int min = 0, max = 0;
    TRY(version_of("tls_min_version", o->min_version == NULL ? "tls12" : o->min_version, &min,
                   why));
    TRY(version_of("tls_max_version", o->max_version == NULL ? "tls13" : o->max_version, &max,
                   why));
    if (max < min)
        return errc_fail(why, ERRC_USAGE,
                         "'tls_max_version' must be greater than or equal to 'tls_min_version'");
    (void)SSL_CTX_set_min_proto_version(context, min);
    (void)SSL_CTX_set_max_proto_version(context, max);
    return ERRC_OK;
}

/* Go's names are the standard's; OpenSSL knows those of TLS 1.2 by other ones. */
static enum errc set_ciphers(SSL_CTX *context, const char *names, struct errc_why *why)
{
    struct buf list CLEANUP(buf_done);
    struct slice rest = slice_of(names);
    buf_init(&list, 1u << 14);
    while (rest.len > 0) {
        struct slice name = slice_trim(slice_cut(&rest, ','));
        char text[80] = "";
        if (name.len >= sizeof text)
            return errc_fail(why, ERRC_USAGE, "invalid value for 'tls_cipher_suites'");
        memcpy(text, name.ptr, name.len);
        const char *ours = OPENSSL_cipher_name(text);
        if (strcmp(ours, "(NONE)") == 0)
            return errc_fail(why, ERRC_USAGE,
                             "invalid value for 'tls_cipher_suites': unsupported cipher \"%s\"",
                             text);
        buf_addf(&list, "%s%s", list.len > 0 ? ":" : "", ours);
    }
    TRY(buf_status(&list, why));
    if (list.len > 0 && SSL_CTX_set_cipher_list(context, buf_text(&list)) != 1)
        return errc_fail(why, ERRC_USAGE, "invalid value for 'tls_cipher_suites': %s", reason());
    return ERRC_OK;
}

static enum errc load_pair(SSL_CTX *context, const struct tls_options *o, struct errc_why *why)
{
    const char *const files[] = {o->cert_file, o->key_file};
    for (size_t i = 0; i < 2; i++)
        if (access(files[i], R_OK) != 0)
            return errc_fail(why, ERRC_NOT_FOUND, "error loading TLS cert: open %s: %s", files[i],
                             errno == ENOENT ? "no such file or directory" : strerror(errno));
    if (SSL_CTX_use_certificate_chain_file(context, o->cert_file) != 1)
        return errc_fail(why, ERRC_SYNTAX, "error loading TLS cert: %s: %s", o->cert_file,
                         reason());
    if (SSL_CTX_use_PrivateKey_file(context, o->key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return errc_fail(why, ERRC_SYNTAX, "error loading TLS cert: %s: %s", o->key_file, reason());
    return ERRC_OK;
}

/* A certificate that was only asked for is nobody's business here. */
static int take_any_certificate(X509_STORE_CTX *store, void *context)
{
    (void)store;
    (void)context;
    return 1;
}

static enum errc set_client_certs(SSL_CTX *context, const struct tls_options *o,
                                  struct errc_why *why)
{
    if (o->require_client_cert && o->disable_client_certs)
        return errc_fail(why, ERRC_USAGE,
                         "'tls_disable_client_certs' and 'tls_require_and_verify_client_cert' are "
                         "mutually exclusive");
    if (o->disable_client_certs)
        return ERRC_OK;
    if (!o->require_client_cert) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(context, take_any_certificate, NULL);
        return ERRC_OK;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (o->client_ca_file == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1 ? ERRC_OK : ERRC_NOMEM;
    if (SSL_CTX_load_verify_locations(context, o->client_ca_file, NULL) != 1)
        return errc_fail(why, ERRC_SYNTAX,
                         "failed to parse CA certificate in tls_client_ca_file: "
                         "%s",
                         o->client_ca_file);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(o->client_ca_file));
    return ERRC_OK;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl;
    (void)context;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static enum errc configure(SSL_CTX *context, const struct tls_options *o, struct errc_why *why)
{
    TRY(set_versions(context, o, why));
    if (o->cipher_suites != NULL)
        TRY(set_ciphers(context, o->cipher_suites, why));
    TRY(load_pair(context, o, why));
    TRY(set_client_certs(context, o, why));
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_session_id_context(context, (const unsigned char *)SESSION_CONTEXT,
                                         sizeof SESSION_CONTEXT - 1);
    return ERRC_OK;
}

enum errc tls_session_context_new(const struct tls_options *options,
                                  struct tls_session_context **out, struct errc_why *why)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    enum errc code = configure(context, options, why);
    ERR_clear_error();
    if (code == ERRC_OK)
        *out = (struct tls_session_context *)context;
    else
        SSL_CTX_free(context);
    return code;
}

void tls_session_context_free(struct tls_session_context *context)
{
    SSL_CTX_free((SSL_CTX *)context);
}

/* ---- sessions ---- */

/* The handles are OpenSSL's own under another name. */
static SSL *ssl_of(struct tls_session *session)
{
    return (SSL *)session;
}

struct tls_session *tls_session_new(struct tls_session_context *context, int fd)
{
    SSL *ssl = SSL_new((SSL_CTX *)context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) == 1)
        return (struct tls_session *)ssl;
    SSL_free(ssl);
    return NULL;
}

void tls_session_free(struct tls_session *session)
{
    SSL_free(ssl_of(session));
}

static enum tls_session_end end_of(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_NONE:
        return TLS_SESSION_DONE;
    case SSL_ERROR_WANT_READ:
        return TLS_SESSION_WANTS_IN;
    case SSL_ERROR_WANT_WRITE:
        return TLS_SESSION_WANTS_OUT;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_SESSION_ENDED;
    default: /* of an int */
        return TLS_SESSION_BROKEN;
    }
}

enum tls_session_end tls_session_accept(struct tls_session *session)
{
    ERR_clear_error();
    enum tls_session_end end = end_of(ssl_of(session), SSL_accept(ssl_of(session)));
    if (end == TLS_SESSION_BROKEN && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
        return TLS_SESSION_PLAIN_HTTP;
    return end;
}

enum tls_session_end tls_session_read(struct tls_session *session, char *bytes, size_t max,
                                      size_t *moved)
{
    *moved = 0;
    ERR_clear_error();
    return end_of(ssl_of(session), SSL_read_ex(ssl_of(session), bytes, max, moved));
}

enum tls_session_end tls_session_write(struct tls_session *session, const char *bytes, size_t max,
                                       size_t *moved)
{
    *moved = 0;
    ERR_clear_error();
    return end_of(ssl_of(session), SSL_write_ex(ssl_of(session), bytes, max, moved));
}

void tls_session_close(struct tls_session *session)
{
    ERR_clear_error();
    (void)SSL_shutdown(ssl_of(session));
}
