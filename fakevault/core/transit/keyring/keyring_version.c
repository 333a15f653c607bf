#include <stdatomic.h>
#include <stdlib.h>

#include "base/text/base64.h"
#include "fakevault/core/transit/encoding/keyform.h"
#include "fakevault/core/transit/keyring/keyring.h"

#define PUBLIC_MAX 1024u /* of RSA-4096: 550 bytes */
#define OLD_KDF_BYTES 32u

static void version_free(struct keyring_version *v)
{
    struct crypto_key *key = atomic_load(&v->loaded);
    if (key != NULL)
        v->ops->unload(key);
    secret_done(&v->private);
    secret_done(&v->hmac);
    buf_done(&v->public);
    free(v);
}

struct keyring_version *keyring_version_take(struct keyring_version *version)
{
    version->references++;
    return version;
}

void keyring_version_drop(struct keyring_version *version)
{
    if (version != NULL && --version->references == 0)
        version_free(version);
}

static enum errc load(const struct keyring_version *v, struct crypto_key **out,
                      struct errc_why *why)
{
    void *context = v->crypto->context;
    return v->private.len > 0 ? v->ops->load(context, secret_slice(&v->private), out, why)
                              : v->ops->load_public(context, buf_slice(&v->public), out, why);
}

enum errc keyring_version_key(struct keyring_version *version, const struct crypto_key **out,
                              struct errc_why *why)
{
    struct crypto_key *there = atomic_load(&version->loaded), *key = NULL;
    if (there == NULL) {
        TRY(load(version, &key, why));
        /* Another thread may have been faster; then its key stays. */
        if (atomic_compare_exchange_strong(&version->loaded, &there, key))
            there = key;
        else
            version->ops->unload(key);
    }
    *out = there;
    return ERRC_OK;
}

static bool is_pair(const struct crypto_key_ops *ops)
{
    return ops->load != NULL;
}

/* A fresh pair's public half is computed; one that comes alone, or out of the store, is given. */
static enum errc fill_public(struct keyring_version *v, struct slice public, struct errc_why *why)
{
    const struct crypto_key *key = NULL;
    buf_init(&v->public, PUBLIC_MAX);
    if (!is_pair(v->ops))
        return ERRC_OK;
    buf_add_slice(&v->public, public);
    v->public_given = public.len > 0;
    if (v->public_given)
        return buf_status(&v->public, why);
    TRY(keyring_version_key(v, &key, why));
    return v->ops->public_half(key, &v->public, why);
}

enum errc keyring_version_new(const struct keyring_traits *type, const struct crypto *crypto,
                              struct secret_arena *arena, struct secret *private,
                              struct slice public, struct secret *hmac, int64_t created_ns,
                              struct keyring_version **out, struct errc_why *why)
{
    struct keyring_version *v = calloc(1, sizeof *v);
    if (v == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a key");
    v->references = 1;
    v->crypto = crypto;
    v->ops = crypto->keys[type->crypto];
    v->created_ns = created_ns;
    v->private = *private;
    v->hmac = *hmac;
    *private = *hmac = (struct secret){0};
    enum errc code = fill_public(v, public, why);
    if (code == ERRC_OK && v->hmac.len == 0 && type->crypto != CRYPTO_HMAC)
        code = crypto->keys[CRYPTO_HMAC]->generate(crypto->context, arena, CRYPTO_HMAC_KEY_BYTES,
                                                   &v->hmac, why);
    if (code != ERRC_OK) {
        version_free(v);
        return code;
    }
    *out = v;
    return ERRC_OK;
}

enum errc keyring_version_make(const struct keyring_spec *spec, const struct crypto *crypto,
                               struct secret_arena *arena, int64_t created_ns,
                               struct keyring_version **out, struct errc_why *why)
{
    struct secret private CLEANUP(secret_done) = {0}, hmac CLEANUP(secret_done) = {0};
    size_t bytes = spec->key_size == 0 ? KEYRING_HMAC_BYTES_MIN : spec->key_size;
    TRY(crypto->keys[spec->traits->crypto]->generate(crypto->context, arena, bytes, &private, why));
    TRY(keyring_version_new(spec->traits, crypto, arena, &private, (struct slice){0}, &hmac,
                            created_ns, out, why));
    (*out)->convergent_version = spec->convergent ? KEYRING_CONVERGENT_VERSION : 0;
    return ERRC_OK;
}

struct keyring_version *keyring_version_of(const struct keyring *k, int64_t number)
{
    if (number < 1 || number < k->min_decryption_version || number > k->latest_version)
        return NULL;
    return k->versions[number - 1];
}

/* NIST SP 800-108 in counter mode, one round: HMAC-SHA256 of counter, context, length in bits. */
static enum errc derive_by_counter(const struct keyring_version *v, struct slice context,
                                   uint8_t out[static CRYPTO_HASH_BYTES_MAX], struct errc_why *why)
{
    static const char counter[4] = {0, 0, 0, 0}, bits[4] = {0, 0, 1, 0};
    struct buf input CLEANUP(buf_done);
    size_t len = 0;
    buf_init(&input, context.len + sizeof counter + sizeof bits);
    buf_add(&input, counter, sizeof counter);
    buf_add_slice(&input, context);
    buf_add(&input, bits, sizeof bits);
    TRY(buf_status(&input, why));
    return v->crypto->hmac(v->crypto->context, CRYPTO_HASH_SHA2_256, secret_slice(&v->private),
                           buf_slice(&input), out, &len, why);
}

static enum errc derive_bytes(const struct keyring_version *v, enum keyring_kdf kdf,
                              struct slice context, size_t len, struct secret_arena *arena,
                              struct secret *out, struct errc_why *why)
{
    bool old = kdf == KEYRING_KDF_HMAC_COUNTER;
    if (old && len > OLD_KDF_BYTES)
        return errc_fail(why, ERRC_CRYPTO, "could not derive key, length too small");
    if (secret_new(arena, old ? CRYPTO_HASH_BYTES_MAX : len, out) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    enum errc code = old ? derive_by_counter(v, context, out->ptr, why)
                         : v->crypto->hkdf(v->crypto->context, secret_slice(&v->private),
                                           (struct slice){0}, context, out->ptr, len, why);
    out->len = len;
    if (code != ERRC_OK)
        secret_done(out);
    return code;
}

enum errc keyring_version_derive(const struct keyring_version *version, enum keyring_kdf kdf,
                                 struct slice context, size_t len, struct secret_arena *arena,
                                 struct secret *out, struct errc_why *why)
{
    if (!is_pair(version->ops))
        return derive_bytes(version, kdf, context, len, arena, out, why);
    struct secret seed CLEANUP(secret_done) = {0};
    TRY(derive_bytes(version, kdf, context, CRYPTO_ED25519_SEED_BYTES, arena, &seed, why));
    return version->crypto->ed25519_expand(version->crypto->context, secret_slice(&seed), arena,
                                           out, why);
}

struct slice keyring_version_hmac_key(const struct keyring_version *version)
{
    return secret_slice(version->hmac.len > 0 ? &version->hmac : &version->private);
}

void keyring_version_public_text(const struct keyring_version *version, struct buf *out)
{
    struct slice public = buf_slice(&version->public);
    if (public.len == CRYPTO_ED25519_SEED_BYTES)
        base64_format(public, BASE64_STANDARD, out);
    else if (public.len > 0)
        keyform_write_pem("PUBLIC KEY", public, out);
}
