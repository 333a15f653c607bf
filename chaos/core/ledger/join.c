#include "chaos/core/ledger/join.h"

#include <string.h>

struct maker {
    const struct ledger_client *client;
    const struct ledger_server *server;
    const struct record *record;
    struct pool *pool;
    struct join *out;
    struct textmap by_input; /* -> index of a run in `runs` */
    struct join_run **runs;  /* all of them, in the order of their intents */
    size_t run_count;
    size_t *next_run; /* a later run of the same input, or TEXTMAP_NONE */
};

/* --- bundles --- */

static struct join_bundle *bundle_for(struct maker *m, const char *id)
{
    size_t i = textmap_put(&m->out->by_id, id, m->out->bundle_count);
    if (i == TEXTMAP_NONE)
        return NULL;
    struct join_bundle *b = &m->out->bundles[i];
    if (i == m->out->bundle_count) {
        b->id = id;
        m->out->bundle_count++;
    }
    return b;
}

/* Counts what each bundle will hold; then makes room, so that all lies flat. */
static void count_members(struct maker *m)
{
    for (size_t i = 0; i < m->client->entry_count; i++) {
        const struct ledger_entry *e = &m->client->entries[i];
        struct join_bundle *b = e->bundle == NULL ? NULL : bundle_for(m, e->bundle);
        if (b == NULL)
            continue;
        b->entry_count++;
        b->run_count += e->action == LEDGER_STARTED || ledger_client_ends(e);
    }
    for (size_t i = 0; i < m->record->call_count; i++) {
        const char *id = m->record->calls[i].told.bundle;
        struct join_bundle *b = id[0] == '\0' ? NULL : bundle_for(m, id);
        if (b != NULL)
            b->call_count++;
    }
}

static void make_room(struct maker *m)
{
    for (size_t i = 0; i < m->out->bundle_count; i++) {
        struct join_bundle *b = &m->out->bundles[i];
        b->entries = pool_array(m->pool, b->entry_count, sizeof *b->entries);
        b->runs = pool_array(m->pool, b->run_count, sizeof *b->runs);
        b->calls = pool_array(m->pool, b->call_count, sizeof *b->calls);
        b->entry_count = b->run_count = b->call_count = 0;
    }
}

static struct join_run *add_run(struct maker *m, struct join_bundle *b, struct join_run run)
{
    struct join_run *at = &b->runs[b->run_count++];
    *at = run;
    m->runs[m->run_count++] = at;
    return at;
}

/* A result ends the run before it, unless that has ended already. */
static void add_entry(struct maker *m, struct join_bundle *b, const struct ledger_entry *e)
{
    b->entries[b->entry_count++] = e;
    struct join_run *last = b->run_count == 0 ? NULL : &b->runs[b->run_count - 1];
    if (e->action == LEDGER_STARTED)
        (void)add_run(m, b, (struct join_run){.intent = e});
    else if (ledger_client_ends(e) && last != NULL && last->result == NULL)
        last->result = e;
    else if (ledger_client_ends(e))
        (void)add_run(m, b, (struct join_run){.result = e});
}

static void fill_members(struct maker *m)
{
    for (size_t i = 0; i < m->client->entry_count; i++) {
        const struct ledger_entry *e = &m->client->entries[i];
        if (e->bundle != NULL)
            add_entry(m, join_bundle_of(m->out, e->bundle), e);
    }
    for (size_t i = 0; i < m->record->call_count; i++) {
        struct join_bundle *b = join_bundle_of(m->out, m->record->calls[i].told.bundle);
        if (b != NULL)
            b->calls[b->call_count++] = &m->record->calls[i];
    }
}

/* --- requests --- */

/* What Vault is asked to sign is what the intent says; a result without an intent says it itself.
 */
static const char *input_of(const struct join_run *run)
{
    return run->intent != NULL ? run->intent->input_sha256 : run->result->input_sha256;
}

static int64_t begun_ns(const struct join_run *run)
{
    return run->intent != NULL ? run->intent->wall_ns : run->result->wall_ns;
}

/* Runs of one input form a chain in the order of their intents; the map has the first. */
static void index_inputs(struct maker *m)
{
    for (size_t i = 0; i < m->run_count; i++) {
        const char *input = input_of(m->runs[i]);
        m->next_run[i] = TEXTMAP_NONE;
        size_t k = input == NULL ? i : textmap_put(&m->by_input, input, i);
        if (k == i || k == TEXTMAP_NONE)
            continue;
        while (m->next_run[k] != TEXTMAP_NONE)
            k = m->next_run[k];
        m->next_run[k] = i;
    }
}

/* Finds the run that the request is for: of those with its input, the last one that had begun. */
static struct join_run *run_of(const struct maker *m, const struct ledger_request *r)
{
    struct join_run *found = NULL;
    for (size_t i = 0; i < r->input_count; i++)
        for (size_t k = textmap_get(&m->by_input, r->inputs[i]); k != TEXTMAP_NONE;
             k = m->next_run[k])
            if (found == NULL || begun_ns(m->runs[k]) <= r->wall_ns)
                found = m->runs[k];
    return found;
}

static void attach_requests(struct maker *m)
{
    const struct ledger_server *s = m->server;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < m->run_count && pass == 1; i++) {
            struct join_run *run = m->runs[i];
            run->requests = pool_array(m->pool, run->request_count, sizeof *run->requests);
            run->request_count = 0;
        }
        for (size_t i = 0; i < s->request_count && !m->pool->failed; i++) {
            struct join_run *run = s->requests[i].sign ? run_of(m, &s->requests[i]) : NULL;
            if (run != NULL && pass == 1)
                run->requests[run->request_count] = &s->requests[i];
            if (run != NULL)
                run->request_count++;
            else if (s->requests[i].sign && pass == 1)
                m->out->strangers[m->out->stranger_count++] = &s->requests[i];
        }
    }
}

static void index_signatures(struct maker *m)
{
    for (size_t i = 0; i < m->server->request_count; i++) {
        const struct ledger_request *r = &m->server->requests[i];
        for (size_t k = 0; r->executed && k < r->signature_count; k++)
            (void)textmap_put(&m->out->by_signature, r->signatures[k], i);
    }
}

/* --- attempts --- */

/* How many requests say that they are of this attempt. */
static size_t numbered_so(const struct join_run *run, int64_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < run->request_count; i++)
        count += run->requests[i]->attempt == n;
    return count;
}

/* The numbers are good when each names an attempt that there was, every attempt that was answered
 * has a request, and none has more than it sent. A header that is missing or stuck is not. Their
 * order says nothing: what waited in a frozen Vault comes in any. */
static bool numbers_are_good(const struct join_run *run)
{
    size_t attempts = run->result == NULL ? 0 : run->result->attempt_count;
    for (size_t i = 0; i < run->request_count; i++)
        if (run->requests[i]->attempt < 1 || run->requests[i]->attempt > (int64_t)attempts)
            return false;
    for (size_t i = 0; i < attempts; i++) {
        const struct ledger_attempt *a = &run->result->attempts[i];
        size_t count = numbered_so(run, (int64_t)i + 1);
        if (count > 1 + (a->resends > 0 ? (size_t)a->resends : 0) || (count == 0 && a->status != 0))
            return run->request_count > attempts && count > 1; /* a matter of `requests` */
    }
    return true;
}

static void take_request(struct join_attempt *attempt, const struct ledger_request *r)
{
    if (attempt->first == NULL)
        attempt->first = r;
    attempt->last = r;
    attempt->count++;
}

/* By order: a request belongs to the attempt that had begun last when it came; but each attempt
 * that was answered takes one at least, and none takes one that was left for the next. */
static void match_by_order(struct join_run *run)
{
    const struct ledger_entry *result = run->result;
    size_t at = 0;
    for (size_t i = 0; i < run->request_count; i++) {
        while (at + 1 < result->attempt_count &&
               result->attempts[at + 1].started_ns <= run->requests[i]->wall_ns)
            at++;
        take_request(&run->attempts[at], run->requests[i]);
    }
}

static void match_attempts(struct maker *m, struct join_run *run)
{
    size_t attempts = run->result == NULL ? 0 : run->result->attempt_count;
    run->attempts = pool_array(m->pool, attempts, sizeof *run->attempts);
    run->numbered = numbers_are_good(run);
    if (run->attempts == NULL || attempts == 0)
        return;
    if (!run->numbered) {
        match_by_order(run);
        return;
    }
    for (size_t i = 0; i < run->request_count; i++)
        for (size_t k = 0; k < attempts; k++)
            if ((int64_t)k + 1 == run->requests[i]->attempt)
                take_request(&run->attempts[k], run->requests[i]);
}

/* --- all --- */

static bool prepare(struct maker *m)
{
    size_t bundles = m->client->entry_count + m->record->call_count;
    textmap_init(&m->out->by_id, m->pool);
    textmap_init(&m->out->by_signature, m->pool);
    textmap_init(&m->by_input, m->pool);
    m->out->bundles = pool_array(m->pool, bundles, sizeof *m->out->bundles);
    m->runs = pool_array(m->pool, m->client->entry_count, sizeof *m->runs);
    m->next_run = pool_array(m->pool, m->client->entry_count, sizeof *m->next_run);
    m->out->strangers = pool_array(m->pool, m->server->request_count, sizeof *m->out->strangers);
    return !m->pool->failed;
}

enum errc join_make(const struct ledger_client *client, const struct ledger_server *server,
                    const struct record *record, struct pool *pool, struct join *out)
{
    struct maker m = {
        .client = client, .server = server, .record = record, .pool = pool, .out = out};
    *out = (struct join){0};
    if (prepare(&m))
        count_members(&m);
    if (!pool->failed)
        make_room(&m);
    if (!pool->failed)
        fill_members(&m);
    if (!pool->failed)
        index_inputs(&m);
    if (!pool->failed)
        attach_requests(&m);
    if (!pool->failed)
        index_signatures(&m);
    for (size_t i = 0; i < m.run_count && !pool->failed; i++)
        match_attempts(&m, m.runs[i]);
    for (size_t i = 0; i < out->bundle_count && !pool->failed; i++)
        for (size_t k = 0; k < out->bundles[i].run_count; k++)
            out->bundles[i].request_count += out->bundles[i].runs[k].request_count;
    return pool_status(pool, NULL);
}

struct join_bundle *join_bundle_of(const struct join *join, const char *id)
{
    size_t i = textmap_get(&join->by_id, id);
    return i == TEXTMAP_NONE ? NULL : &join->bundles[i];
}

const struct ledger_entry *join_result_of(const struct join_bundle *bundle)
{
    const struct ledger_entry *result = NULL;
    for (size_t i = 0; i < bundle->run_count; i++)
        if (bundle->runs[i].result != NULL)
            result = bundle->runs[i].result;
    return result;
}

const struct ledger_entry *join_signed_of(const struct join_bundle *bundle)
{
    for (size_t i = 0; i < bundle->run_count; i++)
        if (bundle->runs[i].result != NULL && bundle->runs[i].result->action == LEDGER_SIGNED)
            return bundle->runs[i].result;
    return NULL;
}
