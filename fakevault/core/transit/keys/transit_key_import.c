#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/encoding/keyform.h"
#include "fakevault/core/transit/keys/transit_key.h"
#include "fakevault/core/transit/transit.h"

#define EPHEMERAL_BYTES 512u /* what RSA-4096 encrypts to */
#define KWP_BYTES_MIN 24u
#define KWP_BYTES_MAX 8200u

#define KEY_MATERIAL                                                                               \
    {.name = "ciphertext", .type = FIELD_STRING}, {.name = "public_key", .type = FIELD_STRING},    \
    {                                                                                              \
        .name = "hash_function", .type = FIELD_STRING, .text = "SHA256"                            \
    }

const struct field_spec transit_key_import_fields[] = {
    {.name = "type", .type = FIELD_STRING, .text = "aes256-gcm96"},
    KEY_MATERIAL,
    {.name = "allow_rotation", .type = FIELD_BOOL},
    {.name = "derived", .type = FIELD_BOOL},
    {.name = "exportable", .type = FIELD_BOOL},
    {.name = "allow_plaintext_backup", .type = FIELD_BOOL},
    {.name = "context", .type = FIELD_STRING},
    {.name = "auto_rotate_period", .type = FIELD_SECONDS},
    {0},
};

const struct field_spec transit_key_import_version_fields[] = {
    KEY_MATERIAL,
    {.name = "version", .type = FIELD_INT},
    {0},
};

/* --- the wrapping key ------------------------------------------------------------------------- */

/* The key that imports are wrapped under: the mount's, or one that is made when it has none. */
struct wrapping {
    struct keyring_version *version; /* one reference; NULL: to be made */
    bool made;                       /* to be stored */
    enum errc code;
    struct errc_why why;
};

static struct keyring_spec wrapping_spec(void)
{
    return (struct keyring_spec){.traits = keyring_traits_named(SLICE_LITERAL("rsa-4096"))};
}

static void wrapping_prepare(struct vault_job *job, struct wrapping *w)
{
    const struct keyring *k = transit_named(job, slice_of(TRANSIT_WRAPPING_KEY));
    if (k != NULL)
        w->version = keyring_version_take(k->versions[k->latest_version - 1]);
}

static void wrapping_work(struct vault_job *job, struct wrapping *w)
{
    const struct vault_ports *ports = &job->vault->ports;
    struct keyring_spec spec = wrapping_spec();
    if (w->version != NULL)
        return;
    w->code = keyring_version_make(&spec, ports->crypto, ports->arena, job->now.wall_ns,
                                   &w->version, &w->why);
    w->made = w->code == ERRC_OK;
}

/* Stores the one that was made. Another request may have made one meanwhile: then that one counts,
 * and *w has it. */
static enum errc wrapping_finish(struct vault_job *job, struct wrapping *w, struct errc_why *why)
{
    struct vault *v = job->vault;
    struct keyring *k = NULL;
    struct keyring_spec spec = wrapping_spec();
    struct slice name = slice_of(TRANSIT_WRAPPING_KEY);
    if (w->code != ERRC_OK)
        return errc_fail(why, w->code, "%s", w->why.text);
    if (!w->made)
        return ERRC_OK;
    enum errc code = keyring_find(&v->keyrings, &v->barrier, job->mount_uuid, name, &k, why);
    if (code == ERRC_OK) {
        keyring_version_drop(w->version);
        w->version = keyring_version_take(k->versions[0]);
        return ERRC_OK;
    }
    if (code != ERRC_NOT_FOUND)
        return code;
    TRY(keyring_create(&v->keyrings, &v->barrier, job->mount_uuid, name, &spec, w->version, &k,
                       why));
    (void)keyring_version_take(w->version);
    return ERRC_OK;
}

static void wrapping_free(void *ptr)
{
    struct wrapping *w = ptr;
    keyring_version_drop(w->version);
    free(w);
}

void transit_key_wrapping_prepare(struct vault_job *job)
{
    struct wrapping *w = calloc(1, sizeof *w);
    if (w == NULL) {
        job->no_memory = true;
        return;
    }
    job->state = (struct call_state){w, wrapping_free};
    wrapping_prepare(job, w);
}

void transit_key_wrapping_work(struct vault_job *job)
{
    wrapping_work(job, job->state.ptr);
}

void transit_key_wrapping_finish(struct vault_job *job)
{
    struct wrapping *w = job->state.ptr;
    struct errc_why why = {{0}};
    struct buf text CLEANUP(buf_done);
    buf_init(&text, KEYFORM_BYTES_MAX);
    enum errc code = wrapping_finish(job, w, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    keyring_version_public_text(w->version, &text);
    job->no_memory = job->no_memory || text.failed;
    jsonwrite_slice(call_data(job), "public_key", buf_slice(&text));
    call_answer(job, CALL_DATA);
}

/* --- key material ----------------------------------------------------------------------------- */

/* A key on its way in. */
struct import {
    struct keyring_spec spec;
    struct wrapping wrapping;
    bool private_half; /* it came wrapped; else it is a public key */
    bool whole;        /* a new keyring: its failures say so */
    uint32_t target;   /* import_version: which version it may complete */
    bool only_target;  /* it must */
    enum crypto_hash hash;
    struct buf sealed; /* the decoded ciphertext */
    struct keyring_version *version;
    int64_t created_ns;
    enum errc code;
    struct errc_why why;
};

static void import_free(void *ptr)
{
    struct import *i = ptr;
    keyring_version_drop(i->wrapping.version);
    keyring_version_drop(i->version);
    buf_done(&i->sealed);
    free(i);
}

static struct import *import_new(struct vault_job *job)
{
    struct import *i = calloc(1, sizeof *i);
    if (i == NULL) {
        job->no_memory = true;
        return NULL;
    }
    buf_init(&i->sealed, LIMIT_REQUEST_BODY_BYTES);
    i->created_ns = job->now.wall_ns;
    job->state = (struct call_state){i, import_free};
    return i;
}

/* Vault asks for a field of this name, which the endpoint does not have. */
#define MISSPELT_PUBLIC_KEY "publicKey"

static bool has(const struct vault_job *job, const char *name)
{
    return json_object_get(job->data, name) != NULL;
}

/* True when at most one kind of key was sent; says which. */
static bool read_kind(struct vault_job *job, bool *private_half)
{
    *private_half = has(job, "ciphertext");
    if (!*private_half || !has(job, MISSPELT_PUBLIC_KEY))
        return true;
    call_fault(job, "only one of the following fields, ciphertext and public_key, can be set");
    return false;
}

static void read_ciphertext(struct vault_job *job, struct import *i)
{
    struct slice hash_name = field_text(&job->fields, "hash_function");
    size_t bad_at = 0;
    i->hash = transit_key_oaep_hash(hash_name);
    if (i->hash == CRYPTO_HASH_NONE) {
        call_fail(job, 400, "unknown hash function: %.*s", SLICE_FMT(hash_name));
        return;
    }
    enum errc code =
        base64_parse(field_text(&job->fields, "ciphertext"), BASE64_STANDARD, &i->sealed, &bad_at);
    if (code == ERRC_SYNTAX)
        call_fault(job, "illegal base64 data at input byte %zu", bad_at);
    else if (code != ERRC_OK)
        job->no_memory = true;
    else if (i->sealed.len <= EPHEMERAL_BYTES)
        call_fault(job, "provided ciphertext is too short");
    else
        wrapping_prepare(job, &i->wrapping);
}

/* Reads what was sent into the import; answers when it cannot be. */
static void read_material(struct vault_job *job, struct import *i)
{
    const struct keyring_traits *traits = i->spec.traits;
    if (i->private_half)
        read_ciphertext(job, i);
    else if (!traits->signing)
        call_fault(job, "provided type does not support public_key import");
}

static enum errc check_wrapped(size_t len, struct errc_why *why)
{
    const char *wrong = len < KWP_BYTES_MIN   ? "kwp: wrapped key size too small"
                        : len > KWP_BYTES_MAX ? "kwp: wrapped key size too large"
                        : len % 8 != 0 ? "kwp: wrapped key size must be a multiple of 8 bytes"
                                       : NULL;
    return wrong == NULL ? ERRC_OK : errc_fail(why, ERRC_SYNTAX, "%s", wrong);
}

/* Opens the ciphertext: an AES key under RSA, and the key under that. */
static enum errc unseal(const struct vault_ports *ports, const struct import *i, struct secret *key,
                        struct errc_why *why)
{
    const struct crypto_key *wrapping = NULL;
    struct keyring_version *v = i->wrapping.version;
    struct secret ephemeral CLEANUP(secret_done) = {0};
    struct slice sealed = buf_slice(&i->sealed), wrapped = slice_from(sealed, EPHEMERAL_BYTES);
    TRY(keyring_version_key(v, &wrapping, why));
    TRY(v->ops->decrypt(wrapping, i->hash, (struct slice){sealed.ptr, EPHEMERAL_BYTES},
                        ports->arena, &ephemeral, why));
    if (ephemeral.len != CRYPTO_AEAD_KEY_BYTES)
        return errc_fail(why, ERRC_SYNTAX, "expected ephemeral AES key to be 256-bit");
    TRY(check_wrapped(wrapped.len, why));
    return ports->crypto->unwrap(ports->crypto->context, secret_slice(&ephemeral), wrapped,
                                 ports->arena, key, why);
}

static enum errc check_size(const struct keyring_traits *traits, size_t len, struct errc_why *why)
{
    bool fits = traits->crypto == CRYPTO_HMAC
                    ? len >= KEYRING_HMAC_BYTES_MIN && len <= KEYRING_HMAC_BYTES_MAX
                    : len == crypto_cipher_key_bytes(traits->crypto);
    return fits ? ERRC_OK
                : errc_fail(why, ERRC_SCHEMA, "invalid key size %zu bytes for key type %s", len,
                            traits->type);
}

/* PKCS#8 to what crypto.h says: an Ed25519 key gets its public half behind its seed. */
static enum errc parse_pair(const struct vault_ports *ports, const struct keyring_traits *traits,
                            struct slice pkcs8, struct secret *out, struct errc_why *why)
{
    struct keyform form CLEANUP(keyform_done) = {0};
    enum errc code = keyform_read_private(pkcs8, ports->arena, &form, why);
    if (code == ERRC_SYNTAX)
        errc_prefix(why, "error parsing asymmetric key");
    TRY(code);
    TRY(keyform_check(&form, traits->crypto, traits->type, why));
    if (form.kind == KEYFORM_ED25519)
        return ports->crypto->ed25519_expand(ports->crypto->context, secret_slice(&form.private),
                                             ports->arena, out, why);
    *out = form.private;
    form.private = (struct secret){0};
    return ERRC_OK;
}

/* Turns what was unsealed into a private half. */
static enum errc parse_private(const struct vault_ports *ports, const struct import *i,
                               struct slice key, struct secret *private, struct errc_why *why)
{
    const struct keyring_traits *traits = i->spec.traits;
    if (traits->signing)
        return parse_pair(ports, traits, key, private, why);
    TRY(check_size(traits, key.len, why));
    return secret_copy(ports->arena, key, private);
}

static enum errc make_version(const struct vault_ports *ports, struct import *i,
                              struct secret *private, struct slice public, struct errc_why *why)
{
    const struct crypto_key *key = NULL;
    struct secret hmac CLEANUP(secret_done) = {0};
    TRY(keyring_version_new(i->spec.traits, ports->crypto, ports->arena, private, public, &hmac,
                            i->created_ns, &i->version, why));
    i->version->public_given = true;
    return i->spec.traits->signing ? keyring_version_key(i->version, &key, why) : ERRC_OK;
}

static enum errc import_public(struct vault_job *job, struct import *i, struct errc_why *why)
{
    const struct keyring_traits *traits = i->spec.traits;
    struct keyform form CLEANUP(keyform_done) = {0};
    struct secret none = {0};
    if (i->spec.derived && traits->crypto == CRYPTO_ED25519)
        return errc_fail(why, ERRC_SCHEMA,
                         "unable to import only public key for derived Ed25519 key: imported key "
                         "should not be an Ed25519 key pair but is instead an HKDF key");
    TRY(keyform_read_public(field_text(&job->fields, "public_key"), &form, why));
    TRY(keyform_check(&form, traits->crypto, traits->type, why));
    return make_version(&job->vault->ports, i, &none, buf_slice(&form.public), why);
}

static enum errc import_private(struct vault_job *job, struct import *i, struct slice key,
                                struct errc_why *why)
{
    const struct vault_ports *ports = &job->vault->ports;
    struct secret private CLEANUP(secret_done) = {0};
    TRY(parse_private(ports, i, key, &private, why));
    return make_version(ports, i, &private, (struct slice){0}, why);
}

/* The failures of unsealing stand alone; those of the key itself are "error importing key" when the
 * keyring is new. */
static void import_work(struct vault_job *job, struct import *i)
{
    struct secret key CLEANUP(secret_done) = {0};
    if (i->private_half) {
        wrapping_work(job, &i->wrapping);
        i->code = i->wrapping.code;
        if (i->code == ERRC_OK)
            i->code = unseal(&job->vault->ports, i, &key, &i->why);
        if (i->code != ERRC_OK)
            return;
    }
    i->code = i->private_half ? import_private(job, i, secret_slice(&key), &i->why)
                              : import_public(job, i, &i->why);
    if (i->code != ERRC_OK && i->whole)
        errc_prefix(&i->why, "error importing key");
    if (i->code == ERRC_OK && i->spec.traits->crypto == CRYPTO_HMAC)
        i->spec.key_size = (uint32_t)i->version->private.len;
}

/* Stores the wrapping key, if one was made, and answers what went wrong. */
static bool settle(struct vault_job *job, struct import *i)
{
    struct errc_why why = {{0}};
    enum errc code = i->private_half ? wrapping_finish(job, &i->wrapping, &why) : ERRC_OK;
    if (code == ERRC_OK && i->code != ERRC_OK)
        code = errc_fail(&why, i->code, "%s", i->why.text);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    return code == ERRC_OK;
}

/* --- import ----------------------------------------------------------------------------------- */

static const struct keyring_traits *type_named(struct slice name)
{
    char lower[32];
    if (name.len >= sizeof lower)
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        lower[i] =
            (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 0x20 : name.ptr[i]);
    const struct keyring_traits *traits = keyring_traits_named(slice_bytes(lower, name.len));
    return traits == NULL || traits->hidden ? NULL : traits;
}

static bool check_import(struct vault_job *job, const struct keyring_traits *traits,
                         bool *private_half)
{
    const struct field_set *fields = &job->fields;
    if (has(job, "convergent_encryption"))
        call_fault(job, "import cannot be used on keys with convergent encryption enabled");
    else if (field_number(fields, "auto_rotate_period") > 0 &&
             !field_flag(fields, "allow_rotation"))
        call_fault(job, "allow_rotation must be set to true if auto-rotation is enabled");
    else if (!read_kind(job, private_half))
        return false;
    else if (traits == NULL)
        call_fail(job, 400, "unknown key type: %.*s", SLICE_FMT(field_text(fields, "type")));
    else if (transit_key(job) != NULL)
        call_fault(job, "the import path cannot be used with an existing key; use import-version "
                        "to rotate an existing imported key");
    return !call_answered(job);
}

void transit_key_import_prepare(struct vault_job *job)
{
    const struct field_set *fields = &job->fields;
    const struct keyring_traits *traits = type_named(field_text(fields, "type"));
    bool private_half = false;
    if (!check_import(job, traits, &private_half))
        return;
    struct import *i = import_new(job);
    if (i == NULL)
        return;
    i->private_half = private_half;
    i->whole = true;
    i->spec = (struct keyring_spec){
        .traits = traits,
        .derived = field_flag(fields, "derived"),
        .exportable = field_flag(fields, "exportable"),
        .allow_plaintext_backup = field_flag(fields, "allow_plaintext_backup"),
        .imported = true,
        .imported_rotation_allowed = field_flag(fields, "allow_rotation"),
        .auto_rotate_s = field_number(fields, "auto_rotate_period"),
    };
    read_material(job, i);
}

void transit_key_import_work(struct vault_job *job)
{
    import_work(job, job->state.ptr);
}

void transit_key_import_finish(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct import *i = job->state.ptr;
    struct errc_why why = {{0}};
    struct keyring *k = NULL;
    if (!settle(job, i))
        return;
    if (transit_key(job) != NULL) {
        call_fault(job, "the import path cannot be used with an existing key; use import-version "
                        "to rotate an existing imported key");
        return;
    }
    if (call_answered(job))
        return;
    enum errc code = keyring_create(&v->keyrings, &v->barrier, job->mount_uuid,
                                    call_capture(job, "name"), &i->spec, i->version, &k, &why);
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    i->version = NULL;
    call_empty(job);
}

/* --- import of a version ---------------------------------------------------------------------- */

static struct keyring *importable(struct vault_job *job)
{
    struct keyring *k = transit_key(job);
    if (call_answered(job))
        return NULL;
    if (k == NULL)
        call_fault(job,
                   "no key found with name %.*s; to import a new key, use the import/ endpoint",
                   SLICE_FMT(call_capture(job, "name")));
    else if (!k->imported)
        call_fault(job, "the import_version endpoint can only be used with an imported key");
    else if (k->convergent)
        call_fault(job, "import_version cannot be used on keys with convergent encryption enabled");
    return call_answered(job) ? NULL : k;
}

/* Answers when the version that the request names cannot be completed by what it brings. */
static bool updatable(struct vault_job *job, const struct keyring *k, int64_t number,
                      bool private_half)
{
    const struct keyring_version *v = keyring_version_of(k, number);
    const char *wrong =
        v == NULL             ? "no such key version"
        : !k->traits->signing ? "provided type does not support importing key versions"
        : v->private.len > 0  ? "private key imported, key version cannot be updated"
        : !private_half
            ? "cannot add a public key to a key version that already has a public key set"
            : NULL;
    if (wrong != NULL)
        call_fault(job, "%s", wrong);
    return wrong == NULL;
}

void transit_key_import_version_prepare(struct vault_job *job)
{
    bool private_half = false;
    const struct keyring *k = read_kind(job, &private_half) ? importable(job) : NULL;
    struct import *i = k == NULL ? NULL : import_new(job);
    if (i == NULL)
        return;
    const struct field_value *version = field_get(&job->fields, "version");
    i->private_half = private_half;
    i->spec = (struct keyring_spec){.traits = k->traits, .derived = k->derived};
    i->only_target = version->present;
    i->target = k->latest_version;
    read_material(job, i); /* after this, k may be gone from the cache */
    k = call_answered(job) || !i->only_target ? NULL : transit_key(job);
    if (k != NULL && updatable(job, k, version->number, private_half))
        i->target = (uint32_t)version->number;
}

void transit_key_import_version_work(struct vault_job *job)
{
    import_work(job, job->state.ptr);
}

/* True when the target has only the public half of what was sent. */
static bool completes(const struct keyring *k, const struct import *i)
{
    const struct keyring_version *target = keyring_version_of(k, i->target);
    return target != NULL && target->private.len == 0 && i->version->private.len > 0 &&
           slice_equal(buf_slice(&target->public), buf_slice(&i->version->public));
}

/* Puts the version with both halves in the place of the target, whose age and HMAC key it takes. */
static enum errc complete(struct vault_job *job, struct keyring *k, struct import *i,
                          struct errc_why *why)
{
    struct keyring_version **place = &k->versions[i->target - 1], *old = *place;
    struct secret hmac = {0};
    TRY(secret_copy(job->vault->ports.arena, secret_slice(&old->hmac), &hmac));
    secret_done(&i->version->hmac);
    i->version->hmac = hmac;
    i->version->created_ns = old->created_ns;
    *place = i->version;
    enum errc code = keyring_store(k, &job->vault->barrier, why);
    if (code == ERRC_OK)
        keyring_version_drop(old);
    else
        *place = old;
    return code;
}

static enum errc add_or_complete(struct vault_job *job, struct keyring *k, struct import *i,
                                 struct errc_why *why)
{
    if (completes(k, i))
        return complete(job, k, i, why);
    if (i->only_target)
        return errc_fail(why, ERRC_SCHEMA, "cannot import key, key pair does not match");
    return transit_key_append(job, k, true, i->version, why);
}

void transit_key_import_version_finish(struct vault_job *job)
{
    struct import *i = job->state.ptr;
    struct errc_why why = {{0}};
    struct keyring *k = settle(job, i) ? importable(job) : NULL;
    if (k == NULL)
        return;
    enum errc code = k->traits == i->spec.traits
                         ? add_or_complete(job, k, i, &why)
                         : errc_fail(&why, ERRC_STATE, "the key was replaced meanwhile");
    if (code != ERRC_OK) {
        call_trouble(job, code, &why);
        return;
    }
    i->version = NULL;
    call_empty(job);
}
