#include "fakevault/core/sys/mounts/mountconf.h"

#include <ctype.h>
#include <string.h>

#include "base/count.h"
#include "fakevault/core/sys/mounts/sys_mounts.h"

const char *const mountconf_lists[] = {
    "audit_non_hmac_request_keys", "audit_non_hmac_response_keys", "passthrough_request_headers",
    "allowed_response_headers",    "allowed_managed_keys",         NULL,
};

/* The other members of the config, all strings but the bool; their values must have these types. */
static const char *const strings[] = {"default_lease_ttl", "max_lease_ttl",  "listing_visibility",
                                      "token_type",        "plugin_version", "plugin_name"};

enum errc mountconf_ttl(struct slice text, int64_t *out, struct errc_why *why)
{
    if (text.len == 0)
        return ERRC_OK;
    if (slice_equal_text(text, "system")) {
        *out = 0;
        return ERRC_OK;
    }
    return field_parse_seconds(text, out, why);
}

bool mountconf_visibility(struct vault_job *job, struct mount *m, struct slice value)
{
    if (value.len > 0 && !slice_equal_text(value, "hidden") && !slice_equal_text(value, "unauth")) {
        call_fail(job, 400, "invalid listing_visibility %.*s", SLICE_FMT(value));
        return false;
    }
    json_t *text = json_stringn(value.len == 0 ? "" : value.ptr, value.len);
    return sys_mounts_done(job, mount_tune(m, "listing_visibility", text));
}

bool mountconf_token_type(struct vault_job *job, struct mount *m, struct slice value)
{
    static const char *const types[] = {"", "default-service", "default-batch", "service", "batch"};
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_equal_text(value, types[i]))
            return sys_mounts_done(job, mount_tune(m, "token_type", json_string(types[i])));
    call_fail(job, 400, "invalid value for 'token_type'");
    return false;
}

bool mountconf_list(struct vault_job *job, struct mount *m, const char *name,
                    const struct field_value *list)
{
    json_t *items = list->tree == NULL ? json_array() : json_incref(list->tree);
    return sys_mounts_done(job, mount_tune(m, name, items));
}

bool mountconf_canonical(struct slice text, char out[static MOUNTCONF_VERSION_BYTES])
{
    struct slice rest = slice_from(text, slice_starts_with(text, "v") ? 1 : 0);
    size_t numbers = 0, len = 0, at = 0;
    if (text.len + 8 > MOUNTCONF_VERSION_BYTES)
        return false;
    out[len++] = 'v';
    do {
        size_t begin = at;
        while (at < rest.len && isdigit((unsigned char)rest.ptr[at]))
            out[len++] = rest.ptr[at++];
        if (at == begin)
            return false;
        numbers++;
    } while (at < rest.len && rest.ptr[at] == '.' && (out[len++] = rest.ptr[at++]) != '\0');
    for (; numbers < 3; numbers++, len += 2)
        memcpy(out + len, ".0", 2);
    struct slice tail = slice_from(rest, at);
    if (tail.len > 0 && tail.ptr[0] != '-' && tail.ptr[0] != '+')
        return false;
    if (tail.len > 0)
        memcpy(out + len, tail.ptr, tail.len);
    out[len + tail.len] = '\0';
    return true;
}

bool mountconf_version(struct vault_job *job, struct slice version, struct slice type)
{
    char canonical[MOUNTCONF_VERSION_BYTES];
    const struct builtin *plugin = builtin_named(type, sys_mounts_for_auth(job));
    if (!mountconf_canonical(version, canonical))
        call_fail(job, 400,
                  "version \"%.*s\" is not a valid semantic version: Malformed version: %.*s",
                  SLICE_FMT(version), SLICE_FMT(version));
    else if (plugin == NULL || strcmp(canonical, plugin->version) != 0)
        call_fail(job, 400, "plugin not found in the catalog: %.*s, version=%s", SLICE_FMT(type),
                  canonical);
    return !call_answered(job);
}

bool mountconf_description(struct vault_job *job, struct mount *m, struct slice text)
{
    if (text.len >= sizeof m->description) {
        call_fail(job, 400, "the description of a mount is limited to %u bytes",
                  MOUNT_DESCRIPTION_BYTES - 1);
        return false;
    }
    memset(m->description, 0, sizeof m->description);
    if (text.len > 0)
        memcpy(m->description, text.ptr, text.len);
    return true;
}

/* --- the config of an enable ------------------------------------------------------------------ */

/* Go keeps a number of JSON as text, so it passes for a string; a bool does not. */
static bool is_text(const json_t *value)
{
    return value == NULL || json_is_null(value) || json_is_string(value) || json_is_number(value);
}

static bool is_list(const json_t *value)
{
    if (value == NULL || json_is_null(value) || json_is_string(value))
        return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!is_text(json_array_get(value, i)))
            return false;
    return json_is_array(value);
}

static bool types_are_right(const json_t *config)
{
    const json_t *flag = json_object_get(config, "force_no_cache");
    bool right = flag == NULL || json_is_null(flag) || json_is_boolean(flag);
    for (size_t i = 0; i < COUNT(strings); i++)
        right = right && is_text(json_object_get(config, strings[i]));
    for (size_t i = 0; mountconf_lists[i] != NULL; i++)
        right = right && is_list(json_object_get(config, mountconf_lists[i]));
    return right;
}

static bool read_ttl(struct vault_job *job, const struct field_set *config, const char *which,
                     const char *name, int64_t *out)
{
    struct errc_why why = {{0}};
    struct slice text = field_text(config, name);
    if (mountconf_ttl(text, out, &why) == ERRC_OK)
        return true;
    call_fail(job, 400, "unable to parse %s TTL of %.*s: %s", which, SLICE_FMT(text), why.text);
    return false;
}

static bool read_ttls(struct vault_job *job, const struct field_set *config, struct mount *m)
{
    if (!read_ttl(job, config, "default", "default_lease_ttl", &m->default_ttl_s) ||
        !read_ttl(job, config, "max", "max_lease_ttl", &m->max_ttl_s))
        return false;
    if (m->max_ttl_s != 0 && m->default_ttl_s > m->max_ttl_s)
        call_fail(job, 400, "given default lease TTL greater than given max lease TTL");
    else if (m->max_ttl_s == 0 && m->default_ttl_s > MOUNT_TTL_DEFAULT)
        call_fail(job, 400, "given default lease TTL greater than system max lease TTL of %d",
                  MOUNT_TTL_DEFAULT);
    return !call_answered(job);
}

static bool apply(struct vault_job *job, const struct field_set *config, struct mount *m)
{
    bool auth = sys_mounts_for_auth(job);
    if (!read_ttls(job, config, m) ||
        (auth && !mountconf_token_type(job, m, field_text(config, "token_type"))))
        return false;
    m->force_no_cache = field_flag(config, "force_no_cache");
    for (size_t i = 0; mountconf_lists[i] != NULL; i++) {
        const struct field_value *list = field_get(config, mountconf_lists[i]);
        if (list->present && !mountconf_list(job, m, mountconf_lists[i], list))
            return false;
    }
    return true;
}

static const struct field_spec config_fields[] = {
    {.name = "default_lease_ttl", .type = FIELD_STRING},
    {.name = "max_lease_ttl", .type = FIELD_STRING},
    {.name = "token_type", .type = FIELD_STRING},
    {.name = "force_no_cache", .type = FIELD_BOOL},
    {.name = "audit_non_hmac_request_keys", .type = FIELD_STRINGS},
    {.name = "audit_non_hmac_response_keys", .type = FIELD_STRINGS},
    {.name = "passthrough_request_headers", .type = FIELD_STRINGS},
    {.name = "allowed_response_headers", .type = FIELD_STRINGS},
    {.name = "allowed_managed_keys", .type = FIELD_STRINGS},
    {0},
};

bool mountconf_read(struct vault_job *job, const json_t *config, struct mount *m)
{
    struct field_set set CLEANUP(field_done) = {0};
    if (!types_are_right(config)) {
        call_fail(job, 400, "unable to convert given %s config information",
                  sys_mounts_for_auth(job) ? "auth" : "mount");
        return false;
    }
    json_t *data = (json_t *)(uintptr_t)config; /* read only */
    return sys_mounts_done(job, field_read(&set, config_fields, data, NULL)) && apply(job, &set, m);
}
