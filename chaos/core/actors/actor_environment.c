#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"

static const struct verb_field fields[] = {
    FIELDS_SERVICE("which running service"),
    {.name = "name",
     .type = VERB_TEXT,
     .format = VERB_FORMAT_VARIABLE,
     .required = true,
     .max = 100,
     .doc = "variable that its process was started with"},
    {.name = "equals", .type = VERB_TEXT, .required = true, .max = 500, .doc = "its value"},
    FIELDS_END};

static enum errc probe_environment(struct probe *p)
{
    size_t count = 0;
    const struct world *world = p->judge->world;
    const char *service = scenario_text(p->step, "service"), *name = scenario_text(p->step, "name");
    const char *wanted = scenario_text(p->step, "equals"), *found = NULL;
    const struct scenario_pair *pairs = world->environment(world->context, service, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            found = pairs[i].value;
    if (found == NULL)
        probe_fail(p, "expected %s of %s to be \"%s\", it is not set", name, service, wanted);
    else if (strcmp(found, wanted) != 0)
        probe_fail(p, "expected %s of %s to be \"%s\", it is \"%s\"", name, service, wanted, found);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "reads what a service's process was started with",
     .role = VERB_OBSERVES,
     .fields = fields,
     .probe = probe_environment},
};

const struct actor actor_environment = {.name = "environment", .verbs = verbs, .verb_count = 1};
