#include "chaos/core/judge/invariants_claim.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

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
    {"class", offsetof(struct ledger_entry, class), ON_FAILED},
    {"reason", offsetof(struct ledger_entry, reason), ON_FAILED},
};

static void check_fields(const struct invariants_case *c, const struct ledger_entry *e)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = NULL;
        memcpy(&value, (const char *)e + fields[i].offset, sizeof value);
        if (value == NULL && (fields[i].actions & (1u << e->action)) != 0)
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected a field %s in the entry (" LEDGER_AUDIT
                                     ":%zu), there is none",
                                     fields[i].name, e->line);
    }
}

static void check_id(const struct invariants_case *c, const struct ledger_entry *e)
{
    for (const struct ledger_entry *other = c->evidence->client.entries; other < e; other++)
        if (e->id != NULL && other->id != NULL && strcmp(e->id, other->id) == 0) {
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected an id of its own, %s is also that of " LEDGER_AUDIT
                                     ":%zu (" LEDGER_AUDIT ":%zu)",
                                     e->id, other->line, e->line);
            return;
        }
}

void invariants_claim_fields(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->client.entry_count; i++) {
        check_fields(c, &c->evidence->client.entries[i]);
        check_id(c, &c->evidence->client.entries[i]);
    }
}

/* --- what was asked for is what was signed --- */

static void check_asked(const struct invariants_case *c, const struct ledger_entry *e)
{
    const struct evidence_manifest *m = evidence_manifest_of(c->evidence, e->bundle);
    if (invariants_case_call(c, e->bundle, INT64_MAX) == NULL) {
        invariants_case_violated(c, 0,
                                 "expected only bundles that somebody asked for, nobody did for %s "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 e->bundle, e->line);
        return;
    }
    if (m == NULL || !m->asked.known)
        return;
    if (e->manifest_hash != NULL && strcmp(e->manifest_hash, m->asked.hash) != 0)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected manifestHash %.23s… of what was asked for, found %.23s… "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 m->asked.hash, e->manifest_hash, e->line);
    if (e->action == LEDGER_SIGNED && m->asked.differs != NULL)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected %s of bundle %s as it was asked for, its signed "
                                 "manifest has something else (" LEDGER_AUDIT ":%zu)",
                                 m->asked.differs, e->bundle, e->line);
}

void invariants_claim_asked(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->client.entry_count; i++)
        if (c->evidence->client.entries[i].bundle != NULL)
            check_asked(c, &c->evidence->client.entries[i]);
}

/* --- an attempt's class and its status --- */

/* The statuses that a class may have: an outage must not be made of a refusal by its name.
 * docs/architecture.md, "Classes of an attempt"; failures.md 0. */
static const struct {
    const char *class;
    int64_t from, to;
} statuses[] = {
    {"ok", 200, 200},          {"refused", 0, 0},          {"unreachable", 0, 0},
    {"timeout", 0, 299},       {"timeout", 500, 500},      {"timeout", 502, 599},
    {"sealed", 500, 500},      {"sealed", 503, 503},       {"unavailable", 408, 408},
    {"unavailable", 472, 474}, {"unavailable", 500, 500},  {"unavailable", 502, 599},
    {"malformed", 0, 299},     {"malformed", 408, 408},    {"malformed", 472, 474},
    {"malformed", 500, 500},   {"malformed", 502, 999},    {"rate_limited", 429, 429},
    {"stale", 412, 412},       {"denied", 401, 401},       {"denied", 403, 403},
    {"denied", 407, 407},      {"denied", 503, 503},       {"bad_request", 400, 499},
    {"bad_request", 500, 501}, {"not_found", 404, 404},    {"not_found", 410, 410},
    {"key_state", 500, 500},   {"redirect", 300, 399},     {"certificate", 0, 0},
    {"certificate", 500, 500}, {"key_mismatch", 200, 200},
};

static bool may_have(const char *class, int64_t status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (strcmp(statuses[i].class, class) == 0 && status >= statuses[i].from &&
            status <= statuses[i].to)
            return true;
    return false;
}

void invariants_claim_classes(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->client.entry_count; i++) {
        const struct ledger_entry *e = &c->evidence->client.entries[i];
        for (size_t k = 0; k < e->attempt_count; k++)
            if (!may_have(e->attempts[k].class, e->attempts[k].status))
                invariants_case_violated(
                    c, invariants_case_step(c, e),
                    "expected a class that status %" PRId64
                    " can have, attempt %zu is called %s (" LEDGER_AUDIT ":%zu)",
                    e->attempts[k].status, k + 1, e->attempts[k].class, e->line);
    }
}
