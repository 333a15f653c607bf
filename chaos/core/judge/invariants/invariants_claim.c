#include "chaos/core/judge/invariants/invariants_claim.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "chaos/core/subject/subjects.h"

#define ANSWER_TIMEOUT_MS 200 /* with less, a busy machine is late */

/* --- every entry has its fields --- */

enum actions {
    ON_STARTED = 1u << LEDGER_STARTED,
    ON_SIGNED = 1u << LEDGER_SIGNED,
    ON_FAILED = 1u << LEDGER_FAILED,
    ON_RESULT = ON_SIGNED | ON_FAILED,
    ON_EACH = ON_STARTED | ON_RESULT,
};

/* docs/architecture.md, "The audit trail". Those that have an invariant of their own are missed
 * there: signingMode and signing.fallback, attempts, previous. */
static const struct {
    const char *name;
    size_t offset;
    unsigned actions;
} fields[] = {
    {"id", offsetof(struct ledger_entry, id), ON_EACH},
    {"input_sha256", offsetof(struct ledger_entry, input_sha256), ON_EACH},
    {"keyFingerprint", offsetof(struct ledger_entry, fingerprint), ON_EACH},
    {"manifestHash", offsetof(struct ledger_entry, manifest_hash), ON_EACH},
    {"signature_sha256", offsetof(struct ledger_entry, signature_sha256), ON_SIGNED},
    {"signature", offsetof(struct ledger_entry, signature), ON_SIGNED},
    {"manifestId", offsetof(struct ledger_entry, manifest_id), ON_SIGNED},
    {"createdAt", offsetof(struct ledger_entry, created_at), ON_SIGNED},
    {"signingKeyId", offsetof(struct ledger_entry, signing_key_id), ON_SIGNED},
    {"actor.id", offsetof(struct ledger_entry, actor), ON_EACH},
    {"actor.type", offsetof(struct ledger_entry, actor_type), ON_EACH},
    {"class", offsetof(struct ledger_entry, class), ON_FAILED},
    {"reason", offsetof(struct ledger_entry, reason), ON_FAILED},
    {"message", offsetof(struct ledger_entry, message), ON_FAILED},
};

static void check_fields(struct invariants_case *c, const struct join_bundle *b,
                         const struct ledger_entry *e)
{
    for (size_t i = 0; i < COUNT(fields); i++) {
        const char *value = NULL;
        memcpy(&value, (const char *)e + fields[i].offset, sizeof value);
        if (value == NULL && (fields[i].actions & (1u << e->action)) != 0)
            invariants_case_caused(c, fields[i].name, invariants_case_step(b, e),
                                   "expected a field %s in the entry (" LEDGER_AUDIT
                                   ":%zu), there is none",
                                   fields[i].name, e->line);
    }
    if (e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_FALLBACK && e->public_key == NULL)
        invariants_case_caused(c, "publicKey", invariants_case_step(b, e),
                               "expected a field publicKey in the entry (" LEDGER_AUDIT
                               ":%zu), there is none",
                               e->line);
}

/* Two of a thing that each entry, or each signature, has for itself. */
static void check_unique(struct invariants_case *c, struct textmap *seen, const char *what,
                         const char *value, const struct ledger_entry *e)
{
    const struct ledger_client *client = &c->evidence->client;
    size_t i = (size_t)(e - client->entries);
    size_t other = value == NULL ? i : textmap_put(seen, value, i);
    const struct join_bundle *b = join_bundle_of(&c->evidence->join, e->bundle);
    if (other != i && other != TEXTMAP_NONE)
        invariants_case_caused(c, what, b == NULL ? 0 : invariants_case_step(b, e),
                               "expected %s of its own, %s is also that of " LEDGER_AUDIT
                               ":%zu (" LEDGER_AUDIT ":%zu)",
                               what, value, client->entries[other].line, e->line);
}

void invariants_claim_fields(struct invariants_case *c)
{
    struct pool pool CLEANUP(pool_done);
    struct textmap ids, manifests;
    pool_init(&pool, 256u << 20);
    textmap_init(&ids, &pool);
    textmap_init(&manifests, &pool);
    invariants_case_each_entry(c, check_fields);
    for (size_t i = 0; i < c->evidence->client.entry_count; i++) {
        const struct ledger_entry *e = &c->evidence->client.entries[i];
        check_unique(c, &ids, "an id", e->id, e);
        if (e->action == LEDGER_SIGNED)
            check_unique(c, &manifests, "a manifestId", e->manifest_id, e);
    }
}

/* --- what they say is so --- */

/* Who writes an entry: the service that has the bundle, or the command for its caller. */
static void check_actor(struct invariants_case *c, const struct join_bundle *b,
                        const struct ledger_entry *e)
{
    const struct record_call *call = invariants_case_call(b, e->wall_ns);
    if (call == NULL || e->actor == NULL || e->actor_type == NULL)
        return;
    bool command = strcmp(call->via, "cli") == 0;
    const char *id = command ? "chaos" : call->via, *type = command ? "cli-user" : "automation";
    if (strcmp(e->actor, id) != 0 || strcmp(e->actor_type, type) != 0)
        invariants_case_caused(
            c, "actor", call->plan->number,
            "expected actor %s:%s of what %s was asked, found %s:%s (" LEDGER_AUDIT ":%zu)", type,
            id, call->via, e->actor_type, e->actor, e->line);
}

static void expect_value(struct invariants_case *c, const struct join_bundle *b,
                         const struct ledger_entry *e, const char *field, const char *wanted,
                         const char *found)
{
    if (found == NULL || strcmp(wanted, found) == 0)
        return;
    invariants_case_caused(c, field, invariants_case_step(b, e),
                           "expected %s %s, found %s (" LEDGER_AUDIT ":%zu)", field, wanted, found,
                           e->line);
}

/* What the signature itself says of its key: "vault:v3:…" is by version 3. */
static void check_key_id(struct invariants_case *c, const struct join_bundle *b,
                         const struct ledger_entry *e)
{
    char wanted[32] = "fallback";
    uint64_t version = 0;
    if (e->signature == NULL || e->signing_key_id == NULL)
        return;
    struct slice rest = slice_of(e->signature);
    if (slice_starts_with(rest, "vault:v")) {
        rest = slice_from(rest, strlen("vault:v"));
        if (!slice_to_u64(slice_cut(&rest, ':'), &version))
            return;
        (void)snprintf(wanted, sizeof wanted, ":v%" PRIu64, version);
    }
    if (version == 0 ? strcmp(e->signing_key_id, wanted) != 0
                     : !slice_ends_with(slice_of(e->signing_key_id), wanted))
        invariants_case_caused(c, "signingKeyId", invariants_case_step(b, e),
                               "expected a signingKeyId %s%s of signature \"%.12s…\", found %s "
                               "(" LEDGER_AUDIT ":%zu)",
                               version == 0 ? "" : "that ends in ", wanted, e->signature,
                               e->signing_key_id, e->line);
}

/* createdAt lies between the question and the signature, and the manifest has the same. */
static void check_created(struct invariants_case *c, const struct join_bundle *b,
                          const struct join_run *run)
{
    int64_t created_ns = 0;
    const struct ledger_entry *e = run->result;
    const struct record_call *call = b->call_count == 0 ? NULL : b->calls[0];
    if (e->created_at == NULL)
        return;
    if (!stamp_parse(slice_of(e->created_at), &created_ns)) {
        invariants_case_caused(c, "createdAt's form", invariants_case_step(b, e),
                               "expected createdAt as RFC 3339 has it, found %s (" LEDGER_AUDIT
                               ":%zu)",
                               e->created_at, e->line);
        return;
    }
    int64_t slack_ns = INVARIANTS_SLACK_MS * NS_PER_MS;
    created_ns += c->evidence->clock_off_ns;
    if ((call != NULL && created_ns + slack_ns < call->told.started.wall_ns) ||
        created_ns > e->wall_ns + slack_ns)
        invariants_case_caused(c, "createdAt", invariants_case_step(b, e),
                               "expected createdAt between the call and the signature, found %s "
                               "(" LEDGER_AUDIT ":%zu)",
                               e->created_at, e->line);
}

/* A crash may come before the manifest appears: it is written again from the entry alone, so the
 * entry has to hold what the manifest holds. */
static void check_rebuilt(struct invariants_case *c, const struct join_bundle *b,
                          const struct ledger_entry *e)
{
    const struct evidence_manifest *m = b->manifest;
    if (m == NULL || m->state != EVIDENCE_MANIFEST_READ)
        return;
    expect_value(c, b, e, "manifestId as the manifest's id", m->checked.id, e->manifest_id);
    if (strcmp(m->checked.id, b->id) == 0)
        invariants_case_caused(c, "id of its own", invariants_case_step(b, e),
                               "expected an id of the manifest's own, it is that of its bundle "
                               "(" LEDGER_AUDIT ":%zu)",
                               e->line);
    expect_value(c, b, e, "createdAt as the manifest has it", m->checked.created_at, e->created_at);
    expect_value(c, b, e, "signingKeyId as the manifest has it", m->checked.signing_key_id,
                 e->signing_key_id);
    char sha256[DIGEST_HEX_BYTES];
    if (e->signature == NULL)
        return;
    digest_sha256_hex(slice_of(e->signature), sha256);
    expect_value(c, b, e, "signature_sha256 of the entry's own signature", sha256,
                 e->signature_sha256);
    expect_value(c, b, e, "the manifest's signature in the entry, which has the hash",
                 m->checked.signature_sha256, sha256);
}

static void check_public_key(struct invariants_case *c, const struct join_bundle *b,
                             const struct ledger_entry *e)
{
    char fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES] = "of no key";
    if (e->public_key == NULL || e->fingerprint == NULL)
        return;
    (void)!verify_manifest_fingerprint(e->public_key, fingerprint, NULL);
    expect_value(c, b, e, "keyFingerprint of the entry's publicKey", fingerprint, e->fingerprint);
}

static void check_values(struct invariants_case *c, const struct join_bundle *b,
                         const struct join_run *run)
{
    if (run->intent != NULL)
        check_actor(c, b, run->intent);
    if (run->result == NULL)
        return;
    check_actor(c, b, run->result);
    if (run->result->action != LEDGER_SIGNED)
        return;
    check_key_id(c, b, run->result);
    check_created(c, b, run);
    check_rebuilt(c, b, run->result);
    check_public_key(c, b, run->result);
}

void invariants_claim_values(struct invariants_case *c)
{
    invariants_case_each_run(c, check_values);
}

/* --- the reason is that of the last attempt --- */

static void check_reason(struct invariants_case *c, const struct join_bundle *b,
                         const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    const char *last =
        e == NULL || e->attempt_count == 0 ? NULL : e->attempts[e->attempt_count - 1].class;
    if (last == NULL || invariants_case_was_interrupted(e))
        return;
    const char *said = e->action == LEDGER_FAILED ? e->class : e->reason;
    if (e->action == LEDGER_SIGNED && e->mode != LEDGER_MODE_FALLBACK)
        return;
    if (said != NULL && strcmp(said, "internal") != 0 && strcmp(said, last) != 0)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected the %s %s, that of the last attempt, found %s "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 e->action == LEDGER_FAILED ? "class" : "reason", last, said,
                                 e->line);
}

/* Why a run failed follows from its last attempt: a refusal, or a limit, is a refusal; behind an
 * outage it is why the local key could not take over. docs/architecture.md, "The audit trail". */
static void check_failure(struct invariants_case *c, const struct join_bundle *b,
                          const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    struct record_contract contract;
    if (e == NULL || e->action != LEDGER_FAILED || e->attempt_count == 0 || e->reason == NULL ||
        invariants_case_was_interrupted(e))
        return;
    const char *last = e->attempts[e->attempt_count - 1].class;
    bool outage = invariants_case_is_outage(last), internal = strcmp(e->reason, "internal") == 0;
    bool local = strncmp(e->reason, "fallback_", strlen("fallback_")) == 0;
    const char *refused = strcmp(last, "internal") == 0 ? last : "refused";
    if (outage ? !local && !internal : strcmp(last, "ok") != 0 && strcmp(e->reason, refused) != 0)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected %s as the reason of a run whose last attempt ended %s, "
                                 "found %s (" LEDGER_AUDIT ":%zu)",
                                 outage ? "why fallback did not take over" : refused, last,
                                 e->reason, e->line);
    if (strcmp(e->reason, "fallback_off") == 0 && invariants_case_contract(c, b, e, &contract) &&
        contract.fallback_allowed)
        invariants_case_caused(c, "off", invariants_case_step(b, e),
                               "expected fallback, which is switched on for %s, found the reason "
                               "fallback_off (" LEDGER_AUDIT ":%zu)",
                               contract.via, e->line);
}

void invariants_claim_reason(struct invariants_case *c)
{
    invariants_case_each_run(c, check_reason);
    invariants_case_each_run(c, check_failure);
}

/* --- what was asked for is what was signed --- */

static void check_asked(struct invariants_case *c, const struct join_bundle *b,
                        const struct ledger_entry *e)
{
    const struct evidence_manifest *m = b->manifest;
    if (b->call_count == 0) {
        invariants_case_violated(c, 0,
                                 "expected only bundles that somebody asked for, nobody did for %s "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 e->bundle, e->line);
        return;
    }
    if (m == NULL || !m->asked.known)
        return;
    if (e->manifest_hash != NULL && strcmp(e->manifest_hash, m->asked.hash) != 0)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected manifestHash %.23s… of what was asked for, found %.23s… "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 m->asked.hash, e->manifest_hash, e->line);
    if (e->action == LEDGER_SIGNED && m->asked.differs != NULL)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected %s of bundle %s as it was asked for, its signed "
                                 "manifest has something else (" LEDGER_AUDIT ":%zu)",
                                 m->asked.differs, e->bundle, e->line);
}

void invariants_claim_asked(struct invariants_case *c)
{
    invariants_case_each_entry(c, check_asked);
}

/* --- an attempt's class and its status --- */

/* What a client says that Vault did not do: it was answered, in time, by Vault's own record. */
static bool was_answered(const struct ledger_request *r, const struct ledger_attempt *attempt,
                         const struct record_contract *contract)
{
    if (r == NULL || r->status == 0 || !r->sent)
        return false;
    int64_t took_ms = (r->reply_wall_ns - attempt->started_ns) / NS_PER_MS;
    return contract->attempt_timeout_ms >= ANSWER_TIMEOUT_MS &&
           took_ms <= contract->attempt_timeout_ms / 2;
}

static void check_answered(struct invariants_case *c, const struct join_bundle *b,
                           const struct join_run *run)
{
    static const char *const silent[] = {"timeout", "unreachable", "refused"};
    struct record_contract contract;
    const struct ledger_entry *e = run->result;
    if (e == NULL || !invariants_case_contract(c, b, e, &contract))
        return;
    for (size_t i = 0; i < e->attempt_count; i++)
        for (size_t k = 0; k < COUNT(silent); k++) {
            const struct ledger_attempt *a = &e->attempts[i];
            const struct ledger_request *r = run->attempts[i].last;
            if (strcmp(a->class, silent[k]) == 0 && was_answered(r, a, &contract))
                invariants_case_violated(c, invariants_case_step(b, e),
                                         "expected no answer to attempt %zu, which ended %s "
                                         "(" LEDGER_AUDIT
                                         ":%zu), Vault answered %d (" LEDGER_JOURNAL ":%zu)",
                                         i + 1, a->class, e->line, r->status, r->reply_line);
        }
}

static void check_classes(struct invariants_case *c, const struct join_bundle *b,
                          const struct ledger_entry *e)
{
    for (size_t k = 0; k < e->attempt_count; k++)
        if (!subject_may_have(subjects_default(), e->attempts[k].class, e->attempts[k].status))
            invariants_case_violated(c, invariants_case_step(b, e),
                                     "expected a class that status %" PRId64
                                     " can have, attempt %zu is called %s (" LEDGER_AUDIT ":%zu)",
                                     e->attempts[k].status, k + 1, e->attempts[k].class, e->line);
}

void invariants_claim_classes(struct invariants_case *c)
{
    invariants_case_each_entry(c, check_classes);
    invariants_case_each_run(c, check_answered);
}
