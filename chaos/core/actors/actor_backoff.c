#include <inttypes.h>
#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/backoff.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/check/check.h"
#include "chaos/core/subject/subject_contract.h"

static const struct verb_field fields[] = {
    FIELDS_SIGN_STEP("of", true, "a sign step"),
    {.name = "waits",
     .type = VERB_INT,
     .required = true,
     .min = 2,
     .max = 100,
     .doc = "how many waits there were, each within the contract; one wait shows no growth"},
    FIELDS_END};

/* How many attempts a signer has that is started with these variables. */
static int64_t attempts_of(const struct check *c, const struct scenario_value *map)
{
    struct record_contract contract = {0};
    subject_contract(c->scenario->stack.subject, map->pairs, map->count, &contract);
    return contract.attempts_max;
}

/* How many attempts at most any signer has that may work on the step's bundle: services may be
 * re-created with others, and a retry has its own. */
static int64_t attempts_max(const struct check *c)
{
    const struct scenario_value stack = {
        .pairs = (struct scenario_pair *)(uintptr_t)c->scenario->stack.environment,
        .count = c->scenario->stack.environment_count};
    int64_t most = attempts_of(c, &stack);
    for (unsigned phase = 0; phase < VERB_PHASES; phase++)
        for (size_t i = 0; i < c->scenario->phases[phase].count; i++) {
            const struct scenario_step *step = &c->scenario->phases[phase].items[i];
            const struct scenario_value *map = scenario_field(step, "environment");
            int64_t one = map == NULL || !map->given ? 0 : attempts_of(c, map);
            most = one > most ? one : most;
        }
    return most;
}

static void check_backoff(struct check *c, const struct scenario_step *step)
{
    int64_t attempts = attempts_max(c);
    if (scenario_int(step, "waits") >= attempts)
        check_value(c, step, scenario_field(step, "waits"),
                    "%" PRId64 " attempts have at most %" PRId64 " waits, see SIGNER_ATTEMPTS",
                    attempts, attempts - 1);
}

static const struct record_call *call_of(const struct record *run, const char *bundle)
{
    for (size_t i = run->call_count; i > 0; i--)
        if (strcmp(run->calls[i - 1].told.bundle, bundle) == 0)
            return &run->calls[i - 1];
    return NULL;
}

static void compare_waits(struct probe *p, const struct ledger_entry *entry)
{
    int64_t waits = entry->attempt_count == 0 ? 0 : (int64_t)entry->attempt_count - 1;
    if (waits != scenario_int(p->step, "waits"))
        probe_fail(p, "expected %" PRId64 " waits, there were %" PRId64 " (" LEDGER_AUDIT ":%zu)",
                   scenario_int(p->step, "waits"), waits, entry->line);
    struct errc_why trouble = {{0}};
    const struct record_call *call = call_of(p->judge->run, p->bundle);
    if (call != NULL &&
        backoff_check_entry(entry, &call->contract, p->judge->run, &trouble) != ERRC_OK)
        probe_fail(p, "%s (" LEDGER_AUDIT ":%zu)", trouble.text, entry->line);
}

static enum errc probe_backoff(struct probe *p)
{
    struct evidence *evidence = p->judge->evidence;
    TRY(evidence_refresh_client(evidence, p->judge->world, p->why));
    const struct ledger_entry *entry =
        p->bundle == NULL ? NULL : ledger_client_result(&evidence->client, p->bundle);
    if (!evidence->client.found)
        probe_unknown(p, "%s: there is no such file", LEDGER_AUDIT);
    else if (entry == NULL)
        probe_fail(p, "expected waits of \"%s\", the trail has no result of it",
                   scenario_text(p->step, "of"));
    else
        compare_waits(p, entry);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "checks the waits that a sign step asked for",
     .role = VERB_OBSERVES,
     .fields = fields,
     .check = check_backoff,
     .probe = probe_backoff},
};

const struct actor actor_backoff = {.name = "backoff", .verbs = verbs, .verb_count = 1};
