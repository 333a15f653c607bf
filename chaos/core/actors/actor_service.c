#include "base/count.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/language/fields.h"

#define SERVICES_MAIN                                                                              \
    {                                                                                              \
        .type = VERB_WORDS, .words = fields_services, .required = true, .max = 2,                  \
        .doc = "one service, or a list"                                                            \
    }

static const struct verb_field restart_fields[] = {
    FIELDS_ENVIRONMENT("re-create them with these variables on top of what they had; without it "
                       "they keep their old environment"),
    FIELDS_END};

static const struct verb_field refuses_fields[] = {
    FIELDS_ENVIRONMENT_OF(true, "what they must refuse; they do not keep it"), FIELDS_END};

static const struct verb verbs[] = {
    {.name = "start",
     .doc = "starts services that were ended",
     .main = SERVICES_MAIN,
     .effect = {.clears = CONDITION_GONE | CONDITION_FROZEN},
     .needs = CONDITION_GONE},
    {.name = "stop",
     .doc = "ends services with SIGTERM",
     .main = SERVICES_MAIN,
     .effect = {.sets = CONDITION_GONE, .clears = CONDITION_FROZEN},
     .excludes = CONDITION_GONE},
    {.name = "kill",
     .doc = "ends services with SIGKILL",
     .main = SERVICES_MAIN,
     .effect = {.sets = CONDITION_GONE, .clears = CONDITION_FROZEN},
     .excludes = CONDITION_GONE},
    {.name = "pause",
     .doc = "freezes services with SIGSTOP",
     .main = SERVICES_MAIN,
     .effect = {.sets = CONDITION_FROZEN},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "unpause",
     .doc = "lets frozen services go on",
     .main = SERVICES_MAIN,
     .effect = {.clears = CONDITION_FROZEN},
     .needs = CONDITION_FROZEN},
    {.name = "restart",
     .doc = "restarts services; as with docker compose, a changed environment needs them "
            "re-created",
     .main = SERVICES_MAIN,
     .fields = restart_fields,
     .effect = {.clears = CONDITION_GONE | CONDITION_FROZEN}},
    {.name = "refuses",
     .doc = "ends services and starts them with variables that they must refuse, with exit code 2 "
            "before they serve; then they are gone, until start",
     .main = SERVICES_MAIN,
     .fields = refuses_fields,
     .effect = {.sets = CONDITION_GONE, .clears = CONDITION_FROZEN}},
};

const struct actor actor_service = {.name = "service",
                                    .of_subject = true,
                                    .of_services = true,
                                    .verbs = verbs,
                                    .verb_count = COUNT(verbs)};
