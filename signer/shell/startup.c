#include "signer/shell/startup.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"

#define TOKEN_FILE_BYTES (LIMIT_TOKEN_BYTES + 64) /* with a line end and blanks around it */
#define SECRET_BYTES (256u << 10)

static const char *from_environment(void *unused, const char *name)
{
    (void)unused;
    return getenv(name);
}

/* A token is one word; a blank or line end in it would break the header it is sent in. */
static enum errc keep_token(struct slice token, const char *source, struct startup *out,
                            struct errc_why *why)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] <= ' ' || token.ptr[i] == 0x7f)
            return errc_fail(why, ERRC_USAGE, "%s holds more than one word", source);
    if (token.len > LIMIT_TOKEN_BYTES)
        return errc_fail(why, ERRC_USAGE, "%s holds a token of %zu bytes, at most %u are taken",
                         source, token.len, LIMIT_TOKEN_BYTES);
    if (token.len == 0)
        return errc_fail(why, ERRC_USAGE, "%s holds no token", source);
    if (secret_copy(out->arena, token, &out->token) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "no locked memory left for the token");
    return ERRC_OK;
}

static enum errc read_token_file(struct startup *out, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TOKEN_FILE_BYTES);
    /* In one piece, so that growing leaves no copy behind. */
    if (buf_reserve(&text, TOKEN_FILE_BYTES) == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    enum errc code = file_read(out->config.vault_token_file, &text, why);
    if (code != ERRC_OK) {
        errc_prefix(why, "VAULT_TOKEN_FILE");
        return ERRC_USAGE;
    }
    return keep_token(slice_trim(buf_slice(&text)), "VAULT_TOKEN_FILE", out, why);
}

/* What is left of the token in the environment would show in /proc and in children. */
static enum errc take_token(struct startup *out, struct errc_why *why)
{
    char *value = getenv("VAULT_TOKEN");
    if (value == NULL)
        return out->config.vault_token_file == NULL ? ERRC_OK : read_token_file(out, why);
    enum errc code = keep_token(slice_of(value), "VAULT_TOKEN", out, why);
    secret_wipe(value, strlen(value));
    (void)unsetenv("VAULT_TOKEN");
    out->config.vault_token = NULL;
    return code;
}

enum errc startup_open(unsigned needs, struct startup *out, struct errc_why *why)
{
    *out = (struct startup){.clock = clock_os(), .entropy = entropy_os()};
    const struct config_source source = {.get = from_environment};
    /* A reader that goes away and a file that may not grow are errors to handle, not an end. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    TRY(config_read(&source, needs, &out->config, why));
    TRY(secret_arena_new(SECRET_BYTES, &out->arena, NULL, why));
    enum errc code = take_token(out, why);
    if (code != ERRC_OK)
        startup_done(out);
    return code;
}

void startup_done(struct startup *startup)
{
    if (startup == NULL)
        return;
    secret_done(&startup->token);
    secret_arena_free(startup->arena);
    startup->arena = NULL;
}
