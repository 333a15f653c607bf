#include <stdio.h>
#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/probe.h"
#include "chaos/core/language/fields.h"

static const char *const log_words[] = {"vault", "api", "worker", "cli", NULL};

static const struct verb_field fields[] = {
    {.name = "service",
     .type = VERB_WORD,
     .words = log_words,
     .required = true,
     .doc = "whose log"},
    {.name = "contains",
     .type = VERB_TEXT,
     .min = 1,
     .required = true,
     .max = 500,
     .doc = "text that a line must contain"},
    FIELDS_COUNT("lines", "how many lines contain it; at least one when left out"),
    FIELDS_WITHIN("0"),
    FIELDS_END};

static enum errc probe_log(struct probe *p)
{
    struct slice text;
    const char *service = scenario_text(p->step, "service");
    const char *contains = scenario_text(p->step, "contains");
    TRY(evidence_read_text(p->judge->world, WORLD_LOG, service, p->judge->pool, &text, p->why));
    if (text.ptr == NULL) {
        probe_unknown(p, "%s: there is no such file", service);
        return ERRC_OK;
    }
    struct probe_tally lines = {0};
    for (size_t line = 1; text.len > 0; line++) {
        struct slice one = slice_cut(&text, '\n');
        if (memmem(one.ptr, one.len, contains, strlen(contains)) != NULL)
            probe_count(&lines, line);
    }
    char file[32];
    (void)snprintf(file, sizeof file, "%s.log", service);
    if (scenario_given(p->step, "lines"))
        probe_compare_count(p, "lines", "matching lines", &lines, file);
    else if (lines.count == 0)
        probe_fail(p, "expected a line with \"%s\", %s has none", contains, file);
    return ERRC_OK;
}

static const struct verb verbs[] = {
    {.doc = "looks for lines of a log",
     .role = VERB_OBSERVES,
     .fields = fields,
     .probe = probe_log},
};

const struct actor actor_log = {.name = "log", .verbs = verbs, .verb_count = 1};
