#include "fakevault/core/outage/effect.h"

#include "base/count.h"
#include "base/text/jsonread.h"
#include "fakevault/core/outage/fault_reply.h"

static enum errc parse_respond(const json_t *effect, const struct effect *row,
                               struct fault_reply **reply, struct errc_why *why)
{
    json_t *respond = NULL;
    TRY(jsonread_object(effect, row->name, &respond, why));
    enum errc code = fault_reply_parse(respond, reply, why);
    if (code != ERRC_OK)
        errc_prefix(why, "%s", row->name);
    return code;
}

static enum errc parse_switch(const json_t *effect, const struct effect *row,
                              struct fault_reply **reply, struct errc_why *why)
{
    bool on = false;
    (void)reply;
    TRY(jsonread_bool(effect, row->name, &on, why));
    if (!on)
        return errc_fail(why, ERRC_RANGE, "field \"%s\" is false, want true", row->name);
    return ERRC_OK;
}

static const struct effect effects[] = {
    [FAULT_RESPOND] =
        {
            .name = "respond",
            .phase = EFFECT_REQUEST,
            .parse = parse_respond,
            .schema = "{\"type\":\"object\",\"additionalProperties\":false,"
                      "\"required\":[\"status\"],\"properties\":{\"status\":{\"type\":\"integer\","
                      "\"minimum\":200,\"maximum\":599},\"errors\":{\"type\":[\"array\",\"null\"],"
                      "\"items\":{\"type\":\"string\"}},\"body\":true,\"headers\":{\"type\":["
                      "\"object\",\"null\"],\"maxProperties\":32,"
                      "\"propertyNames\":{\"pattern\":\"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$\"},"
                      "\"additionalProperties\":{\"type\":\"string\"}}}}",
            .shown = "{\"respond\":{\"status\", \"errors\" or \"body\", \"headers\"}}",
            .help = "answers that; the request is not executed",
            .course = EFFECT_ANSWER,
        },
    [FAULT_HOLD] =
        {
            .name = "hold",
            .phase = EFFECT_REQUEST,
            .parse = parse_switch,
            .schema = "{\"const\":true}",
            .shown = "{\"hold\":true}",
            .help = "holds the request until resume or the rule's end, then executes it",
            .course = EFFECT_LET_BY,
        },
    [FAULT_REFUSE] =
        {
            .name = "refuse",
            .phase = EFFECT_REQUEST,
            .parse = parse_switch,
            .schema = "{\"const\":true}",
            .shown = "{\"refuse\":true}",
            .help = "closes the listener and resets all connections; the request is not executed",
            .course = EFFECT_DROP,
            .apply = {.verb = "refuse", .shut = true},
        },
    [FAULT_CRASH] =
        {
            .name = "crash",
            .phase = EFFECT_REQUEST,
            .parse = parse_switch,
            .schema = "{\"const\":true}",
            .shown = "{\"crash\":true}",
            .help = "dies by SIGKILL; the request is not executed",
            .course = EFFECT_DROP,
            .apply = {.verb = "crash", .die = true},
        },
    [FAULT_SEAL] =
        {
            .name = "seal",
            .phase = EFFECT_REQUEST,
            .parse = parse_switch,
            .schema = "{\"const\":true}",
            .shown = "{\"seal\":true}",
            .help = "seals, then lets the request meet a sealed Vault",
            .course = EFFECT_LET_BY,
            .apply = {.verb = "seal", .seal = true},
        },
};

#define FIRST (FAULT_NONE + 1)

const struct effect *effect_of(enum fault_effect effect)
{
    return effect == FAULT_NONE ? NULL : &effects[effect];
}

enum errc effect_parse(const json_t *value, enum fault_effect *effect, struct fault_reply **reply,
                       struct errc_why *why)
{
    const char *names[COUNT(effects)] = {NULL};
    for (size_t i = FIRST; i < COUNT(effects); i++)
        names[i - FIRST] = effects[i].name;
    TRY(jsonread_only(value, names, why));
    if (json_object_size(value) != 1)
        return errc_fail(why, ERRC_SCHEMA, "%zu effects in one rule, want exactly one",
                         json_object_size(value));
    for (size_t i = FIRST; i < COUNT(effects); i++) {
        if (json_object_get(value, effects[i].name) == NULL)
            continue;
        *effect = (enum fault_effect)i;
        return effects[i].parse(value, &effects[i], reply, why);
    }
    return ERRC_OK;
}

/* ---- for people and programs ---- */

void effect_format_names(struct buf *out)
{
    for (size_t i = FIRST; i < COUNT(effects); i++)
        buf_addf(out, "%s%s", i == FIRST ? "" : ", ", effects[i].name);
}

void effect_format_schema(struct buf *out)
{
    for (size_t i = FIRST; i < COUNT(effects); i++)
        buf_addf(out, "%s\"%s\":%s", i == FIRST ? "" : ",", effects[i].name, effects[i].schema);
}

void effect_format_help(struct buf *out)
{
    for (size_t i = FIRST; i < COUNT(effects); i++)
        buf_addf(out, "  %-32s %s\n", effects[i].name, effects[i].help);
}

static const char *const phases[] = {
    [EFFECT_ACCEPT] = "accept",     [EFFECT_HANDSHAKE] = "handshake", [EFFECT_REQUEST] = "request",
    [EFFECT_EXECUTED] = "executed", [EFFECT_REPLY] = "reply",
};

void effect_format_table(struct buf *out)
{
    buf_add_text(out, "| effect | phase | what it does |\n|---|---|---|\n");
    for (size_t i = FIRST; i < COUNT(effects); i++)
        buf_addf(out, "| `%s` | %s | %s |\n", effects[i].shown, phases[effects[i].phase],
                 effects[i].help);
}
