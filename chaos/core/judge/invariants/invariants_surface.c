#include "chaos/core/judge/invariants/invariants_surface.h"

#include <jansson.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "chaos/core/judge/invariants/service_view.h"
#include "chaos/core/subject/subject_answer.h"

#define SLACK_NS ((int64_t)INVARIANTS_SLACK_MS * NS_PER_MS)
#define SHOWN_BYTES 200 /* of an answer, in a finding */

/* One answer, and what it is judged on. */
struct answer {
    struct invariants_case *c;
    const struct service_view *view;
    const struct world_sample *sample;
    const struct subject *subject;
    size_t step;
    const struct join_bundle *bundle; /* NULL: it is about none that is known */
    const json_t *json;               /* NULL: it is none */
};

static const struct subject_door *door_of(const struct answer *a)
{
    return subject_door(a->subject, a->sample->door);
}

static struct slice shown(const struct answer *a)
{
    struct slice text = slice_trim(a->sample->text);
    return slice_bytes(text.ptr, text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES);
}

/* NULL: there is nothing at the pointer ("/a/b"), or no text. */
static const json_t *at(const json_t *json, const char *first, const char *second)
{
    const json_t *found = json_object_get(json, first);
    return second == NULL ? found : json_object_get(found, second);
}

static const char *text_at(const json_t *json, const char *first, const char *second)
{
    return json_string_value(at(json, first, second));
}

/* --- health --- */

/* state: 1, 0, or -1 for either. */
static void check_flag(const struct answer *a, const char *first, const char *second, int state)
{
    const json_t *value = at(a->json, first, second);
    if (state < 0 || (json_is_boolean(value) && json_is_true(value) == state))
        return;
    invariants_case_caused(a->c, second, a->step,
                           "expected %s.%s=%s in the health of %s, it answered %.*s", first, second,
                           state ? "true" : "false", a->sample->door, SLICE_FMT(shown(a)));
}

static void check_health(const struct answer *a)
{
    const struct world_sample *sample = a->sample;
    const struct record_contract *contract = service_view_contract(a->c, sample);
    bool good = sample->trail == WORLD_TRAIL_WRITABLE;
    const char *word = text_at(a->json, "status", NULL);
    if (sample->trail != WORLD_TRAIL_UNKNOWN &&
        (sample->status != (good ? 200 : 503) || word == NULL || (strcmp(word, "ok") == 0) != good))
        invariants_case_caused(a->c, good ? "well" : "unwell", a->step,
                               "expected %s to be %s, since " LEDGER_AUDIT
                               " %s be written, whatever Vault does; it answered %d, %.*s",
                               sample->door, good ? "well" : "unwell", good ? "can" : "cannot",
                               sample->status, SLICE_FMT(shown(a)));
    if (sample->trail != WORLD_TRAIL_UNKNOWN)
        check_flag(a, "audit", "writable", good);
    check_flag(a, "vault", "up", service_view_vault(a->c, sample));
    check_flag(a, "fallback", "allowed", contract == NULL ? -1 : contract->fallback_allowed);
    check_flag(a, "fallback", "active", service_view_fallback(a->view, sample));
}

/* --- runs --- */

static bool has_event(const json_t *events, const char *type)
{
    size_t i;
    const json_t *event;
    json_array_foreach(events, i, event)
    {
        const char *word = text_at(event, "type", NULL);
        if (word != NULL && strcmp(word, type) == 0)
            return true;
    }
    return false;
}

static void check_events(const struct answer *a, enum subject_status status)
{
    static const char *const of_signed[] = {"RUN_STARTED", "MANIFEST_SIGNED", "RUN_COMPLETED",
                                            NULL};
    static const char *const of_other[] = {"RUN_STARTED", NULL};
    const char *const *wanted = status == SUBJECT_STATUS_SIGNED       ? of_signed
                                : status == SUBJECT_STATUS_NOT_SIGNED ? of_other
                                                                      : &of_other[1];
    for (; *wanted != NULL; wanted++)
        if (!has_event(at(a->json, "events", NULL), *wanted))
            invariants_case_caused(a->c, "event", a->step,
                                   "expected an event %s in the run of bundle %s, %s answered "
                                   "%.*s",
                                   *wanted, a->bundle->id, a->sample->door, SLICE_FMT(shown(a)));
}

/* A time of the run is not before anybody asked, nor behind the answer that tells of it. */
static void check_time(const struct answer *a, const char *what, const char *stamp)
{
    int64_t ns = 0;
    int64_t first = a->bundle->call_count == 0 ? INT64_MIN + SLACK_NS
                                               : a->bundle->calls[0]->told.started.wall_ns;
    if (stamp != NULL && stamp_parse(slice_of(stamp), &ns) && ns >= first - SLACK_NS &&
        ns <= a->sample->to_ns + SLACK_NS)
        return;
    invariants_case_caused(a->c, "time", a->step,
                           "expected %s of the run of bundle %s between the first call and this "
                           "answer, found %s",
                           what, a->bundle->id, stamp == NULL ? "none" : stamp);
}

static void check_times(const struct answer *a)
{
    size_t i;
    const json_t *event;
    check_time(a, "createdAt", text_at(a->json, "createdAt", NULL));
    check_time(a, "updatedAt", text_at(a->json, "updatedAt", NULL));
    json_array_foreach(at(a->json, "events", NULL), i, event)
        check_time(a, "an event", text_at(event, "at", NULL));
}

static void check_links(const struct answer *a)
{
    static const char *const links[] = {"self", "manifest"};
    const struct subject_door *door = door_of(a);
    const char *ends[] = {"", "/manifest"};
    for (size_t i = 0; door != NULL && i < 2; i++) {
        const char *link = text_at(a->json, "links", links[i]);
        const char *end = pool_format(&a->c->out->pool, "/%s%s", a->bundle->id, ends[i]);
        if (end != NULL && (link == NULL || !slice_ends_with(slice_of(link), end)))
            invariants_case_caused(a->c, "link", a->step,
                                   "expected a link %s of the run of bundle %s that ends %s, "
                                   "found %s",
                                   links[i], a->bundle->id, end, link == NULL ? "none" : link);
    }
}

static void check_word(const struct answer *a, const char *what, const char *found,
                       const char *wanted)
{
    if (strcmp(found, wanted) != 0)
        invariants_case_caused(a->c, what, a->step,
                               "expected the run of bundle %s with %s \"%s\", as " LEDGER_AUDIT
                               " has it, %s answered %.*s",
                               a->bundle->id, what, wanted, a->sample->door, SLICE_FMT(shown(a)));
}

/* A run of a signature: what was signed, and how. 0 attempts: not known any more. */
static void check_run_signed(const struct answer *a, const struct world_call *told)
{
    const struct ledger_entry *e = join_signed_of(a->bundle);
    if (e == NULL || e->wall_ns > a->sample->to_ns + SLACK_NS) {
        invariants_case_caused(
            a->c, "signed", a->step,
            "expected the run of bundle %s not to be told as %s before " LEDGER_AUDIT
            " has a signature, %s answered %.*s",
            a->bundle->id, told->status, a->sample->door, SLICE_FMT(shown(a)));
        return;
    }
    bool fallback = e->mode == LEDGER_MODE_FALLBACK;
    check_word(a, "mode", told->mode,
               a->subject->modes[fallback ? SUBJECT_MODE_FALLBACK : SUBJECT_MODE_VAULT]);
    check_word(a, "reason", told->reason, fallback && e->reason != NULL ? e->reason : "");
    if (told->attempts != 0 && told->attempts != (int)e->attempt_count)
        invariants_case_caused(a->c, "attempts", a->step,
                               "expected the run of bundle %s with %zu attempts, as " LEDGER_AUDIT
                               ":%zu has it, %s answered %.*s",
                               a->bundle->id, e->attempt_count, e->line, a->sample->door,
                               SLICE_FMT(shown(a)));
}

/* Also of the answer to a call: what it says must hold by then. */
static void check_run(const struct answer *a)
{
    struct world_call told = {.attempts = -1};
    const char *id = text_at(a->json, "id", NULL);
    if (door_of(a) == NULL || a->bundle == NULL || a->sample->status / 100 != 2)
        return;
    subject_answer_take(door_of(a), a->sample->text, &told);
    enum subject_status status = subject_status(a->subject, told.status);
    check_word(a, "id", id == NULL ? "" : id, a->bundle->id);
    check_events(a, status);
    check_times(a);
    check_links(a);
    if (status == SUBJECT_STATUS_SIGNED)
        check_run_signed(a, &told);
    else if (told.mode[0] != '\0')
        check_word(a, "mode", told.mode, "");
    if (status == SUBJECT_STATUS_NOT_SIGNED && told.error[0] == '\0')
        invariants_case_caused(a->c, "error", a->step,
                               "expected an error in the run of bundle %s, which is %s, %s "
                               "answered %.*s",
                               a->bundle->id, told.status, a->sample->door, SLICE_FMT(shown(a)));
}

/* What the service was told to sign is not forgotten. */
static void check_found(const struct answer *a)
{
    for (size_t i = 0; a->bundle != NULL && i < a->bundle->call_count; i++) {
        const struct record_call *call = a->bundle->calls[i];
        if (strcmp(call->via, a->sample->door) != 0 || a->sample->status == 200 ||
            (call->told.http_status != 200 && !subject_answer_accepted(call->told.http_status)))
            continue;
        invariants_case_caused(a->c, "found", a->step,
                               "expected the run of bundle %s, %s answered %d, %.*s", a->bundle->id,
                               a->sample->door, a->sample->status, SLICE_FMT(shown(a)));
        return;
    }
}

/* --- manifests --- */

/* Judged when the caller was told that it is signed: then it is published. */
static bool was_told_signed(const struct join_bundle *b, const struct world_sample *sample)
{
    for (size_t i = 0; i < b->call_count; i++)
        if (b->calls[i]->told.finished && b->calls[i]->told.mode[0] != '\0' &&
            b->calls[i]->told.ended.wall_ns <= sample->from_ns &&
            strcmp(b->calls[i]->via, sample->door) == 0)
            return true;
    return false;
}

static void check_served(const struct answer *a)
{
    const struct join_bundle *b = a->bundle;
    if (b == NULL || b->manifest == NULL)
        return;
    struct slice published = b->manifest->text;
    if (a->sample->status == 200 && published.ptr != NULL &&
        !slice_equal(a->sample->text, published))
        invariants_case_caused(a->c, "bytes", a->step,
                               "expected the manifest of bundle %s over HTTP as it was published, "
                               "%zu bytes, found %zu others",
                               b->id, published.len, a->sample->text.len);
    if (a->sample->status != 200 && published.ptr != NULL && was_told_signed(b, a->sample))
        invariants_case_caused(a->c, "served", a->step,
                               "expected the manifest of bundle %s over HTTP, %s answered %d",
                               b->id, a->sample->door, a->sample->status);
}

/* Keys of Vault's were pinned; which local ones the command trusts depends on its environment. */
static void check_verified(const struct answer *a)
{
    const struct evidence_manifest *m = a->bundle == NULL ? NULL : a->bundle->manifest;
    if (m == NULL || m->state != EVIDENCE_MANIFEST_READ)
        return;
    if (m->checked.good && !m->checked.fallback && a->sample->status != 0)
        invariants_case_caused(a->c, "good", a->step,
                               "expected the command to find the manifest of bundle %s good, whose "
                               "key %s was pinned, its exit code is %d",
                               a->bundle->id, m->checked.fingerprint, a->sample->status);
    if (!m->checked.good && a->sample->status == 0)
        invariants_case_caused(a->c, "bad", a->step,
                               "expected the command to find the manifest of bundle %s bad (%s), "
                               "its exit code is 0",
                               a->bundle->id, m->checked.trouble);
}

static void check_tampered(const struct answer *a)
{
    if (a->sample->status == 0 && a->bundle != NULL)
        invariants_case_caused(a->c, "tampered", a->step,
                               "expected the command to find the manifest of bundle %s bad once it "
                               "was changed, its exit code is 0",
                               a->bundle->id);
}

/* --- the pin --- */

/* Keys become known when the command is told to pin; true when both did at one time. */
static bool were_learned_together(const struct record *record, const struct world_key *a,
                                  const struct world_key *b)
{
    for (size_t i = 0; i < record->step_count; i++) {
        const struct record_step *step = &record->steps[i];
        int64_t began = step->started.wall_ns;
        if (strcmp(step->plan->step->actor->name, "trust") == 0 &&
            (a->since_wall_ns < began) != (b->since_wall_ns < began))
            return false;
    }
    return true;
}

/* Vault's newest key when it was last told to pin one that was new; NULL: not known. */
static const struct world_key *pinned_key(const struct record *record,
                                          const struct evidence *evidence)
{
    const struct world_key *found = NULL;
    for (size_t i = 0; i < evidence->key_count; i++) {
        const struct world_key *key = &evidence->keys[i];
        if (key->fallback || key->since_wall_ns == 0 || key->until_wall_ns != 0)
            continue;
        bool newer = found == NULL || (were_learned_together(record, key, found)
                                           ? key->version > found->version
                                           : key->since_wall_ns > found->since_wall_ns);
        found = newer ? key : found;
    }
    return found;
}

static void check_pinned(const struct answer *a)
{
    char wanted[VERIFY_MANIFEST_FINGERPRINT_BYTES];
    const struct world_key *key = pinned_key(a->c->record, a->c->evidence);
    const char *found = text_at(a->json, "fingerprint", NULL);
    if (a->sample->status != 0 || key == NULL ||
        verify_manifest_fingerprint(key->pem, wanted, NULL) != ERRC_OK ||
        (found != NULL && strcmp(found, wanted) == 0))
        return;
    invariants_case_caused(a->c, "pin", a->step,
                           "expected Vault's newest key to be pinned when the command was told to, "
                           "%s (version %d), found %s",
                           wanted, key->version, found == NULL ? "none" : found);
}

/* --- what the command prints --- */

static void check_printed(const struct answer *a)
{
    const struct ledger_entry *e = a->bundle == NULL ? NULL : join_signed_of(a->bundle);
    if (json_is_true(at(a->json, "already", NULL)) &&
        (e == NULL || e->wall_ns > a->sample->from_ns + SLACK_NS))
        invariants_case_caused(a->c, "already", a->step,
                               "expected the command not to say that bundle %s was signed before "
                               "it was asked: " LEDGER_AUDIT " has no such signature",
                               a->sample->bundle);
}

/* --- all of them --- */

static void check_answer(const struct answer *a)
{
    switch (a->sample->surface) {
    case WORLD_HEALTH:
        check_health(a);
        break;
    case WORLD_RUN:
        check_found(a);
        check_run(a);
        break;
    case WORLD_ACCEPTED:
        check_run(a);
        break;
    case WORLD_SERVED:
        check_served(a);
        break;
    case WORLD_VERIFIED:
        check_verified(a);
        break;
    case WORLD_TAMPERED:
        check_tampered(a);
        break;
    case WORLD_PINNED:
        check_pinned(a);
        break;
    case WORLD_PRINTED:
        check_printed(a);
        break;
    case WORLD_NUMBERS: /* invariants_metric.h */
        break;
    }
}

void invariants_surface_true(struct invariants_case *c)
{
    const struct service_view view = service_view_make(c);
    for (size_t i = 0; i < c->evidence->sample_count; i++) {
        const struct world_sample *sample = &c->evidence->samples[i];
        json_t *json CLEANUP(jsonread_done) = NULL;
        if (jsonread_parse(sample->text, &json, NULL) != ERRC_OK)
            json = NULL;
        const struct answer answer = {
            .c = c,
            .view = &view,
            .sample = sample,
            .subject = c->record->scenario->stack.subject,
            .step = service_view_step(c, sample),
            .bundle =
                sample->bundle == NULL ? NULL : join_bundle_of(&c->evidence->join, sample->bundle),
            .json = json,
        };
        check_answer(&answer);
    }
}
