#include "signer/core/config.h"

#include <stddef.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/text/slice.h"

#define PATH_BYTES (LIMIT_PATH_BYTES - 1)
#define KEY_NAME_BYTES 128

/* The text variables: how long a value may be, so that each fits into the header, URL or path that
 * it becomes a part of; which of them are secret, and what a command may not do without. */
static const struct text_variable {
    const char *name;
    size_t offset;
    size_t max;
    const char *fallback;
    bool secret;
    unsigned needed_by;
    const char *help;
} texts[] = {
    {"VAULT_ADDR", offsetof(struct config, vault_addr), LIMIT_ADDRESS_BYTES,
     "https://127.0.0.1:8200", false, 0, "http(s)://HOST[:PORT], nothing behind it"},
    {"VAULT_TOKEN", offsetof(struct config, vault_token), LIMIT_TOKEN_BYTES, NULL, true, 0,
     "the token; wins over the file"},
    {"VAULT_TOKEN_FILE", offsetof(struct config, vault_token_file), PATH_BYTES, NULL, false, 0,
     "a file that holds the token"},
    {"VAULT_CACERT", offsetof(struct config, vault_cacert), PATH_BYTES, NULL, false, 0,
     "PEM file of the authority to trust, instead of the system's"},
    {"VAULT_NAMESPACE", offsetof(struct config, vault_namespace), LIMIT_NAMESPACE_BYTES, NULL,
     false, 0, "the namespace to work in"},
    {"SIGNING_KEY", offsetof(struct config, signing_key), KEY_NAME_BYTES, "docugen-manifest", false,
     0, "the name of the transit key"},
    {"FALLBACK_KEY_FILE", offsetof(struct config, fallback_key_file), PATH_BYTES, NULL, false, 0,
     "the local key's file; never opened while fallback is off"},
    {"TRUST_FILE", offsetof(struct config, trust_file), PATH_BYTES, NULL, false, CONFIG_NEED_TRUST,
     "the file that pins Vault's key"},
    {"AUDIT_LOG", offsetof(struct config, audit_log), PATH_BYTES, NULL, false, CONFIG_NEED_AUDIT,
     "the audit trail, without which nothing is signed"},
    {"FAKEVAULT_TEST", offsetof(struct config, test), LIMIT_TEST_NAME_BYTES, NULL, false, 0,
     "a name that fakevault's journal keeps with each request"},
};

static const char switch_name[] = "ALLOW_FALLBACK_SIGNING";

static const struct int_variable {
    const char *name;
    size_t offset;
    int64_t fallback;
    int64_t min;
    int64_t max;
    const char *help;
} ints[] = {
    {"SIGNER_ATTEMPTS", offsetof(struct config, retry.attempts), 3, 1, 10,
     "requests to Vault for one signature"},
    {"SIGNER_BACKOFF_BASE_MS", offsetof(struct config, retry.backoff_base_ms), 250, 1, 60000,
     "longest wait before the second attempt; it doubles"},
    {"SIGNER_BACKOFF_MAX_MS", offsetof(struct config, retry.backoff_max_ms), 2000, 1, 600000,
     "longest wait before any attempt"},
    {"SIGNER_ATTEMPT_TIMEOUT_MS", offsetof(struct config, retry.attempt_timeout_ms), 2000, 1,
     600000, "time for one attempt"},
    {"SIGNER_TOTAL_TIMEOUT_MS", offsetof(struct config, retry.total_timeout_ms), 10000, 1, 3600000,
     "time for all attempts and waits"},
    {"SIGNER_HEALTH_INTERVAL_MS", offsetof(struct config, health_interval_ms), 1000, 10, 3600000,
     "how often a service asks Vault's health"},
};

static bool has_control(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return true;
    return false;
}

/* A value with a control character would end up in a header or a path: an env file with CRLF
 * line ends is the usual cause. */
static enum errc read_text(const struct config_source *source, const struct text_variable *v,
                           unsigned needs, const char **out, struct errc_why *why)
{
    const char *value = source->get(source->context, v->name);
    *out = value == NULL ? v->fallback : value;
    if (value == NULL && (v->needed_by & needs) != 0)
        return errc_fail(why, ERRC_USAGE, "%s is not set: it names %s", v->name, v->help);
    if (value == NULL)
        return ERRC_OK;
    if (*value == '\0')
        return errc_fail(why, ERRC_USAGE, "%s is set to \"\": give a value or unset it", v->name);
    if (strlen(value) > v->max)
        return errc_fail(why, ERRC_USAGE, "%s has %zu bytes, at most %zu are taken", v->name,
                         strlen(value), v->max);
    if (!has_control(value))
        return ERRC_OK;
    return v->secret
               ? errc_fail(why, ERRC_USAGE,
                           "%s has a control character in it (a line end from a file?)", v->name)
               : errc_fail(why, ERRC_USAGE,
                           "%s has a control character in it (a line end from a file?): "
                           "\"%.*s…\"",
                           v->name, (int)strcspn(value, "\r\n\t\v\f\b\a\x7f\x1b"), value);
}

static enum errc read_int(const struct config_source *source, const struct int_variable *v,
                          int64_t *out, struct errc_why *why)
{
    const char *value = source->get(source->context, v->name);
    *out = v->fallback;
    if (value == NULL)
        return ERRC_OK;
    uint64_t n = 0;
    if (!slice_to_u64(slice_of(value), &n) || n < (uint64_t)v->min || n > (uint64_t)v->max)
        return errc_fail(why, ERRC_USAGE, "%s is \"%.40s\": give a whole number from %lld to %lld",
                         v->name, value, (long long)v->min, (long long)v->max);
    *out = (int64_t)n;
    return ERRC_OK;
}

static enum errc read_switch(const struct config_source *source, bool *out, struct errc_why *why)
{
    const char *value = source->get(source->context, switch_name);
    *out = value != NULL && strcmp(value, "true") == 0;
    if (value == NULL || *out || strcmp(value, "false") == 0)
        return ERRC_OK;
    return errc_fail(why, ERRC_USAGE,
                     "ALLOW_FALLBACK_SIGNING is \"%.40s\": only \"true\" and \"false\" are "
                     "accepted, letter for letter",
                     value);
}

static bool port_is_good(struct slice port)
{
    uint64_t n = 0;
    return slice_to_u64(port, &n) && n >= 1 && n <= 65535;
}

/* host, host:port, [v6] or [v6]:port */
static bool host_is_good(struct slice host)
{
    if (host.len > 0 && host.ptr[0] == '[') {
        size_t end = slice_find(host, ']');
        struct slice behind = slice_from(host, end + 1);
        return end > 2 && end < host.len &&
               (behind.len == 0 || (behind.ptr[0] == ':' && port_is_good(slice_from(behind, 1))));
    }
    size_t colon = slice_find(host, ':');
    return colon > 0 && (colon == host.len || port_is_good(slice_from(host, colon + 1)));
}

static enum errc check_addr(const char *addr, struct errc_why *why)
{
    struct slice rest = slice_of(addr);
    if (strchr(addr, '@') != NULL)
        return errc_fail(why, ERRC_USAGE,
                         "VAULT_ADDR has an \"@\": a user and password do not belong in it");
    if (slice_starts_with(rest, "https://"))
        rest = slice_from(rest, 8);
    else if (slice_starts_with(rest, "http://"))
        rest = slice_from(rest, 7);
    else
        return errc_fail(why, ERRC_USAGE,
                         "VAULT_ADDR is \"%.100s\": it must begin with http:// or https://", addr);
    if (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    static const char foreign[] = "/?# \\\"";
    for (size_t i = 0; i + 1 < sizeof foreign; i++)
        if (slice_find(rest, foreign[i]) != rest.len)
            rest.len = 0;
    if (!host_is_good(rest))
        return errc_fail(why, ERRC_USAGE,
                         "VAULT_ADDR is \"%.100s\": give http(s)://HOST or http(s)://HOST:PORT and "
                         "nothing behind it",
                         addr);
    return ERRC_OK;
}

static enum errc check_together(const struct config *c, unsigned needs, struct errc_why *why)
{
    TRY(check_addr(c->vault_addr, why));
    if (strchr(c->signing_key, '/') != NULL)
        return errc_fail(why, ERRC_USAGE,
                         "SIGNING_KEY is \"%.140s\": give the name of a transit key, at most 128 "
                         "bytes, without \"/\"",
                         c->signing_key);
    if (c->retry.backoff_max_ms < c->retry.backoff_base_ms)
        return errc_fail(why, ERRC_USAGE,
                         "SIGNER_BACKOFF_MAX_MS is %lld: it must not be below "
                         "SIGNER_BACKOFF_BASE_MS, which is %lld",
                         (long long)c->retry.backoff_max_ms, (long long)c->retry.backoff_base_ms);
    if ((needs & CONFIG_NEED_TOKEN) != 0 && c->vault_token == NULL && c->vault_token_file == NULL)
        return errc_fail(why, ERRC_USAGE, "neither VAULT_TOKEN nor VAULT_TOKEN_FILE is set");
    if (c->allow_fallback && c->fallback_key_file == NULL)
        return errc_fail(why, ERRC_USAGE,
                         "ALLOW_FALLBACK_SIGNING is \"true\" but FALLBACK_KEY_FILE is not set");
    return ERRC_OK;
}

enum errc config_read(const struct config_source *source, unsigned needs, struct config *out,
                      struct errc_why *why)
{
    struct config config = {0};
    TRY(read_switch(source, &config.allow_fallback, why));
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *value = NULL;
        TRY(read_text(source, &texts[i], needs, &value, why));
        memcpy((char *)&config + texts[i].offset, &value, sizeof value);
    }
    for (size_t i = 0; i < COUNT(ints); i++) {
        int64_t value = 0;
        TRY(read_int(source, &ints[i], &value, why));
        memcpy((char *)&config + ints[i].offset, &value, sizeof value);
    }
    TRY(check_together(&config, needs, why));
    *out = config;
    return ERRC_OK;
}

void config_help(struct buf *out)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        buf_addf(out, "  %-26s %s", texts[i].name, texts[i].help);
        if (texts[i].fallback != NULL)
            buf_addf(out, " (%s)", texts[i].fallback);
        buf_add_char(out, '\n');
    }
    buf_addf(out, "  %-26s true or false, letter for letter (false)\n", switch_name);
    for (size_t i = 0; i < COUNT(ints); i++)
        buf_addf(out, "  %-26s %s, %lld to %lld (%lld)\n", ints[i].name, ints[i].help,
                 (long long)ints[i].min, (long long)ints[i].max, (long long)ints[i].fallback);
}
