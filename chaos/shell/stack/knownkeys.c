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

static bool is_same(const struct world_key *key, bool fallback, int version, const char *pem)
{
    return key->fallback == fallback && key->version == version && strcmp(key->pem, pem) == 0;
}

/* The last entry of a key, or NULL. */
static struct world_key *find(struct knownkeys *known, bool fallback, int version, const char *pem)
{
    for (size_t i = known->key_count; i > 0; i--)
        if (is_same(&known->keys[i - 1], fallback, version, pem))
            return &known->keys[i - 1];
    return NULL;
}

static enum errc append(struct knownkeys *known, const struct world_key *key, struct errc_why *why)
{
    if (known->key_count == KNOWNKEYS_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u signing keys in one run", KNOWNKEYS_MAX);
    struct world_key *added = &known->keys[known->key_count++];
    *added = *key;
    added->pem = pool_text(&known->pool, slice_of(key->pem));
    return pool_status(&known->pool, why);
}

enum errc knownkeys_add(struct knownkeys *known, bool fallback, int version, const char *pem,
                        struct errc_why *why)
{
    if (find(known, fallback, version, pem) != NULL)
        return ERRC_OK;
    return append(known, &(struct world_key){.fallback = fallback, .version = version, .pem = pem},
                  why);
}

enum errc knownkeys_begin(struct knownkeys *known, bool fallback, int version, const char *pem,
                          int64_t since_wall_ns, struct errc_why *why)
{
    struct world_key *last = find(known, fallback, version, pem);
    if (last != NULL && last->until_wall_ns == 0) {
        last->since_wall_ns = last->since_wall_ns == 0 ? since_wall_ns : last->since_wall_ns;
        return ERRC_OK;
    }
    return append(
        known,
        &(struct world_key){
            .fallback = fallback, .version = version, .pem = pem, .since_wall_ns = since_wall_ns},
        why);
}

void knownkeys_end(struct knownkeys *known, bool fallback, int version, const char *pem,
                   int64_t until_wall_ns)
{
    for (size_t i = 0; i < known->key_count; i++) {
        struct world_key *key = &known->keys[i];
        bool open = key->since_wall_ns != 0 && key->until_wall_ns == 0;
        if (key->fallback == fallback && open &&
            (pem == NULL || !is_same(key, fallback, version, pem)))
            key->until_wall_ns = until_wall_ns;
    }
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
