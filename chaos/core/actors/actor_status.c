#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"

static const struct verb_field fields[] = {{.name = "online",
                                            .type = VERB_BOOL,
                                            .required = true,
                                            .doc = "what `signer status` must say of Vault"},
                                           FIELDS_END};

static enum errc probe_status(struct probe *p)
{
    int wanted = scenario_bool(p->step, "online") ? 0 : 1;
    if (p->outcome != NULL && p->outcome->exit != wanted)
        probe_fail(p, "expected signer status to exit %d, got %d (%s)", wanted, p->outcome->exit,
                   p->outcome->note);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "runs `signer status`",
     .role = VERB_OBSERVES,
     .asks = true,
     .fields = fields,
     .probe = probe_status},
};

const struct actor actor_status = {.name = "status", .verbs = verbs, .verb_count = 1};
