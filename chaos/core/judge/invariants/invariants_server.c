#include "chaos/core/judge/invariants/invariants_server.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"

#define CUT_SLACK_MS 50
#define HASTE_MS 250 /* an attempt that has less time may be over before it was sent */

/* What the trail says about one bundle, summed up. */
struct sums {
    uint64_t attempts, failed_attempts, resends;
    uint64_t interrupted; /* intents that no client ended by itself: what they did is not known */
    bool by_vault;        /* published, in mode vault */
    size_t line;          /* of the last result */
    const struct ledger_entry *first;
};

static struct sums sum_up(const struct join_bundle *b)
{
    struct sums sums = {.first = b->entry_count == 0 ? NULL : b->entries[0]};
    for (size_t k = 0; k < b->run_count; k++) {
        const struct ledger_entry *e = b->runs[k].result;
        sums.interrupted += e == NULL || invariants_case_was_interrupted(e);
        if (e == NULL)
            continue;
        sums.line = e->line;
        sums.attempts += e->attempt_count;
        for (size_t i = 0; i < e->attempt_count; i++) {
            sums.failed_attempts += strcmp(e->attempts[i].class, "ok") != 0;
            sums.resends += e->attempts[i].resends > 0 ? (uint64_t)e->attempts[i].resends : 0;
        }
        sums.by_vault |= e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_VAULT;
    }
    return sums;
}

static size_t step_of(const struct join_bundle *b, const struct sums *sums)
{
    return sums->first == NULL ? 0 : invariants_case_step(b, sums->first);
}

/* --- requests that no attempt explains --- */

static const struct ledger_request *last_request(const struct join_bundle *b)
{
    const struct ledger_request *last = NULL;
    for (size_t k = 0; k < b->run_count; k++)
        if (b->runs[k].request_count > 0)
            last = b->runs[k].requests[b->runs[k].request_count - 1];
    return last;
}

static void check_explained(struct invariants_case *c, const struct join_bundle *b)
{
    struct sums sums = sum_up(b);
    if (b->request_count <= sums.attempts || sums.interrupted > 0)
        return;
    c->out->resends += b->request_count - sums.attempts;
    if (b->request_count > sums.attempts + sums.resends)
        invariants_case_violated(c, step_of(b, &sums),
                                 "expected at most %" PRIu64 " sign requests for bundle %s "
                                 "(%" PRIu64 " attempts, %" PRIu64 " re-sends; " LEDGER_AUDIT
                                 ":%zu), Vault saw %zu (" LEDGER_JOURNAL ":%zu)",
                                 sums.attempts + sums.resends, b->id, sums.attempts, sums.resends,
                                 sums.line, b->request_count, last_request(b)->line);
}

/* Vault has cut the connection of the first request before the second came; a client that gave it
 * up by itself has ended an attempt. A process that ended takes its connections along. */
static bool was_cut(const struct ledger_server *server, const struct ledger_request *first,
                    const struct ledger_request *second)
{
    if (first->conn == 0 || first->boot != second->boot)
        return true;
    for (size_t i = 0; i < server->connection_count; i++) {
        const struct ledger_connection *c = &server->connections[i];
        if (c->boot == first->boot && c->conn == first->conn)
            return c->closed_ns != 0 && !c->closed_by_peer &&
                   c->closed_ns <= second->wall_ns + CUT_SLACK_MS * NS_PER_MS;
    }
    return true;
}

/* The HTTP library sends again when the connection is gone before a byte of an answer: a request
 * that was answered whole was not lost, and whoever sends it again tries again. */
static void check_resent(struct invariants_case *c, const struct join_bundle *b,
                         const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    for (size_t i = 0; run->numbered && e != NULL && i < e->attempt_count; i++) {
        const struct ledger_request *first = run->attempts[i].first, *last = run->attempts[i].last;
        if (run->attempts[i].count < 2)
            continue;
        if (first->status == 0 || !first->sent) {
            if (!was_cut(&c->evidence->server, first, last))
                invariants_case_caused(
                    c, "not cut", invariants_case_step(b, e),
                    "expected a re-send only of a request whose connection was "
                    "cut, the client gave up that of attempt %zu (" LEDGER_JOURNAL
                    ":%zu) by itself and sent it again (" LEDGER_JOURNAL ":%zu)",
                    i + 1, first->line, last->line);
            continue;
        }
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected a re-send only of a request whose connection was cut, "
                                 "Vault had answered attempt %zu with %d (" LEDGER_JOURNAL
                                 ":%zu) and got it again (" LEDGER_JOURNAL ":%zu)",
                                 i + 1, first->status, first->reply_line,
                                 run->attempts[i].last->line);
    }
}

/* The first entry at which the trail's re-sends are more than `possible`; NULL: they are not. */
static const struct ledger_entry *over_resent(const struct ledger_client *client, uint64_t possible,
                                              uint64_t *claimed)
{
    *claimed = 0;
    for (size_t i = 0; i < client->entry_count; i++)
        for (size_t k = 0; k < client->entries[i].attempt_count; k++) {
            int64_t resends = client->entries[i].attempts[k].resends;
            *claimed += resends < 0 ? UINT32_MAX : (uint64_t)resends;
            if (*claimed > possible)
                return &client->entries[i];
        }
    return NULL;
}

/* Either both sends arrived, or Vault had cut the connection before the first. The journal has
 * both. */
static void check_resends(struct invariants_case *c)
{
    uint64_t claimed = 0, possible = c->evidence->server.cut_connections + c->out->resends;
    const struct ledger_entry *e = over_resent(&c->evidence->client, possible, &claimed);
    const struct join_bundle *b = e == NULL ? NULL : join_bundle_of(&c->evidence->join, e->bundle);
    if (e != NULL)
        invariants_case_violated(c, b == NULL ? 0 : invariants_case_step(b, e),
                                 "expected at most %" PRIu64 " re-sends, since Vault cut no more "
                                 "connections (" LEDGER_JOURNAL "), the trail claims %" PRIu64
                                 " (" LEDGER_AUDIT ":%zu)",
                                 possible, claimed, e->line);
}

void invariants_server_explained(struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->join.bundle_count; i++)
        check_explained(c, &c->evidence->join.bundles[i]);
    invariants_case_each_run(c, check_resent);
    check_resends(c);
}

/* --- requests say of which attempt they are --- */

static void check_numbered(struct invariants_case *c, const struct join_bundle *b,
                           const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    if (run->numbered || e == NULL || run->request_count == 0 || e->attempt_count == 0)
        return;
    const struct ledger_request *r = run->requests[0];
    for (size_t i = 0; i < run->request_count; i++)
        if (run->requests[i]->attempt == 0)
            r = run->requests[i];
    if (r->attempt == 0)
        invariants_case_caused(c, "no header", invariants_case_step(b, e),
                               "expected a header X-Signer-Attempt in each sign request, this one "
                               "has none (" LEDGER_JOURNAL ":%zu)",
                               r->line);
    else
        invariants_case_caused(
            c, "wrong header", invariants_case_step(b, e),
            "expected X-Signer-Attempt to number the requests of the %zu "
            "attempts (" LEDGER_AUDIT ":%zu), they say %" PRId64 " first (" LEDGER_JOURNAL
            ":%zu) and %" PRId64 " last (" LEDGER_JOURNAL ":%zu)",
            e->attempt_count, e->line, run->requests[0]->attempt, run->requests[0]->line,
            run->requests[run->request_count - 1]->attempt,
            run->requests[run->request_count - 1]->line);
}

void invariants_server_numbered(struct invariants_case *c)
{
    invariants_case_each_run(c, check_numbered);
}

/* --- attempts that Vault never saw --- */

/* Nothing arrives at a Vault that is not there, and what a client gave up at once may not have left
 * it; the client's own trouble says nothing of Vault. An attempt with a status had an answer, which
 * has an invariant of its own. */
static bool may_be_missing(struct invariants_case *c, const struct join_bundle *b,
                           const struct ledger_entry *e, size_t i)
{
    const struct ledger_attempt *attempt = &e->attempts[i];
    struct record_contract contract;
    int64_t end_ns = i + 1 < e->attempt_count ? attempt[1].started_ns : e->wall_ns;
    return attempt->status != 0 || strcmp(attempt->class, "certificate") == 0 ||
           strcmp(attempt->class, "internal") == 0 ||
           judgement_overlap(c->out, CONDITION_AWAY, attempt->started_ns, end_ns) ||
           !invariants_case_contract(c, b, e, &contract) || contract.attempt_timeout_ms < HASTE_MS;
}

static void check_reached(struct invariants_case *c, const struct join_bundle *b,
                          const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    for (size_t i = 0; e != NULL && i < e->attempt_count; i++)
        if (run->attempts[i].first == NULL && !may_be_missing(c, b, e, i))
            invariants_case_violated(
                c, invariants_case_step(b, e),
                "expected a request of attempt %zu, which ended %s while Vault "
                "could be reached (" LEDGER_AUDIT ":%zu), " LEDGER_JOURNAL " has none",
                i + 1, e->attempts[i].class, e->line);
}

void invariants_server_reached(struct invariants_case *c)
{
    invariants_case_each_run(c, check_reached);
}

/* --- what the client says that Vault said --- */

static uint64_t replies_with(const struct join_run *run, int64_t status)
{
    uint64_t count = 0;
    for (size_t i = 0; i < run->request_count; i++)
        count += run->requests[i]->status == status;
    return count;
}

static void check_statuses(struct invariants_case *c, const struct join_bundle *b,
                           const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    for (size_t i = 0; e != NULL && i < e->attempt_count; i++) {
        int64_t status = e->attempts[i].status;
        uint64_t claimed = 0;
        for (size_t k = 0; k <= i; k++)
            claimed += e->attempts[k].status == status;
        uint64_t answered = status == 0 ? claimed : replies_with(run, status);
        if (claimed > answered)
            invariants_case_violated(c, invariants_case_step(b, e),
                                     "expected %" PRIu64 " replies %" PRId64
                                     " of Vault for bundle %s as attempt %zu says (" LEDGER_AUDIT
                                     ":%zu), " LEDGER_JOURNAL " has %" PRIu64,
                                     claimed, status, b->id, i + 1, e->line, answered);
    }
}

void invariants_server_statuses(struct invariants_case *c)
{
    invariants_case_each_run(c, check_statuses);
}

/* --- executed = published + orphans --- */

static void check_published(struct invariants_case *c, const struct join_bundle *b)
{
    const struct ledger_entry *e = join_signed_of(b);
    if (e != NULL && e->mode == LEDGER_MODE_VAULT && e->signature_sha256 != NULL &&
        textmap_get(&c->evidence->join.by_signature, e->signature_sha256) == TEXTMAP_NONE)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected the signature of bundle %s (" LEDGER_AUDIT
                                 ":%zu) among those that Vault made, " LEDGER_JOURNAL
                                 " has none like it",
                                 b->id, e->line);
}

/* Vault works on when its client has gone: each failed attempt, and each intent that was cut off,
 * may leave one signature that nobody has. */
static void check_orphans(struct invariants_case *c, const struct join_bundle *b)
{
    struct sums sums = sum_up(b);
    uint64_t executed = 0, published = sums.by_vault ? 1 : 0;
    size_t last = 0;
    for (size_t k = 0; k < b->run_count; k++)
        for (size_t i = 0; i < b->runs[k].request_count; i++) {
            const struct ledger_request *r = b->runs[k].requests[i];
            executed += r->executed;
            last = r->executed ? r->line : last;
        }
    uint64_t orphans = executed > published ? executed - published : 0;
    c->out->orphans += orphans;
    if (orphans > sums.failed_attempts && sums.interrupted == 0)
        invariants_case_violated(c, step_of(b, &sums),
                                 "expected %" PRIu64 " published and at most %" PRIu64
                                 " lost signatures for bundle %s (" LEDGER_AUDIT
                                 ":%zu), Vault made %" PRIu64 " (" LEDGER_JOURNAL ":%zu)",
                                 published, sums.failed_attempts, b->id, sums.line, executed, last);
}

void invariants_server_executed(struct invariants_case *c)
{
    const struct join *join = &c->evidence->join;
    for (size_t i = 0; i < join->bundle_count; i++) {
        check_published(c, &join->bundles[i]);
        check_orphans(c, &join->bundles[i]);
    }
    for (size_t i = 0; i < join->stranger_count; i++)
        if (join->strangers[i]->executed)
            invariants_case_violated(c, 0,
                                     "expected an audit entry for every signature, Vault made one "
                                     "(" LEDGER_JOURNAL ":%zu) that " LEDGER_AUDIT " does not know",
                                     join->strangers[i]->line);
}
