#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/check/check.h"

static const struct verb_field fields[] = {
    FIELDS_SIGN_STEP("of", false, "only entries of that sign step's bundle"),
    {.name = "class",
     .type = VERB_WORD,
     .words = fields_classes,
     .doc = "only failed entries of this class are counted as failed"},
    {.name = "reason",
     .type = VERB_WORD,
     .words = fields_reasons,
     .doc = "only failed entries with this reason are counted as failed"},
    FIELDS_COUNT("started", "entries MANIFEST_SIGNING_STARTED"),
    FIELDS_COUNT("vault", "entries MANIFEST_SIGNED with signingMode vault"),
    FIELDS_COUNT("fallback", "entries MANIFEST_SIGNED with signingMode fallback"),
    FIELDS_COUNT("failed", "entries MANIFEST_SIGNING_FAILED"),
    FIELDS_COUNT("repaired", "entries AUDIT_TAIL_REPAIRED"),
    FIELDS_END};

static const char *const counts[] = {"started", "vault", "fallback", "failed", "repaired", NULL};

/* Class and reason are those of a failure: they say nothing about the other counts. */
static void check_audit(struct check *c, const struct scenario_step *step)
{
    static const char *const filters[] = {"class", "reason"};
    bool counts_others = false;
    for (size_t i = 0; counts[i] != NULL; i++)
        counts_others = counts_others || check_given(step, counts[i]);
    for (size_t i = 0; i < 2 && counts_others && !check_given(step, "failed"); i++)
        if (check_given(step, filters[i]))
            check_value(c, step, scenario_field(step, filters[i]),
                        "picks among failed entries, and failed is not given: it filters nothing");
}

struct tallies {
    struct probe_tally started, vault, fallback, failed, repaired;
};

static void count_entry(const struct probe *p, const struct ledger_entry *e, struct tallies *t)
{
    if (e->action == LEDGER_STARTED)
        probe_count(&t->started, e->line);
    else if (e->action == LEDGER_REPAIRED)
        probe_count(&t->repaired, e->line);
    else if (e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_VAULT)
        probe_count(&t->vault, e->line);
    else if (e->action == LEDGER_SIGNED && e->mode == LEDGER_MODE_FALLBACK)
        probe_count(&t->fallback, e->line);
    else if (e->action == LEDGER_FAILED && probe_wants(scenario_text(p->step, "class"), e->class) &&
             probe_wants(scenario_text(p->step, "reason"), e->reason))
        probe_count(&t->failed, e->line);
}

static enum errc probe_audit(struct probe *p)
{
    struct evidence *evidence = p->judge->evidence;
    struct tallies t = {0};
    TRY(evidence_refresh_client(evidence, p->judge->world, p->why));
    if (!evidence->client.found) {
        probe_unknown(p, "%s: there is no such file", LEDGER_AUDIT);
        return ERRC_OK;
    }
    for (size_t i = 0; i < evidence->client.entry_count; i++)
        if (probe_wants(p->bundle, evidence->client.entries[i].bundle))
            count_entry(p, &evidence->client.entries[i], &t);
    probe_compare_count(p, "started", "entries MANIFEST_SIGNING_STARTED", &t.started, LEDGER_AUDIT);
    probe_compare_count(p, "vault", "signatures in mode vault", &t.vault, LEDGER_AUDIT);
    probe_compare_count(p, "fallback", "signatures in mode fallback", &t.fallback, LEDGER_AUDIT);
    probe_compare_count(p, "failed", "entries MANIFEST_SIGNING_FAILED", &t.failed, LEDGER_AUDIT);
    probe_compare_count(p, "repaired", "entries AUDIT_TAIL_REPAIRED", &t.repaired, LEDGER_AUDIT);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "counts entries of the audit trail, from the start of the run on",
     .role = VERB_OBSERVES,
     .fields = fields,
     .check = check_audit,
     .compares = counts,
     .probe = probe_audit},
};

const struct actor actor_audit = {.name = "audit", .verbs = verbs, .verb_count = 1};
