#include "tests/chaos/fake/fake_survey.h"

#include <string.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/text/stamp.h"
#include "chaos/core/ledger/verify_manifest.h"
#include "tests/chaos/fake/fake_ledger.h"

#define MS 1000000
#define TEXT_BYTES_MAX 65536u

static const char *const classes[] = {"ok",          "refused", "sealed",  "denied",
                                      "unavailable", "timeout", "internal"};

void fake_survey_attempt(struct fake_world *f, const char *class, int wait_ms)
{
    for (size_t i = 0; i < COUNT(classes); i++)
        f->tally.attempts[i] += strcmp(classes[i], class) == 0;
    f->tally.waits += wait_ms >= 0;
    f->tally.seconds += wait_ms >= 0 ? wait_ms / 1e3 : 0;
}

void fake_survey_told(struct fake_world *f, const struct world_call *told)
{
    struct fake_world_tally *t = &f->tally;
    bool local = strcmp(told->mode, "fallback") == 0;
    CHECK(t->call_count < COUNT(t->calls));
    t->calls[t->call_count++] = *told;
    if (told->mode[0] == '\0')
        return;
    t->signatures[local]++;
    t->active = local;
}

size_t fake_survey_samples(void *context, const struct world_sample **out)
{
    const struct fake_world *f = context;
    *out = f->samples;
    return f->sample_count;
}

/* --- answers --- */

static void add_numbers(const struct fake_world *f, struct buf *out)
{
    const struct fake_world_tally *t = &f->tally;
    buf_addf(out,
             "vault_up %d\nsigning_total{mode=\"vault\"} %u\nsigning_total{mode=\"fallback\"} %u\n"
             "signing_fallback_active %d\nsigning_fallback_allowed %d\n"
             "signing_backoff_seconds_count %u\nsigning_backoff_seconds_sum %.6f\n",
             !f->sealed && !f->refusing, t->signatures[0], t->signatures[1], t->active,
             f->fallback_on, t->waits, t->seconds);
    static const char *const others[] = {
        "unreachable", "malformed", "rate_limited", "stale",    "bad_request",
        "not_found",   "key_state", "certificate",  "redirect", "key_mismatch"};
    for (size_t i = 0; i < COUNT(classes); i++)
        buf_addf(out, "signing_attempts_total{class=\"%s\"} %u\n", classes[i], t->attempts[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        buf_addf(out, "signing_attempts_total{class=\"%s\"} 0\n", others[i]);
}

static const char *word(bool is)
{
    return is ? "true" : "false";
}

static void add_health(const struct fake_world *f, struct buf *out)
{
    buf_addf(out,
             "{\"status\":\"ok\",\"audit\":{\"writable\":true},\"vault\":{\"up\":%s},"
             "\"fallback\":{\"allowed\":%s,\"active\":%s}}",
             word(!f->sealed && !f->refusing), word(f->fallback_on), word(f->tally.active));
}

static void add_run(const struct world_call *told, struct buf *out)
{
    char begun[STAMP_BYTES], ended[STAMP_BYTES];
    bool done = told->mode[0] != '\0';
    stamp_format(told->started.wall_ns, STAMP_NANO, begun);
    stamp_format(told->ended.wall_ns, STAMP_NANO, ended);
    buf_addf(out, "{\"id\":\"%s\",\"status\":\"%s\",\"createdAt\":\"%s\",\"updatedAt\":\"%s\",",
             told->bundle, told->status, begun, ended);
    if (done)
        buf_addf(out, "\"signing\":{\"mode\":\"%s\",%s%s%s\"attempts\":%d},", told->mode,
                 told->reason[0] != '\0' ? "\"reason\":\"" : "", told->reason,
                 told->reason[0] != '\0' ? "\"," : "", told->attempts);
    else
        buf_addf(out, "\"error\":{\"code\":\"%s\"},", told->error);
    buf_addf(out, "\"events\":[{\"type\":\"RUN_STARTED\",\"at\":\"%s\"}", begun);
    if (done)
        buf_addf(out,
                 ",{\"type\":\"MANIFEST_SIGNED\",\"at\":\"%s\"},{\"type\":\"RUN_COMPLETED\","
                 "\"at\":\"%s\"}",
                 ended, ended);
    buf_addf(out, "],\"links\":{\"self\":\"/b/%s\",\"manifest\":\"/b/%s/manifest\"}}", told->bundle,
             told->bundle);
}

/* Keeps the answer, as the test changes it. */
static void keep(struct fake_world *f, struct world_sample sample, struct slice text)
{
    const struct fake_world_answer *a = &f->answer;
    bool changed = sample.surface == a->surface;
    CHECK(f->sample_count < COUNT(f->samples));
    struct buf *kept = &f->texts[f->sample_count];
    const char *at =
        changed && a->from != NULL ? memmem(text.ptr, text.len, a->from, strlen(a->from)) : NULL;
    buf_init(kept, TEXT_BYTES_MAX);
    buf_add(kept, text.ptr, at == NULL ? text.len : (size_t)(at - text.ptr));
    if (at != NULL) {
        buf_add_text(kept, a->to);
        buf_add_slice(kept, slice_from(text, (size_t)(at - text.ptr) + strlen(a->from)));
    }
    f->now_ns += MS;
    sample.from_ns = sample.from_ns == 0 ? f->now_ns : sample.from_ns;
    sample.to_ns = f->now_ns + MS;
    sample.since_ns = f->tally.since_ns;
    sample.ready_ns = f->tally.since_ns + MS;
    sample.trail = changed && a->trail != WORLD_TRAIL_UNKNOWN ? a->trail : WORLD_TRAIL_WRITABLE;
    if (changed && a->status != 0)
        sample.status = a->status == -1 ? 0 : a->status;
    sample.text = buf_slice(kept);
    f->now_ns += MS;
    f->samples[f->sample_count++] = sample;
}

static void ask(struct fake_world *f, enum world_surface surface, const char *bundle, int status,
                struct slice text)
{
    keep(f,
         (struct world_sample){
             .surface = surface, .door = "api", .bundle = bundle, .status = status},
         text);
}

static void ask_about(struct fake_world *f, const struct world_call *told)
{
    struct buf run CLEANUP(buf_done), manifest CLEANUP(buf_done);
    buf_init(&run, TEXT_BYTES_MAX);
    buf_init(&manifest, TEXT_BYTES_MAX);
    add_run(told, &run);
    ask(f, WORLD_RUN, told->bundle, 200, buf_slice(&run));
    if (fake_ledger_manifest(f, told->bundle, &manifest) != ERRC_OK)
        return;
    ask(f, WORLD_SERVED, told->bundle, 200, buf_slice(&manifest));
    ask(f, WORLD_VERIFIED, told->bundle, 0, (struct slice){0});
    ask(f, WORLD_TAMPERED, told->bundle, 1, (struct slice){0});
    keep(f,
         (struct world_sample){.surface = WORLD_PRINTED,
                               .door = "api",
                               .bundle = told->bundle,
                               .from_ns = told->started.wall_ns},
         SLICE_LITERAL("{\"already\":false}"));
}

static void ask_pin(struct fake_world *f)
{
    char fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES];
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TEXT_BYTES_MAX);
    size_t key = f->keys[0].until_wall_ns == 0 ? 0 : 1;
    CHECK(verify_manifest_fingerprint(f->keys[key].pem, fingerprint, NULL) == ERRC_OK);
    buf_addf(&text, "{\"fingerprint\":\"%s\"}", fingerprint);
    ask(f, WORLD_PINNED, NULL, 0, buf_slice(&text));
}

void fake_survey(void *context, enum world_moment moment)
{
    struct fake_world *f = context;
    if (!f->surveyed)
        return;
    struct buf health CLEANUP(buf_done), numbers CLEANUP(buf_done);
    buf_init(&health, TEXT_BYTES_MAX);
    buf_init(&numbers, TEXT_BYTES_MAX);
    add_health(f, &health);
    add_numbers(f, &numbers);
    ask(f, WORLD_HEALTH, NULL, 200, buf_slice(&health));
    ask(f, WORLD_NUMBERS, NULL, 200, buf_slice(&numbers));
    if (moment == WORLD_BEHIND_A_CALL)
        return;
    for (size_t i = 0; i < f->tally.call_count; i++)
        ask_about(f, &f->tally.calls[i]);
    ask_pin(f);
}
