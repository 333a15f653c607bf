#include "chaos/shell/stack/knownkeys.h"

#include <string.h>

#include "base/secret.h"

#define POOL_BYTES_MAX (1u << 20)

void knownkeys_init(struct knownkeys *known)
{
    known->key_count = 0;
    known->secret_count = 0;
    pool_init(&known->pool, POOL_BYTES_MAX);
}

void knownkeys_done(struct knownkeys *known)
{
    for (size_t i = 0; i < known->secret_count; i++) {
        /* the bytes are the pool's own copy, lent as const to everybody else */
        struct slice bytes = known->secrets[i].bytes;
        secret_wipe((void *)(uintptr_t)bytes.ptr, bytes.len);
    }
    pool_done(&known->pool);
    knownkeys_init(known);
}

static bool is_known(const struct knownkeys *known, bool fallback, int version, const char *pem)
{
    for (size_t i = 0; i < known->key_count; i++) {
        const struct world_key *k = &known->keys[i];
        if (k->fallback == fallback && k->version == version && strcmp(k->pem, pem) == 0)
            return true;
    }
    return false;
}

enum errc knownkeys_add(struct knownkeys *known, bool fallback, int version, const char *pem,
                        int64_t since_wall_ns, struct errc_why *why)
{
    if (is_known(known, fallback, version, pem))
        return ERRC_OK;
    if (known->key_count == KNOWNKEYS_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u signing keys in one run", KNOWNKEYS_MAX);
    known->keys[known->key_count++] =
        (struct world_key){.fallback = fallback,
                           .version = version,
                           .pem = pool_text(&known->pool, slice_of(pem)),
                           .since_wall_ns = since_wall_ns};
    return pool_status(&known->pool, why);
}

enum errc knownkeys_add_secret(struct knownkeys *known, const char *name, struct slice bytes,
                               struct errc_why *why)
{
    if (known->secret_count == KNOWNKEYS_SECRETS)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u secrets in one run", KNOWNKEYS_SECRETS);
    const char *copy = pool_text(&known->pool, bytes);
    const char *label = pool_text(&known->pool, slice_of(name));
    TRY(pool_status(&known->pool, why));
    known->secrets[known->secret_count++] =
        (struct world_canary){.name = label, .bytes = slice_bytes(copy, bytes.len)};
    return ERRC_OK;
}
