#include "fakevault/shell/server_config.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "fakevault/core/http/field.h"
#include "fakevault/core/policy/hcl.h"

#define ADDRESS_DEFAULT "127.0.0.1:8200"
#define CONSUL_FOLDER "vault-consul" /* its data are kept in a folder of ours */

struct server_config_text {
    struct server_config_text *next;
    char bytes[];
};

struct reader {
    struct server_config *config;
    const char *file;
    struct errc_why *why;
};

enum key_type {
    KEY_TEXT,
    KEY_BOOL,
    KEY_SECONDS, /* checked, but means nothing here */
    KEY_ACCEPTED,
    KEY_BLOCK,
};

struct key {
    const char *name; /* NULL ends a table */
    enum key_type type;
    size_t offset; /* in struct server_config, of texts and bools */
    enum errc (*block)(struct reader *r, struct slice type, const struct hcl_node *body);
};

#define FIELD(name) offsetof(struct server_config, name)

/* ---- texts, notes, errors ---- */

static const char *keep(struct server_config *config, struct slice text)
{
    struct server_config_text *item = malloc(sizeof *item + text.len + 1);
    if (item == NULL)
        return NULL;
    if (text.len > 0)
        memcpy(item->bytes, text.ptr, text.len);
    item->bytes[text.len] = '\0';
    item->next = config->texts;
    config->texts = item;
    return item->bytes;
}

PRINTF_LIKE(2, 3) static void note(struct server_config *config, const char *format, ...)
{
    char text[512];
    size_t n = 0;
    va_list args;
    while (config->notes[n] != NULL)
        n++;
    if (n + 1 >= SERVER_CONFIG_NOTES_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    config->notes[n] = keep(config, slice_of(text));
}

static enum errc no_memory(const struct reader *r)
{
    return errc_fail(r->why, ERRC_NOMEM, "out of memory");
}

PRINTF_LIKE(3, 4)
static enum errc wrong(const struct reader *r, struct hclscan_place place, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return errc_fail(r->why, ERRC_SCHEMA, "error loading configuration from %s: At %u:%u: %s",
                     r->file, place.line, place.column, text);
}

/* ---- one key ---- */

static enum errc store_text(struct reader *r, const struct key *key, const struct hcl_node *node)
{
    const char *text = keep(r->config, slice_trim(node->text));
    if (text == NULL)
        return no_memory(r);
    memcpy((char *)r->config + key->offset, &text, sizeof text);
    return ERRC_OK;
}

static enum errc store_bool(struct reader *r, const struct key *key, const struct hcl_node *node)
{
    bool on = false;
    if (node->text.len > 0 && !field_parse_bool(node->text, &on))
        return wrong(r, node->place, "\"%s\" is \"%.*s\", want true or false", key->name,
                     SLICE_FMT(node->text));
    memcpy((char *)r->config + key->offset, &on, sizeof on);
    return ERRC_OK;
}

static enum errc check_seconds(struct reader *r, const struct key *key, const struct hcl_node *node)
{
    int64_t seconds = 0;
    struct errc_why why = {""};
    if (field_parse_seconds(node->text, &seconds, &why) != ERRC_OK)
        return wrong(r, node->place, "\"%s\": %s", key->name, why.text);
    return ERRC_OK;
}

static enum errc store(struct reader *r, const struct key *key, const struct hcl_node *node)
{
    bool literal = node->kind == HCL_LITERAL;
    if (key->type == KEY_ACCEPTED)
        return ERRC_OK;
    if (!literal)
        return wrong(r, node->place, "\"%s\" wants a plain value, not a block or list", key->name);
    switch (key->type) {
    case KEY_TEXT:
        return store_text(r, key, node);
    case KEY_BOOL:
        return store_bool(r, key, node);
    case KEY_SECONDS:
        return check_seconds(r, key, node);
    case KEY_ACCEPTED:
    case KEY_BLOCK:
        break;
    }
    return ERRC_OK;
}

/* ---- blocks: `storage "file" { }`, and its spellings in JSON ---- */

/* JSON may say null. */
static bool says_something(const struct hcl_item *item)
{
    return item->keys != NULL && item->value != NULL;
}

static enum errc open_object(struct reader *r, const struct key *key, const struct hcl_node *node)
{
    if (node->kind != HCL_OBJECT)
        return wrong(r, node->place, "error parsing '%s': not an object type for map (%s)",
                     key->name, hcl_type_name(node));
    for (const struct hcl_item *inner = node->items; inner != NULL; inner = inner->next)
        if (says_something(inner))
            TRY(key->block(r, inner->keys->text, inner->value));
    return ERRC_OK;
}

static enum errc open_block(struct reader *r, const struct key *key, const struct hcl_item *item)
{
    const struct hcl_node *value = item->value;
    if (item->keys->next != NULL)
        return key->block(r, item->keys->next->text, value);
    if (value->kind != HCL_LIST)
        return open_object(r, key, value);
    for (const struct hcl_node *node = value->nodes; node != NULL; node = node->next)
        TRY(open_object(r, key, node));
    return ERRC_OK;
}

static const struct key *find(const struct key *table, struct slice name)
{
    for (; table->name != NULL; table++)
        if (strlen(table->name) == name.len && strncasecmp(table->name, name.ptr, name.len) == 0)
            return table;
    return NULL;
}

static enum errc read_items(struct reader *r, const struct key *table, const struct hcl_item *items)
{
    for (const struct hcl_item *item = items; item != NULL; item = item->next) {
        if (!says_something(item))
            continue;
        const struct key *key = find(table, item->keys->text);
        if (key == NULL)
            note(r->config, "unknown or unsupported field %.*s found in configuration at %s:%u:%u",
                 SLICE_FMT(item->keys->text), r->file, item->keys->place.line,
                 item->keys->place.column);
        else if (key->type == KEY_BLOCK)
            TRY(open_block(r, key, item));
        else
            TRY(store(r, key, item->value));
    }
    return ERRC_OK;
}

/* ---- storage ---- */

static const struct key file_keys[] = {
    {"path", KEY_TEXT, FIELD(path), NULL},
    {"node_id", KEY_ACCEPTED, 0, NULL},
    {"retry_join", KEY_ACCEPTED, 0, NULL},
    {"performance_multiplier", KEY_ACCEPTED, 0, NULL},
    {0},
};

static const struct {
    const char *type, *as;
    bool reads_path;
} storages[] = {
    {"inmem", "inmem", false},
    {"file", "file", true},
    {"raft", "file", true},
    {"consul", "file", false},
};

static enum errc read_storage(struct reader *r, struct slice type, const struct hcl_node *body)
{
    struct server_config *config = r->config;
    for (size_t i = 0; i < COUNT(storages); i++) {
        if (!slice_equal_text(type, storages[i].type))
            continue;
        config->storage = storages[i].as;
        if (slice_equal_text(type, "raft") || slice_equal_text(type, "consul"))
            note(config, "storage \"%s\" is kept in a folder, as \"file\" is: there is one server",
                 storages[i].type);
        if (slice_equal_text(type, "consul"))
            config->path = CONSUL_FOLDER;
        return storages[i].reads_path ? read_items(r, file_keys, body->items) : ERRC_OK;
    }
    return wrong(r, body->place,
                 "Unknown storage type %.*s: fakevault has inmem and file, and takes raft and "
                 "consul for file",
                 SLICE_FMT(type));
}

static enum errc read_seal(struct reader *r, struct slice type, const struct hcl_node *body)
{
    bool off = false;
    for (const struct hcl_item *item = body->items; item != NULL; item = item->next)
        if (says_something(item) && slice_equal_text(item->keys->text, "disabled"))
            (void)field_parse_bool(item->value->text, &off);
    if (off || slice_equal_text(type, "shamir"))
        return ERRC_OK;
    return wrong(r, body->place,
                 "seal \"%.*s\" is not supported: fakevault is unsealed by shares (shamir)",
                 SLICE_FMT(type));
}

/* ---- the listener ---- */

static const struct key listener_keys[] = {
    {"address", KEY_TEXT, FIELD(address), NULL},
    {"tls_disable", KEY_BOOL, FIELD(tls_disable), NULL},
    {"tls_cert_file", KEY_TEXT, FIELD(tls.cert_file), NULL},
    {"tls_key_file", KEY_TEXT, FIELD(tls.key_file), NULL},
    {"tls_client_ca_file", KEY_TEXT, FIELD(tls.client_ca_file), NULL},
    {"tls_min_version", KEY_TEXT, FIELD(tls.min_version), NULL},
    {"tls_max_version", KEY_TEXT, FIELD(tls.max_version), NULL},
    {"tls_cipher_suites", KEY_TEXT, FIELD(tls.cipher_suites), NULL},
    {"tls_require_and_verify_client_cert", KEY_BOOL, FIELD(verify_clients), NULL},
    {"tls_disable_client_certs", KEY_BOOL, FIELD(no_client_certs), NULL},
    {"tls_prefer_server_cipher_suites", KEY_ACCEPTED, 0, NULL},
    {"cluster_address", KEY_ACCEPTED, 0, NULL},
    {"purpose", KEY_ACCEPTED, 0, NULL},
    {"role", KEY_ACCEPTED, 0, NULL},
    {"max_request_size", KEY_ACCEPTED, 0, NULL},
    {"max_request_duration", KEY_SECONDS, 0, NULL},
    {"require_request_header", KEY_ACCEPTED, 0, NULL},
    {"http_read_timeout", KEY_SECONDS, 0, NULL},
    {"http_read_header_timeout", KEY_SECONDS, 0, NULL},
    {"http_write_timeout", KEY_SECONDS, 0, NULL},
    {"http_idle_timeout", KEY_SECONDS, 0, NULL},
    {"proxy_protocol_behavior", KEY_ACCEPTED, 0, NULL},
    {"proxy_protocol_authorized_addrs", KEY_ACCEPTED, 0, NULL},
    {"x_forwarded_for_authorized_addrs", KEY_ACCEPTED, 0, NULL},
    {"x_forwarded_for_hop_skips", KEY_ACCEPTED, 0, NULL},
    {"x_forwarded_for_reject_not_present", KEY_ACCEPTED, 0, NULL},
    {"x_forwarded_for_reject_not_authorized", KEY_ACCEPTED, 0, NULL},
    {"telemetry", KEY_ACCEPTED, 0, NULL},
    {"profiling", KEY_ACCEPTED, 0, NULL},
    {"inflight_requests_logging", KEY_ACCEPTED, 0, NULL},
    {"custom_response_headers", KEY_ACCEPTED, 0, NULL},
    {"cors_enabled", KEY_ACCEPTED, 0, NULL},
    {"cors_allowed_origins", KEY_ACCEPTED, 0, NULL},
    {"cors_allowed_headers", KEY_ACCEPTED, 0, NULL},
    {0},
};

static enum errc read_listener(struct reader *r, struct slice type, const struct hcl_node *body)
{
    struct server_config *config = r->config;
    if (!slice_equal_text(type, "tcp"))
        return wrong(r, body->place, "error parsing 'listener': unsupported listener type \"%.*s\"",
                     SLICE_FMT(type));
    if (config->has_listener) {
        note(config, "only the first listener is served, the one at %s:%u:%u is left out", r->file,
             body->place.line, body->place.column);
        return ERRC_OK;
    }
    config->has_listener = true;
    return read_items(r, listener_keys, body->items);
}

/* ---- the file ---- */

static const struct key file_level[] = {
    {"storage", KEY_BLOCK, 0, read_storage},
    {"backend", KEY_BLOCK, 0, read_storage},
    {"listener", KEY_BLOCK, 0, read_listener},
    {"seal", KEY_BLOCK, 0, read_seal},
    {"api_addr", KEY_TEXT, FIELD(api_address), NULL},
    {"pid_file", KEY_TEXT, FIELD(pid_file), NULL},
    {"default_lease_ttl", KEY_SECONDS, 0, NULL},
    {"max_lease_ttl", KEY_SECONDS, 0, NULL},
    {"default_max_request_duration", KEY_SECONDS, 0, NULL},
    {"ha_storage", KEY_ACCEPTED, 0, NULL},
    {"ha_backend", KEY_ACCEPTED, 0, NULL},
    {"service_registration", KEY_ACCEPTED, 0, NULL},
    {"cluster_addr", KEY_ACCEPTED, 0, NULL},
    {"cluster_name", KEY_ACCEPTED, 0, NULL},
    {"cluster_cipher_suites", KEY_ACCEPTED, 0, NULL},
    {"cache_size", KEY_ACCEPTED, 0, NULL},
    {"disable_cache", KEY_ACCEPTED, 0, NULL},
    {"disable_mlock", KEY_ACCEPTED, 0, NULL},
    {"disable_printable_check", KEY_ACCEPTED, 0, NULL},
    {"disable_clustering", KEY_ACCEPTED, 0, NULL},
    {"disable_performance_standby", KEY_ACCEPTED, 0, NULL},
    {"disable_sealwrap", KEY_ACCEPTED, 0, NULL},
    {"disable_indexing", KEY_ACCEPTED, 0, NULL},
    {"disable_sentinel_trace", KEY_ACCEPTED, 0, NULL},
    {"ui", KEY_ACCEPTED, 0, NULL},
    {"log_level", KEY_TEXT, FIELD(log_level), NULL},
    {"log_format", KEY_TEXT, FIELD(log_format), NULL},
    {"log_file", KEY_ACCEPTED, 0, NULL},
    {"log_rotate_bytes", KEY_ACCEPTED, 0, NULL},
    {"log_rotate_duration", KEY_ACCEPTED, 0, NULL},
    {"log_rotate_max_files", KEY_ACCEPTED, 0, NULL},
    {"log_requests_level", KEY_ACCEPTED, 0, NULL},
    {"telemetry", KEY_ACCEPTED, 0, NULL},
    {"plugin_directory", KEY_ACCEPTED, 0, NULL},
    {"plugin_file_uid", KEY_ACCEPTED, 0, NULL},
    {"plugin_file_permissions", KEY_ACCEPTED, 0, NULL},
    {"raw_storage_endpoint", KEY_ACCEPTED, 0, NULL},
    {"introspection_endpoint", KEY_ACCEPTED, 0, NULL},
    {"enable_response_header_hostname", KEY_ACCEPTED, 0, NULL},
    {"enable_response_header_raft_node_id", KEY_ACCEPTED, 0, NULL},
    {"imprecise_lease_role_tracking", KEY_ACCEPTED, 0, NULL},
    {"detect_deadlocks", KEY_ACCEPTED, 0, NULL},
    {"experiments", KEY_ACCEPTED, 0, NULL},
    {"user_lockout", KEY_ACCEPTED, 0, NULL},
    {"license_path", KEY_ACCEPTED, 0, NULL},
    {"entropy", KEY_ACCEPTED, 0, NULL},
    {"cloud", KEY_ACCEPTED, 0, NULL},
    {"administrative_namespace_path", KEY_ACCEPTED, 0, NULL},
    {0},
};

static enum errc check_blocks(const struct reader *r, const struct hcl_item *items)
{
    const struct hcl_item *seen = NULL;
    for (const struct hcl_item *item = items; item != NULL; item = item->next) {
        if (item->keys == NULL || !slice_equal_text(item->keys->text, "storage"))
            continue;
        if (seen != NULL)
            return wrong(r, item->keys->place,
                         "error parsing 'storage': only one \"storage\" block is permitted");
        seen = item;
    }
    return ERRC_OK;
}

enum errc server_config_parse(struct slice text, const char *name, struct server_config *config,
                              struct errc_why *why)
{
    struct reader r = {.config = config, .why = why};
    struct hcl tree CLEANUP(hcl_done) = {0};
    r.file = keep(config, slice_of(name));
    if (r.file == NULL)
        return no_memory(&r);
    enum errc code = hcl_parse(text, &tree, why);
    if (code != ERRC_OK) {
        errc_prefix(why, "error loading configuration from %s", name);
        return code;
    }
    TRY(check_blocks(&r, tree.items));
    return read_items(&r, file_level, tree.items);
}

/* ---- files and folders ---- */

static enum errc load_file(const char *path, struct server_config *config, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_FILE_BYTES);
    TRY(file_read(path, &text, why));
    return server_config_parse(buf_slice(&text), path, config, why);
}

static int is_config(const struct dirent *entry)
{
    struct slice name = slice_of(entry->d_name);
    return !slice_starts_with(name, ".") &&
           (slice_ends_with(name, ".hcl") || slice_ends_with(name, ".json"));
}

static enum errc load_folder(const char *path, struct server_config *config, struct errc_why *why)
{
    struct dirent **entries = NULL;
    enum errc code = ERRC_OK;
    int count = scandir(path, &entries, is_config, alphasort);
    if (count < 0)
        return errc_fail(why, ERRC_IO, "error loading configuration from %s: %s", path,
                         strerror(errno));
    for (int i = 0; i < count; i++) {
        char file[LIMIT_PATH_BYTES];
        (void)snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (code == ERRC_OK)
            code = load_file(file, config, why);
        free(entries[i]);
    }
    free((void *)entries);
    return code;
}

enum errc server_config_load(const char *path, struct server_config *config, struct errc_why *why)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errc_fail(why, ERRC_NOT_FOUND, "error loading configuration from %s: stat %s: %s",
                         path, path,
                         errno == ENOENT ? "no such file or directory" : strerror(errno));
    return S_ISDIR(st.st_mode) ? load_folder(path, config, why) : load_file(path, config, why);
}

enum errc server_config_check(struct server_config *config, struct errc_why *why)
{
    if (config->storage == NULL)
        return errc_fail(why, ERRC_USAGE, "A storage backend must be specified");
    if (strcmp(config->storage, "file") == 0 && config->path == NULL)
        return errc_fail(why, ERRC_USAGE, "'path' must be set");
    if (config->address == NULL)
        config->address = ADDRESS_DEFAULT;
    config->tls.require_client_cert = config->verify_clients;
    config->tls.disable_client_certs = config->no_client_certs;
    if (config->tls_disable || !config->has_listener)
        config->tls = (struct tls_options){0};
    else if (config->tls.cert_file == NULL || config->tls.key_file == NULL)
        return errc_fail(why, ERRC_USAGE,
                         "Error parsing listener configuration.\nError initializing listener of "
                         "type tcp: error loading TLS cert: open : no such file or directory");
    return ERRC_OK;
}

void server_config_done(struct server_config *config)
{
    while (config->texts != NULL) {
        struct server_config_text *item = config->texts;
        config->texts = item->next;
        free(item);
    }
}
