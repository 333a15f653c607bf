#include "fakevault/shell/cli/cli_output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/cli_yaml.h"

#define OUTPUT_MAX (256u << 20)
#define WARNING_INDENT 2

/* ---- lines ---- */

static void print_line(FILE *stream, struct buf *text)
{
    (void)fwrite(buf_text(text), 1, text->len, stream);
    (void)fputc('\n', stream);
}

PRINTF_LIKE(2, 0) static void format_into(struct buf *out, const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) >= 0)
        buf_add_text(out, text);
    free(text);
}

void cli_output_line(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
}

PRINTF_LIKE(2, 0) static void print_wrapped(FILE *stream, const char *format, va_list args)
{
    struct buf text CLEANUP(buf_done);
    struct buf wrapped CLEANUP(buf_done);
    buf_init(&text, OUTPUT_MAX);
    buf_init(&wrapped, OUTPUT_MAX);
    format_into(&text, format, args);
    cli_text_wrap(buf_text(&text), 0, &wrapped);
    print_line(stream, &wrapped);
}

void cli_output_wrapped(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_wrapped(stdout, format, args);
    va_end(args);
}

int cli_output_advice(int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_wrapped(stderr, format, args);
    va_end(args);
    return exit_code;
}

int cli_output_error(int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return exit_code;
}

void cli_output_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

int cli_output_success(struct cli *cli, const char *format, ...)
{
    va_list args;
    if (cli->format != CLI_FORMAT_TABLE)
        return 0;
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
    return 0;
}

int cli_output_raw(const char *text)
{
    (void)fputs(text, stdout);
    if (isatty(STDOUT_FILENO))
        (void)putchar('\n');
    return 0;
}

void cli_output_table(struct cli_text_table *table, bool heading)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_MAX);
    cli_text_table_format(table, heading, &text);
    print_line(stdout, &text);
    cli_text_table_done(table);
}

/* ---- formats ---- */

static const char *json_of(struct cli *cli, const json_t *data)
{
    struct buf plain CLEANUP(buf_done);
    struct buf text CLEANUP(buf_done);
    buf_init(&plain, OUTPUT_MAX);
    buf_init(&text, OUTPUT_MAX);
    cli_text_json(data, &plain);
    cli_text_indent(buf_slice(&plain), &text);
    return cli_pool_take(&cli->pool, &text);
}

static const char *yaml_of(struct cli *cli, const json_t *data)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_MAX);
    cli_yaml_format(cli_shape_sorted(&cli->pool, data), &text);
    return cli_pool_take(&cli->pool, &text);
}

static const char *machine_text(struct cli *cli, const json_t *data)
{
    return cli->format == CLI_FORMAT_YAML ? yaml_of(cli, data) : json_of(cli, data);
}

static int print_for_machines(struct cli *cli, const json_t *data)
{
    if (cli->format == CLI_FORMAT_RAW)
        return cli_output_error(1, "Could not parse output: This command does not support the "
                                   "-format=raw option; only `vault read` does.");
    cli_output_line("%s", machine_text(cli, data));
    return 0;
}

static const char *value_text(struct cli *cli, const char *key, const json_t *value)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_MAX);
    cli_text_value(key, value, &text);
    return cli_pool_take(&cli->pool, &text);
}

static void add_row(struct cli_text_table *table, const char *key, const char *value)
{
    cli_text_cell(table, key);
    cli_text_cell(table, value);
}

static void add_map(struct cli *cli, struct cli_text_table *table, const json_t *map)
{
    const char *key;
    json_t *value, *sorted = map == NULL ? NULL : cli_shape_sorted(&cli->pool, map);
    json_object_foreach(sorted, key, value) add_row(table, key, value_text(cli, key, value));
}

static void print_rows(struct cli_text_table *table)
{
    if (json_array_size(table->cells) > 2)
        cli_output_table(table, true);
    else
        cli_text_table_done(table);
}

static void begin_rows(struct cli_text_table *table)
{
    cli_text_table_init(table, 2);
    add_row(table, "Key", "Value");
}

int cli_output_data(struct cli *cli, const json_t *data)
{
    struct cli_text_table table;
    if (cli->format != CLI_FORMAT_TABLE)
        return print_for_machines(cli, data);
    begin_rows(&table);
    add_map(cli, &table, data);
    print_rows(&table);
    return 0;
}

/* ---- envelopes ---- */

void cli_output_warnings(const json_t *secret)
{
    size_t i;
    json_t *item;
    const json_t *list = json_object_get(secret, "warnings");
    if (json_array_size(list) == 0)
        return;
    cli_output_warning("WARNING! The following warnings were returned from Vault:\n");
    json_array_foreach(list, i, item)
    {
        struct buf line CLEANUP(buf_done);
        struct buf text CLEANUP(buf_done);
        buf_init(&line, OUTPUT_MAX);
        buf_init(&text, OUTPUT_MAX);
        buf_addf(&line, "* %s", json_string_value(item));
        cli_text_wrap(buf_text(&line), WARNING_INDENT, &text);
        cli_output_warning("%s\n", buf_text(&text));
    }
}

static const char *duration_text(struct cli *cli, const json_t *seconds)
{
    return value_text(cli, "ttl", seconds);
}

static void add_lease(struct cli *cli, struct cli_text_table *table, const json_t *secret)
{
    const json_t *seconds = json_object_get(secret, "lease_duration");
    const char *id = json_string_value(json_object_get(secret, "lease_id"));
    if (json_integer_value(seconds) <= 0)
        return;
    if (id == NULL || *id == '\0') {
        add_row(table, "refresh_interval", duration_text(cli, seconds));
        return;
    }
    add_row(table, "lease_id", id);
    add_row(table, "lease_duration", duration_text(cli, seconds));
    add_row(table, "lease_renewable", value_text(cli, NULL, json_object_get(secret, "renewable")));
}

static const char *quoted(struct cli *cli, const json_t *list)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_MAX);
    cli_text_quoted(list, &text);
    return cli_pool_take(&cli->pool, &text);
}

static void add_auth(struct cli *cli, struct cli_text_table *table, const json_t *auth)
{
    static const char *const lists[] = {"token_policies", "identity_policies", "policies"};
    const json_t *seconds = json_object_get(auth, "lease_duration");
    const char *key;
    json_t *value;
    add_row(table, "token", json_string_value(json_object_get(auth, "client_token")));
    add_row(table, "token_accessor", json_string_value(json_object_get(auth, "accessor")));
    add_row(table, "token_duration",
            json_integer_value(seconds) == 0 ? "\u221e" : duration_text(cli, seconds));
    add_row(table, "token_renewable", value_text(cli, NULL, json_object_get(auth, "renewable")));
    for (size_t i = 0; i < COUNT(lists); i++)
        add_row(table, lists[i], quoted(cli, json_object_get(auth, lists[i])));
    json_object_foreach(json_object_get(auth, "metadata"), key, value) add_row(
        table, cli_pool_text(&cli->pool, "token_meta_%s", key), value_text(cli, NULL, value));
}

static void add_wrapping(struct cli *cli, struct cli_text_table *table, const json_t *wrap)
{
    static const struct {
        const char *field, *shown;
    } rows[] = {
        {"token", "wrapping_token:"},
        {"accessor", "wrapping_accessor:"},
        {"ttl", "wrapping_token_ttl:"},
        {"creation_time", "wrapping_token_creation_time:"},
        {"creation_path", "wrapping_token_creation_path:"},
        {"wrapped_accessor", "wrapped_accessor:"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text = value_text(cli, rows[i].field, json_object_get(wrap, rows[i].field));
        if (*text != '\0' || strcmp(rows[i].field, "wrapped_accessor") != 0)
            add_row(table, rows[i].shown, text);
    }
}

int cli_output_secret(struct cli *cli, const json_t *secret)
{
    struct cli_text_table table;
    const json_t *auth = json_object_get(secret, "auth");
    const json_t *wrap = json_object_get(secret, "wrap_info");
    if (cli->format != CLI_FORMAT_TABLE)
        return print_for_machines(cli, secret);
    cli_output_warnings(secret);
    begin_rows(&table);
    add_lease(cli, &table, secret);
    if (json_is_object(auth))
        add_auth(cli, &table, auth);
    if (json_is_object(wrap))
        add_wrapping(cli, &table, wrap);
    add_map(cli, &table, json_object_get(secret, "data"));
    print_rows(&table);
    return 0;
}

/* ---- lists ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of all facts that the server tells of the keys, sorted. */
static json_t *facts_of(struct cli *cli, const json_t *info)
{
    json_t *seen = cli_pool_object(&cli->pool);
    const char *key, *name;
    json_t *facts, *value;
    json_object_foreach((json_t *)(uintptr_t)info, key, facts)
        json_object_foreach(facts, name, value) cli_pool_set(seen, name, json_true());
    return cli_shape_sorted(&cli->pool, seen);
}

static void print_keys(struct cli *cli, const char *const keys[], size_t count, const json_t *info)
{
    json_t *facts = facts_of(cli, info);
    const char *name;
    json_t *value;
    struct cli_text_table table;
    cli_text_table_init(&table, 1 + json_object_size(facts));
    cli_text_cell(&table, "Keys");
    json_object_foreach(facts, name, value) cli_text_cell(&table, name);
    for (size_t i = 0; i < count; i++) {
        cli_text_cell(&table, keys[i]);
        json_object_foreach(facts, name, value)
        {
            const json_t *fact = json_object_get(json_object_get(info, keys[i]), name);
            cli_text_cell(&table, fact == NULL ? "" : value_text(cli, name, fact));
        }
    }
    cli_output_table(&table, true);
}

int cli_output_list(struct cli *cli, const json_t *secret)
{
    const json_t *data = json_object_get(secret, "data");
    const json_t *list = json_object_get(data, "keys");
    size_t count = json_array_size(list), i;
    json_t *item;
    if (cli->format != CLI_FORMAT_TABLE)
        return print_for_machines(cli, cli->detailed ? secret : list);
    cli_output_warnings(secret);
    const char **keys = cli_pool_bytes(&cli->pool, (count + 1) * sizeof(const char *));
    json_array_foreach(list, i, item)
    {
        keys[i] = json_string_value(item);
        if (keys[i] == NULL)
            return cli_output_error(1, "Could not parse output: %s is not a string",
                                    value_text(cli, NULL, item));
    }
    qsort(keys, count, sizeof(const char *), by_text);
    if (count > 0)
        print_keys(cli, keys, count, cli->detailed ? json_object_get(data, "key_info") : NULL);
    return 0;
}

int cli_output_keys(struct cli *cli, const json_t *secret, const char *path)
{
    const json_t *data = json_object_get(secret, "data");
    bool listed = json_is_array(json_object_get(data, "keys"));
    if (json_is_object(json_object_get(secret, "wrap_info")))
        return cli_output_secret(cli, secret);
    if (!listed && cli->format != CLI_FORMAT_TABLE) {
        (void)cli_output_data(cli, cli_pool_object(&cli->pool));
        return CLI_EXIT_REFUSED;
    }
    if (secret == NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "No value found at %s", path);
    if (!json_is_object(data))
        return cli_output_secret(cli, secret);
    if (!listed)
        return cli_output_error(CLI_EXIT_REFUSED, "No entries found at %s", path);
    return cli_output_list(cli, secret);
}

/* ---- fields ---- */

struct alias {
    const char *field, *of;
};

static const struct alias auth_fields[] = {
    {"token", "client_token"},
    {"token_accessor", "accessor"},
    {"token_duration", "lease_duration"},
    {"token_renewable", "renewable"},
    {"token_policies", "token_policies"},
    {"identity_policies", "identity_policies"},
    {"policies", "policies"},
    {0},
};

static const struct alias wrap_fields[] = {
    {"wrapping_token", "token"},
    {"wrapping_accessor", "accessor"},
    {"wrapping_token_ttl", "ttl"},
    {"wrapping_token_creation_time", "creation_time"},
    {"wrapping_token_creation_path", "creation_path"},
    {"wrapped_accessor", "wrapped_accessor"},
    {0},
};

static const struct alias envelope_fields[] = {
    {"lease_duration", "lease_duration"},   {"lease_id", "lease_id"},
    {"request_id", "request_id"},           {"renewable", "renewable"},
    {"refresh_interval", "lease_duration"}, {0},
};

static const json_t *field_of(const json_t *secret, const char *field)
{
    const json_t *auth = json_object_get(secret, "auth");
    const json_t *wrap = json_object_get(secret, "wrap_info");
    const json_t *data = json_object_get(secret, "data");
    const json_t *from = json_is_object(auth) ? auth : json_is_object(wrap) ? wrap : secret;
    const struct alias *alias = from == auth   ? auth_fields
                                : from == wrap ? wrap_fields
                                               : envelope_fields;
    for (; alias->field != NULL; alias++)
        if (strcmp(alias->field, field) == 0)
            return json_object_get(from, alias->of);
    const json_t *value = json_object_get(data, field);
    return value == NULL && from == secret && strcmp(field, "data") == 0 ? data : value;
}

static int print_field(struct cli *cli, const json_t *value, const char *field)
{
    if (value == NULL || json_is_null(value))
        return cli_output_error(1, "Field \"%s\" not present in secret", field);
    if (cli->format == CLI_FORMAT_TABLE || cli->format == CLI_FORMAT_RAW)
        return cli_output_raw(value_text(cli, NULL, value));
    return cli_output_raw(machine_text(cli, value));
}

int cli_output_field(struct cli *cli, const json_t *secret, const char *field)
{
    return print_field(cli, field_of(secret, field), field);
}

int cli_output_map_field(struct cli *cli, const json_t *map, const char *field)
{
    return print_field(cli, json_object_get(map, field), field);
}

int cli_output_written(struct cli *cli, const json_t *secret, const char *done, const char *path)
{
    const struct cli_flag_value *field = cli_flags_find(&cli->flags, "field");
    if (secret == NULL)
        return cli_output_success(cli, "Success! Data %s: %s", done, path);
    if (field->set && *field->text != '\0')
        return cli_output_field(cli, secret, field->text);
    return cli_output_secret(cli, secret);
}
