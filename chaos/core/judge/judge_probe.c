#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "chaos/core/judge/backoff.h"
#include "chaos/core/judge/judge.h"
#include "chaos/core/ledger/metrics_text.h"

struct probe {
    const struct judge *judge;
    const struct scenario_step *step;
    const struct world_outcome *outcome;
    const char *bundle; /* of `of`, or NULL */
    enum judge_result result;
    struct errc_why *why;
};

static void not_met(struct probe *p)
{
    if (p->result == JUDGE_MET)
        p->result = JUDGE_NOT_MET;
}

static void unknown(struct probe *p, const char *file)
{
    p->result = JUDGE_UNKNOWN;
    judge_say(p->judge, "%s: there is no such file", file);
}

/* --- counting --- */

struct tally {
    int64_t count;
    size_t lines[4]; /* the last ones that were counted */
};

static void count_line(struct tally *t, size_t line)
{
    t->lines[t->count % 4] = line;
    t->count++;
}

static void compare_count(struct probe *p, const char *field, const char *what,
                          const struct tally *tally, const char *file)
{
    char refs[200] = "";
    const struct scenario_value *value = scenario_field(p->step, field);
    if (!value->given || value->number == tally->count)
        return;
    int64_t shown = tally->count < 4 ? tally->count : 4;
    for (int64_t i = 0, len = 0; i < shown; i++)
        len += snprintf(refs + len, sizeof refs - (size_t)len, "%s%s:%zu", i == 0 ? " (" : ", ",
                        file, tally->lines[(tally->count - shown + i) % 4]);
    judge_say(p->judge, "expected %" PRId64 " %s, found %" PRId64 "%s%s%s", value->number, what,
              tally->count, refs, tally->count > 4 ? ", …" : "", refs[0] == '\0' ? "" : ")");
    not_met(p);
}

/* --- audit --- */

static bool same_or_any(const char *wanted, const char *found)
{
    return wanted == NULL || (found != NULL && strcmp(wanted, found) == 0);
}

static enum errc probe_audit(struct probe *p)
{
    struct tally started = {0}, vault = {0}, fallback = {0}, failed = {0}, repaired = {0};
    struct evidence *evidence = p->judge->evidence;
    TRY(evidence_refresh_client(evidence, p->judge->world, p->why));
    if (!evidence->client.found) {
        unknown(p, LEDGER_AUDIT);
        return ERRC_OK;
    }
    for (size_t i = 0; i < evidence->client.entry_count; i++) {
        const struct ledger_entry *e = &evidence->client.entries[i];
        if (!same_or_any(p->bundle, e->bundle))
            continue;
        if (e->action == LEDGER_STARTED)
            count_line(&started, e->line);
        else if (e->action == LEDGER_REPAIRED)
            count_line(&repaired, e->line);
        else if (e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_VAULT)
            count_line(&vault, e->line);
        else if (e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_FALLBACK)
            count_line(&fallback, e->line);
        else if (e->action == LEDGER_FAILED &&
                 same_or_any(scenario_text(p->step, "class"), e->class) &&
                 same_or_any(scenario_text(p->step, "reason"), e->reason))
            count_line(&failed, e->line);
    }
    compare_count(p, "started", "entries MANIFEST_SIGNING_STARTED", &started, LEDGER_AUDIT);
    compare_count(p, "vault", "signatures in mode vault", &vault, LEDGER_AUDIT);
    compare_count(p, "fallback", "signatures in mode fallback", &fallback, LEDGER_AUDIT);
    compare_count(p, "failed", "entries MANIFEST_SIGNING_FAILED", &failed, LEDGER_AUDIT);
    compare_count(p, "repaired", "entries AUDIT_TAIL_REPAIRED", &repaired, LEDGER_AUDIT);
    return ERRC_OK;
}

/* --- backoff --- */

static const struct record_call *call_of(const struct record *run, const char *bundle)
{
    for (size_t i = run->call_count; i > 0; i--)
        if (strcmp(run->calls[i - 1].told.bundle, bundle) == 0)
            return &run->calls[i - 1];
    return NULL;
}

static enum errc probe_backoff(struct probe *p)
{
    struct evidence *evidence = p->judge->evidence;
    TRY(evidence_refresh_client(evidence, p->judge->world, p->why));
    if (!evidence->client.found) {
        unknown(p, LEDGER_AUDIT);
        return ERRC_OK;
    }
    const struct ledger_entry *entry =
        p->bundle == NULL ? NULL : ledger_client_result(&evidence->client, p->bundle);
    if (entry == NULL) {
        judge_say(p->judge, "expected waits of \"%s\", the trail has no result of it",
                  scenario_text(p->step, "of"));
        not_met(p);
        return ERRC_OK;
    }
    int64_t waits = entry->attempt_count == 0 ? 0 : (int64_t)entry->attempt_count - 1;
    if (waits != scenario_int(p->step, "waits")) {
        judge_say(p->judge,
                  "expected %" PRId64 " waits, there were %" PRId64 " (" LEDGER_AUDIT ":%zu)",
                  scenario_int(p->step, "waits"), waits, entry->line);
        not_met(p);
    }
    struct errc_why trouble = {{0}};
    const struct record_call *call = call_of(p->judge->run, p->bundle);
    if (call != NULL &&
        backoff_check_entry(entry, &call->contract, p->judge->run, &trouble) != ERRC_OK) {
        judge_say(p->judge, "%s (" LEDGER_AUDIT ":%zu)", trouble.text, entry->line);
        not_met(p);
    }
    return ERRC_OK;
}

/* --- journal --- */

static enum errc probe_journal(struct probe *p)
{
    struct tally requests = {0}, executed = {0};
    struct evidence *evidence = p->judge->evidence;
    TRY(evidence_refresh_client(evidence, p->judge->world, p->why));
    TRY(evidence_refresh_server(evidence, p->judge->world, p->why));
    if (!evidence->server.found) {
        unknown(p, LEDGER_JOURNAL);
        return ERRC_OK;
    }
    for (size_t i = 0; i < evidence->server.request_count; i++) {
        const struct ledger_request *r = &evidence->server.requests[i];
        if (!r->sign || (p->bundle != NULL && !judge_belongs_to(p->judge, r, p->bundle)) ||
            (scenario_given(p->step, "status") && r->status != scenario_int(p->step, "status")))
            continue;
        count_line(&requests, r->line);
        if (r->executed)
            count_line(&executed, r->line);
    }
    compare_count(p, "requests", "sign requests", &requests, LEDGER_JOURNAL);
    compare_count(p, "executed", "executed sign requests", &executed, LEDGER_JOURNAL);
    return ERRC_OK;
}

/* --- log --- */

static enum errc probe_log(struct probe *p)
{
    struct slice text;
    const char *service = scenario_text(p->step, "service");
    const char *contains = scenario_text(p->step, "contains");
    TRY(evidence_read_text(p->judge->world, WORLD_LOG, service, p->judge->pool, &text, p->why));
    if (text.ptr == NULL) {
        unknown(p, service);
        return ERRC_OK;
    }
    struct tally lines = {0};
    for (size_t line = 1; text.len > 0; line++) {
        struct slice one = slice_cut(&text, '\n');
        if (memmem(one.ptr, one.len, contains, strlen(contains)) != NULL)
            count_line(&lines, line);
    }
    char file[32];
    (void)snprintf(file, sizeof file, "%s.log", service);
    if (scenario_given(p->step, "lines")) {
        compare_count(p, "lines", "matching lines", &lines, file);
    } else if (lines.count == 0) {
        judge_say(p->judge, "expected a line with \"%s\", %s has none", contains, file);
        not_met(p);
    }
    return ERRC_OK;
}

/* --- metrics --- */

static enum errc probe_metrics(struct probe *p)
{
    struct slice text, value;
    const char *service = scenario_text(p->step, "service"), *name = scenario_text(p->step, "name");
    const struct scenario_value *labels = scenario_field(p->step, "labels");
    int64_t wanted = scenario_int(p->step, "equals");
    TRY(evidence_read_text(p->judge->world, WORLD_METRICS, service, p->judge->pool, &text, p->why));
    if (text.ptr == NULL) {
        judge_say(p->judge, "%s has no metrics to read", service);
        p->result = JUDGE_UNKNOWN;
    } else if (!metrics_text_find(text, name, labels->pairs, labels->count, &value)) {
        judge_say(p->judge, "expected metric %s of %s to be %" PRId64 ", there is none", name,
                  service, wanted);
        not_met(p);
    } else {
        char number[64];
        (void)snprintf(number, sizeof number, "%.*s", SLICE_FMT(value));
        char *end = NULL;
        double found = strtod(number, &end);
        if (end == number || *end != '\0' || found < (double)wanted || found > (double)wanted) {
            judge_say(p->judge, "expected metric %s of %s to be %" PRId64 ", it is %s", name,
                      service, wanted, number);
            not_met(p);
        }
    }
    return ERRC_OK;
}

/* --- manifest --- */

static void compare_manifest(struct probe *p, const struct evidence_manifest *m)
{
    bool wants_there = scenario_bool(p->step, "exists");
    bool there = m->state != EVIDENCE_MANIFEST_ABSENT;
    bool good = m->state == EVIDENCE_MANIFEST_READ && m->checked.good;
    const char *trouble = m->state == EVIDENCE_MANIFEST_READ ? m->checked.trouble : m->trouble;
    const char *mode = scenario_text(p->step, "mode");
    const char *found = !good ? "none" : m->checked.fallback ? "fallback" : "vault";
    if (there != wants_there) {
        judge_say(p->judge, "expected %s manifest, there is %s", wants_there ? "a" : "no",
                  there ? "one" : "none");
        not_met(p);
        return;
    }
    if (scenario_given(p->step, "verifies") && scenario_bool(p->step, "verifies") != good) {
        judge_say(p->judge, "expected a signature that is %s, it is %s%s%s",
                  good ? "not good" : "good", good ? "good" : "not good", good ? "" : ": ",
                  good ? "" : trouble);
        not_met(p);
    }
    if (mode != NULL && strcmp(mode, found) != 0) {
        judge_say(p->judge, "expected the key of mode %s to verify, it is %s%s%s", mode, found,
                  good ? "" : ": ", good ? "" : trouble);
        not_met(p);
    }
}

static enum errc probe_manifest(struct probe *p)
{
    struct evidence_manifest manifest = {.trouble = ""};
    if (p->bundle != NULL)
        TRY(evidence_read_manifest(p->judge->world, p->judge->pool, p->bundle, &manifest, p->why));
    compare_manifest(p, &manifest);
    return ERRC_OK;
}

/* --- the state of Vault --- */

static void compare_flag(struct probe *p, const char *field, const json_t *found)
{
    if (!scenario_given(p->step, field))
        return;
    bool wanted = scenario_bool(p->step, field);
    if (json_is_boolean(found) && json_is_true(found) == wanted)
        return;
    judge_say(p->judge, "expected %s to be %s, it is %s", field, wanted ? "true" : "false",
              !json_is_boolean(found) ? "not told"
              : wanted                ? "false"
                                      : "true");
    not_met(p);
}

static void compare_state(struct probe *p, const json_t *state)
{
    const json_t *hold = json_object_get(state, "hold");
    compare_flag(p, "sealed", json_object_get(json_object_get(state, "vault"), "sealed"));
    compare_flag(p, "accepting", json_object_get(json_object_get(state, "listener"), "accepting"));
    int64_t held = json_integer_value(json_object_get(hold, "held"));
    if (scenario_given(p->step, "held") && held != scenario_int(p->step, "held")) {
        judge_say(p->judge, "expected %" PRId64 " held requests, there are %" PRId64,
                  scenario_int(p->step, "held"), held);
        not_met(p);
    }
}

static enum errc probe_state(struct probe *p)
{
    struct slice text;
    json_t *state CLEANUP(jsonread_done) = NULL;
    TRY(evidence_read_text(p->judge->world, WORLD_STATE, NULL, p->judge->pool, &text, p->why));
    if (text.ptr == NULL) {
        judge_say(p->judge, "Vault is not there to tell its state");
        p->result = JUDGE_UNKNOWN;
        return ERRC_OK;
    }
    TRY(jsonread_parse(text, &state, p->why));
    compare_state(p, state);
    return ERRC_OK;
}

/* --- signer status, environment --- */

static enum errc probe_status(struct probe *p)
{
    bool online = scenario_bool(p->step, "online");
    if (p->outcome == NULL || p->outcome->exit == (online ? 0 : 1))
        return ERRC_OK;
    judge_say(p->judge, "expected signer status to exit %d, got %d (%s)", online ? 0 : 1,
              p->outcome->exit, p->outcome->note);
    not_met(p);
    return ERRC_OK;
}

static enum errc probe_environment(struct probe *p)
{
    size_t count = 0;
    const char *service = scenario_text(p->step, "service"), *name = scenario_text(p->step, "name");
    const char *wanted = scenario_text(p->step, "equals"), *found = NULL;
    const struct scenario_pair *pairs =
        p->judge->world->environment(p->judge->world->context, service, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            found = pairs[i].value;
    if (found == NULL)
        judge_say(p->judge, "expected %s of %s to be \"%s\", it is not set", name, service, wanted);
    else if (strcmp(found, wanted) != 0)
        judge_say(p->judge, "expected %s of %s to be \"%s\", it is \"%s\"", name, service, wanted,
                  found);
    if (found == NULL || strcmp(found, wanted) != 0)
        not_met(p);
    return ERRC_OK;
}

/* One row per verb that observes. */
static enum errc (*const probes[VERB_COUNT])(struct probe *p) = {
    [VERB_AUDIT] = probe_audit,
    [VERB_BACKOFF] = probe_backoff,
    [VERB_JOURNAL] = probe_journal,
    [VERB_LOG] = probe_log,
    [VERB_METRICS] = probe_metrics,
    [VERB_MANIFEST] = probe_manifest,
    [VERB_STATE] = probe_state,
    [VERB_STATUS] = probe_status,
    [VERB_ENVIRONMENT] = probe_environment,
};

enum errc judge_probe(const struct judge *j, const struct scenario_step *step,
                      const struct world_outcome *outcome, enum judge_result *out,
                      struct errc_why *why)
{
    struct probe p = {.judge = j, .step = step, .outcome = outcome, .why = why};
    const struct scenario_value *of = scenario_field(step, "of");
    if (of != NULL && of->text != NULL) {
        p.bundle = judge_bundle_of(j->run, of->text);
        if (p.bundle == NULL) {
            judge_say(j, "\"%s\" was not run", of->text);
            *out = JUDGE_NOT_MET;
            return ERRC_OK;
        }
    }
    if (probes[step->verb->id] == NULL)
        return errc_fail(why, ERRC_INTERNAL, "no probe for %s", step->verb->actor);
    enum errc code = probes[step->verb->id](&p);
    *out = p.result;
    return code;
}
