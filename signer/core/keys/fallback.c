#include "signer/core/keys/fallback.h"

#include <stddef.h>
#include <string.h>

#include "base/bug.h"
#include "base/text/base64.h"

static const char *const words[FALLBACK_VERDICT_COUNT] = {
    [FALLBACK_USABLE] = "usable",
    [FALLBACK_OFF] = "fallback_off",
    [FALLBACK_KEY_MISSING] = "fallback_key_missing",
    [FALLBACK_KEY_UNSAFE] = "fallback_key_unsafe",
};

const char *fallback_verdict_text(enum fallback_verdict verdict)
{
    CHECK(verdict < FALLBACK_VERDICT_COUNT);
    return words[verdict];
}

static enum fallback_verdict unsafe(struct errc_why *why, const char *path, const char *what)
{
    (void)errc_fail(why, ERRC_DENIED, "\"%.200s\" %s", path, what);
    return FALLBACK_KEY_UNSAFE;
}

enum fallback_verdict fallback_check(const struct fallback_facts *facts, const char *path,
                                     struct errc_why *why)
{
    if (!facts->regular)
        return unsafe(why, path, "is not a regular file");
    if (!facts->own)
        return unsafe(why, path, "belongs to another user: it must be the signer's own");
    if ((facts->mode & 077) != 0)
        return unsafe(why, path, "is open to other users: chmod 600 it, and rotate the key");
    if (facts->links != 1)
        return unsafe(why, path, "has more than one name (hard links): make a copy of its own");
    if (!facts->folder_own)
        return unsafe(why, path, "lies in a folder of another user");
    if ((facts->folder_mode & 022) != 0)
        return unsafe(why, path, "lies in a folder that others can write: chmod go-w the folder");
    return FALLBACK_USABLE;
}

static bool skip(struct slice *text, const char *token)
{
    *text = slice_trim(*text);
    if (!slice_starts_with(*text, token))
        return false;
    *text = slice_from(*text, strlen(token));
    return true;
}

/* Read by hand: a JSON library would leave copies of the key on the heap. */
static bool find_encoded(struct slice text, struct slice *encoded)
{
    if (!skip(&text, "{") || !skip(&text, "\"signingKey\"") || !skip(&text, ":") ||
        !skip(&text, "\""))
        return false;
    size_t end = slice_find(text, '"');
    if (end == text.len || slice_find(text, '\\') < end)
        return false;
    *encoded = slice_bytes(text.ptr, end);
    text = slice_from(text, end + 1);
    return skip(&text, "}") && slice_trim(text).len == 0;
}

enum errc fallback_parse(struct slice text, struct secret_arena *arena, struct secret *seed,
                         struct errc_why *why)
{
    struct buf raw CLEANUP(buf_done);
    struct slice encoded;
    buf_init(&raw, 2 * KEYPORT_SEED_BYTES);
    if (!find_encoded(text, &encoded))
        return errc_fail(why, ERRC_SYNTAX,
                         "the file is not {\"signingKey\": \"<base64 of %d bytes>\"}",
                         KEYPORT_SEED_BYTES);
    /* Reserved in one piece, so that growing leaves no part of the seed behind. */
    if (buf_reserve(&raw, 2 * KEYPORT_SEED_BYTES) == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    if (base64_parse(encoded, BASE64_STANDARD, &raw, NULL) != ERRC_OK ||
        raw.len != KEYPORT_SEED_BYTES)
        return errc_fail(why, ERRC_SCHEMA, "\"signingKey\" is not the base64 of %d bytes",
                         KEYPORT_SEED_BYTES);
    enum errc code = secret_copy(arena, buf_slice(&raw), seed);
    return code == ERRC_OK ? ERRC_OK
                           : errc_fail(why, code, "no locked memory left for the fallback key");
}
