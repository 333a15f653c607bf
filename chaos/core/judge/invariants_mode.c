#include "chaos/core/judge/invariants_mode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *mode_text(enum ledger_mode mode)
{
    static const char *const texts[] = {
        [LEDGER_MODE_NONE] = "none",
        [LEDGER_MODE_VAULT] = "vault",
        [LEDGER_MODE_FALLBACK] = "fallback",
        [LEDGER_MODE_ODD] = "something else",
    };
    return texts[mode];
}

/* --- signingMode is the key that verifies --- */

static void expect_same(const struct invariants_case *c, const struct ledger_entry *e,
                        const char *what, const char *trail, const char *who, const char *other)
{
    if (trail == NULL || strcmp(trail, other) == 0)
        return;
    invariants_case_violated(c, invariants_case_step(c, e),
                             "expected %s %s as the trail says (" LEDGER_AUDIT ":%zu), %s %s", what,
                             trail, e->line, who, other[0] == '\0' ? "says nothing" : other);
}

static void check_manifest(const struct invariants_case *c, const struct ledger_entry *e,
                           const struct verify_manifest *m)
{
    if (!m->good) {
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected a signature of mode %s that verifies (" LEDGER_AUDIT
                                 ":%zu), it does not: %s",
                                 mode_text(e->mode), e->line, m->trouble);
        return;
    }
    expect_same(c, e, "mode", mode_text(e->mode), "the key that verifies is",
                m->fallback ? "fallback" : "vault");
    expect_same(c, e, "mode", mode_text(e->mode), "the manifest says", m->said_mode);
    expect_same(c, e, "key", e->fingerprint, "the key that verifies is", m->fingerprint);
    expect_same(c, e, "key", e->fingerprint, "the manifest says", m->said_fingerprint);
    expect_same(c, e, "signed bytes", e->input_sha256, "the manifest's are", m->input_sha256);
    if (e->mode == LEDGER_MODE_FALLBACK)
        expect_same(c, e, "reason", e->reason, "the manifest says", m->said_reason);
    expect_same(c, e, "signature", e->signature_sha256, "the manifest's is", m->signature_sha256);
}

static void check_flag(const struct invariants_case *c, const struct ledger_entry *e)
{
    int wanted = e->mode == LEDGER_MODE_FALLBACK;
    if (e->mode != LEDGER_MODE_VAULT && e->mode != LEDGER_MODE_FALLBACK)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected signingMode vault or fallback, found %s (" LEDGER_AUDIT
                                 ":%zu)",
                                 mode_text(e->mode), e->line);
    else if (e->fallback_flag != wanted)
        invariants_case_violated(c, invariants_case_step(c, e),
                                 "expected signing.fallback %s with signingMode %s, found %s "
                                 "(" LEDGER_AUDIT ":%zu)",
                                 wanted ? "true" : "false", mode_text(e->mode),
                                 e->fallback_flag < 0 ? "none"
                                 : wanted             ? "false"
                                                      : "true",
                                 e->line);
}

static void check_told(const struct invariants_case *c, const struct ledger_entry *e)
{
    const struct record_call *call = invariants_case_call(c, e->bundle, INT64_MAX);
    if (call != NULL && call->told.mode[0] != '\0')
        expect_same(c, e, "mode", mode_text(e->mode), "the caller was told", call->told.mode);
}

void invariants_mode_true(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        if (e->action != LEDGER_SIGNED)
            continue;
        const struct evidence_manifest *m = evidence_manifest_of(c->evidence, e->bundle);
        check_flag(c, e);
        check_told(c, e);
        if (m != NULL && m->state == EVIDENCE_MANIFEST_READ)
            check_manifest(c, e, &m->checked);
    }
}

/* --- fallback only where it may be --- */

static bool is_fallback(const struct ledger_entry *e)
{
    return e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_FALLBACK;
}

static void check_fallback(const struct invariants_case *c, const struct ledger_entry *e)
{
    struct record_contract contract;
    size_t step = invariants_case_step(c, e);
    if (invariants_case_contract(c, e, &contract) && !contract.fallback_allowed)
        invariants_case_violated(c, step,
                                 "expected no fallback, since ALLOW_FALLBACK_SIGNING is not true "
                                 "for %s, found a fallback signature (" LEDGER_AUDIT ":%zu)",
                                 contract.via, e->line);
    const char *last = e->attempt_count == 0 ? NULL : e->attempts[e->attempt_count - 1].class;
    if (!invariants_case_is_outage(last))
        invariants_case_violated(c, step,
                                 "expected a failed attempt that shows an outage before fallback, "
                                 "the last one is %s (" LEDGER_AUDIT ":%zu)",
                                 last == NULL ? "missing" : last, e->line);
}

void invariants_mode_fallback(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->client.entry_count; i++)
        if (is_fallback(&c->evidence->client.entries[i]))
            check_fallback(c, &c->evidence->client.entries[i]);
}

/* --- never behind a refusal --- */

/* Statuses that say no, and never that Vault is not available: a redirect, too. */
static bool is_refusal_status(int status)
{
    bool passing =
        status == 408 || status == 412 || status == 429 || (status >= 472 && status <= 474);
    return status >= 300 && status <= 499 && !passing;
}

/* The trail may lie about what Vault said; the journal is the server's own. */
static const struct ledger_request *refused_by_server(const struct invariants_case *c,
                                                      const struct ledger_entry *e)
{
    const struct ledger_entry *intent = ledger_intent_of(&c->evidence->client, e);
    for (size_t i = 0; intent != NULL && i < c->evidence->server.request_count; i++) {
        const struct ledger_request *r = &c->evidence->server.requests[i];
        if (r->sign && is_refusal_status(r->status) && ledger_has_input(r, intent->input_sha256))
            return r;
    }
    return NULL;
}

static const struct ledger_attempt *refused_by_trail(const struct ledger_entry *e)
{
    for (size_t i = 0; i < e->attempt_count; i++)
        if (invariants_case_is_refusal(e->attempts[i].class))
            return &e->attempts[i];
    return NULL;
}

void invariants_mode_refusal(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->client.entry_count; i++) {
        const struct ledger_entry *e = &c->evidence->client.entries[i];
        if (!is_fallback(e))
            continue;
        const struct ledger_attempt *attempt = refused_by_trail(e);
        const struct ledger_request *request = refused_by_server(c, e);
        if (attempt != NULL)
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected no fallback behind a refusal, attempt %" PRId64
                                     " ended %s, found a fallback signature (" LEDGER_AUDIT ":%zu)",
                                     attempt->n, attempt->class, e->line);
        if (request != NULL)
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected no fallback behind a refusal, Vault answered %d "
                                     "(" LEDGER_JOURNAL ":%zu), found a fallback signature "
                                     "(" LEDGER_AUDIT ":%zu)",
                                     request->status, request->reply_line, e->line);
    }
}

/* --- back to Vault --- */

void invariants_mode_recovery(const struct invariants_case *c)
{
    for (size_t i = 0; i < c->record->call_count; i++) {
        const struct record_call *call = &c->record->calls[i];
        const struct world_call *told = &call->told;
        if (!told->finished || strcmp(told->mode, "fallback") != 0 ||
            judgement_overlap(c->out, CONDITION_OUTAGE, told->started.wall_ns, told->ended.wall_ns))
            continue;
        const struct ledger_entry *e = ledger_result_of(&c->evidence->client, told->bundle);
        char place[48] = "";
        if (e != NULL)
            (void)snprintf(place, sizeof place, " (" LEDGER_AUDIT ":%zu)", e->line);
        invariants_case_violated(c, call->plan->number,
                                 "expected mode vault while no fault lasts, found fallback%s",
                                 place);
    }
}

/* --- the key stays the key --- */

static bool key_event_between(const struct record *record, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < record->change_count; i++) {
        const struct condition_change *change = &record->changes[i];
        if (change->plan->step->verb->key_event && change->to_ns >= from_ns &&
            change->from_ns <= to_ns)
            return true;
    }
    return false;
}

void invariants_mode_fingerprint(const struct invariants_case *c)
{
    const struct ledger_client *client = &c->evidence->client;
    const struct ledger_entry *before = NULL;
    for (size_t i = 0; i < client->entry_count; i++) {
        const struct ledger_entry *e = &client->entries[i];
        if (e->action != LEDGER_SIGNED || e->mode != LEDGER_MODE_VAULT || e->fingerprint == NULL)
            continue;
        if (before != NULL && strcmp(before->fingerprint, e->fingerprint) != 0 &&
            !key_event_between(c->record, before->wall_ns, e->wall_ns))
            invariants_case_violated(c, invariants_case_step(c, e),
                                     "expected the key %.23s… as before (" LEDGER_AUDIT
                                     ":%zu), found %.23s… (" LEDGER_AUDIT
                                     ":%zu), and no step changed it",
                                     before->fingerprint, before->line, e->fingerprint, e->line);
        before = e;
    }
}

/* --- secrets --- */

static size_t line_at(struct slice text, const char *at)
{
    size_t line = 1;
    for (const char *c = text.ptr; c < at; c++)
        line += *c == '\n';
    return line;
}

void invariants_mode_secrets(const struct invariants_case *c)
{
    const struct evidence *e = c->evidence;
    for (size_t i = 0; i < e->text_count; i++)
        for (size_t k = 0; k < e->canary_count; k++) {
            const struct slice text = e->texts[i].text, secret = e->canaries[k].bytes;
            const char *at = secret.len < 4 || text.len == 0
                                 ? NULL
                                 : memmem(text.ptr, text.len, secret.ptr, secret.len);
            if (at != NULL)
                invariants_case_violated(c, 0, "expected no secret in %s, found the %s (%s:%zu)",
                                         e->texts[i].name, e->canaries[k].name, e->texts[i].name,
                                         line_at(text, at));
        }
}
