#include "fakevault/shell/ctl/ctl_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"

static int64_t number(const json_t *object, const char *field)
{
    return json_integer_value(json_object_get(object, field));
}

static bool is_true(const json_t *object, const char *field)
{
    return json_is_true(json_object_get(object, field));
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void show_vault(const json_t *vault)
{
    if (!is_true(vault, "initialized")) {
        (void)printf("vault       not initialized, storage %s\n",
                     jsonread_string_or(vault, "storage", "?"));
        return;
    }
    (void)printf("vault       %s, %" PRId64 " share%s, threshold %" PRId64 ", storage %s\n",
                 is_true(vault, "sealed") ? "sealed" : "unsealed", number(vault, "shares"),
                 plural(number(vault, "shares")), number(vault, "threshold"),
                 jsonread_string_or(vault, "storage", "?"));
    if (number(vault, "progress") > 0)
        (void)printf("            %" PRId64 " of %" PRId64 " shares given\n",
                     number(vault, "progress"), number(vault, "threshold"));
}

static void show_listener(const json_t *listener)
{
    int64_t open = number(listener, "connections");
    (void)printf("listener    %s, %s, %" PRId64 " connection%s, %" PRId64 " in flight\n",
                 jsonread_string_or(listener, "address", "?"),
                 is_true(listener, "accepting") ? "accepting" : "refusing", open, plural(open),
                 number(listener, "in_flight"));
}

static void show_hold(const json_t *hold)
{
    (void)printf("hold        %s, %" PRId64 " held\n", is_true(hold, "active") ? "on" : "off",
                 number(hold, "held"));
}

static void show_rule(const json_t *rule)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_LINE_BYTES);
    struct jsonwrite w;
    jsonwrite_init(&w, &text, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    for (const char *const *part = (const char *const[]){"match", "trigger", "effect", NULL};
         *part != NULL; part++)
        jsonwrite_value(&w, *part, json_object_get(rule, *part));
    jsonwrite_end(&w);
    (void)printf("rule        %s: matched %" PRId64 ", hits %" PRId64 " %s\n",
                 jsonread_string_or(rule, "id", "?"), number(rule, "matched"), number(rule, "hits"),
                 buf_text(&text));
}

static void show_counters(const json_t *counters)
{
    (void)printf("counters    %" PRId64 " connections, %" PRId64 " requests, %" PRId64 " replies\n",
                 number(counters, "connections"), number(counters, "requests"),
                 number(counters, "replies"));
}

static void show_if(const json_t *answer, const char *field, void (*show)(const json_t *))
{
    const json_t *value = json_object_get(answer, field);
    if (value != NULL)
        show(value);
}

static void show_rules(const json_t *rules)
{
    size_t i = 0;
    const json_t *rule = NULL;
    json_array_foreach(rules, i, rule)
    {
        show_rule(rule);
    }
    if (json_array_size(rules) == 0)
        (void)puts("rules       none");
}

/* The scalars that stand in no section, as key=value on one line. */
static void show_rest(const json_t *answer)
{
    const char *name = NULL, *blank = "";
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)answer, name, value)
    {
        if (json_is_string(value))
            (void)printf("%s%s=%s", blank, name, json_string_value(value));
        else if (json_is_integer(value))
            (void)printf("%s%s=%" JSON_INTEGER_FORMAT, blank, name, json_integer_value(value));
        else if (json_is_boolean(value))
            (void)printf("%s%s=%s", blank, name, json_is_true(value) ? "true" : "false");
        else
            continue;
        blank = " ";
    }
    (void)puts("");
}

static void show(const json_t *answer)
{
    show_if(answer, "vault", show_vault);
    show_if(answer, "listener", show_listener);
    show_if(answer, "hold", show_hold);
    show_if(answer, "rules", show_rules);
    show_if(answer, "rule", show_rule);
    show_if(answer, "counters", show_counters);
    show_rest(answer);
}

enum errc ctl_show_answer(struct slice body, int status, bool raw, struct errc_why *why)
{
    json_t *answer CLEANUP(jsonread_done) = NULL;
    enum errc code = jsonread_parse(body, &answer, why);
    if (code != ERRC_OK || !json_is_object(answer))
        return errc_fail(why, ERRC_SCHEMA, "the answer (status %d) is not what fakevault answers",
                         status);
    if (raw) {
        (void)fwrite(body.ptr, 1, body.len, stdout);
    } else if (status / 100 == 2) {
        show(answer);
    } else {
        const json_t *error = json_object_get(answer, "error");
        (void)fprintf(stderr, "fakevault ctl: %s\n",
                      jsonread_string_or(error, "message", "the server refused"));
    }
    return ERRC_OK;
}
