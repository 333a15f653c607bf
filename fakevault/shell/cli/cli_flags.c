#include "fakevault/shell/cli/cli_flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/text/slice.h"
#include "fakevault/core/http/field.h"

struct found {
    const struct cli_flag *flag;
    struct cli_flag_value *value;
};

static bool is_named(const struct cli_flag *flag, struct slice name)
{
    return slice_equal_text(name, flag->name) ||
           (flag->alias != NULL && slice_equal_text(name, flag->alias));
}

static struct found find(struct cli_flags *flags, struct slice name)
{
    size_t index = 0;
    for (size_t t = 0; t < CLI_FLAGS_TABLES; t++) {
        const struct cli_flag *flag = flags->tables[t];
        for (; flag != NULL && flag->name != NULL; flag++, index++) {
            CHECK(index < CLI_FLAGS_MAX);
            if (is_named(flag, name))
                return (struct found){flag, &flags->values[index]};
        }
    }
    return (struct found){NULL, NULL};
}

static enum errc store_switch(struct cli_flag_value *value, const char *text, struct errc_why *why)
{
    bool on = false;
    if (!field_parse_bool(slice_of(text), &on))
        return errc_fail(why, ERRC_USAGE, "strconv.ParseBool: parsing \"%s\": invalid syntax",
                         text);
    value->number = on;
    return ERRC_OK;
}

static enum errc store_int(struct cli_flag_value *value, const char *text, struct errc_why *why)
{
    char *end = NULL;
    value->number = strtoll(text, &end, 0);
    if (end == text || *end != '\0')
        return errc_fail(why, ERRC_USAGE, "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
    return ERRC_OK;
}

static enum errc store_seconds(struct cli_flag_value *value, const char *text, struct errc_why *why)
{
    const char *duration = strcmp(text, "system") == 0 ? "-1" : text;
    return field_parse_seconds(slice_of(duration), &value->number, why);
}

static enum errc store_pair(struct cli_flag_value *value, struct cli_pool *pool, const char *text,
                            struct errc_why *why)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return errc_fail(why, ERRC_USAGE, "missing = in KV pair: \"%s\"", text);
    const char *key = cli_pool_copy(pool, slice_bytes(text, (size_t)(equals - text)));
    if (value->many == NULL)
        value->many = cli_pool_object(pool);
    cli_pool_set(value->many, key, cli_pool_new_text(equals + 1));
    return ERRC_OK;
}

static enum errc store(const struct cli_flag *flag, struct cli_flag_value *value,
                       struct cli_pool *pool, const char *text, struct errc_why *why)
{
    switch (flag->type) {
    case CLI_FLAG_SWITCH:
        return store_switch(value, text, why);
    case CLI_FLAG_INT:
        return store_int(value, text, why);
    case CLI_FLAG_SECONDS:
        return store_seconds(value, text, why);
    case CLI_FLAG_MAP:
        return store_pair(value, pool, text, why);
    case CLI_FLAG_LIST:
        if (value->many == NULL)
            value->many = cli_pool_array(pool);
        cli_pool_append(value->many, cli_pool_new_text(text));
        return ERRC_OK;
    case CLI_FLAG_TEXT:
        value->text = text;
        return ERRC_OK;
    }
    return ERRC_INTERNAL;
}

static void set_defaults(struct cli_flags *flags, struct cli_pool *pool)
{
    size_t index = 0;
    for (size_t t = 0; t < CLI_FLAGS_TABLES; t++) {
        const struct cli_flag *flag = flags->tables[t];
        for (; flag != NULL && flag->name != NULL; flag++, index++) {
            flags->values[index] = (struct cli_flag_value){.text = ""};
            if (flag->value != NULL)
                CHECK(store(flag, &flags->values[index], pool, flag->value, NULL) == ERRC_OK);
        }
    }
}

static enum errc parse_one(struct cli_flags *flags, struct cli_pool *pool, const char *arg,
                           const char *next, bool *used_next, struct errc_why *why)
{
    const char *word = arg + 1 + (arg[1] == '-');
    const struct slice name = slice_bytes(word, strcspn(word, "="));
    const char *text = word[name.len] == '=' ? word + name.len + 1 : NULL;
    if (name.len == 0 || name.ptr[0] == '-' || name.ptr[0] == '=')
        return errc_fail(why, ERRC_USAGE, "bad flag syntax: %s", arg);
    if (slice_equal_text(name, "h") || slice_equal_text(name, "help"))
        return ERRC_NOT_FOUND;
    struct found found = find(flags, name);
    if (found.flag == NULL)
        return errc_fail(why, ERRC_USAGE, "flag provided but not defined: -%.*s", SLICE_FMT(name));
    if (text == NULL && found.flag->type == CLI_FLAG_SWITCH)
        text = "true";
    *used_next = text == NULL;
    if (text == NULL && next == NULL)
        return errc_fail(why, ERRC_USAGE, "flag needs an argument: -%.*s", SLICE_FMT(name));
    found.value->set = true;
    text = text == NULL ? next : text;
    enum errc code = store(found.flag, found.value, pool, text, why);
    if (code != ERRC_OK)
        errc_prefix(why, "invalid %s \"%s\" for %s-%.*s",
                    found.flag->type == CLI_FLAG_SWITCH ? "boolean value" : "value", text,
                    found.flag->type == CLI_FLAG_SWITCH ? "" : "flag ", SLICE_FMT(name));
    return code == ERRC_OK ? ERRC_OK : ERRC_USAGE;
}

enum errc cli_flags_parse(struct cli_flags *flags, struct cli_pool *pool, int count,
                          char *const args[], int *used, struct errc_why *why)
{
    set_defaults(flags, pool);
    int i = 0;
    while (i < count && args[i][0] == '-' && args[i][1] != '\0') {
        bool used_next = false;
        if (strcmp(args[i], "--") == 0) {
            i++;
            break;
        }
        const char *next = i + 1 < count ? args[i + 1] : NULL;
        TRY(parse_one(flags, pool, args[i], next, &used_next, why));
        i += 1 + used_next;
    }
    *used = i;
    return ERRC_OK;
}

const struct cli_flag_value *cli_flags_find(const struct cli_flags *flags, const char *name)
{
    static const struct cli_flag_value never = {.text = ""};
    size_t index = 0;
    for (size_t t = 0; t < CLI_FLAGS_TABLES; t++) {
        const struct cli_flag *flag = flags->tables[t];
        for (; flag != NULL && flag->name != NULL; flag++, index++)
            if (strcmp(flag->name, name) == 0)
                return &flags->values[index];
    }
    return &never;
}

const struct cli_flag_value *cli_flags_get(const struct cli_flags *flags, const char *name)
{
    const struct cli_flag_value *value = cli_flags_find(flags, name);
    CHECK(value >= flags->values && value < flags->values + CLI_FLAGS_MAX);
    return value;
}

void cli_flags_help(const struct cli_flag *table, struct buf *out)
{
    static const char *const shown[] = {
        [CLI_FLAG_SWITCH] = "",        [CLI_FLAG_TEXT] = "=TEXT",
        [CLI_FLAG_INT] = "=N",         [CLI_FLAG_SECONDS] = "=TTL",
        [CLI_FLAG_LIST] = "=TEXT ...", [CLI_FLAG_MAP] = "=KEY=VALUE ...",
    };
    for (const struct cli_flag *flag = table; flag != NULL && flag->name != NULL; flag++) {
        char head[64];
        (void)snprintf(head, sizeof head, "-%s%s", flag->name, shown[flag->type]);
        buf_addf(out, "  %-32s %s", head, flag->help);
        if (flag->value != NULL)
            buf_addf(out, " (%s)", flag->value);
        buf_add_char(out, '\n');
    }
}
