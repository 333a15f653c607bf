#include "fakevault/shell/cli/cli_http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/count.h"
#include "base/limits.h"

/*
 * libcurl is loaded when a command needs it, and not linked: the server is the same binary and has
 * no use for it and its two dozen libraries, with which it would start three times later and hold
 * 3 MiB more.
 */
struct curl {
    void *library; /* stays loaded until the process ends */
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(&(curl_easy_setopt)) easy_setopt;
    __typeof__(&(curl_easy_getinfo)) easy_getinfo;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
};

static const struct {
    const char *name;
    size_t at; /* of the pointer in struct curl */
} functions[] = {
    {"curl_easy_init", offsetof(struct curl, easy_init)},
    {"curl_easy_cleanup", offsetof(struct curl, easy_cleanup)},
    {"curl_easy_setopt", offsetof(struct curl, easy_setopt)},
    {"curl_easy_getinfo", offsetof(struct curl, easy_getinfo)},
    {"curl_easy_perform", offsetof(struct curl, easy_perform)},
    {"curl_easy_strerror", offsetof(struct curl, easy_strerror)},
    {"curl_slist_append", offsetof(struct curl, slist_append)},
    {"curl_slist_free_all", offsetof(struct curl, slist_free_all)},
};

struct exchange {
    struct curl lib;
    CURL *curl;
    struct curl_slist *headers;
    struct cli_http_reply *reply;
    char error[CURL_ERROR_SIZE];
    char peer[INET6_ADDRSTRLEN + 16]; /* that was tried last, "" for none */
};

static enum errc load(struct curl *out, struct errc_why *why)
{
    *out = (struct curl){.library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL)};
    bool found = out->library != NULL;
    for (size_t i = 0; found && i < COUNT(functions); i++) {
        void *function = dlsym(out->library, functions[i].name);
        memcpy((char *)out + functions[i].at, &function, sizeof function);
        found = function != NULL;
    }
    return found ? ERRC_OK : errc_fail(why, ERRC_NOT_FOUND, "cannot load libcurl: %s", dlerror());
}

static void exchange_done(struct exchange *x)
{
    if (x->curl == NULL)
        return;
    x->lib.slist_free_all(x->headers);
    x->lib.easy_cleanup(x->curl);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    buf_add(&x->reply->body, bytes, size * count);
    return x->reply->body.failed ? 0 : size * count;
}

static bool header_is(struct slice *line, const char *name)
{
    size_t len = strlen(name);
    if (line->len <= len || line->ptr[len] != ':' || strncasecmp(line->ptr, name, len) != 0)
        return false;
    *line = slice_trim(slice_from(*line, len + 1));
    return true;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    struct slice line = slice_bytes(bytes, size * count);
    uint64_t seconds = 0;
    if (header_is(&line, "X-Vault-Namespace"))
        (void)snprintf(x->reply->namespace_path, sizeof x->reply->namespace_path, "%.*s",
                       SLICE_FMT(line));
    else if (header_is(&line, "Retry-After") && slice_to_u64(line, &seconds))
        x->reply->retry_after_s = (int64_t)seconds;
    return size * count;
}

/* Notes whom curl connects to: it does not tell when that fails. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct exchange *x = context;
    char host[INET6_ADDRSTRLEN] = "", port[8] = "";
    (void)purpose;
    if (getnameinfo(&to->addr, to->addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        (void)snprintf(x->peer, sizeof x->peer, to->family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                       port);
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static bool add_headers(struct exchange *x, const struct cli_http_call *call)
{
    /* Go's client sends neither of these, and curl would. */
    static const char *const none[] = {"Expect:", "Content-Type:", "Accept:", NULL};
    const char *const *const lists[] = {none, call->headers};
    for (size_t i = 0; i < 2; i++)
        for (const char *const *line = lists[i]; *line != NULL; line++) {
            struct curl_slist *longer = x->lib.slist_append(x->headers, *line);
            if (longer == NULL)
                return false;
            x->headers = longer;
        }
    return x->lib.easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

static void set_tls(struct exchange *x, const struct cli_http_tls *tls)
{
    if (tls->skip_verify) {
        (void)x->lib.easy_setopt(x->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)x->lib.easy_setopt(x->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (tls->ca_file != NULL)
        (void)x->lib.easy_setopt(x->curl, CURLOPT_CAINFO, tls->ca_file);
    if (tls->ca_folder != NULL)
        (void)x->lib.easy_setopt(x->curl, CURLOPT_CAPATH, tls->ca_folder);
    if (tls->cert_file != NULL)
        (void)x->lib.easy_setopt(x->curl, CURLOPT_SSLCERT, tls->cert_file);
    if (tls->key_file != NULL)
        (void)x->lib.easy_setopt(x->curl, CURLOPT_SSLKEY, tls->key_file);
}

static void set_body(struct exchange *x, const struct cli_http_call *call)
{
    if (!call->has_body)
        return;
    (void)x->lib.easy_setopt(x->curl, CURLOPT_POSTFIELDS,
                             call->body.len == 0 ? "" : call->body.ptr);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
}

static void set_up(struct exchange *x, const struct cli_http_call *call)
{
    (void)x->lib.easy_setopt(x->curl, CURLOPT_ERRORBUFFER, x->error);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_URL, call->url);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_PATH_AS_IS, 1L);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)x->lib.easy_setopt(x->curl, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_NOSIGNAL, 1L);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_WRITEDATA, x);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_HEADERFUNCTION, take_header);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_HEADERDATA, x);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_OPENSOCKETDATA, x);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    if (call->proxy != NULL)
        (void)x->lib.easy_setopt(x->curl, CURLOPT_PROXY, call->proxy);
    else
        (void)x->lib.easy_setopt(x->curl, CURLOPT_NOPROXY, "*");
    if (call->unix_socket != NULL)
        (void)x->lib.easy_setopt(x->curl, CURLOPT_UNIX_SOCKET_PATH, call->unix_socket);
    set_tls(x, &call->tls);
    set_body(x, call);
    (void)x->lib.easy_setopt(x->curl, CURLOPT_CUSTOMREQUEST, call->method);
}

static enum errc refuse_connection(const struct exchange *x, struct errc_why *why)
{
    long os_error = 0;
    (void)x->lib.easy_getinfo(x->curl, CURLINFO_OS_ERRNO, &os_error);
    if (*x->peer == '\0' || os_error == 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "%s", x->error);
    const char *reason = os_error == ECONNREFUSED ? "connection refused" : strerror((int)os_error);
    return errc_fail(why, ERRC_UNAVAILABLE, "dial tcp %s: connect: %s", x->peer, reason);
}

static enum errc refuse_tls(const struct exchange *x, struct errc_why *why)
{
    if (strstr(x->error, "wrong version number") != NULL)
        return errc_fail(why, ERRC_CRYPTO, "http: server gave HTTP response to HTTPS client");
    if (strstr(x->error, "self-signed") != NULL || strstr(x->error, "local issuer") != NULL)
        return errc_fail(why, ERRC_CRYPTO,
                         "tls: failed to verify certificate: x509: certificate signed by unknown "
                         "authority");
    return errc_fail(why, ERRC_CRYPTO, "tls: %s", x->error);
}

static enum errc failure(const struct exchange *x, CURLcode code, struct errc_why *why)
{
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return errc_fail(why, ERRC_TIMEOUT, "context deadline exceeded");
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return refuse_connection(x, why);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return refuse_tls(x, why);
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return errc_fail(why, ERRC_IO, "EOF");
    case CURLE_OUT_OF_MEMORY:
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    }
    return errc_fail(why, ERRC_IO, "%s", *x->error != '\0' ? x->error : x->lib.easy_strerror(code));
}

static void note_redirect(const struct exchange *x)
{
    char *url = NULL;
    (void)x->lib.easy_getinfo(x->curl, CURLINFO_REDIRECT_URL, &url);
    if (url != NULL)
        (void)snprintf(x->reply->location, sizeof x->reply->location, "%s", url);
}

enum errc cli_http_do(const struct cli_http_call *call, struct cli_http_reply *reply,
                      struct errc_why *why)
{
    struct exchange x CLEANUP(exchange_done) = {.reply = reply};
    *reply = (struct cli_http_reply){.retry_after_s = -1};
    buf_init(&reply->body, LIMIT_REPLY_BODY_BYTES);
    TRY(load(&x.lib, why));
    x.curl = x.lib.easy_init();
    if (x.curl == NULL || !add_headers(&x, call))
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    set_up(&x, call);
    CURLcode code = x.lib.easy_perform(x.curl);
    if (code != CURLE_OK)
        return failure(&x, code, why);
    long status = 0;
    (void)x.lib.easy_getinfo(x.curl, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
    note_redirect(&x);
    return ERRC_OK;
}
