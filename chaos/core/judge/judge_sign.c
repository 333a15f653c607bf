#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chaos/core/judge/judge.h"

struct sign_case {
    const struct judge *judge;
    const struct scenario_value *expect;
    const struct world_call *call;
    const struct ledger_entry *entry; /* the result in the trail, or NULL */
    struct evidence_manifest manifest;
    bool met;
};

static const struct scenario_value *wanted(const struct sign_case *c, const char *name)
{
    const struct scenario_value *value = scenario_member(c->expect, name);
    return value != NULL && value->given ? value : NULL;
}

/* "(audit.ndjson:7)", or what is missing. */
static const char *where(const struct sign_case *c, char *room, size_t size)
{
    if (c->entry == NULL)
        return "(no result in audit.ndjson)";
    (void)snprintf(room, size, "(" LEDGER_AUDIT ":%zu)", c->entry->line);
    return room;
}

static void compare_text(struct sign_case *c, const char *what, const char *expected,
                         const char *found, const char *who)
{
    char room[64];
    if (found != NULL && strcmp(expected, found) == 0)
        return;
    c->met = false;
    judge_say(c->judge, "expected %s %s, %s %s %s", what, expected, who,
              found == NULL || found[0] == '\0' ? "nothing" : found, where(c, room, sizeof room));
}

static const char *verified_mode(const struct sign_case *c)
{
    if (c->manifest.state != EVIDENCE_MANIFEST_READ || !c->manifest.checked.good)
        return NULL;
    return c->manifest.checked.fallback ? "fallback" : "vault";
}

/* What a caller is told, what is audited and what verifies must all be the mode. */
static void check_mode(struct sign_case *c)
{
    const struct scenario_value *mode = wanted(c, "mode");
    if (mode == NULL)
        return;
    compare_text(c, "mode", mode->text, c->call->mode, "the caller was told");
    compare_text(c, "mode", mode->text,
                 c->entry == NULL ? NULL : ledger_client_mode_text(c->entry->mode),
                 "the trail says");
    compare_text(c, "mode", mode->text, verified_mode(c), "what verifies is");
}

static void check_attempts(struct sign_case *c)
{
    char room[64];
    const struct scenario_value *attempts = wanted(c, "attempts");
    if (attempts == NULL)
        return;
    size_t audited = c->entry == NULL ? 0 : c->entry->attempt_count;
    if (c->entry == NULL || (int64_t)audited != attempts->number) {
        c->met = false;
        judge_say(c->judge, "expected %" PRId64 " attempts, the trail has %zu %s", attempts->number,
                  audited, where(c, room, sizeof room));
    }
    if (c->call->attempts >= 0 && c->call->attempts != attempts->number) {
        c->met = false;
        judge_say(c->judge, "expected %" PRId64 " attempts, the caller was told %d",
                  attempts->number, c->call->attempts);
    }
}

static void check_reason(struct sign_case *c)
{
    const struct scenario_value *reason = wanted(c, "reason");
    if (reason == NULL)
        return;
    compare_text(c, "reason", reason->text, c->entry == NULL ? NULL : c->entry->reason,
                 "the trail says");
    if (c->call->reason[0] != '\0')
        compare_text(c, "reason", reason->text, c->call->reason, "the caller was told");
}

/* The class of a failure, or of the last attempt of a success. */
static const char *last_class(const struct ledger_entry *entry)
{
    if (entry == NULL)
        return NULL;
    if (entry->class != NULL)
        return entry->class;
    return entry->attempt_count == 0 ? NULL : entry->attempts[entry->attempt_count - 1].class;
}

static void check_class(struct sign_case *c)
{
    const struct scenario_value *class = wanted(c, "class");
    if (class != NULL)
        compare_text(c, "class", class->text, last_class(c->entry), "the trail says");
}

static void check_status(struct sign_case *c)
{
    const struct scenario_value *status = wanted(c, "status");
    if (status == NULL || strcmp(status->text, c->call->status) == 0)
        return;
    c->met = false;
    judge_say(c->judge, "expected status %s, the caller was told \"%s\"", status->text,
              c->call->status);
}

static void check_exit(struct sign_case *c)
{
    const struct scenario_value *code = wanted(c, "exit");
    if (code == NULL || c->call->exit == code->number)
        return;
    c->met = false;
    if (c->call->signal != 0)
        judge_say(c->judge, "expected exit %" PRId64 ", signal %d ended the command", code->number,
                  c->call->signal);
    else
        judge_say(c->judge, "expected exit %" PRId64 ", got %d", code->number, c->call->exit);
}

/* Without a word about it, a bundle is expected to be signed, unless something else was asked for
 * that a failure may fulfil. */
static bool wants_signature(const struct sign_case *c, bool *wanted_signed)
{
    const struct scenario_value *is_signed = wanted(c, "signed");
    *wanted_signed = is_signed == NULL || is_signed->flag;
    return is_signed != NULL || wanted(c, "mode") != NULL || !c->expect->given;
}

static void check_signed(struct sign_case *c)
{
    char room[64];
    bool wanted_signed = true;
    if (!wants_signature(c, &wanted_signed))
        return;
    bool audited = c->entry != NULL && c->entry->action == LEDGER_SIGNED;
    bool there = c->manifest.state != EVIDENCE_MANIFEST_ABSENT;
    bool told = c->call->mode[0] != '\0';
    if (audited == wanted_signed && there == wanted_signed && told == wanted_signed)
        return;
    c->met = false;
    judge_say(c->judge,
              "expected %s signature: the caller was told %s, the trail says %s %s, the manifest "
              "is %s",
              wanted_signed ? "a" : "no", told ? "signed" : "not signed",
              audited            ? "signed"
              : c->entry == NULL ? "nothing"
                                 : "failed",
              where(c, room, sizeof room), there ? "there" : "not there");
}

static void check_told_error(struct sign_case *c)
{
    if (c->met || c->call->error[0] == '\0')
        return;
    judge_say(c->judge, "its error was %s", c->call->error);
}

enum errc judge_sign(const struct judge *j, const struct scenario_step *step,
                     const struct world_call *call, enum judge_result *out, struct errc_why *why)
{
    struct sign_case c = {
        .judge = j, .expect = scenario_field(step, "expect"), .call = call, .met = true};
    TRY(evidence_refresh_client(j->evidence, j->world, why));
    TRY(evidence_read_manifest(j->world, j->pool, call->bundle, &c.manifest, why));
    c.entry = ledger_client_result(&j->evidence->client, call->bundle);
    check_signed(&c);
    check_mode(&c);
    check_attempts(&c);
    check_reason(&c);
    check_class(&c);
    check_status(&c);
    check_exit(&c);
    check_told_error(&c);
    *out = c.met ? JUDGE_MET : j->evidence->client.found ? JUDGE_NOT_MET : JUDGE_UNKNOWN;
    return ERRC_OK;
}
