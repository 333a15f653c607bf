#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"

static const struct verb_field fields[] = {
    FIELDS_COUNT("requests", "connections that were made to it"), FIELDS_END};

static const char *const counts[] = {"requests", NULL};

static enum errc probe_decoy(struct probe *p)
{
    struct slice text;
    struct probe_tally requests = {0};
    TRY(evidence_read_text(p->judge->world, WORLD_DECOY, NULL, p->judge->pool, &text, p->why));
    for (size_t line = 1; text.len > 0; line++) {
        (void)slice_cut(&text, '\n');
        probe_count(&requests, line);
    }
    probe_compare_count(p, "requests", "connections to the decoy", &requests, LEDGER_DECOY);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc =
         "counts who came to the decoy, an address (${DECOY} in the headers of respond) where no "
         "signer has any business",
     .role = VERB_OBSERVES,
     .fields = fields,
     .compares = counts,
     .probe = probe_decoy},
};

const struct actor actor_decoy = {.name = "decoy", .verbs = verbs, .verb_count = 1};
