#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"

static const struct verb_field fields[] = {
    FIELDS_SIGN_STEP("of", false, "only requests for that sign step's bundle"),
    {.name = "status",
     .type = VERB_INT,
     .min = 100,
     .max = 599,
     .doc = "only requests that were answered so"},
    FIELDS_COUNT("requests", "sign requests that reached Vault"),
    FIELDS_COUNT("executed", "sign requests that Vault executed, whatever the caller was told"),
    FIELDS_END};

static const char *const counts[] = {"requests", "executed", NULL};

static bool is_meant(const struct probe *p, const struct ledger_request *r)
{
    if (!r->sign || (p->bundle != NULL && !judge_belongs_to(p->judge, r, p->bundle)))
        return false;
    return !scenario_given(p->step, "status") || r->status == scenario_int(p->step, "status");
}

static enum errc probe_journal(struct probe *p)
{
    struct evidence *evidence = p->judge->evidence;
    struct probe_tally requests = {0}, executed = {0};
    TRY(evidence_refresh_client(evidence, p->judge->world, p->why));
    TRY(evidence_refresh_server(evidence, p->judge->world, p->why));
    if (!evidence->server.found) {
        probe_unknown(p, "%s: there is no such file", LEDGER_JOURNAL);
        return ERRC_OK;
    }
    for (size_t i = 0; i < evidence->server.request_count; i++) {
        const struct ledger_request *r = &evidence->server.requests[i];
        if (!is_meant(p, r))
            continue;
        probe_count(&requests, r->line);
        if (r->executed)
            probe_count(&executed, r->line);
    }
    probe_compare_count(p, "requests", "sign requests", &requests, LEDGER_JOURNAL);
    probe_compare_count(p, "executed", "executed sign requests", &executed, LEDGER_JOURNAL);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "counts sign requests in Vault's journal, from the start of the run on",
     .role = VERB_OBSERVES,
     .fields = fields,
     .compares = counts,
     .probe = probe_journal},
};

const struct actor actor_journal = {.name = "journal", .verbs = verbs, .verb_count = 1};
