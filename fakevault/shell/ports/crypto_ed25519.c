#include <sodium.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/shell/ports/crypto_inner.h"

_Static_assert(sizeof((struct crypto_key){0}.ed25519_public) == crypto_sign_PUBLICKEYBYTES,
               "room for a public half");

static enum errc generate(void *context, struct secret_arena *arena, size_t bytes,
                          struct secret *private, struct errc_why *why)
{
    (void)context;
    (void)bytes;
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    if (secret_new(arena, crypto_sign_SECRETKEYBYTES, private) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    CHECK(crypto_sign_keypair(public, private->ptr) == 0);
    crypto_inner_wipe_stack();
    return ERRC_OK;
}

enum errc crypto_ed25519_expand(void *context, struct slice seed, struct secret_arena *arena,
                                struct secret *private, struct errc_why *why)
{
    (void)context;
    unsigned char public[crypto_sign_PUBLICKEYBYTES];
    CHECK(seed.len == crypto_sign_SEEDBYTES);
    if (secret_new(arena, crypto_sign_SECRETKEYBYTES, private) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    CHECK(crypto_sign_seed_keypair(public, private->ptr, crypto_inner_octets(seed)) == 0);
    crypto_inner_wipe_stack();
    return ERRC_OK;
}

/* libsodium keeps the public half behind the seed. */
static enum errc load(void *context, struct slice private, struct crypto_key **out,
                      struct errc_why *why)
{
    (void)context;
    if (private.len != crypto_sign_SECRETKEYBYTES)
        return errc_fail(why, ERRC_CRYPTO, "an Ed25519 key has %u bytes, not %zu",
                         crypto_sign_SECRETKEYBYTES, private.len);
    struct crypto_key *key = crypto_inner_key_new();
    if (key == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    key->has_private = true;
    key->ed25519 = crypto_inner_octets(private);
    memcpy(key->ed25519_public, key->ed25519 + crypto_sign_SEEDBYTES, crypto_sign_PUBLICKEYBYTES);
    *out = key;
    return ERRC_OK;
}

static enum errc load_public(void *context, struct slice public, struct crypto_key **out,
                             struct errc_why *why)
{
    (void)context;
    if (public.len != crypto_sign_PUBLICKEYBYTES)
        return errc_fail(why, ERRC_CRYPTO, "a public Ed25519 key has %u bytes, not %zu",
                         crypto_sign_PUBLICKEYBYTES, public.len);
    struct crypto_key *key = crypto_inner_key_new();
    if (key == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    memcpy(key->ed25519_public, public.ptr, public.len);
    *out = key;
    return ERRC_OK;
}

static enum errc public_half(const struct crypto_key *key, struct buf *out, struct errc_why *why)
{
    buf_add(out, key->ed25519_public, sizeof key->ed25519_public);
    return buf_status(out, why);
}

static enum errc sign(const struct crypto_key *key, const struct crypto_scheme *scheme,
                      struct slice input, struct buf *out, struct errc_why *why)
{
    (void)scheme;
    unsigned char signature[crypto_sign_BYTES];
    TRY(crypto_inner_can_sign(key, why));
    CHECK(crypto_sign_detached(signature, NULL, crypto_inner_octets(input), input.len,
                               key->ed25519) == 0);
    buf_add(out, signature, sizeof signature);
    return buf_status(out, why);
}

static enum errc verify(const struct crypto_key *key, const struct crypto_scheme *scheme,
                        struct slice input, struct slice signature, enum crypto_verdict *verdict,
                        struct errc_why *why)
{
    (void)scheme;
    (void)why;
    bool valid =
        signature.len == crypto_sign_BYTES &&
        crypto_sign_verify_detached(crypto_inner_octets(signature), crypto_inner_octets(input),
                                    input.len, key->ed25519_public) == 0;
    *verdict = valid ? CRYPTO_VALID : CRYPTO_WRONG;
    return ERRC_OK;
}

const struct crypto_key_ops crypto_ed25519_ops = {
    .generate = generate,
    .load = load,
    .load_public = load_public,
    .public_half = public_half,
    .sign = sign,
    .verify = verify,
    .unload = crypto_inner_key_unload,
};
