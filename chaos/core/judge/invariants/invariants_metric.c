#include "chaos/core/judge/invariants/invariants_metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos/core/judge/invariants/service_view.h"
#include "chaos/core/ledger/metrics_text.h"
#include "chaos/core/subject/subject.h"

#define NUMBER_BYTES 64
#define ROUNDING 1e-6

/* What a number may be. */
struct bounds {
    double least, most;
};

/* Adds what one operation counts for, by how certain it is. */
static void count(struct bounds *bounds, enum service_view_part part, double amount)
{
    bounds->least += part == SERVICE_VIEW_CERTAIN ? amount : 0;
    bounds->most += part != SERVICE_VIEW_NOT ? amount : 0;
}

static bool read_number(struct slice text, double *out)
{
    char room[NUMBER_BYTES];
    char *end = NULL;
    (void)snprintf(room, sizeof room, "%.*s", SLICE_FMT(text));
    *out = strtod(room, &end);
    return text.len > 0 && text.len < sizeof room && *end == '\0';
}

/* label NULL: a number without one. */
static void check(const struct service_view *view, const struct world_sample *sample,
                  const char *name, const struct scenario_pair *label, struct bounds bounds)
{
    struct invariants_case *c = view->c;
    struct slice text = {0};
    double number = 0;
    bool found = metrics_text_find(sample->text, name, label, label == NULL ? 0 : 1, &text) &&
                 read_number(text, &number);
    if (found && number >= bounds.least - ROUNDING && number <= bounds.most + ROUNDING)
        return;
    char whose[160] = "", most[NUMBER_BYTES] = "";
    if (label != NULL)
        (void)snprintf(whose, sizeof whose, "{%s=\"%s\"}", label->name, label->value);
    if (bounds.most > bounds.least)
        (void)snprintf(most, sizeof most, " to %g", bounds.most);
    invariants_case_caused(c, name, service_view_step(c, sample),
                           "expected %s%s of %s to be %g%s, as " LEDGER_AUDIT
                           " and the scenario have it, found %.*s",
                           name, whose, sample->door, bounds.least, most, found ? (int)text.len : 4,
                           found ? text.ptr : "none");
}

static void check_signatures(const struct service_view *view, const struct world_sample *sample)
{
    static const enum ledger_mode modes[] = {
        [SUBJECT_MODE_VAULT] = LEDGER_MODE_VAULT, [SUBJECT_MODE_FALLBACK] = LEDGER_MODE_FALLBACK};
    const struct subject *subject = view->c->record->scenario->stack.subject;
    for (size_t m = 0; m < SUBJECT_MODES_KNOWN; m++) {
        const struct scenario_pair label = {.name = "mode", .value = subject->modes[m]};
        struct bounds bounds = {0};
        for (size_t i = 0; i < view->done_count; i++)
            if (view->done[i].entry->action == LEDGER_SIGNED &&
                view->done[i].entry->mode == modes[m])
                count(&bounds, service_view_part(sample, &view->done[i]), 1);
        check(view, sample, "signing_total", &label, bounds);
    }
}

static double attempts_of(const struct ledger_entry *e, const char *class)
{
    double attempts = 0;
    for (size_t i = 0; i < e->attempt_count; i++)
        attempts += strcmp(e->attempts[i].class, class) == 0;
    return attempts;
}

/* What an operation without an end in the trail did is not known. */
static struct bounds widened(const struct service_view *view, const struct world_sample *sample,
                             struct bounds bounds)
{
    if (service_view_has_unended(view, sample))
        bounds.most = 1e18;
    return bounds;
}

static void check_attempts(const struct service_view *view, const struct world_sample *sample)
{
    const struct subject *subject = view->c->record->scenario->stack.subject;
    for (size_t k = 0; k < subject->class_count; k++) {
        const char *class = subject->classes[k].name;
        const struct scenario_pair label = {.name = "class", .value = class};
        struct bounds bounds = {0};
        for (size_t i = 0; i < view->done_count; i++)
            count(&bounds, service_view_part(sample, &view->done[i]),
                  attempts_of(view->done[i].entry, class));
        check(view, sample, "signing_attempts_total", &label, widened(view, sample, bounds));
    }
}

static void check_waits(const struct service_view *view, const struct world_sample *sample)
{
    struct bounds waits = {0}, seconds = {0};
    for (size_t i = 0; i < view->done_count; i++) {
        const struct ledger_entry *e = view->done[i].entry;
        enum service_view_part part = service_view_part(sample, &view->done[i]);
        for (size_t k = 0; k < e->attempt_count; k++) {
            count(&waits, part, e->attempts[k].n > 1);
            count(&seconds, part, e->attempts[k].n > 1 ? (double)e->attempts[k].wait_ms / 1e3 : 0);
        }
    }
    check(view, sample, "signing_backoff_seconds_count", NULL, widened(view, sample, waits));
    check(view, sample, "signing_backoff_seconds_sum", NULL, widened(view, sample, seconds));
}

/* state: 1, 0, or -1 for either. */
static void check_switch(const struct service_view *view, const struct world_sample *sample,
                         const char *name, int state)
{
    if (state >= 0)
        check(view, sample, name, NULL, (struct bounds){state, state});
}

void invariants_metric_counted(struct invariants_case *c)
{
    const struct service_view view = service_view_make(c);
    for (size_t i = 0; i < c->evidence->sample_count; i++) {
        const struct world_sample *sample = &c->evidence->samples[i];
        if (sample->surface != WORLD_NUMBERS || sample->status != 200)
            continue;
        const struct record_contract *contract = service_view_contract(c, sample);
        check_signatures(&view, sample);
        check_attempts(&view, sample);
        check_waits(&view, sample);
        check_switch(&view, sample, "signing_fallback_active",
                     service_view_fallback(&view, sample));
        check_switch(&view, sample, "signing_fallback_allowed",
                     contract == NULL ? -1 : contract->fallback_allowed);
        check_switch(&view, sample, "vault_up", service_view_vault(c, sample));
    }
}
