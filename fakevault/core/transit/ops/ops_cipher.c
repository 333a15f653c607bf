#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/ops/ops.h"

#define NO_VERSION "no such key version"
#define NO_CONTEXT                                                                                 \
    "missing 'context' for key derivation; the key was created using a derived key, which means "  \
    "additional, per-request information must be included in order to perform operations with "    \
    "the key"
#define NO_NONCE "nonce provided when not allowed"
#define DERIVED_HMAC_BYTES 32u /* of a convergent key, behind the key that encrypts */

bool ops_cipher_contexts(struct vault_job *job, const struct ops_list *list)
{
    bool set = list->items[0].member[OPS_CONTEXT].len > 0;
    for (size_t i = 1; i < list->count; i++) {
        if ((list->items[i].member[OPS_CONTEXT].len > 0) == set)
            continue;
        call_fail(job, 400, "context should be set either in all the request blocks or in none");
        return false;
    }
    return true;
}

void ops_cipher_nonces(struct vault_job *job, struct ops_list *list)
{
    const struct entropy *entropy = &job->vault->ports.entropy;
    list->nonces = calloc(list->count, sizeof *list->nonces);
    if (list->nonces == NULL)
        job->no_memory = true;
    else
        entropy->fill(entropy->context, list->nonces, list->count * sizeof *list->nonces);
}

void ops_cipher_parts_init(struct ops_cipher_parts *parts)
{
    buf_init(&parts->context, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&parts->nonce, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&parts->associated_data, LIMIT_REQUEST_BODY_BYTES);
}

void ops_cipher_parts_done(struct ops_cipher_parts *parts)
{
    buf_done(&parts->context);
    buf_done(&parts->nonce);
    buf_done(&parts->associated_data);
}

bool ops_cipher_read(struct vault_job *job, struct ops_item *item, struct ops_cipher_parts *parts)
{
    return ops_list_decode(job, item, OPS_USER, "", item->member[OPS_CONTEXT], &parts->context) &&
           ops_list_decode(job, item, OPS_USER, "", item->member[OPS_NONCE], &parts->nonce);
}

bool ops_cipher_takes_data(struct vault_job *job, const struct ops_list *list,
                           struct ops_item *item)
{
    const struct keyring_traits *traits = list->key.traits;
    if (item->member[OPS_ASSOCIATED_DATA].len == 0 || traits->associated_data)
        return true;
    ops_list_failf(job, item, OPS_NOBODY,
                   "'[%td].associated_data' provided for non-AEAD cipher suite %s",
                   item - list->items, traits->type);
    return false;
}

bool ops_cipher_takes_nonce(const struct ops_list *list, struct ops_item *item)
{
    bool by_client = list->key.convergent && list->key.convergent_version == 1;
    if (item->member[OPS_NONCE].len == 0 || by_client)
        return true;
    ops_list_fail(item, OPS_USER, "provided nonce not allowed for this key");
    return false;
}

static bool fail(struct ops_item *item, enum ops_blame blame, const char *text)
{
    ops_list_fail(item, blame, text);
    return false;
}

/* What the crypto port could not do, as the user's fault or our own. */
static bool fail_with(struct vault_job *job, struct ops_item *item, enum ops_blame blame,
                      const char *before, enum errc code, const struct errc_why *why)
{
    job->no_memory = job->no_memory || code == ERRC_NOMEM;
    ops_list_failf(job, item, blame, "%s%s", before, why->text);
    return false;
}

/* --- keys ---------------------------------------------------------------------------------------
 */

bool ops_cipher_derive(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                       const struct keyring_version *version, struct slice context, size_t len,
                       struct secret *out)
{
    struct errc_why why = {{0}};
    if (context.len == 0)
        return fail(item, OPS_USER, NO_CONTEXT);
    if (version == NULL)
        return fail(item, OPS_USER, NO_VERSION);
    enum errc code = keyring_version_derive(version, list->key.kdf, context, len,
                                            job->vault->ports.arena, out, &why);
    return code == ERRC_OK || fail_with(job, item, OPS_INTERNAL, "", code, &why);
}

/* The key itself, or what is derived of it: the cipher's key, and `more` bytes behind it. `made`
 * holds what had to be made. */
static bool find_key(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     const struct keyring_version *version, struct slice context, size_t more,
                     struct secret *made, struct slice *key)
{
    size_t size = crypto_cipher_key_bytes(list->key.traits->crypto);
    if (list->key.derived) {
        if (!ops_cipher_derive(job, list, item, version, context, size + more, made))
            return false;
        *key = secret_slice(made);
    } else if (version == NULL) {
        return fail(item, OPS_USER, NO_VERSION);
    } else {
        *key = secret_slice(&version->private);
    }
    return key->len >= size + more ||
           fail(item, OPS_INTERNAL, "could not derive key, length too small");
}

static bool read_data(struct vault_job *job, struct ops_item *item, struct ops_cipher_parts *parts)
{
    return ops_list_decode(job, item, OPS_INTERNAL,
                           "unable to get associated_data/additional_data from factory[0]: ",
                           item->member[OPS_ASSOCIATED_DATA], &parts->associated_data);
}

static int convergent_version(const struct ops_key *key, const struct keyring_version *version)
{
    if (!key->convergent)
        return 0;
    return version != NULL && version->convergent_version != 0 ? version->convergent_version
                                                               : key->convergent_version;
}

/* --- encryption ---------------------------------------------------------------------------------
 */

static bool check_number(const struct ops_key *key, struct ops_item *item)
{
    int64_t wanted = item->wanted_version;
    if (wanted == 0)
        return true;
    if (wanted < 0)
        return fail(item, OPS_USER, "requested version for encryption is negative");
    if (wanted > key->latest_version)
        return fail(item, OPS_USER,
                    "requested version for encryption is higher than the latest key version");
    return wanted >= key->min_encryption_version ||
           fail(item, OPS_USER,
                "requested version for encryption is less than the minimum encryption key version");
}

/* The nonce of a convergent key follows from what it encrypts. */
static bool converge(struct vault_job *job, struct ops_item *item, int version, struct slice key,
                     struct slice plain, uint8_t *nonce)
{
    const struct crypto *crypto = job->vault->ports.crypto;
    uint8_t sum[CRYPTO_HASH_BYTES_MAX];
    struct errc_why why = {{0}};
    size_t len;
    if (version != 2 && version != KEYRING_CONVERGENT_VERSION) {
        ops_list_failf(job, item, OPS_INTERNAL, "unhandled convergent version %d", version);
        return false;
    }
    enum errc code =
        crypto->hmac(crypto->context, CRYPTO_HASH_SHA2_256, key, plain, sum, &len, &why);
    memcpy(nonce, sum, CRYPTO_AEAD_NONCE_BYTES);
    return code == ERRC_OK || fail_with(job, item, OPS_INTERNAL, "", code, &why);
}

static void seal_with(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                      struct ops_cipher_parts *parts, struct slice key, const uint8_t *nonce,
                      struct slice plain, struct buf *sealed)
{
    const struct crypto *crypto = job->vault->ports.crypto;
    struct errc_why why = {{0}};
    buf_add(sealed, nonce, CRYPTO_AEAD_NONCE_BYTES);
    enum errc code = crypto->aead_seal(crypto->context, list->key.traits->crypto, key, nonce,
                                       buf_slice(&parts->associated_data), plain, sealed, &why);
    if (code != ERRC_OK)
        (void)fail_with(job, item, OPS_INTERNAL, "", code, &why);
}

static void seal_symmetric(struct vault_job *job, const struct ops_list *list,
                           struct ops_item *item, struct ops_cipher_parts *parts,
                           struct slice plain, struct buf *sealed)
{
    struct secret made CLEANUP(secret_done) = {0};
    size_t size = crypto_cipher_key_bytes(list->key.traits->crypto);
    int version = convergent_version(&list->key, item->sealing);
    struct slice key, context = buf_slice(&parts->context);
    if (parts->nonce.len > 0) {
        ops_list_fail(item, OPS_USER, NO_NONCE);
        return;
    }
    if (!find_key(job, list, item, item->sealing, context, version > 2 ? DERIVED_HMAC_BYTES : 0,
                  &made, &key) ||
        !read_data(job, item, parts))
        return;
    uint8_t *nonce = list->nonces[item - list->items];
    struct slice hmac_key = version > 2 ? slice_from(key, size) : context;
    if (version != 0 && !converge(job, item, version, hmac_key, plain, nonce))
        return;
    seal_with(job, list, item, parts, (struct slice){key.ptr, size}, nonce, plain, sealed);
}

static void seal_rsa(struct vault_job *job, struct ops_item *item, struct slice plain,
                     struct buf *sealed)
{
    struct keyring_version *version = item->sealing;
    const struct crypto_key *key = NULL;
    struct errc_why why = {{0}};
    if (version == NULL) {
        ops_list_fail(item, OPS_USER, NO_VERSION);
        return;
    }
    enum errc code = keyring_version_key(version, &key, &why);
    if (code == ERRC_OK)
        code = version->ops->encrypt(key, CRYPTO_HASH_SHA2_256, plain, sealed, &why);
    if (code != ERRC_OK)
        (void)fail_with(job, item, OPS_INTERNAL, "failed to RSA encrypt the plaintext: ", code,
                        &why);
}

static bool encrypts(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     const char *what)
{
    if (list->key.traits->encryption)
        return true;
    ops_list_failf(job, item, OPS_USER, "message %s not supported for key type %s", what,
                   list->key.traits->type);
    return false;
}

void ops_cipher_seal(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     struct ops_cipher_parts *parts, struct slice plain)
{
    struct buf sealed CLEANUP(buf_done);
    buf_init(&sealed, LIMIT_REQUEST_BODY_BYTES);
    if (!encrypts(job, list, item, "encryption") || !check_number(&list->key, item))
        return;
    if (list->key.traits->crypto < CRYPTO_CIPHER_COUNT)
        seal_symmetric(job, list, item, parts, plain, &sealed);
    else
        seal_rsa(job, item, plain, &sealed);
    uint32_t number =
        item->wanted_version == 0 ? list->key.latest_version : (uint32_t)item->wanted_version;
    if (item->error == NULL)
        ops_list_output(job, item, number, buf_slice(&sealed), BASE64_STANDARD);
}

/* --- decryption ---------------------------------------------------------------------------------
 */

static const struct ops_cut_texts cut_texts = {
    .prefix = "invalid ciphertext: no prefix",
    .fields = "invalid ciphertext: wrong number of fields",
    .number = "invalid ciphertext: version number could not be decoded",
};

void ops_cipher_take(const struct keyring *k, struct ops_item *item)
{
    int64_t number;
    struct slice rest;
    if (ops_list_cut(item->member[OPS_CIPHERTEXT], &cut_texts, &number, &rest) == NULL)
        item->version = ops_list_take(k, number == 0 ? 1 : number);
}

/* Checks the ciphertext's head and decodes its rest. */
static bool unpack(struct vault_job *job, const struct ops_key *key, struct ops_item *item,
                   struct buf *sealed)
{
    int64_t number;
    struct slice rest;
    const char *wrong = ops_list_cut(item->member[OPS_CIPHERTEXT], &cut_texts, &number, &rest);
    if (wrong != NULL)
        return fail(item, OPS_USER, wrong);
    number = number == 0 ? 1 : number;
    if (number > key->latest_version)
        return fail(item, OPS_USER, "invalid ciphertext: version is too new");
    if (number < key->min_decryption_version)
        return fail(item, OPS_USER, OPS_TOO_OLD);
    enum errc code = base64_parse(rest, BASE64_STANDARD, sealed, NULL);
    job->no_memory = job->no_memory || (code != ERRC_OK && code != ERRC_SYNTAX);
    return code == ERRC_OK || fail(item, OPS_USER, "invalid ciphertext: could not decode base64");
}

static bool open_symmetric(struct vault_job *job, const struct ops_list *list,
                           struct ops_item *item, struct ops_cipher_parts *parts,
                           struct slice sealed, struct buf *plain)
{
    const struct crypto *crypto = job->vault->ports.crypto;
    struct secret made CLEANUP(secret_done) = {0};
    struct errc_why why = {{0}};
    struct slice key;
    if (!find_key(job, list, item, item->version, buf_slice(&parts->context), 0, &made, &key) ||
        !read_data(job, item, parts))
        return false;
    if (sealed.len < CRYPTO_AEAD_NONCE_BYTES)
        return fail(item, OPS_USER, "invalid ciphertext length");
    struct slice body = slice_from(sealed, CRYPTO_AEAD_NONCE_BYTES);
    size_t len = body.len < CRYPTO_AEAD_TAG_BYTES ? 0 : body.len - CRYPTO_AEAD_TAG_BYTES;
    char *room = buf_reserve(plain, len);
    if (room == NULL)
        return !(job->no_memory = true);
    enum errc code = crypto->aead_open(
        crypto->context, list->key.traits->crypto, key, (const uint8_t *)sealed.ptr,
        buf_slice(&parts->associated_data), body, (uint8_t *)room, &why);
    if (code != ERRC_OK)
        return fail_with(job, item, OPS_USER, "", code, &why);
    buf_commit(plain, len);
    return true;
}

static bool open_rsa(struct vault_job *job, struct ops_item *item, struct slice sealed,
                     struct buf *plain)
{
    struct keyring_version *version = item->version;
    struct secret opened CLEANUP(secret_done) = {0};
    const struct crypto_key *key = NULL;
    struct errc_why why = {{0}};
    if (version == NULL)
        return fail(item, OPS_USER, NO_VERSION);
    if (version->private.len == 0)
        return fail(item, OPS_INTERNAL,
                    "cannot decrypt ciphertext, key version does not have a private counterpart");
    enum errc code = keyring_version_key(version, &key, &why);
    if (code == ERRC_OK)
        code = version->ops->decrypt(key, CRYPTO_HASH_SHA2_256, sealed, job->vault->ports.arena,
                                     &opened, &why);
    if (code != ERRC_OK)
        return fail_with(job, item, OPS_INTERNAL, "failed to RSA decrypt the ciphertext: ", code,
                         &why);
    buf_add_slice(plain, secret_slice(&opened));
    return true;
}

bool ops_cipher_open(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     struct ops_cipher_parts *parts, struct buf *plain)
{
    struct buf sealed CLEANUP(buf_done);
    buf_init(&sealed, LIMIT_REQUEST_BODY_BYTES);
    if (!encrypts(job, list, item, "decryption") || !unpack(job, &list->key, item, &sealed))
        return false;
    bool good = list->key.traits->crypto < CRYPTO_CIPHER_COUNT
                    ? open_symmetric(job, list, item, parts, buf_slice(&sealed), plain)
                    : open_rsa(job, item, buf_slice(&sealed), plain);
    job->no_memory = job->no_memory || plain->failed;
    return good && !plain->failed;
}
