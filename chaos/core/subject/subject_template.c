#include "chaos/core/subject/subject_template.h"

#include <string.h>

#include "base/text/slice.h"

#define ARGUMENT_BYTES_MAX (64u << 10)

static const char *const names[SUBJECT_TEMPLATE_VALUES] = {
    [SUBJECT_TEMPLATE_RUN] = "RUN",
    [SUBJECT_TEMPLATE_NAME] = "NAME",
    [SUBJECT_TEMPLATE_DIR] = "DIR",
    [SUBJECT_TEMPLATE_PORT] = "PORT",
    [SUBJECT_TEMPLATE_VAULT_ADDR] = "VAULT_ADDR",
    [SUBJECT_TEMPLATE_VAULT_CACERT] = "VAULT_CACERT",
    [SUBJECT_TEMPLATE_TOKEN_FILE] = "VAULT_TOKEN_FILE",
    [SUBJECT_TEMPLATE_KEY] = "KEY",
    [SUBJECT_TEMPLATE_FALLBACK_FILE] = "FALLBACK_FILE",
    [SUBJECT_TEMPLATE_CALL] = "call",
    [SUBJECT_TEMPLATE_ARTEFACTS] = "artefacts",
    [SUBJECT_TEMPLATE_METADATA] = "metadata",
    [SUBJECT_TEMPLATE_N] = "n",
    [SUBJECT_TEMPLATE_REVISION] = "revision",
    [SUBJECT_TEMPLATE_ARTEFACT_SHA256] = "artefact_sha256",
    [SUBJECT_TEMPLATE_WRONG_CHECKSUM] = "wrong_checksum",
    [SUBJECT_TEMPLATE_SECONDS] = "seconds",
};

static enum errc add_value(const char *name, size_t len,
                           const struct subject_template_values *values, struct buf *out,
                           struct errc_why *why)
{
    for (size_t i = 0; i < SUBJECT_TEMPLATE_VALUES; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0 && values->of[i] != NULL) {
            buf_add_text(out, values->of[i]);
            return ERRC_OK;
        }
    return errc_fail(why, ERRC_SCHEMA, "there is no value for ${%.*s} here", (int)len, name);
}

enum errc subject_template_expand(const char *text, const struct subject_template_values *values,
                                  struct buf *out, struct errc_why *why)
{
    while (*text != '\0') {
        const char *open = strstr(text, "${");
        size_t plain = open == NULL ? strlen(text) : (size_t)(open - text);
        buf_add(out, text, plain);
        if (open == NULL)
            break;
        const char *close = strchr(open, '}');
        if (close == NULL)
            return errc_fail(why, ERRC_SCHEMA, "\"%.60s\" has no }", open);
        TRY(add_value(open + 2, (size_t)(close - open) - 2, values, out, why));
        text = close + 1;
    }
    return buf_status(out, why);
}

enum errc subject_template_argv(const char *program, const char *const *arguments,
                                const struct subject_template_values *values, struct pool *pool,
                                const char *const **out, struct errc_why *why)
{
    size_t count = 0;
    while (arguments[count] != NULL)
        count++;
    const char **argv = pool_array(pool, count + 2, sizeof *argv);
    TRY(pool_status(pool, why));
    argv[0] = program;
    for (size_t i = 0; i < count; i++) {
        struct buf text CLEANUP(buf_done);
        buf_init(&text, ARGUMENT_BYTES_MAX);
        TRY(subject_template_expand(arguments[i], values, &text, why));
        argv[i + 1] = pool_text(pool, buf_slice(&text));
    }
    *out = argv;
    return pool_status(pool, why);
}
