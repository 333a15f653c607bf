#include "signer/core/keys/trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "base/text/stamp.h"

void trust_init(struct trust *trust)
{
    *trust = (struct trust){0};
}

void trust_done(struct trust *trust)
{
    if (trust == NULL)
        return;
    free(trust->keys);
    *trust = (struct trust){0};
}

static enum errc add(struct trust *trust, const struct trust_key *key, struct errc_why *why)
{
    if (trust->count == LIMIT_TRUST_KEYS)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u trusted keys", LIMIT_TRUST_KEYS);
    struct trust_key *grown = realloc(trust->keys, (trust->count + 1) * sizeof *grown);
    if (grown == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    trust->keys = grown;
    trust->keys[trust->count++] = *key;
    return ERRC_OK;
}

static enum errc read_key(const json_t *entry, enum trust_role role, const struct keyport *keyport,
                          struct trust *out, struct errc_why *why)
{
    static const char *const vault_fields[] = {"key",       "keyVersion", "fingerprint",
                                               "publicKey", "acceptedAt", NULL};
    static const char *const local_fields[] = {"fingerprint", "publicKey", "acceptedAt", NULL};
    struct trust_key key = {.role = role};
    const char *name = NULL, *fingerprint = NULL, *pem = NULL, *at = NULL;
    TRY(jsonread_only(entry, role == TRUST_FALLBACK ? local_fields : vault_fields, why));
    TRY(jsonread_string(entry, "fingerprint", &fingerprint, why));
    TRY(jsonread_string(entry, "publicKey", &pem, why));
    TRY(jsonread_string(entry, "acceptedAt", &at, why));
    if (!stamp_parse(slice_of(at), &key.accepted_wall_ns))
        return errc_fail(why, ERRC_SCHEMA, "\"acceptedAt\" is \"%.40s\", no point in time", at);
    if (role != TRUST_FALLBACK) {
        TRY(jsonread_string(entry, "key", &name, why));
        TRY(jsonread_int(entry, "keyVersion", 1, INT32_MAX, &key.version, why));
        if (strlen(name) >= sizeof key.name)
            return errc_fail(why, ERRC_SCHEMA, "\"key\" is longer than %zu bytes",
                             sizeof key.name - 1);
        memcpy(key.name, name, strlen(name) + 1);
    }
    TRY(keyport->read_pem(keyport->context, slice_of(pem), &key.key, why));
    if (strcmp(key.key.fingerprint, fingerprint) != 0)
        return errc_fail(why, ERRC_CRYPTO,
                         "\"fingerprint\" is \"%.80s\" but the public key's is \"%s\"", fingerprint,
                         key.key.fingerprint);
    if (key.key.kind != (role == TRUST_FALLBACK ? KEYPORT_ED25519 : KEYPORT_ECDSA_P256))
        return errc_fail(why, ERRC_SCHEMA, "\"publicKey\" is of the wrong kind for its place");
    return add(out, &key, why);
}

static enum errc read_list(const json_t *document, const char *field, enum trust_role role,
                           const struct keyport *keyport, struct trust *out, struct errc_why *why)
{
    json_t *list = NULL;
    if (!jsonread_has(document, field))
        return ERRC_OK;
    TRY(jsonread_array(document, field, &list, why));
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum errc code = read_key(json_array_get(list, i), role, keyport, out, why);
        if (code == ERRC_OK)
            continue;
        errc_prefix(why, "%s[%zu]", field, i);
        return code;
    }
    return ERRC_OK;
}

static enum errc read_all(struct slice text, const struct keyport *keyport, struct trust *out,
                          struct errc_why *why)
{
    static const char *const allowed[] = {"version", "vault", "retired", "fallback", NULL};
    json_t *document CLEANUP(jsonread_done) = NULL;
    int64_t version = 0;
    TRY(jsonread_parse(text, &document, why));
    TRY(jsonread_only(document, allowed, why));
    TRY(jsonread_int(document, "version", 1, 1, &version, why));
    TRY(read_list(document, "retired", TRUST_RETIRED, keyport, out, why));
    TRY(read_list(document, "fallback", TRUST_FALLBACK, keyport, out, why));
    if (!jsonread_has(document, "vault"))
        return ERRC_OK;
    enum errc code = read_key(json_object_get(document, "vault"), TRUST_VAULT, keyport, out, why);
    if (code != ERRC_OK)
        errc_prefix(why, "vault");
    return code;
}

enum errc trust_parse(struct slice text, const struct keyport *keyport, struct trust *out,
                      struct errc_why *why)
{
    trust_init(out);
    enum errc code = read_all(text, keyport, out, why);
    if (code != ERRC_OK)
        trust_done(out);
    return code;
}

static void write_key(struct jsonwrite *w, const char *field, const struct trust_key *key,
                      bool *failed)
{
    char at[STAMP_BYTES];
    struct buf pem CLEANUP(buf_done);
    buf_init(&pem, 1024);
    keyport_format_pem(&key->key, &pem);
    *failed = *failed || pem.failed;
    stamp_format(key->accepted_wall_ns, STAMP_MILLI, at);
    jsonwrite_object(w, field);
    if (key->role != TRUST_FALLBACK) {
        jsonwrite_string(w, "key", key->name);
        jsonwrite_int(w, "keyVersion", key->version);
    }
    jsonwrite_string(w, "fingerprint", key->key.fingerprint);
    jsonwrite_slice(w, "publicKey", buf_slice(&pem));
    jsonwrite_string(w, "acceptedAt", at);
    jsonwrite_end(w);
}

static void write_list(struct jsonwrite *w, const char *field, enum trust_role role,
                       const struct trust *trust, bool *failed)
{
    jsonwrite_array(w, field);
    for (size_t i = 0; i < trust->count; i++)
        if (trust->keys[i].role == role)
            write_key(w, NULL, &trust->keys[i], failed);
    jsonwrite_end(w);
}

enum errc trust_format(const struct trust *trust, struct buf *out, struct errc_why *why)
{
    bool failed = false;
    struct jsonwrite w;
    const struct trust_key *pin = trust_pin(trust);
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_int(&w, "version", 1);
    if (pin != NULL)
        write_key(&w, "vault", pin, &failed);
    write_list(&w, "retired", TRUST_RETIRED, trust, &failed);
    write_list(&w, "fallback", TRUST_FALLBACK, trust, &failed);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
    if (failed)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    return buf_status(out, why);
}

const struct trust_key *trust_pin(const struct trust *trust)
{
    for (size_t i = 0; i < trust->count; i++)
        if (trust->keys[i].role == TRUST_VAULT)
            return &trust->keys[i];
    return NULL;
}

const struct trust_key *trust_find(const struct trust *trust, const char *fingerprint)
{
    for (size_t i = 0; i < trust->count; i++)
        if (strcmp(trust->keys[i].key.fingerprint, fingerprint) == 0)
            return &trust->keys[i];
    return NULL;
}

static bool is_same(const struct trust_key *key, const char *name, int64_t version,
                    const struct keyport_public *public)
{
    return key->version == version && strcmp(key->name, name) == 0 &&
           strcmp(key->key.fingerprint, public->fingerprint) == 0;
}

enum errc trust_pin_key(struct trust *trust, const char *name, int64_t version,
                        const struct keyport_public *public, int64_t wall_ns, bool *changed,
                        struct errc_why *why)
{
    struct trust_key fresh = {
        .role = TRUST_VAULT, .version = version, .accepted_wall_ns = wall_ns, .key = *public};
    const struct trust_key *pin = trust_pin(trust);
    *changed = false;
    if (pin != NULL && is_same(pin, name, version, public))
        return ERRC_OK;
    if (strlen(name) >= sizeof fresh.name)
        return errc_fail(why, ERRC_TOO_BIG, "the key's name is too long");
    memcpy(fresh.name, name, strlen(name) + 1);
    TRY(add(trust, &fresh, why));
    *changed = true;
    for (size_t i = 0; i + 1 < trust->count; i++)
        if (trust->keys[i].role == TRUST_VAULT)
            trust->keys[i].role = TRUST_RETIRED;
    return ERRC_OK;
}

enum errc trust_add_fallback(struct trust *trust, const struct keyport_public *public,
                             int64_t wall_ns, bool *changed, struct errc_why *why)
{
    *changed = false;
    if (trust_find(trust, public->fingerprint) != NULL)
        return ERRC_OK;
    struct trust_key key = {.role = TRUST_FALLBACK, .accepted_wall_ns = wall_ns, .key = *public};
    TRY(add(trust, &key, why));
    *changed = true;
    return ERRC_OK;
}
