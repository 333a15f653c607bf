#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/count.h"
#include "base/text/base64.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/encoding/keyform.h"
#include "fakevault/core/transit/keys/transit_key.h"
#include "fakevault/core/transit/transit.h"

#define WRAPPED_MAX 8192u

const struct field_spec transit_key_byok_fields[] = {
    {.name = "hash", .type = FIELD_STRING, .text = "SHA256"},
    {0},
};

enum crypto_hash transit_key_oaep_hash(struct slice name)
{
    static const struct {
        const char *name;
        enum crypto_hash hash;
    } hashes[] = {
        {"SHA1", CRYPTO_HASH_SHA1},       {"SHA224", CRYPTO_HASH_SHA2_224},
        {"SHA256", CRYPTO_HASH_SHA2_256}, {"SHA384", CRYPTO_HASH_SHA2_384},
        {"SHA512", CRYPTO_HASH_SHA2_512},
    };
    for (size_t i = 0; i < COUNT(hashes); i++)
        if (name.len == strlen(hashes[i].name) &&
            strncasecmp(name.ptr, hashes[i].name, name.len) == 0)
            return hashes[i].hash;
    return CRYPTO_HASH_NONE;
}

struct byok {
    struct vault_job *job;
    const struct keyring *from, *to;
};

/* The key as it is wrapped: PKCS#8, or its bytes. */
static enum errc plain_form(const struct keyring *k, const struct keyring_version *v,
                            struct secret_arena *arena, struct secret *out)
{
    return k->traits->signing ? keyform_write_pkcs8(k->traits->crypto, secret_slice(&v->private),
                                                    buf_slice(&v->public), arena, out)
                              : secret_copy(arena, secret_slice(&v->private), out);
}

/* RSA-OAEP of a key made up here, and the plain form wrapped under that. */
static enum errc wrap(const struct vault_ports *ports, struct keyring_version *to,
                      enum crypto_hash hash, struct slice plain, struct buf *out,
                      struct errc_why *why)
{
    const struct crypto *crypto = ports->crypto;
    const struct crypto_key *key = NULL;
    struct secret made_up CLEANUP(secret_done) = {0};
    TRY(crypto->keys[CRYPTO_AES256_GCM96]->generate(crypto->context, ports->arena, 0, &made_up,
                                                    why));
    TRY(keyring_version_key(to, &key, why));
    TRY(to->ops->encrypt(key, hash, secret_slice(&made_up), out, why));
    return crypto->wrap(crypto->context, secret_slice(&made_up), plain, out, why);
}

static struct keyring_version *newest(const struct keyring *k)
{
    return k->versions[k->latest_version - 1];
}

/* Answers when nothing can be wrapped under the destination. */
static bool wraps(const struct byok *b, enum crypto_hash hash)
{
    const struct keyring_traits *to = b->to->traits;
    if (hash == CRYPTO_HASH_NONE)
        call_fault(b->job, "unknown hash function: %.*s",
                   SLICE_FMT(field_text(&b->job->fields, "hash")));
    else if (!to->signing)
        call_fault(b->job, "message signing not supported for key type %s", to->type);
    else if (!to->encryption || !newest(b->to)->public_given)
        call_fault(b->job, "unsupported key type in use; must be a rsa key");
    return !call_answered(b->job);
}

static void write_wrapped(void *context, uint32_t number)
{
    const struct byok *b = context;
    struct vault_job *job = b->job;
    const struct vault_ports *ports = &job->vault->ports;
    struct secret plain CLEANUP(secret_done) = {0};
    struct buf wrapped CLEANUP(buf_done), text CLEANUP(buf_done);
    struct errc_why why = {{0}};
    char name[16];
    buf_init(&wrapped, WRAPPED_MAX);
    buf_init(&text, 2 * WRAPPED_MAX);
    enum crypto_hash hash = transit_key_oaep_hash(field_text(&job->fields, "hash"));
    if (call_answered(job) || !wraps(b, hash))
        return;
    enum errc code = plain_form(b->from, b->from->versions[number - 1], ports->arena, &plain);
    if (code == ERRC_OK)
        code = wrap(ports, newest(b->to), hash, secret_slice(&plain), &wrapped, &why);
    base64_format(buf_slice(&wrapped), BASE64_STANDARD, &text);
    if (code != ERRC_OK || text.failed) {
        call_trouble(job, code == ERRC_OK ? ERRC_NOMEM : code, &why);
        return;
    }
    (void)snprintf(name, sizeof name, "%u", number);
    jsonwrite_slice(&job->writer, name, buf_slice(&text));
}

/* The operations with the public key are cheap: no need to leave the lock for them. */
void transit_key_byok_finish(struct vault_job *job)
{
    struct byok b = {.job = job, .to = transit_named(job, call_capture(job, "destination"))};
    if (b.to == NULL) {
        if (!call_answered(job))
            call_fault(job, "no such destination key to export to");
        return;
    }
    b.from = transit_named(job, call_capture(job, "source"));
    if (call_answered(job))
        return;
    if (b.from == NULL) {
        call_fault(job, "no such source key for export");
        return;
    }
    if (!b.from->exportable) {
        call_fail(job, 400, "key is not exportable");
        return;
    }
    struct jsonwrite *w = call_data(job);
    jsonwrite_object(w, "keys");
    if (!transit_key_versions(job, b.from, call_capture(job, "version"), write_wrapped, &b))
        return;
    jsonwrite_end(w);
    jsonwrite_string(w, "name", b.from->name);
    jsonwrite_string(w, "type", b.from->traits->type);
    call_answer(job, CALL_DATA);
}
