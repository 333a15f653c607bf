#include "chaos/core/judge/invariants_server.h"

#include <inttypes.h>
#include <string.h>

#define HASTE_MS 250 /* an attempt that has less time may be over before it was sent */

static bool ends_intent(const struct ledger_entry *entry)
{
    return entry->action == LEDGER_SIGNED || entry->action == LEDGER_FAILED;
}

/* Calls visit once per bundle of the trail. */
static void each_bundle(const struct invariants_case *c,
                        void (*visit)(const struct invariants_case *c,
                                      const struct ledger_entry *first))
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        if (e->bundle != NULL && ledger_next_of(client, e->bundle, NULL) == e)
            visit(c, e);
    }
}

/* What the trail says about one bundle, summed up. */
struct sums {
    uint64_t attempts, failed_attempts;
    uint64_t interrupted; /* intents that no client ended by itself: what they did is not known */
    bool by_vault;        /* published, in mode vault */
    size_t line;          /* of the last result */
};

static bool was_interrupted(const struct ledger_entry *e)
{
    return e->reason != NULL && strcmp(e->reason, "interrupted") == 0;
}

static struct sums sum_up(const struct ledger_client *client, const char *bundle)
{
    struct sums sums = {0};
    uint64_t intents = 0, results = 0;
    for (const struct ledger_entry *e = ledger_next_of(client, bundle, NULL); e != NULL;
         e = ledger_next_of(client, bundle, e)) {
        intents += e->action == LEDGER_STARTED;
        if (!ends_intent(e))
            continue;
        results += !was_interrupted(e);
        sums.line = e->line;
        sums.attempts += e->attempt_count;
        for (size_t i = 0; i < e->attempt_count; i++)
            sums.failed_attempts += strcmp(e->attempts[i].class, "ok") != 0;
        sums.by_vault |= e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_VAULT;
    }
    sums.interrupted = intents > results ? intents - results : 0;
    return sums;
}

/* --- requests that no attempt explains --- */

/* The HTTP library may re-send a request on a dead pooled connection, once per attempt: counted
 * apart. More than that is a client that tries more often than it says. */
static void check_explained(const struct invariants_case *c, const struct ledger_entry *first)
{
    const struct ledger_client *client = &c->evidence->client;
    struct sums sums = sum_up(client, first->bundle);
    uint64_t requests = 0;
    size_t last = 0;
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (!r->sign || !ledger_belongs_to(client, r, first->bundle))
            continue;
        requests++;
        last = r->line;
    }
    if (requests <= sums.attempts || sums.interrupted > 0)
        return;
    c->out->resends += requests - sums.attempts;
    uint64_t resends = 0;
    for (const struct ledger_entry *e = ledger_next_of(client, first->bundle, NULL); e != NULL;
         e = ledger_next_of(client, first->bundle, e))
        for (size_t i = 0; i < e->attempt_count; i++)
            resends += (uint64_t)e->attempts[i].resends;
    if (requests > sums.attempts + resends)
        invariants_case_violated(c, invariants_case_step(c, first),
                                 "expected at most %" PRIu64 " sign requests for bundle %s "
                                 "(%" PRIu64 " attempts, %" PRIu64 " re-sends; " LEDGER_AUDIT
                                 ":%zu), Vault saw %" PRIu64 " (" LEDGER_JOURNAL ":%zu)",
                                 sums.attempts + resends, first->bundle, sums.attempts, resends,
                                 sums.line, requests, last);
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

/* A library sends again when the connection it had is gone: either both sends arrived, or Vault had
 * cut the connection. The journal has both. */
static void check_resends(const struct invariants_case *c)
{
    uint64_t claimed = 0, possible = c->evidence->server.cut_connections + c->out->resends;
    const struct ledger_entry *e = over_resent(&c->evidence->client, possible, &claimed);
    if (e != NULL)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected at most %" PRIu64 " re-sends, since Vault cut no more "
                                 "connections (" LEDGER_JOURNAL "), the trail claims %" PRIu64
                                 " (" LEDGER_AUDIT ":%zu)",
                                 possible, claimed, e->line);
}

void invariants_server_explained(const struct invariants_case *c)
{
    each_bundle(c, check_explained);
    check_resends(c);
}

/* --- attempts that Vault never saw --- */

/* Returns the last request of an attempt, or NULL. Requests that do not say of which attempt they
 * are are counted. */
static const struct ledger_request *request_of(const struct invariants_case *c,
                                               const struct ledger_entry *intent, int64_t n,
                                               size_t *unnumbered)
{
    const struct ledger_request *found = NULL;
    *unnumbered = 0;
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (!r->sign || !ledger_has_input(r, intent->input_sha256))
            continue;
        found = r->attempt == n ? r : found;
        *unnumbered += r->attempt == 0;
    }
    return found;
}

/* Nothing arrives at a Vault that is not there, and what a client gave up at once may not have left
 * it. An attempt with a status had an answer, which has an invariant of its own. */
static bool may_be_missing(const struct invariants_case *c, const struct ledger_entry *e, size_t i)
{
    const struct ledger_attempt *attempt = &e->attempts[i];
    struct record_contract contract;
    int64_t end_ns = i + 1 < e->attempt_count ? attempt[1].started_ns : e->wall_ns;
    return attempt->status != 0 || strcmp(attempt->class, "certificate") == 0 ||
           judgement_overlap(c->out, CONDITION_AWAY, attempt->started_ns, end_ns) ||
           !invariants_case_contract(c, e, &contract) || contract.attempt_timeout_ms < HASTE_MS;
}

static void check_reached(const struct invariants_case *c, const struct ledger_entry *e)
{
    const struct ledger_entry *intent = ledger_intent_of(&c->evidence->client, e);
    size_t missing = 0, unnumbered = 0;
    for (size_t i = 0; intent != NULL && i < e->attempt_count; i++) {
        const char *class = e->attempts[i].class;
        const struct ledger_request *r = request_of(c, intent, e->attempts[i].n, &unnumbered);
        if (r != NULL && r->status != 0 && strcmp(class, "refused") == 0)
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected no answer to attempt %zu, which ended %s "
                                     "(" LEDGER_AUDIT ":%zu), Vault answered %d (" LEDGER_JOURNAL
                                     ":%zu)",
                                     i + 1, class, e->line, r->status, r->reply_line);
        if (r == NULL && !may_be_missing(c, e, i) && ++missing > unnumbered)
            invariants_case_violated(
                c, invariants_case_step(c, e),
                "expected a request of attempt %zu, which ended %s while Vault "
                "could be reached (" LEDGER_AUDIT ":%zu), " LEDGER_JOURNAL " has none",
                i + 1, class, e->line);
    }
}

void invariants_server_reached(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++)
        if (ends_intent(&client->entries[i]))
            check_reached(c, &client->entries[i]);
}

/* --- what the client says that Vault said --- */

static uint64_t replies_with(const struct invariants_case *c, const char *bundle, int64_t status)
{
    uint64_t count = 0;
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (r->sign && r->status == status && ledger_belongs_to(&c->evidence->client, r, bundle))
            count++;
    }
    return count;
}

static void check_entry_statuses(const struct invariants_case *c, const struct ledger_entry *e)
{
    for (size_t i = 0; i < e->attempt_count; i++) {
        int64_t status = e->attempts[i].status;
        uint64_t claimed = 0;
        for (size_t k = 0; k <= i; k++)
            claimed += e->attempts[k].status == status;
        uint64_t answered = status == 0 ? claimed : replies_with(c, e->bundle, status);
        if (claimed > answered)
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected %" PRIu64 " replies %" PRId64
                                     " of Vault for bundle %s as attempt %zu says (" LEDGER_AUDIT
                                     ":%zu), " LEDGER_JOURNAL " has %" PRIu64,
                                     claimed, status, e->bundle, i + 1, e->line, answered);
    }
}

void invariants_server_statuses(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++)
        if (ends_intent(&client->entries[i]) && client->entries[i].bundle != NULL)
            check_entry_statuses(c, &client->entries[i]);
}

/* --- executed = published + orphans --- */

static const struct ledger_request *maker_of(const struct evidence *evidence, const char *signature)
{
    for (size_t i = 0; i < evidence->server.request_count; i++) {
        const struct ledger_request *r = &evidence->server.requests[i];
        for (size_t k = 0; r->executed && k < r->signature_count; k++)
            if (strcmp(r->signatures[k], signature) == 0)
                return r;
    }
    return NULL;
}

static void check_published(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->client.entry_count; i++) {
        const struct ledger_entry *e = &c->evidence->client.entries[i];
        if (e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_VAULT &&
            e->signature_sha256 != NULL && maker_of(c->evidence, e->signature_sha256) == NULL)
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected the signature of bundle %s (" LEDGER_AUDIT
                                     ":%zu) among those that Vault made, " LEDGER_JOURNAL
                                     " has none like it",
                                     e->bundle == NULL ? "?" : e->bundle, e->line);
    }
}

/* Vault works on when its client has gone: each failed attempt, and each intent that was cut off,
 * may leave one signature that nobody has. */
static void check_orphans(const struct invariants_case *c, const struct ledger_entry *first)
{
    const struct ledger_client *client = &c->evidence->client;
    struct sums sums = sum_up(client, first->bundle);
    uint64_t executed = 0;
    size_t last = 0;
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (!r->sign || !r->executed || !ledger_belongs_to(client, r, first->bundle))
            continue;
        executed++;
        last = r->line;
    }
    uint64_t published = sums.by_vault ? 1 : 0;
    uint64_t orphans = executed > published ? executed - published : 0;
    c->out->orphans += orphans;
    if (orphans > sums.failed_attempts && sums.interrupted == 0)
        invariants_case_violated(c, invariants_case_step(c, first),
                                 "expected %" PRIu64 " published and at most %" PRIu64
                                 " lost signatures for bundle %s (" LEDGER_AUDIT
                                 ":%zu), Vault made %" PRIu64 " (" LEDGER_JOURNAL ":%zu)",
                                 published, sums.failed_attempts, first->bundle, sums.line,
                                 executed, last);
}

static bool is_audited(const struct ledger_client *client, const struct ledger_request *request)
{
    for (size_t i = 0; i < client->entry_count; i++)
        if (ledger_has_input(request, client->entries[i].input_sha256))
            return true;
    return false;
}

void invariants_server_executed(const struct invariants_case *c)
{
    check_published(c);
    each_bundle(c, check_orphans);
    for (size_t i = 0; i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (r->sign && r->executed && !is_audited(&c->evidence->client, r))
            invariants_case_violated(c, 0,
                                     "expected an audit entry for every signature, Vault made one "
                                     "(" LEDGER_JOURNAL ":%zu) that " LEDGER_AUDIT " does not know",
                                     r->line);
    }
}
