#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"
#include "chaos/core/ledger/metrics_text.h"

static const struct verb_field fields[] = {FIELDS_SERVICE("whose metrics"),
                                           {.name = "name",
                                            .type = VERB_TEXT,
                                            .format = VERB_FORMAT_METRIC,
                                            .required = true,
                                            .max = 100,
                                            .doc = "name of the metric"},
                                           {.name = "labels",
                                            .type = VERB_MAP,
                                            .format = VERB_FORMAT_METRIC,
                                            .max = 10,
                                            .doc = "labels that it carries"},
                                           {.name = "equals",
                                            .type = VERB_INT,
                                            .required = true,
                                            .min = 0,
                                            .max = INT32_MAX,
                                            .doc = "its value"},
                                           FIELDS_WITHIN("0"),
                                           FIELDS_END};

static void compare(struct probe *p, struct slice value)
{
    char number[64], *end = NULL;
    int64_t wanted = scenario_int(p->step, "equals");
    (void)snprintf(number, sizeof number, "%.*s", SLICE_FMT(value));
    double found = strtod(number, &end);
    if (end == number || *end != '\0' || found < (double)wanted || found > (double)wanted)
        probe_fail(p, "expected metric %s of %s to be %" PRId64 ", it is %s",
                   scenario_text(p->step, "name"), scenario_text(p->step, "service"), wanted,
                   number);
}

static enum errc probe_metrics(struct probe *p)
{
    struct slice text, value;
    const char *service = scenario_text(p->step, "service"), *name = scenario_text(p->step, "name");
    const struct scenario_value *labels = scenario_field(p->step, "labels");
    TRY(evidence_read_text(p->judge->world, WORLD_METRICS, service, p->judge->pool, &text, p->why));
    if (text.ptr == NULL)
        probe_unknown(p, "%s has no metrics to read", service);
    else if (metrics_text_find(text, name, labels->pairs, labels->count, &value))
        compare(p, value);
    else
        probe_fail(p, "expected metric %s of %s to be %" PRId64 ", there is none", name, service,
                   scenario_int(p->step, "equals"));
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "reads a metric of a service",
     .role = VERB_OBSERVES,
     .fields = fields,
     .excludes = CONDITION_UNCONTROLLED,
     .probe = probe_metrics},
};

const struct actor actor_metrics = {.name = "metrics", .verbs = verbs, .verb_count = 1};
