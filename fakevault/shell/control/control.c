#include "fakevault/shell/control/control.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/os/monocond.h"
#include "fakevault/shell/control/control_inner.h"

#define DETAIL_BYTES_MAX 1024u

void control_lock(struct control *c)
{
    (void)pthread_mutex_lock(&c->lock);
}

static struct control_log_state state_of(const struct control *c)
{
    struct vault_state state;
    vault_state(c->ports.vault, &state);
    return (struct control_log_state){.sealed = state.sealed,
                                      .closed = (outage_condition(c->outage) & OUTAGE_CLOSED) != 0,
                                      .holding = (outage_condition(c->outage) & OUTAGE_HELD) != 0};
}

void control_unlock(struct control *c)
{
    const struct control_log_state before = c->told, after = state_of(c);
    uint64_t seq = c->unwritten;
    c->told = after;
    c->unwritten = 0;
    (void)pthread_mutex_unlock(&c->lock);
    if (seq != 0)
        journal_file_flush(c->ports.journal, seq);
    if (before.sealed != after.sealed || before.closed != after.closed ||
        before.holding != after.holding)
        control_log_changes(c->ports.log, &before, &after, gate_address(c->ports.gate));
}

/* ---- under the lock ---- */

static void record(struct control *c, const struct outage_change *change)
{
    struct buf detail CLEANUP(buf_done);
    buf_init(&detail, DETAIL_BYTES_MAX);
    struct jsonwrite w;
    jsonwrite_init(&w, &detail, JSONWRITE_PLAIN);
    if (change->rule[0] != '\0') {
        jsonwrite_object(&w, NULL);
        jsonwrite_string(&w, "rule", change->rule);
        jsonwrite_end(&w);
    }
    const struct journal_record r = {
        .kind = JOURNAL_CONTROL,
        .control = {.verb = change->verb,
                    .generation = change->generation,
                    .detail = buf_slice(&detail)},
    };
    c->unwritten = journal_file_put(c->ports.journal, &r);
}

/* Under the lock, unlike all other writing: nothing is to be decided behind a crash. */
static _Noreturn void die_recorded(struct control *c)
{
    journal_file_flush(c->ports.journal, c->unwritten);
    control_log_crash(c->ports.log);
    control_die();
}

static bool keep_held(void *context, uint64_t owner)
{
    const struct control *c = context;
    return outage_keeps(c->outage, owner);
}

/* `resume` and `reset` let go what rules hold, too: the requests, not the rules. */
static bool keep_none(void *context, uint64_t owner)
{
    (void)context;
    (void)owner;
    return false;
}

static enum errc open_listener(struct control *c, struct errc_why *why)
{
    struct outage_orders orders = {0};
    enum errc code = gate_accept(c->ports.gate, why);
    if (code == ERRC_OK)
        return code;
    outage_failed_to_open(c->outage, &orders);
    record(c, &orders.changes[0]);
    return code;
}

void control_carry_out(struct control *c, const struct outage_orders *orders,
                       struct control_done *done, struct errc_why *why)
{
    struct control_done unasked;
    done = done == NULL ? &unasked : done;
    *done = (struct control_done){.opened = ERRC_OK};
    if (orders->seal)
        vault_seal(c->ports.vault);
    if (orders->turn_away != OUTAGE_NOBODY)
        done->refused = gate_refuse(c->ports.gate, orders->turn_away == OUTAGE_DRAIN);
    for (size_t i = 0; i < orders->change_count; i++)
        record(c, &orders->changes[i]);
    if (orders->die)
        die_recorded(c);
    if (orders->open)
        done->opened = open_listener(c, why);
    if (orders->release || orders->release_all) {
        (void)pthread_cond_signal(&c->rules_changed);
        done->released =
            hold_release(c->ports.hold, orders->release_all ? keep_none : keep_held, c);
    }
}

void control_format_inner_head(const struct control *c, struct jsonwrite *w)
{
    jsonwrite_int(w, "generation", (int64_t)outage_generation(c->outage));
    jsonwrite_string(w, "boot_id", c->boot_id);
}

static void format_vault(const struct control *c, struct jsonwrite *w)
{
    struct vault_state state;
    vault_state(c->ports.vault, &state);
    jsonwrite_object(w, "vault");
    jsonwrite_bool(w, "initialized", state.initialized);
    jsonwrite_bool(w, "sealed", state.sealed);
    jsonwrite_int(w, "shares", state.shares);
    jsonwrite_int(w, "threshold", state.threshold);
    jsonwrite_int(w, "progress", state.progress);
    jsonwrite_string(w, "storage", c->ports.storage);
    jsonwrite_end(w);
}

static void format_listener(const struct control *c, struct jsonwrite *w)
{
    struct gate_status status = gate_status(c->ports.gate);
    jsonwrite_object(w, "listener");
    jsonwrite_string(w, "address", gate_address(c->ports.gate));
    jsonwrite_bool(w, "accepting", status.accepting);
    jsonwrite_int(w, "connections", (int64_t)status.open);
    jsonwrite_int(w, "in_flight", (int64_t)status.in_flight);
    jsonwrite_end(w);
}

static void format_hold(const struct control *c, struct jsonwrite *w)
{
    jsonwrite_object(w, "hold");
    jsonwrite_bool(w, "active", (outage_condition(c->outage) & OUTAGE_HELD) != 0);
    jsonwrite_int(w, "held", (int64_t)hold_count(c->ports.hold));
    jsonwrite_end(w);
}

void control_expire(struct control *c)
{
    struct outage_orders orders = {0};
    (void)outage_tick(c->outage, control_now(c), &orders);
    control_carry_out(c, &orders, NULL, NULL);
}

/* ---- leases end also when nobody asks ---- */

static void wait_until(struct control *c, int64_t at)
{
    if (at == INT64_MAX) {
        (void)pthread_cond_wait(&c->rules_changed, &c->lock);
        return;
    }
    const struct timespec until = monocond_at(at);
    (void)pthread_cond_timedwait(&c->rules_changed, &c->lock, &until);
}

/* Waits only when there was nothing to do: what was is to be written first, without the lock. */
static void *end_leases(void *context)
{
    struct control *c = context;
    bool stopping = false;
    while (!stopping) {
        struct outage_orders orders = {0};
        control_lock(c);
        int64_t wake_at = outage_tick(c->outage, control_now(c), &orders);
        control_carry_out(c, &orders, NULL, NULL);
        if (orders.change_count == 0 && !c->stopping)
            wait_until(c, wake_at);
        stopping = c->stopping;
        control_unlock(c);
    }
    return NULL;
}

/* ---- life ---- */

static enum errc begin(struct control *c, struct errc_why *why)
{
    TRY(outage_new(c->ports.seed, &c->outage, why));
    c->told = state_of(c);
    if (pthread_create(&c->thread, NULL, end_leases, c) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot start a thread");
    c->started = true;
    return ERRC_OK;
}

enum errc control_new(const struct control_ports *ports, struct control **out, struct errc_why *why)
{
    struct control *c = calloc(1, sizeof *c);
    if (c == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    c->ports = *ports;
    entropy_uuid(ports->entropy, c->boot_id);
    /* Held for microseconds by every request: not worth a sleep. */
    pthread_mutexattr_t adaptive;
    (void)pthread_mutexattr_init(&adaptive);
    (void)pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    (void)pthread_mutex_init(&c->lock, &adaptive);
    (void)pthread_mutexattr_destroy(&adaptive);
    monocond_init(&c->rules_changed); /* leases are in mono_ns */
    enum errc code = begin(c, why);
    if (code != ERRC_OK) {
        control_free(c);
        return code;
    }
    *out = c;
    return ERRC_OK;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    control_lock(control);
    control->stopping = true;
    (void)pthread_cond_signal(&control->rules_changed);
    control_unlock(control);
    if (control->started)
        (void)pthread_join(control->thread, NULL);
    outage_free(control->outage);
    (void)pthread_mutex_destroy(&control->lock);
    (void)pthread_cond_destroy(&control->rules_changed);
    free(control);
}

const char *control_boot_id(const struct control *control)
{
    return control->boot_id;
}

_Noreturn void control_die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

/* ---- answers ---- */

void control_format_head(struct control *control, struct jsonwrite *w)
{
    control_lock(control);
    control_format_inner_head(control, w);
    control_unlock(control);
}

void control_format_state(struct control *control, struct jsonwrite *w)
{
    control_lock(control);
    control_expire(control);
    control_format_inner_head(control, w);
    jsonwrite_int(w, "pid", getpid());
    format_vault(control, w);
    format_listener(control, w);
    format_hold(control, w);
    fault_format(outage_rules(control->outage), w, "rules");
    jsonwrite_object(w, "counters");
    jsonwrite_int(w, "connections", (int64_t)control->connections);
    jsonwrite_int(w, "requests", (int64_t)control->requests);
    jsonwrite_int(w, "replies", (int64_t)control->replies);
    jsonwrite_end(w);
    control_unlock(control);
}

static void metric(struct buf *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    buf_addf(out, "# HELP fakevault_%s %s\n# TYPE fakevault_%s %s\nfakevault_%s %llu\n", name, help,
             name, type, name, (unsigned long long)value);
}

void control_format_metrics(struct control *control, struct buf *out)
{
    struct vault_state state;
    control_lock(control);
    control_expire(control);
    vault_state(control->ports.vault, &state);
    struct gate_status gate = gate_status(control->ports.gate);
    metric(out, "sealed", "gauge", "1 while the vault is sealed", state.sealed);
    metric(out, "accepting", "gauge", "1 while the data port accepts connections", gate.accepting);
    metric(out, "open_connections", "gauge", "Open data connections", gate.open);
    metric(out, "held_requests", "gauge", "Requests that are held",
           hold_count(control->ports.hold));
    metric(out, "rules", "gauge", "Fault rules", fault_count(outage_rules(control->outage)));
    metric(out, "generation", "counter", "Changes made", outage_generation(control->outage));
    metric(out, "connections_total", "counter", "Connections accepted", control->connections);
    metric(out, "requests_total", "counter", "Requests that arrived", control->requests);
    metric(out, "replies_total", "counter", "Requests that ended", control->replies);
    control_unlock(control);
}

/* ---- verbs ---- */

void control_seal(struct control *control, struct jsonwrite *w)
{
    struct outage_orders orders = {0};
    control_lock(control);
    outage_seal(control->outage, &orders);
    control_carry_out(control, &orders, NULL, NULL);
    control_format_inner_head(control, w);
    format_vault(control, w);
    control_unlock(control);
}

static bool is_sealed(const struct control *c)
{
    struct vault_state state;
    vault_state(c->ports.vault, &state);
    return state.sealed;
}

static enum errc give_shares(struct control *c, const json_t *shares, struct errc_why *why)
{
    size_t i = 0;
    const json_t *share = NULL;
    json_array_foreach(shares, i, share)
    {
        if (!is_sealed(c))
            return ERRC_OK;
        struct slice text = slice_bytes(json_string_value(share), json_string_length(share));
        enum errc code = vault_unseal_share(c->ports.vault, text, control_now(c), why);
        if (code != ERRC_OK) {
            errc_prefix(why, "shares[%zu]", i);
            return code;
        }
    }
    return ERRC_OK;
}

static enum errc check_shares(const json_t *shares, struct errc_why *why)
{
    if (!json_is_array(shares) || json_array_size(shares) == 0)
        return errc_fail(why, ERRC_SCHEMA, "field \"shares\" is not a list of at least one share");
    size_t i = 0;
    const json_t *share = NULL;
    json_array_foreach(shares, i, share)
    {
        if (!json_is_string(share))
            return errc_fail(why, ERRC_SCHEMA, "shares[%zu] is not a string", i);
    }
    return ERRC_OK;
}

enum errc control_unseal(struct control *control, const json_t *shares, struct jsonwrite *w,
                         struct errc_why *why)
{
    struct outage_orders orders = {0};
    TRY(check_shares(shares, why));
    control_lock(control);
    enum errc code = give_shares(control, shares, why);
    outage_unseal(control->outage, &orders);
    control_carry_out(control, &orders, NULL, NULL);
    if (code == ERRC_OK) {
        control_format_inner_head(control, w);
        format_vault(control, w);
    }
    control_unlock(control);
    return code;
}

static enum errc accept_again(struct control *c, struct jsonwrite *w, struct errc_why *why)
{
    struct outage_orders orders = {0};
    TRY(gate_accept(c->ports.gate, why)); /* first: what did not happen is not recorded */
    outage_accept(c->outage, &orders);
    control_carry_out(c, &orders, NULL, why);
    control_format_inner_head(c, w);
    format_listener(c, w);
    return ERRC_OK;
}

static void refuse(struct control *c, bool drain, struct jsonwrite *w)
{
    struct outage_orders orders = {0};
    struct control_done done;
    outage_refuse(c->outage, drain, &orders);
    control_carry_out(c, &orders, &done, NULL);
    control_format_inner_head(c, w);
    format_listener(c, w);
    jsonwrite_int(w, "reset", (int64_t)done.refused.reset);
    jsonwrite_int(w, "draining", (int64_t)done.refused.draining);
}

enum errc control_listener(struct control *control, bool accept, bool drain, struct jsonwrite *w,
                           struct errc_why *why)
{
    enum errc code = ERRC_OK;
    control_lock(control);
    if (accept)
        code = accept_again(control, w, why);
    else
        refuse(control, drain, w);
    control_unlock(control);
    return code;
}

void control_hold(struct control *control, bool active, struct jsonwrite *w)
{
    struct outage_orders orders = {0};
    struct control_done done;
    control_lock(control);
    if (active)
        outage_hang(control->outage, &orders);
    else
        outage_resume(control->outage, &orders);
    control_carry_out(control, &orders, &done, NULL);
    control_format_inner_head(control, w);
    format_hold(control, w);
    jsonwrite_int(w, "released", (int64_t)done.released);
    control_unlock(control);
}

void control_crash(struct control *control, struct jsonwrite *w)
{
    struct outage_orders orders = {0};
    control_lock(control);
    outage_crash(control->outage, &orders);
    orders.die = false; /* not before the answer is out */
    control_carry_out(control, &orders, NULL, NULL);
    control_format_inner_head(control, w);
    control_unlock(control);
    control_log_crash(control->ports.log);
}

enum errc control_reset(struct control *control, struct jsonwrite *w, struct errc_why *why)
{
    struct outage_orders orders = {0};
    struct control_done done;
    control_lock(control);
    control->connections = 0;
    control->requests = 0;
    control->replies = 0;
    outage_reset(control->outage, &orders);
    control_carry_out(control, &orders, &done, why);
    if (done.opened == ERRC_OK) {
        control_format_inner_head(control, w);
        jsonwrite_int(w, "released", (int64_t)done.released);
    }
    control_unlock(control);
    return done.opened;
}

/* ---- traffic ---- */

static void record_request(struct control *c, const struct vault_request *request,
                           const struct control_sender *sender, const struct vault_facts *facts,
                           struct control_arrival *out)
{
    _Static_assert(sizeof(struct journal_hash) == sizeof *facts->input_sha256, "same layout");
    const struct journal_record r = {
        .kind = JOURNAL_REQUEST,
        .request = {.conn = sender->conn,
                    .method = request->method,
                    .path = request->path,
                    .query = request->query,
                    .operation = slice_of(facts->operation),
                    .mount = facts->mount,
                    .key = facts->key,
                    .accessor = facts->accessor,
                    .inputs = (const struct journal_hash *)facts->input_sha256,
                    .input_count = facts->input_count,
                    .test = sender->test,
                    .attempt = sender->attempt,
                    .rule = slice_of(out->decision.fault.id),
                    .roll = out->decision.fault.roll},
    };
    out->seq = journal_file_put(c->ports.journal, &r);
    c->requests++;
}

static void arrive(struct control *c, const struct vault_request *request,
                   const struct control_sender *sender, struct control_arrival *out)
{
    struct outage_orders orders = {0};
    struct instant at = control_now(c);
    vault_begin(c->ports.vault, out->job, at);
    const struct vault_facts *facts = vault_job_facts(out->job);
    const struct fault_facts asked = {
        .method = request->method,
        .path = facts->path,
        .key = facts->key,
        .accessor = facts->accessor,
        .test = sender->test,
    };
    outage_arrive(c->outage, &asked, at, &out->decision, &orders);
    control_carry_out(c, &orders, NULL, NULL);
    record_request(c, request, sender, facts, out);
    if (out->decision.held || out->decision.fault.effect != FAULT_NONE) {
        vault_cancel(c->ports.vault, out->job);
        out->job = NULL;
    }
}

void control_arrive(struct control *control, const struct vault_request *request,
                    const struct control_sender *sender, struct control_arrival *out)
{
    *out = (struct control_arrival){.job = vault_receive(control->ports.vault, request)};
    control_lock(control);
    arrive(control, request, sender, out);
    control_unlock(control);
    journal_file_flush(control->ports.journal, out->seq); /* before anything follows from it */
}

enum errc control_hold_put(struct control *control, void *item, int fd,
                           const struct outage_decision *decision)
{
    enum errc code = ERRC_STATE;
    control_lock(control);
    if (outage_may_hold(control->outage, decision))
        code = hold_put(control->ports.hold, item, fd, decision->owner);
    control_unlock(control);
    return code;
}

enum effect_course control_take(struct control *control, const struct outage_decision *decision)
{
    struct outage_orders orders = {0};
    if (decision->fault.effect == FAULT_NONE)
        return EFFECT_LET_BY; /* nearly all requests: without the lock */
    control_lock(control);
    enum effect_course course = outage_take(control->outage, decision, &orders);
    control_carry_out(control, &orders, NULL, NULL);
    control_unlock(control);
    return course;
}

struct vault_job *control_begin(struct control *control, const struct vault_request *request)
{
    struct vault_job *job = vault_receive(control->ports.vault, request);
    control_lock(control);
    vault_begin(control->ports.vault, job, control_now(control));
    control_unlock(control);
    return job;
}

void control_end(struct control *control, struct vault_job *job, struct vault_reply *reply)
{
    control_lock(control);
    vault_end(control->ports.vault, job, control_now(control), reply);
    control_unlock(control);
}

void control_replied(struct control *control, const struct journal_reply *reply)
{
    const struct journal_record r = {.kind = JOURNAL_REPLY, .reply = *reply};
    (void)journal_file_add(control->ports.journal, &r);
    control->replies++;
}

void control_conn(struct control *control, uint64_t conn, enum journal_how how)
{
    const struct journal_record r = {.kind = JOURNAL_CONN, .conn = {conn, how}};
    (void)journal_file_put(control->ports.journal, &r);
    if (how == JOURNAL_ACCEPTED)
        control->connections++;
}

void control_write(struct control *control)
{
    journal_file_flush_all(control->ports.journal);
}
