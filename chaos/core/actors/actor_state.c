#include <inttypes.h>

#include "base/text/jsonread.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"

static const struct verb_field fields[] = {
    {.name = "sealed", .type = VERB_BOOL, .doc = "whether Vault is sealed"},
    {.name = "accepting", .type = VERB_BOOL, .doc = "whether its listener is open"},
    FIELDS_COUNT("held", "how many requests it holds"),
    FIELDS_WITHIN("0"),
    FIELDS_END};

static const char *const values[] = {"sealed", "accepting", "held", NULL};

static void compare_flag(struct probe *p, const char *field, const json_t *found)
{
    if (!scenario_given(p->step, field))
        return;
    bool wanted = scenario_bool(p->step, field);
    if (json_is_boolean(found) && json_is_true(found) == wanted)
        return;
    probe_fail(p, "expected %s to be %s, it is %s", field, wanted ? "true" : "false",
               !json_is_boolean(found) ? "not told"
               : wanted                ? "false"
                                       : "true");
}

static void compare(struct probe *p, const json_t *state)
{
    const json_t *hold = json_object_get(state, "hold");
    compare_flag(p, "sealed", json_object_get(json_object_get(state, "vault"), "sealed"));
    compare_flag(p, "accepting", json_object_get(json_object_get(state, "listener"), "accepting"));
    int64_t held = json_integer_value(json_object_get(hold, "held"));
    if (scenario_given(p->step, "held") && held != scenario_int(p->step, "held"))
        probe_fail(p, "expected %" PRId64 " held requests, there are %" PRId64,
                   scenario_int(p->step, "held"), held);
}

static enum errc probe_state(struct probe *p)
{
    struct slice text;
    json_t *state CLEANUP(jsonread_done) = NULL;
    TRY(evidence_read_text(p->judge->world, WORLD_STATE, NULL, p->judge->pool, &text, p->why));
    if (text.ptr == NULL) {
        probe_unknown(p, "Vault is not there to tell its state");
        return ERRC_OK;
    }
    TRY(jsonread_parse(text, &state, p->why));
    compare(p, state);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "reads the state of Vault",
     .role = VERB_OBSERVES,
     .fields = fields,
     .compares = values,
     .excludes = CONDITION_UNCONTROLLED,
     .probe = probe_state},
};

const struct actor actor_state = {.name = "state", .verbs = verbs, .verb_count = 1};
