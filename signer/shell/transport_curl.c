#include "signer/shell/transport_curl.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/count.h"

#define KEEP_CONNECTION_S 60L /* below the idle limits of the usual proxies (failures.md E9) */
#define URL_BYTES 4096

struct transport_curl {
    const struct config *config;
    const struct secret *token;
    pthread_mutex_t lock;
    CURL *idle[LIMIT_IDLE_CONNECTIONS]; /* each keeps its own connection */
    size_t idle_count;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

/* Counts what libcurl could not allocate, in any thread, its resolver's too: the code that it
 * returns then can be that of an outage (CURLE_COULDNT_RESOLVE_HOST), and CURLE_OUT_OF_MEMORY can
 * be about a header line without end. */
static atomic_uint allocations_failed;

static void *noted(void *ptr)
{
    if (ptr == NULL)
        atomic_fetch_add(&allocations_failed, 1);
    return ptr;
}

static void *allocate(size_t size)
{
    return noted(malloc(size));
}

static void *allocate_zeroed(size_t count, size_t size)
{
    return noted(calloc(count, size));
}

static void *reallocate(void *ptr, size_t size)
{
    return noted(realloc(ptr, size));
}

static char *duplicate(const char *text)
{
    return noted(strdup(text));
}

static void release(void *ptr)
{
    free(ptr);
}

static void global_init(void)
{
    CHECK(curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, release, reallocate, duplicate,
                               allocate_zeroed) == CURLE_OK);
}

enum errc transport_curl_open(const struct config *config, const struct secret *token,
                              struct transport_curl **out, struct errc_why *why)
{
    (void)pthread_once(&global_once, global_init);
    if (config->vault_cacert != NULL && access(config->vault_cacert, R_OK) != 0)
        return errc_fail(why, ERRC_USAGE, "VAULT_CACERT is \"%.200s\", which cannot be read: %s",
                         config->vault_cacert, strerror(errno));
    struct transport_curl *t = calloc(1, sizeof *t);
    if (t == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    t->config = config;
    t->token = token;
    CHECK(pthread_mutex_init(&t->lock, NULL) == 0);
    *out = t;
    return ERRC_OK;
}

void transport_curl_close(struct transport_curl *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->idle_count; i++)
        curl_easy_cleanup(t->idle[i]);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

/* The handle used last comes first: its connection is the most likely to be alive. */
static CURL *take_handle(struct transport_curl *t)
{
    (void)pthread_mutex_lock(&t->lock);
    CURL *handle = t->idle_count > 0 ? t->idle[--t->idle_count] : NULL;
    (void)pthread_mutex_unlock(&t->lock);
    return handle != NULL ? handle : curl_easy_init();
}

static void return_handle(struct transport_curl *t, CURL *handle)
{
    curl_easy_reset(handle);
    (void)pthread_mutex_lock(&t->lock);
    bool room = t->idle_count < LIMIT_IDLE_CONNECTIONS;
    if (room)
        t->idle[t->idle_count++] = handle;
    (void)pthread_mutex_unlock(&t->lock);
    if (!room)
        curl_easy_cleanup(handle);
}

/* What happened in one attempt, beside libcurl's code. */
struct attempt {
    struct buf *body;
    int sends; /* requests that went out, also those that libcurl makes by itself */
    int sockets;
    int socket_errno;  /* of the last socket that could not be made */
    bool body_ran_out; /* no memory for the body, which is not longer than allowed */
    unsigned failed_before;
    char detail[CURL_ERROR_SIZE];
};

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct attempt *a = context;
    bool fits = size * count <= a->body->max - a->body->len;
    buf_add(a->body, bytes, size * count);
    a->body_ran_out = a->body->failed && fits;
    return a->body->failed ? 0 : size * count;
}

static int on_send(void *context, char *a, char *b, int c, int d)
{
    (void)a, (void)b, (void)c, (void)d;
    ((struct attempt *)context)->sends++;
    return CURL_PREREQFUNC_OK;
}

/* libcurl says CURLE_COULDNT_CONNECT too when there is no socket to connect with. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct attempt *a = context;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        a->socket_errno = errno;
        return CURL_SOCKET_BAD;
    }
    a->sockets++;
    return fd;
}

static bool add_header(struct curl_slist **list, const char *name, struct slice value)
{
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 16384);
    buf_addf(&line, "%s: %.*s", name, SLICE_FMT(value));
    struct curl_slist *grown = line.failed ? NULL : curl_slist_append(*list, buf_text(&line));
    if (grown == NULL)
        return false;
    *list = grown;
    return true;
}

static void headers_done(struct curl_slist **list)
{
    for (struct curl_slist *i = *list; i != NULL; i = i->next)
        secret_wipe(i->data, strlen(i->data));
    curl_slist_free_all(*list);
    *list = NULL;
}

static bool make_headers(const struct transport_curl *t, const struct transport_request *request,
                         struct curl_slist **list)
{
    char attempt[16];
    bool good = add_header(list, "X-Vault-Request", SLICE_LITERAL("true"));
    if (good && request->with_token && t->token != NULL && t->token->len > 0)
        good = add_header(list, "X-Vault-Token", secret_slice(t->token));
    if (good && t->config->vault_namespace != NULL)
        good = add_header(list, "X-Vault-Namespace", slice_of(t->config->vault_namespace));
    if (good && t->config->test != NULL)
        good = add_header(list, "X-Fakevault-Test", slice_of(t->config->test));
    if (good && request->attempt > 0) {
        (void)snprintf(attempt, sizeof attempt, "%d", request->attempt);
        good = add_header(list, "X-Signer-Attempt", slice_of(attempt));
    }
    if (good && request->body.len > 0)
        good = add_header(list, "Content-Type", SLICE_LITERAL("application/json"));
    /* Without it libcurl asks before it sends a body over 1 MiB and waits a second. */
    struct curl_slist *grown = good ? curl_slist_append(*list, "Expect:") : NULL;
    if (grown != NULL)
        *list = grown;
    return grown != NULL;
}

static bool make_url(const struct config *config, const char *path, char out[static URL_BYTES])
{
    size_t len = strlen(config->vault_addr);
    bool slash = len > 0 && config->vault_addr[len - 1] == '/';
    int n =
        snprintf(out, URL_BYTES, "%.*s%s", (int)(slash ? len - 1 : len), config->vault_addr, path);
    return n > 0 && n < URL_BYTES;
}

/* False when the option could not be set: a request without one of them must not go out. */
#define SET(handle, option, value)                                                                 \
    (curl_easy_setopt((handle), CURLOPT_##option, (value)) == CURLE_OK)

/* Where the request goes and what it carries. */
static bool set_request(CURL *h, const struct transport_request *request, const char *url,
                        struct curl_slist *headers)
{
    bool post = strcmp(request->method, "POST") == 0;
    return SET(h, URL, url) && SET(h, PROTOCOLS_STR, "http,https") &&
           SET(h, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(h, USERAGENT, "signer/" PROJECT_VERSION) && SET(h, HTTPHEADER, headers) &&
           SET(h, PATH_AS_IS, 1L) &&
           (!post || (SET(h, POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len) &&
                      SET(h, POSTFIELDS, request->body.ptr)));
}

static int64_t connect_ms(int64_t timeout_ms)
{
    return timeout_ms / 2 + 1;
}

/* Whom to talk to and for how long. An inherited proxy would get the token (failures.md E10). */
static bool set_limits(CURL *h, const struct config *config, int64_t timeout_ms)
{
    return SET(h, PROXY, "") && SET(h, NOPROXY, "*") && SET(h, FOLLOWLOCATION, 0L) &&
           SET(h, NOSIGNAL, 1L) && SET(h, TCP_NODELAY, 1L) && SET(h, MAXCONNECTS, 1L) &&
           SET(h, MAXAGE_CONN, KEEP_CONNECTION_S) && SET(h, TIMEOUT_MS, (long)timeout_ms) &&
           SET(h, CONNECTTIMEOUT_MS, (long)connect_ms(timeout_ms)) && SET(h, SSL_VERIFYPEER, 1L) &&
           SET(h, SSL_VERIFYHOST, 2L) && SET(h, SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (config->vault_cacert == NULL || SET(h, CAINFO, config->vault_cacert));
}

static bool set_hooks(CURL *h, struct attempt *a)
{
    return SET(h, ERRORBUFFER, a->detail) && SET(h, WRITEFUNCTION, on_body) &&
           SET(h, WRITEDATA, a) && SET(h, PREREQFUNCTION, on_send) && SET(h, PREREQDATA, a) &&
           SET(h, OPENSOCKETFUNCTION, on_socket) && SET(h, OPENSOCKETDATA, a);
}

/* A connection that ended early: how, goes by whether a reply had begun. */
#define ENDED TRANSPORT_COUNT

/*
 * What each of libcurl's codes means, before and after the request went out. Only what the peer or
 * the way to it did is an outcome of its own. A code that is not here is our own trouble, unless a
 * request went out: then the peer ended it.
 */
static const struct outcome {
    CURLcode code;
    enum transport_outcome unsent;
    enum transport_outcome sent;
} outcomes[] = {
    {CURLE_OK, TRANSPORT_COMPLETE, TRANSPORT_COMPLETE},
    {CURLE_OPERATION_TIMEDOUT, TRANSPORT_TIMED_OUT, TRANSPORT_TIMED_OUT},
    {CURLE_COULDNT_RESOLVE_HOST, TRANSPORT_UNREACHABLE, TRANSPORT_UNREACHABLE},
    {CURLE_COULDNT_CONNECT, TRANSPORT_UNREACHABLE, TRANSPORT_UNREACHABLE},
    {CURLE_SSL_CONNECT_ERROR, TRANSPORT_UNREACHABLE, ENDED},
    {CURLE_RECV_ERROR, TRANSPORT_UNREACHABLE, ENDED},
    {CURLE_SEND_ERROR, TRANSPORT_UNREACHABLE, ENDED},
    {CURLE_UNSUPPORTED_PROTOCOL, TRANSPORT_INTERNAL, TRANSPORT_NOT_HTTP}, /* HTTP/0.9 */
    {CURLE_WEIRD_SERVER_REPLY, TRANSPORT_INTERNAL, TRANSPORT_NOT_HTTP},
    {CURLE_PARTIAL_FILE, TRANSPORT_INTERNAL, TRANSPORT_TRUNCATED},
    {CURLE_WRITE_ERROR, TRANSPORT_INTERNAL, TRANSPORT_TRUNCATED},   /* larger than we read */
    {CURLE_OUT_OF_MEMORY, TRANSPORT_INTERNAL, TRANSPORT_TRUNCATED}, /* of a line without end */
    {CURLE_BAD_CONTENT_ENCODING, TRANSPORT_INTERNAL, TRANSPORT_TRUNCATED},
    {CURLE_PEER_FAILED_VERIFICATION, TRANSPORT_CERTIFICATE, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_CERTPROBLEM, TRANSPORT_CERTIFICATE, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_CACERT_BADFILE, TRANSPORT_CERTIFICATE, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_ISSUER_ERROR, TRANSPORT_CERTIFICATE, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, TRANSPORT_CERTIFICATE, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_INVALIDCERTSTATUS, TRANSPORT_CERTIFICATE, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_CLIENTCERT, TRANSPORT_CERTIFICATE, TRANSPORT_CERTIFICATE},
    /* ours, whatever went out before */
    {CURLE_FAILED_INIT, TRANSPORT_INTERNAL, TRANSPORT_INTERNAL},
    {CURLE_READ_ERROR, TRANSPORT_INTERNAL, TRANSPORT_INTERNAL},
    {CURLE_INTERFACE_FAILED, TRANSPORT_INTERNAL, TRANSPORT_INTERNAL},
    {CURLE_ABORTED_BY_CALLBACK, TRANSPORT_INTERNAL, TRANSPORT_INTERNAL},
    {CURLE_SEND_FAIL_REWIND, TRANSPORT_INTERNAL, TRANSPORT_INTERNAL},
    {CURLE_UNRECOVERABLE_POLL, TRANSPORT_INTERNAL, TRANSPORT_INTERNAL},
};

/* Why a socket could not be made or connected when that is this machine's doing, not the peer's or
 * the network's: nothing was tried. */
static const int own_errnos[] = {EMFILE, ENFILE,       ENOMEM,          ENOBUFS,
                                 EACCES, EPERM,        EADDRNOTAVAIL,   EADDRINUSE,
                                 EAGAIN, EAFNOSUPPORT, EPROTONOSUPPORT, EINVAL};

/* TLS trouble that has no code of its own: an alert about our certificate, and a peer that does
 * not speak TLS at all. Both are somebody's configuration, not an outage (failures.md B7, B8). */
static bool is_configuration(CURLcode code, const char *detail)
{
    return (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR ||
            code == CURLE_SEND_ERROR) &&
           (strstr(detail, "wrong version number") != NULL ||
            strstr(detail, "alert certificate") != NULL || strstr(detail, "unknown ca") != NULL ||
            strstr(detail, "certificate required") != NULL);
}

static bool is_own_errno(long os_errno)
{
    for (size_t i = 0; i < COUNT(own_errnos); i++)
        if (own_errnos[i] == os_errno)
            return true;
    return false;
}

/* A resolver without a descriptor or a thread says no more than that there is no such host. */
static bool can_resolve(const char *detail)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || strstr(detail, "thread failed to start") != NULL)
        return false;
    (void)close(fd);
    return true;
}

/* Whether the attempt failed for a reason of ours. */
static bool is_own_trouble(const struct attempt *a, CURLcode code, long os_errno)
{
    if (code == CURLE_OK)
        return false;
    if (a->body_ran_out || atomic_load(&allocations_failed) != a->failed_before ||
        strstr(a->detail, "malloc failure") != NULL)
        return true;
    if (code == CURLE_COULDNT_CONNECT)
        return (a->sockets == 0 && a->socket_errno != 0) || is_own_errno(os_errno);
    return code == CURLE_COULDNT_RESOLVE_HOST && !can_resolve(a->detail);
}

static enum transport_outcome outcome_of(const struct attempt *a, CURLcode code, long os_errno,
                                         int status)
{
    enum transport_outcome ended = status > 0 ? TRANSPORT_TRUNCATED : TRANSPORT_UNREACHABLE;
    struct outcome found = {code, TRANSPORT_INTERNAL, ENDED};
    if (is_own_trouble(a, code, os_errno))
        return TRANSPORT_INTERNAL;
    if (code == CURLE_COULDNT_CONNECT && os_errno == ECONNREFUSED)
        return TRANSPORT_REFUSED;
    if (is_configuration(code, a->detail))
        return TRANSPORT_CERTIFICATE;
    for (size_t i = 0; i < COUNT(outcomes); i++)
        if (outcomes[i].code == code)
            found = outcomes[i];
    enum transport_outcome outcome = a->sends > 0 ? found.sent : found.unsent;
    return outcome == ENDED ? ended : outcome;
}

static void explain(const struct attempt *a, CURLcode code, struct transport_reply *reply)
{
    const char *text = a->detail[0] != '\0' ? a->detail : curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT && a->sockets == 0 && a->socket_errno != 0)
        (void)snprintf(reply->detail, sizeof reply->detail, "no socket could be made: %s",
                       strerror(a->socket_errno));
    else
        (void)snprintf(reply->detail, sizeof reply->detail, "%.159s", text);
}

static void read_outcome(CURL *h, CURLcode code, const struct attempt *a, int64_t timeout_ms,
                         struct transport_reply *reply)
{
    long status = 0, os_errno = 0;
    struct curl_header *header = NULL;
    (void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &os_errno);
    reply->status = (int)status;
    reply->resends = a->sends > 1 ? a->sends - 1 : 0;
    reply->outcome = outcome_of(a, code, os_errno, reply->status);
    if (reply->outcome != TRANSPORT_COMPLETE)
        explain(a, code, reply);
    if (reply->outcome == TRANSPORT_TIMED_OUT)
        reply->gave_up_ms = a->sends > 0 ? timeout_ms : connect_ms(timeout_ms);
    if (curl_easy_header(h, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        (void)snprintf(reply->retry_after, sizeof reply->retry_after, "%s", header->value);
}

static void perform(struct transport_curl *t, CURL *h, const struct transport_request *request,
                    struct transport_reply *reply)
{
    char url[URL_BYTES];
    struct attempt a = {.body = &reply->body, .failed_before = atomic_load(&allocations_failed)};
    struct curl_slist *headers CLEANUP(headers_done) = NULL;
    if (!make_headers(t, request, &headers) || !make_url(t->config, request->path, url) ||
        !set_request(h, request, url, headers) || !set_limits(h, t->config, request->timeout_ms) ||
        !set_hooks(h, &a)) {
        (void)snprintf(reply->detail, sizeof reply->detail,
                       "the request could not be made: out of memory, or too long");
        return;
    }
    CURLcode code = curl_easy_perform(h);
    read_outcome(h, code, &a, request->timeout_ms, reply);
}

/* Until something was sent, or tried, whatever goes wrong is our own trouble. */
static void send_one(void *context, const struct transport_request *request,
                     struct transport_reply *reply)
{
    struct transport_curl *t = context;
    CHECK(request->timeout_ms >= 1);
    *reply = (struct transport_reply){.outcome = TRANSPORT_INTERNAL};
    buf_init(&reply->body, LIMIT_VAULT_REPLY_BYTES);
    CURL *h = take_handle(t);
    if (h == NULL) {
        (void)snprintf(reply->detail, sizeof reply->detail, "out of memory");
        return;
    }
    perform(t, h, request, reply);
    return_handle(t, h);
}

struct transport transport_curl_port(struct transport_curl *t)
{
    return (struct transport){.send = send_one, .context = t};
}
