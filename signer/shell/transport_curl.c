#include "signer/shell/transport_curl.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void global_init(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
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

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_add(body, bytes, size * count);
    return body->failed ? 0 : size * count;
}

/* Called once per send, also for those that libcurl makes by itself. */
static int on_send(void *context, char *a, char *b, int c, int d)
{
    (void)a, (void)b, (void)c, (void)d;
    int *sends = context;
    ++*sends;
    return CURL_PREREQFUNC_OK;
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

/* Where the request goes and what it carries. */
static void set_request(CURL *h, const struct transport_request *request, const char *url,
                        struct curl_slist *headers)
{
    bool post = strcmp(request->method, "POST") == 0;
    (void)curl_easy_setopt(h, CURLOPT_URL, url);
    (void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(h, CURLOPT_USERAGENT, "signer/" PROJECT_VERSION);
    (void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
    if (post) {
        (void)curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        (void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, request->body.ptr);
    }
}

/* Whom to talk to and for how long. An inherited proxy would get the token (failures.md E10). */
static void set_limits(CURL *h, const struct config *config, int64_t timeout_ms)
{
    (void)curl_easy_setopt(h, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(h, CURLOPT_MAXCONNECTS, 1L);
    (void)curl_easy_setopt(h, CURLOPT_MAXAGE_CONN, KEEP_CONNECTION_S);
    (void)curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout_ms / 2 + 1));
    (void)curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (config->vault_cacert != NULL)
        (void)curl_easy_setopt(h, CURLOPT_CAINFO, config->vault_cacert);
}

/* What each of libcurl's codes means; the other codes go by whether a reply had begun. */
static const struct {
    CURLcode code;
    enum transport_outcome outcome;
} outcomes[] = {
    {CURLE_OK, TRANSPORT_COMPLETE},
    {CURLE_OPERATION_TIMEDOUT, TRANSPORT_TIMED_OUT},
    {CURLE_COULDNT_RESOLVE_HOST, TRANSPORT_UNREACHABLE},
    {CURLE_COULDNT_CONNECT, TRANSPORT_UNREACHABLE},
    {CURLE_UNSUPPORTED_PROTOCOL, TRANSPORT_NOT_HTTP}, /* HTTP/0.9 */
    {CURLE_WEIRD_SERVER_REPLY, TRANSPORT_NOT_HTTP},
    {CURLE_PARTIAL_FILE, TRANSPORT_TRUNCATED},
    {CURLE_WRITE_ERROR, TRANSPORT_TRUNCATED},   /* larger than we read */
    {CURLE_OUT_OF_MEMORY, TRANSPORT_TRUNCATED}, /* what it says of a header line without end */
    {CURLE_BAD_CONTENT_ENCODING, TRANSPORT_TRUNCATED},
    {CURLE_PEER_FAILED_VERIFICATION, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_CERTPROBLEM, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_CACERT_BADFILE, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_ISSUER_ERROR, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_INVALIDCERTSTATUS, TRANSPORT_CERTIFICATE},
    {CURLE_SSL_CLIENTCERT, TRANSPORT_CERTIFICATE},
};

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

static enum transport_outcome outcome_of(CURLcode code, long os_errno, int status,
                                         const char *detail)
{
    if (code == CURLE_COULDNT_CONNECT && os_errno == ECONNREFUSED)
        return TRANSPORT_REFUSED;
    if (is_configuration(code, detail))
        return TRANSPORT_CERTIFICATE;
    for (size_t i = 0; i < COUNT(outcomes); i++)
        if (outcomes[i].code == code)
            return outcomes[i].outcome;
    return status > 0 ? TRANSPORT_TRUNCATED : TRANSPORT_UNREACHABLE;
}

static void read_outcome(CURL *h, CURLcode code, const char *detail, int sends,
                         struct transport_reply *reply)
{
    long status = 0, os_errno = 0;
    struct curl_header *header = NULL;
    (void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &os_errno);
    reply->status = (int)status;
    reply->resends = sends > 1 ? sends - 1 : 0;
    reply->outcome = outcome_of(code, os_errno, reply->status, detail);
    if (reply->outcome != TRANSPORT_COMPLETE)
        (void)snprintf(reply->detail, sizeof reply->detail, "%s",
                       detail[0] != '\0' ? detail : curl_easy_strerror(code));
    if (curl_easy_header(h, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        (void)snprintf(reply->retry_after, sizeof reply->retry_after, "%s", header->value);
}

static void perform(struct transport_curl *t, CURL *h, const struct transport_request *request,
                    struct transport_reply *reply)
{
    char url[URL_BYTES], detail[CURL_ERROR_SIZE] = "";
    int sends = 0;
    struct curl_slist *headers CLEANUP(headers_done) = NULL;
    if (!make_headers(t, request, &headers) || !make_url(t->config, request->path, url)) {
        (void)snprintf(reply->detail, sizeof reply->detail, "the request could not be made");
        return;
    }
    set_request(h, request, url, headers);
    set_limits(h, t->config, request->timeout_ms);
    (void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, detail);
    (void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(h, CURLOPT_WRITEDATA, &reply->body);
    (void)curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, on_send);
    (void)curl_easy_setopt(h, CURLOPT_PREREQDATA, &sends);
    CURLcode code = curl_easy_perform(h);
    read_outcome(h, code, detail, sends, reply);
}

static void send_one(void *context, const struct transport_request *request,
                     struct transport_reply *reply)
{
    struct transport_curl *t = context;
    CHECK(request->timeout_ms >= 1);
    *reply = (struct transport_reply){.outcome = TRANSPORT_UNREACHABLE};
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
