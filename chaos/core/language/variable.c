#include "chaos/core/language/variable.h"

#include <inttypes.h>
#include <string.h>

#include "base/bug.h"
#include "base/flags.h"
#include "base/text/slice.h"

#define FOREIGN_PREFIX "X_"
#define MINUTE_MS 60000
#define HOUR_MS (60 * MINUTE_MS)

static const struct variable variables[] = {
    {"VAULT_ADDR", VARIABLE_TEXT, 0, 0, 0},
    {"VAULT_TOKEN", VARIABLE_TEXT, 0, 0, 0},
    {"VAULT_TOKEN_FILE", VARIABLE_TEXT, 0, 0, 0},
    {"VAULT_CACERT", VARIABLE_TEXT, 0, 0, 0},
    {"VAULT_NAMESPACE", VARIABLE_TEXT, 0, 0, 0},
    {"SIGNING_KEY", VARIABLE_TEXT, 0, 0, 0},
    {"ALLOW_FALLBACK_SIGNING", VARIABLE_SWITCH, 0, 0, 0},
    {"FALLBACK_KEY_FILE", VARIABLE_TEXT, 0, 0, 0},
    {"TRUST_FILE", VARIABLE_TEXT, 0, 0, 0},
    {"AUDIT_LOG", VARIABLE_TEXT, 0, 0, 0},
    {"SIGNER_ATTEMPTS", VARIABLE_NUMBER, 1, 10, 3},
    {"SIGNER_BACKOFF_BASE_MS", VARIABLE_NUMBER, 1, MINUTE_MS, 250},
    {"SIGNER_BACKOFF_MAX_MS", VARIABLE_NUMBER, 1, 10 * MINUTE_MS, 2000},
    {"SIGNER_ATTEMPT_TIMEOUT_MS", VARIABLE_NUMBER, 1, 10 * MINUTE_MS, 2000},
    {"SIGNER_TOTAL_TIMEOUT_MS", VARIABLE_NUMBER, 1, HOUR_MS, 10000},
    {"SIGNER_HEALTH_INTERVAL_MS", VARIABLE_NUMBER, 10, HOUR_MS, 1000},
    {"FAKEVAULT_TEST", VARIABLE_TEXT, 0, 0, 0},
};

#define COUNT (sizeof variables / sizeof variables[0])

/* What any program may be given: by libraries, run times and sanitizers. */
static const char *const foreign[] = {
    "PATH",         "HOME",          "TMPDIR",           "TZ",
    "LANG",         "LC_ALL",        "LC_CTYPE",         "LD_PRELOAD",
    "HTTP_PROXY",   "HTTPS_PROXY",   "NO_PROXY",         "ALL_PROXY",
    "SSL_CERT_DIR", "SSL_CERT_FILE", "ASAN_OPTIONS",     "UBSAN_OPTIONS",
    "TSAN_OPTIONS", "LSAN_OPTIONS",  "MALLOC_ARENA_MAX",
};

const struct variable *variable_at(size_t i)
{
    return i < COUNT ? &variables[i] : NULL;
}

const struct variable *variable_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(variables[i].name, name) == 0)
            return &variables[i];
    return NULL;
}

int64_t variable_standard(const char *name)
{
    const struct variable *v = variable_find(name);
    CHECK(v != NULL && v->type == VARIABLE_NUMBER);
    return v->standard;
}

static bool is_foreign(const char *name)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (strcmp(foreign[i], name) == 0)
            return true;
    return slice_starts_with(slice_of(name), FOREIGN_PREFIX);
}

enum errc variable_check_name(const char *name, struct errc_why *why)
{
    const char *names[COUNT];
    if (variable_find(name) != NULL || is_foreign(name))
        return ERRC_OK;
    for (size_t i = 0; i < COUNT; i++)
        names[i] = variables[i].name;
    const char *nearest = flags_nearest(name, names, COUNT);
    if (nearest != NULL)
        return errc_fail(why, ERRC_SCHEMA, "no signer reads \"%.60s\", did you mean \"%s\"?", name,
                         nearest);
    return errc_fail(why, ERRC_SCHEMA,
                     "no signer reads \"%.60s\"; begin the name with " FOREIGN_PREFIX
                     " if something else does",
                     name);
}

enum errc variable_check_value(const char *name, const char *value, struct errc_why *why)
{
    const struct variable *v = variable_find(name);
    uint64_t n = 0;
    if (v == NULL)
        return ERRC_OK;
    if (value[0] == '\0')
        return errc_fail(why, ERRC_RANGE, "%s is set to \"\": give a value or leave it out", name);
    if (v->type == VARIABLE_SWITCH && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return errc_fail(why, ERRC_RANGE, "%s is \"%.40s\", want \"true\" or \"false\"", name,
                         value);
    if (v->type == VARIABLE_NUMBER &&
        (!slice_to_u64(slice_of(value), &n) || n < (uint64_t)v->min || n > (uint64_t)v->max))
        return errc_fail(why, ERRC_RANGE,
                         "%s is \"%.40s\", want a whole number in %" PRId64 "..%" PRId64, name,
                         value, v->min, v->max);
    return ERRC_OK;
}
