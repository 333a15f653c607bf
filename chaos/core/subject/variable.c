#include "chaos/core/subject/variable.h"

#include <inttypes.h>
#include <string.h>

#include "base/count.h"
#include "base/flags.h"
#include "base/text/slice.h"

#define FOREIGN_PREFIX "X_"
#define NAMES_MAX 64u /* variables of one subject that are offered as the nearest */

/* What any program may be given: by libraries, run times and sanitizers. */
static const char *const foreign[] = {
    "PATH",         "HOME",          "TMPDIR",           "TZ",
    "LANG",         "LC_ALL",        "LC_CTYPE",         "LD_PRELOAD",
    "HTTP_PROXY",   "HTTPS_PROXY",   "NO_PROXY",         "ALL_PROXY",
    "SSL_CERT_DIR", "SSL_CERT_FILE", "ASAN_OPTIONS",     "UBSAN_OPTIONS",
    "TSAN_OPTIONS", "LSAN_OPTIONS",  "MALLOC_ARENA_MAX",
};

const struct variable *variable_find(const struct variable_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->items[i].name, name) == 0)
            return &table->items[i];
    return NULL;
}

static bool is_foreign(const char *name)
{
    for (size_t i = 0; i < COUNT(foreign); i++)
        if (strcmp(foreign[i], name) == 0)
            return true;
    return slice_starts_with(slice_of(name), FOREIGN_PREFIX);
}

enum errc variable_check_name(const struct variable_table *table, const char *name,
                              struct errc_why *why)
{
    const struct variable *v = variable_find(table, name);
    const char *names[NAMES_MAX];
    size_t count = 0;
    if (v != NULL && v->fixed)
        return errc_fail(why, ERRC_SCHEMA, "%s belongs to the stack, it cannot be set", name);
    if (v != NULL || is_foreign(name))
        return ERRC_OK;
    for (; count < table->count && count < NAMES_MAX; count++)
        names[count] = table->items[count].name;
    const char *nearest = flags_nearest(name, names, count);
    if (nearest != NULL)
        return errc_fail(why, ERRC_SCHEMA, "no signer reads \"%.60s\", did you mean \"%s\"?", name,
                         nearest);
    return errc_fail(why, ERRC_SCHEMA,
                     "no signer reads \"%.60s\"; begin the name with " FOREIGN_PREFIX
                     " if something else does",
                     name);
}

enum errc variable_check_value(const struct variable_table *table, const char *name,
                               const char *value, struct errc_why *why)
{
    const struct variable *v = variable_find(table, name);
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
