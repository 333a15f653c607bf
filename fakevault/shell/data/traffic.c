#include "fakevault/shell/data/traffic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/monocond.h"
#include "fakevault/shell/data/httpd.h"

#define CONNECTIONS_MAX 4096u /* of each loop */
#define IDLE_S 300u           /* Go's IdleTimeout as Vault sets it (vault-api.md 1.1) */
#define CHUNKED_OVER                                                                               \
    2048u /* Go buffers that much before it gives up on Content-Length (vault-api.md 1.3) */
#define HEADERS_MAX (FAULT_HEADERS_MAX + 3)

struct traffic {
    struct control *control;
    struct gate *gate;
    struct hold *hold;
    struct httpd *httpd;
    pthread_mutex_t lock; /* guards `active` */
    pthread_cond_t idle;
    size_t active; /* requests that have no `reply` record yet */
};

/* What is remembered of a request between its turns. */
struct item {
    struct httpd_exchange *exchange;
    struct control_arrival arrival;
    enum hold_end hold_end;
    struct journal_reply reply; /* signatures point into `answer` */
    struct vault_reply answer;
    bool answered; /* `answer` is filled */

    /* While a thread of its own runs it. */
    struct traffic *traffic;
    struct vault_job *job;
};

/* ---- what microhttpd has, as the core wants it ---- */

/* RFC 9112 3.2.2: a server has to understand the absolute form, too. */
static struct slice origin_form(struct slice target)
{
    if (!slice_starts_with(target, "http://") && !slice_starts_with(target, "https://"))
        return target;
    struct slice rest = slice_from(target, slice_find(target, ':') + 3);
    return slice_from(rest, slice_find(rest, '/'));
}

/* Blanks around a value are no part of it (RFC 9110 5.5); microhttpd leaves those behind it. */
static struct slice header(const struct httpd_exchange *x, const char *name)
{
    return slice_trim(slice_of(httpd_header(x, name)));
}

static const char *any_header(const void *context, const char *name)
{
    return httpd_header(context, name);
}

static struct vault_request request_of(const struct httpd_exchange *x)
{
    struct slice query = origin_form(httpd_target(x));
    struct slice path = slice_cut(&query, '?');
    int port = 0;
    const char *peer = gate_conn_peer(httpd_conn(x), &port);
    return (struct vault_request){
        .remote_address = slice_of(peer),
        .remote_port = port,
        .method = httpd_method(x),
        .path = path,
        .query = query,
        .token = header(x, "X-Vault-Token"),
        .authorization = slice_of(httpd_header(x, "Authorization")),
        .wrap_ttl = header(x, "X-Vault-Wrap-TTL"),
        .content_type = header(x, "Content-Type"),
        .namespace = header(x, "X-Vault-Namespace"),
        .policy_override = header(x, "X-Vault-Policy-Override"),
        .forward = header(x, "X-Vault-Forward"),
        .inconsistent = header(x, "X-Vault-Inconsistent"),
        .accept = slice_of(httpd_header(x, "Accept")),
        .header = any_header,
        .header_context = x,
        .body = httpd_body(x),
        .body_too_large = httpd_too_big(x),
    };
}

/* ---- answering ---- */

static void answer_with(struct traffic *t, struct item *item, struct httpd_reply *reply)
{
    item->reply.status = reply->status;
    item->reply.bytes = reply->body.len;
    reply->close = gate_conn_last(t->gate, httpd_conn(item->exchange));
    reply->chunked = reply->body.len > CHUNKED_OVER;
    httpd_answer(item->exchange, reply);
}

static bool gives_header(const struct fault_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcasecmp(reply->headers[i].name, name) == 0)
            return true;
    return false;
}

/* An invented answer looks like Vault's own (vault-api.md 1.3) but for what the rule says. */
static void send_invented(struct traffic *t, struct item *item)
{
    static const struct httpd_header usual[] = {
        {"Cache-Control", "no-store"},
        {"Content-Type", "application/json"},
        {"Strict-Transport-Security", "max-age=31536000; includeSubDomains"},
    };
    const struct fault_reply *invented = item->arrival.decision.fault.reply;
    struct httpd_header headers[HEADERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(usual); i++)
        if (!gives_header(invented, usual[i].name))
            headers[count++] = usual[i];
    for (size_t i = 0; i < invented->header_count; i++)
        headers[count++] =
            (struct httpd_header){invented->headers[i].name, invented->headers[i].value};
    struct httpd_reply reply = {
        .status = invented->status,
        .headers = headers,
        .header_count = count,
        .body = slice_bytes(invented->body, invented->body_len),
    };
    answer_with(t, item, &reply);
}

static void send_answer(struct traffic *t, struct item *item)
{
    const struct vault_reply *answer = &item->answer;
    struct httpd_header headers[VAULT_REPLY_HEADERS_MAX];
    for (size_t i = 0; i < answer->header_count; i++)
        headers[i] = (struct httpd_header){answer->headers[i].name, answer->headers[i].value};
    struct httpd_reply reply = {
        .status = answer->status,
        .headers = headers,
        .header_count = answer->header_count,
        .body = buf_slice(&answer->body),
    };
    item->reply.executed = answer->executed;
    item->reply.key_version = answer->key_version > 0 ? answer->key_version : -1;
    item->reply.signatures = (const struct journal_hash *)answer->signature_sha256;
    item->reply.signature_count = answer->signature_count;
    answer_with(t, item, &reply);
}

static void run(struct item *item)
{
    vault_job_run(item->job);
    control_end(item->traffic->control, item->job, &item->answer);
    vault_deliver(&item->answer);
    item->answered = true;
}

static void *run_aside(void *context)
{
    struct item *item = context;
    run(item);
    httpd_resume(item->exchange);
    return NULL;
}

/* An audit device may block for as long as it likes: the request waits in a thread of its own, so
 * that others, who need not be audited, do not wait with it. */
static void execute_aside(struct item *item)
{
    pthread_t thread;
    httpd_hold(item->exchange);
    if (pthread_create(&thread, NULL, run_aside, item) == 0)
        (void)pthread_detach(thread);
    else
        (void)run_aside(item);
}

static void execute(struct traffic *t, struct item *item, struct vault_job *job)
{
    item->traffic = t;
    item->job = job;
    if (vault_job_blocks(job)) {
        execute_aside(item);
        return;
    }
    run(item);
    send_answer(t, item);
}

static void execute_anew(struct traffic *t, struct item *item)
{
    const struct vault_request request = request_of(item->exchange);
    execute(t, item, control_begin(t->control, &request));
}

/* ---- a request's turns ---- */

static void follow_decision(struct traffic *t, struct item *item)
{
    switch (control_take(t->control, &item->arrival.decision)) {
    case EFFECT_LET_BY:
        if (item->arrival.job != NULL)
            execute(t, item, item->arrival.job);
        else
            execute_anew(t, item);
        return;
    case EFFECT_ANSWER:
        send_invented(t, item);
        return;
    case EFFECT_DROP:
        httpd_drop(item->exchange);
        return;
    }
}

void traffic_wake(void *context, void *item, enum hold_end end)
{
    (void)context;
    struct item *held = item;
    held->hold_end = end;
    httpd_resume(held->exchange);
}

/* The connection has to be suspended before anybody can be told to wake it. */
static void put_on_hold(struct traffic *t, struct item *item)
{
    const struct outage_decision *decision = &item->arrival.decision;
    httpd_hold(item->exchange);
    if (control_hold_put(t->control, item, httpd_fd(item->exchange), decision) != ERRC_OK)
        traffic_wake(NULL, item, HOLD_RELEASED);
}

static struct item *new_item(struct traffic *t, struct httpd_exchange *x)
{
    struct item *item = calloc(1, sizeof *item);
    if (item == NULL)
        return NULL;
    item->exchange = x;
    item->reply.key_version = -1;
    httpd_set_context(x, item);
    (void)pthread_mutex_lock(&t->lock);
    t->active++;
    (void)pthread_mutex_unlock(&t->lock);
    return item;
}

static void first_turn(struct traffic *t, struct httpd_exchange *x)
{
    struct gate_conn *conn = httpd_conn(x);
    struct item *item = gate_conn_begin(t->gate, conn) ? new_item(t, x) : NULL;
    if (item == NULL) {
        httpd_drop(x);
        return;
    }
    const struct vault_request request = request_of(x);
    const struct control_sender sender = {
        .conn = gate_conn_id(conn),
        .test = slice_of(httpd_header(x, "X-Fakevault-Test")),
        .attempt = slice_of(httpd_header(x, "X-Signer-Attempt")),
    };
    control_arrive(t->control, &request, &sender, &item->arrival);
    if (item->arrival.decision.held)
        put_on_hold(t, item);
    else
        follow_decision(t, item);
}

static void on_request(void *context, struct httpd_exchange *x)
{
    struct traffic *t = context;
    struct item *item = httpd_context(x);
    if (item == NULL)
        first_turn(t, x);
    else if (item->answered)
        send_answer(t, item);
    else if (item->hold_end == HOLD_RELEASED && !gate_conn_peer_gone(t->gate, httpd_conn(x)))
        follow_decision(t, item);
    else
        httpd_drop(x);
}

static enum journal_end end_of(struct traffic *t, const struct item *item, enum httpd_end end)
{
    if (end == HTTPD_SENT)
        return JOURNAL_SENT;
    return gate_conn_was_reset(t->gate, httpd_conn(item->exchange)) ? JOURNAL_RESET
                                                                    : JOURNAL_DROPPED;
}

static void free_item(struct traffic *t, struct item *item)
{
    outage_decision_done(&item->arrival.decision);
    if (item->answered)
        vault_reply_done(&item->answer);
    free(item);
    (void)pthread_mutex_lock(&t->lock);
    if (--t->active == 0)
        (void)pthread_cond_broadcast(&t->idle);
    (void)pthread_mutex_unlock(&t->lock);
}

static void on_done(void *context, struct httpd_exchange *x, enum httpd_end end)
{
    struct traffic *t = context;
    struct item *item = httpd_context(x);
    if (item == NULL)
        return;
    item->reply.end = end_of(t, item, end);
    item->reply.request = item->arrival.seq;
    if (item->reply.end != JOURNAL_SENT)
        item->reply.bytes = 0;
    if (item->arrival.seq != 0)
        control_replied(t->control, &item->reply);
    gate_conn_end(t->gate, httpd_conn(x));
    free_item(t, item);
}

/* ---- connections ---- */

static bool hand_over(void *context, int fd, const struct sockaddr *address, socklen_t len)
{
    struct traffic *t = context;
    return httpd_adopt(t->httpd, fd, address, len);
}

static void conn_opened(void *context, uint64_t conn)
{
    struct traffic *t = context;
    control_conn(t->control, conn, JOURNAL_ACCEPTED);
}

static void conn_closed(void *context, uint64_t conn, enum journal_how how)
{
    struct traffic *t = context;
    control_conn(t->control, conn, how);
}

static void conn_opened_tls(void *context, uint64_t conn)
{
    struct traffic *t = context;
    control_conn(t->control, conn, JOURNAL_HANDSHAKE);
}

static void conns_told(void *context)
{
    struct traffic *t = context;
    control_write(t->control);
}

static void *on_opened(void *context, int fd)
{
    struct traffic *t = context;
    return gate_conn_of(t->gate, fd);
}

static void on_closed(void *context, void *conn, bool by_client)
{
    struct traffic *t = context;
    gate_conn_closed(t->gate, conn, by_client ? JOURNAL_CLOSED_CLIENT : JOURNAL_CLOSED_SERVER);
}

/* ---- life ---- */

static enum errc begin(struct traffic *t, unsigned loops, struct errc_why *why)
{
    const struct httpd_options options = {
        .daemons = loops,
        .listen_fd = -1,
        .connections_max = CONNECTIONS_MAX,
        .idle_s = IDLE_S,
        .body_bytes_max = LIMIT_REQUEST_BODY_BYTES,
        .events = {on_opened, on_closed, on_request, on_done, t},
    };
    const struct gate_events events = {hand_over,       conn_opened, conn_closed,
                                       conn_opened_tls, conns_told,  t};
    TRY(httpd_start(&options, &t->httpd, why));
    return gate_start(t->gate, &events, why);
}

enum errc traffic_start(struct control *control, struct gate *gate, struct hold *hold,
                        unsigned loops, struct traffic **out, struct errc_why *why)
{
    struct traffic *t = calloc(1, sizeof *t);
    if (t == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    *t = (struct traffic){.control = control, .gate = gate, .hold = hold};
    (void)pthread_mutex_init(&t->lock, NULL);
    monocond_init(&t->idle);
    enum errc code = begin(t, loops, why);
    if (code != ERRC_OK) {
        traffic_stop(t, 0);
        return code;
    }
    *out = t;
    return ERRC_OK;
}

static void wait_until_idle(struct traffic *t, int64_t grace_ms)
{
    const struct timespec until = monocond_in_ms(grace_ms);
    int end = 0;
    (void)pthread_mutex_lock(&t->lock);
    while (t->active > 0 && end == 0)
        end = pthread_cond_timedwait(&t->idle, &t->lock, &until);
    (void)pthread_mutex_unlock(&t->lock);
}

void traffic_stop(struct traffic *traffic, int64_t grace_ms)
{
    if (traffic == NULL)
        return;
    gate_stop(traffic->gate);
    hold_stop(traffic->hold);
    wait_until_idle(traffic, grace_ms);
    httpd_stop(traffic->httpd);
    (void)pthread_mutex_destroy(&traffic->lock);
    (void)pthread_cond_destroy(&traffic->idle);
    free(traffic);
}
