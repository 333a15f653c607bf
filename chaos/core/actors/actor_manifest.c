#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/scenario/check/check.h"

static const struct verb_field fields[] = {
    FIELDS_SIGN_STEP("of", true, "a sign step"),
    {.name = "exists", .type = VERB_BOOL, .standard = "true", .doc = "whether it was published"},
    {.name = "verifies", .type = VERB_BOOL, .doc = "whether its signature is good"},
    {.name = "mode", .type = VERB_WORD, .words = fields_modes, .doc = "whose key verifies it"},
    FIELDS_END};

static void check_manifest(struct check *c, const struct scenario_step *step)
{
    bool absent = !scenario_bool(step, "exists");
    if (absent && check_given(step, "mode"))
        check_value(c, step, scenario_field(step, "mode"), "what does not exist has no mode");
    if (absent && check_given(step, "verifies"))
        check_value(c, step, scenario_field(step, "verifies"), "what does not exist cannot verify");
}

static void compare(struct probe *p, const struct evidence_manifest *m)
{
    bool wants_there = scenario_bool(p->step, "exists");
    bool there = m->state != EVIDENCE_MANIFEST_ABSENT;
    bool good = m->state == EVIDENCE_MANIFEST_READ && m->checked.good;
    const char *trouble = m->state == EVIDENCE_MANIFEST_READ ? m->checked.trouble : m->trouble;
    const char *mode = scenario_text(p->step, "mode");
    const char *found = !good ? "none" : m->checked.fallback ? "fallback" : "vault";
    if (there != wants_there) {
        probe_fail(p, "expected %s manifest, there is %s", wants_there ? "a" : "no",
                   there ? "one" : "none");
        return;
    }
    if (scenario_given(p->step, "verifies") && scenario_bool(p->step, "verifies") != good)
        probe_fail(p, "expected a signature that is %s, it is %s%s%s", good ? "not good" : "good",
                   good ? "good" : "not good", good ? "" : ": ", good ? "" : trouble);
    if (mode != NULL && strcmp(mode, found) != 0)
        probe_fail(p, "expected the key of mode %s to verify, it is %s%s%s", mode, found,
                   good ? "" : ": ", good ? "" : trouble);
}

static enum errc probe_manifest(struct probe *p)
{
    struct evidence_manifest manifest = {.trouble = ""};
    if (p->bundle != NULL)
        TRY(evidence_read_manifest(p->judge->world, p->judge->pool, p->bundle, &manifest, p->why));
    compare(p, &manifest);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "verifies a published manifest, with the verifier of chaos",
     .role = VERB_OBSERVES,
     .fields = fields,
     .check = check_manifest,
     .probe = probe_manifest},
};

const struct actor actor_manifest = {.name = "manifest", .verbs = verbs, .verb_count = 1};
