#include "tests/chaos/fake/fake_port.h"

#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/units.h"
#include "tests/chaos/fake/fake_ledger.h"
#include "tests/chaos/fake/fake_signer.h"
#include "tests/chaos/fake/fake_survey.h"
#include "tests/chaos/fake/fake_vault.h"

static struct instant now(void *context)
{
    struct fake_world *f = context;
    f->now_ns += NS_PER_MS;
    return (struct instant){.mono_ns = f->now_ns - FAKE_WORLD_BEGINNING, .wall_ns = f->now_ns};
}

static int interrupted(void *context)
{
    struct fake_world *f = context;
    return f->interrupt_before > 0 && f->acts + 1 >= f->interrupt_before ? f->interrupts : 0;
}

static enum errc start(void *context, const struct scenario *scenario, struct errc_why *why)
{
    struct fake_world *f = context;
    f->started = true;
    f->tally.since_ns = f->now_ns;
    for (size_t i = 0; i < scenario->stack.environment_count; i++)
        f->fallback_on |= strcmp(scenario->stack.environment[i].value, "true") == 0;
    fake_ledger_journal(f, "process", "\"event\":\"start\",\"boot_id\":\"b1\"");
    return f->start_code == ERRC_OK ? ERRC_OK : errc_fail(why, f->start_code, "no port");
}

static void set_rule(struct fake_world *f, const struct world_step *step)
{
    static char id[24];
    (void)snprintf(id, sizeof id, "%s", step->rule);
    bool matches = strcmp(scenario_text(step->step, "path"), "*/sign/*") == 0;
    f->rule = id;
    f->rule_status = step->step->main.number;
    f->rule_left = !matches                              ? 0
                   : scenario_given(step->step, "times") ? scenario_int(step->step, "times")
                                                         : INT32_MAX;
}

static enum errc act(void *context, const struct world_step *step, struct world_outcome *out,
                     struct errc_why *why)
{
    struct fake_world *f = context;
    if (++f->acts == f->act_fails_at)
        return errc_fail(why, f->act_code, "it did not work");
    out->call.started = now(f);
    if (f->vault != NULL)
        TRY(fake_vault_act(f->vault, step, why));
    const char *actor = step->step->actor->name, *verb = step->step->verb->name;
    bool vault = strcmp(actor, "vault") == 0;
    if (vault && (strcmp(verb, "seal") == 0 || strcmp(verb, "unseal") == 0))
        f->sealed = strcmp(verb, "seal") == 0;
    if (vault && (strcmp(verb, "refuse") == 0 || strcmp(verb, "accept") == 0))
        f->refusing = strcmp(verb, "refuse") == 0;
    if (strcmp(actor, "trust") == 0)
        f->keys[1].since_wall_ns = f->keys[0].until_wall_ns = f->now_ns;
    if (vault && strcmp(verb, "respond") == 0)
        set_rule(f, step);
    if (vault && strcmp(verb, "reset") == 0)
        f->rule = NULL;
    if (step->step->verb->role == VERB_SIGNS) {
        out->call.finished = true;
        fake_signer_sign(f, step->step, &out->call);
    }
    out->call.ended = now(f);
    if (out->call.finished)
        fake_survey_told(f, &out->call);
    return ERRC_OK;
}

static void wait_change(void *context, int64_t deadline_mono_ns)
{
    struct fake_world *f = context;
    f->now_ns = FAKE_WORLD_BEGINNING + deadline_mono_ns;
}

static void read_audit(const struct fake_world *f, struct buf *out)
{
    if (f->rewrites && f->stopped && f->reads_at_end > 0) {
        buf_add_text(out, "{}\n");
        return;
    }
    char previous[DIGEST_HEX_BYTES];
    memset(previous, '0', sizeof previous - 1);
    previous[sizeof previous - 1] = '\0';
    for (size_t i = 0; i < f->audit_count; i++) {
        struct buf edited CLEANUP(buf_done), chained CLEANUP(buf_done);
        buf_init(&edited, FAKE_LEDGER_LINE_BYTES);
        buf_init(&chained, FAKE_LEDGER_LINE_BYTES);
        if (!fake_ledger_edit(f, FAKE_AUDIT, i + 1, false, buf_slice(&f->audit[i]), &edited))
            continue;
        struct slice rest = buf_slice(&edited), before = slice_cut(&rest, '@');
        buf_add_slice(&chained, before);
        if (before.len < edited.len)
            buf_addf(&chained, "%s", previous);
        buf_add_slice(&chained, rest);
        digest_sha256_hex(buf_slice(&chained), previous);
        if (fake_ledger_edit(f, FAKE_AUDIT, i + 1, true, buf_slice(&chained), out))
            buf_add_char(out, '\n');
    }
}

static void read_journal(const struct fake_world *f, struct buf *out)
{
    for (size_t i = 0; i < f->journal_count; i++)
        if (fake_ledger_edit(f, FAKE_JOURNAL, i + 1, false, buf_slice(&f->journal[i]), out))
            buf_add_char(out, '\n');
}

/* What a ledger holds from a byte on. */
static enum errc read_from(const struct fake_world *f,
                           void (*read)(const struct fake_world *f, struct buf *out), uint64_t from,
                           struct buf *out)
{
    struct buf whole CLEANUP(buf_done);
    buf_init(&whole, 1u << 24);
    read(f, &whole);
    buf_add_slice(out, slice_from(buf_slice(&whole), (size_t)from));
    return ERRC_OK;
}

static enum errc read_evidence(void *context, enum world_evidence kind, const char *name,
                               uint64_t from, struct buf *out, struct errc_why *why)
{
    struct fake_world *f = context;
    (void)why;
    f->reads_at_end += f->stopped && kind == WORLD_AUDIT && from == 0;
    if (kind == WORLD_AUDIT && !f->no_audit)
        return read_from(f, read_audit, from, out);
    if (kind == WORLD_JOURNAL && !f->no_journal)
        return read_from(f, read_journal, from, out);
    if (kind == WORLD_MANIFEST)
        return fake_ledger_manifest(f, name, out);
    if (kind == WORLD_ASKED) {
        if (strncmp(name, "00000000-", 9) == 0)
            fake_signer_asked(name, out);
        return out->len > 0 ? ERRC_OK : ERRC_NOT_FOUND;
    }
    if (kind == WORLD_LOG && strcmp(name, "api") == 0) {
        fake_ledger_edit(f, FAKE_API_LOG, 1, false, buf_slice(&f->log), out);
        return ERRC_OK;
    }
    if (kind == WORLD_DECOY && f->decoy != NULL) {
        buf_add_text(out, f->decoy);
        return ERRC_OK;
    }
    if (kind == WORLD_METRICS) {
        buf_add_text(out, "# TYPE signing_total counter\nsigning_total{mode=\"vault\"} 2\n"
                          "signing_total{mode=\"fallback\"} 1\nvault_up 1\n");
        return ERRC_OK;
    }
    if (kind == WORLD_STATE) {
        buf_addf(
            out,
            "{\"vault\":{\"sealed\":%s},\"listener\":{\"accepting\":%s},\"hold\":{\"held\":0}}",
            f->sealed ? "true" : "false", f->refusing ? "false" : "true");
        return ERRC_OK;
    }
    return ERRC_NOT_FOUND;
}

static const struct scenario_pair *environment(void *context, const char *name, size_t *count)
{
    static struct scenario_pair pair = {.name = "ALLOW_FALLBACK_SIGNING"};
    const struct fake_world *f = context;
    (void)name;
    pair.value = f->odd_switch ? "TRUE" : f->fallback_on ? "true" : "false";
    *count = 1;
    return &pair;
}

static size_t keys(void *context, const struct world_key **out)
{
    struct fake_world *f = context;
    *out = f->keys;
    return 3;
}

static size_t growth(void *context, const struct world_growth **out)
{
    struct fake_world *f = context;
    *out = f->growth;
    return f->growth_count;
}

static const char *mark(void *context)
{
    (void)context;
    return FAKE_WORLD_MARK;
}

static size_t canaries(void *context, const struct world_canary **out)
{
    struct fake_world *f = context;
    *out = &f->canary;
    return 1;
}

static enum errc files(void *context, const struct world_file **out, size_t *count,
                       struct errc_why *why)
{
    const struct fake_world *f = context;
    (void)why;
    *out = f->files;
    *count = f->file_count;
    return ERRC_OK;
}

static void stop(void *context)
{
    struct fake_world *f = context;
    CHECK(!f->stopped);
    f->stopped = true;
}

struct world fake_port(struct fake_world *f)
{
    return (struct world){.context = f,
                          .now = now,
                          .interrupted = interrupted,
                          .start = start,
                          .act = act,
                          .wait_change = wait_change,
                          .read = read_evidence,
                          .environment = environment,
                          .growth = growth,
                          .mark = mark,
                          .survey = fake_survey,
                          .samples = fake_survey_samples,
                          .keys = keys,
                          .canaries = canaries,
                          .files = f->file_count > 0 ? files : NULL,
                          .stop = stop};
}
