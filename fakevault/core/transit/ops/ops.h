/*
 * ops: what is done with transit keys: encrypt, decrypt, rewrap, datakey, sign, verify, hmac
 * (vault-api.md 4.5 to 4.14), each for one item or for a batch of them.
 *
 * All are the same steps, told apart by a `struct ops_kind`:
 *
 *     prepare  under the lock: options, key and items are read in the operation's own order, as a
 *              client is told the first thing that is wrong; each item takes references to the
 *              versions of the key that it needs
 *     work     without the lock: kind->work for each item that is still good; then the answer, with
 *              one item as `data` itself, a batch as `batch_results`
 *     finish   only for what changes the vault: encrypt, when it has made a key
 *
 * What goes wrong with an item stays with the item; its blame says what becomes of it outside of a
 * batch. A new operation is a row in ops.c, an ops_kind, and the functions in them.
 */
#pragma once

#include "base/text/base64.h"
#include "fakevault/core/call.h"
#include "fakevault/core/transit/keyring/keyring.h"

#define OPS_TOO_OLD "ciphertext or signature version is disallowed by policy (too old)"
#define OPS_SIGNATURE_BYTES 1024u /* room for any raw signature */

/* Members of an item that are text; base64, but for ciphertext, signature, hmac and reference. */
enum ops_member {
    OPS_INPUT,
    OPS_PLAINTEXT,
    OPS_CIPHERTEXT,
    OPS_SIGNATURE,
    OPS_HMAC,
    OPS_CONTEXT,
    OPS_NONCE,
    OPS_ASSOCIATED_DATA,
    OPS_REFERENCE,
    OPS_MEMBER_COUNT,
};

enum ops_blame {
    OPS_USER,     /* 400, with the text alone */
    OPS_INTERNAL, /* 500, wrapped as a Go error */
    OPS_NOBODY,   /* as OPS_USER; but in a batch it does not count as a failure */
};

struct ops_item {
    struct slice member[OPS_MEMBER_COUNT]; /* borrowed from the request */
    unsigned sent;                         /* bits of the members that are there, empty ones too */
    int64_t wanted_version;                /* to encrypt or sign with, as sent; 0: the latest */

    struct keyring_version *version; /* a reference, to open or sign with; NULL: there is none */
    struct keyring_version *sealing; /* a reference, to encrypt with; NULL: there is none */
    uint32_t number;                 /* of the version that the result is of */

    struct buf output; /* the result as it is written: "vault:v1:...", or base64 */
    struct buf extra;  /* in base64: the public half of a derived signing key; a data key */
    bool valid;        /* of verify */

    const char *error; /* NULL while all is well; static, or owned_error */
    char *owned_error;
    enum ops_blame blame;
};

/* What is known of the key without the lock. */
struct ops_key {
    const struct keyring_traits *traits;
    uint32_t latest_version;
    uint32_t min_decryption_version;
    uint32_t min_encryption_version;
    bool derived;
    bool convergent;
    int convergent_version; /* of versions that have none of their own */
    enum keyring_kdf kdf;
};

/* How the items of a batch are read; errors have the words of what Vault reads them with. */
enum ops_reading {
    OPS_STRICT, /* encrypt, decrypt: exact types, one member is mandatory */
    OPS_STRUCT, /* rewrap: mapstructure into a struct; names in any case */
    OPS_MAP,    /* sign, verify, hmac: mapstructure into a map of strings */
};

struct ops_list;

struct ops_kind {
    enum ops_reading reading;
    enum ops_member main;  /* the member that the operation works on */
    const char *mandatory; /* OPS_STRICT: what is said when `main` is not there */
    bool fails;            /* a failed item gives its batch the status 400 or 500 */
    bool stops;            /* an internal error of one item fails its batch */

    /* Without the lock: makes output or valid, or fails the item. */
    void (*work)(struct vault_job *job, struct ops_list *list, struct ops_item *item);

    /* Writes the members of the result; a batch has them in another order than one item alone, and
     * some also of failed items. */
    void (*write)(const struct ops_list *list, const struct ops_item *item, struct jsonwrite *w);
};

struct ops_list {
    const struct ops_kind *kind;
    struct ops_item *items; /* `one`, or owned */
    size_t count;
    bool batch;
    struct ops_key key;
    struct crypto_scheme scheme; /* of sign and verify */
    bool padding_unknown;        /* signature_algorithm is none that there is */
    enum crypto_hash hash;       /* of hmac */
    struct ops_upsert *upsert;   /* encrypt: the key that is made on the way; owned */
    uint8_t (*nonces)[CRYPTO_AEAD_NONCE_BYTES]; /* one for each item; owned */
    struct ops_item one;
};

/* --- lists and items, ops_list.c ---------------------------------------------------------------
 */

/* Makes a list, which the job owns as its state. NULL: out of memory, which is noted. */
struct ops_list *ops_list_new(struct vault_job *job, const struct ops_kind *kind);

/* Notes what is to be known of a key. */
void ops_list_know(struct ops_list *list, const struct keyring *k);

/* Finds the key of the path and notes it. NULL: answered; with a 400 of `missing` when there is no
 * such key. */
struct keyring *ops_list_key(struct vault_job *job, struct ops_list *list, const char *missing);

/* A reference to the version with this number, 0 is the latest; NULL: there is none. */
struct keyring_version *ops_list_take(const struct keyring *k, int64_t number);

/* Fails an item: with a static text, or with one that is printed. */
void ops_list_fail(struct ops_item *item, enum ops_blame blame, const char *text);
void ops_list_failf(struct vault_job *job, struct ops_item *item, enum ops_blame blame,
                    const char *format, ...) PRINTF_LIKE(4, 5);

/* Fails an item with what the crypto port says; out of memory is noted with the job. */
void ops_list_trouble(struct vault_job *job, struct ops_item *item, enum ops_blame blame,
                      enum errc code, const struct errc_why *why);

/* Makes an item as it was before prepare took versions for it. */
void ops_list_reset(struct ops_item *item);

/* Decodes base64 into `out`, which is empty. False: the item failed, with `before` and Go's
 * sentence. */
bool ops_list_decode(struct vault_job *job, struct ops_item *item, enum ops_blame blame,
                     const char *before, struct slice text, struct buf *out);

/* Cuts "vault:v1:abcd" into version and rest. Returns NULL, or which part is wrong: one of the
 * texts. */
struct ops_cut_texts {
    const char *prefix, *fields, *number;
};
const char *ops_list_cut(struct slice text, const struct ops_cut_texts *texts, int64_t *version,
                         struct slice *rest);

/* Writes "vault:v1:" and base64 into item->output. */
void ops_list_output(struct vault_job *job, struct ops_item *item, uint32_t version,
                     struct slice bytes, enum base64_alphabet alphabet);

/* Works on all items; answers with what became of them; both in a row. None needs the lock. */
void ops_list_work(struct vault_job *job);
void ops_list_finish(struct vault_job *job);
void ops_list_run(struct vault_job *job);

/* --- batches, ops_batch.c ----------------------------------------------------------------------
 */

/* Reads batch_input into list->items; without one, the fields into the one item. False: answered,
 * or out of memory, which is noted. */
bool ops_batch_read(struct vault_job *job, struct ops_list *list);

/* Reads the fields into the one item, where there are no batches. */
void ops_batch_single(const struct vault_job *job, struct ops_list *list);

/* True when the item has the member, be it empty. */
static inline bool ops_has(const struct ops_item *item, enum ops_member member)
{
    return (item->sent & 1u << member) != 0;
}

/* --- sealing and opening, ops_cipher.c ---------------------------------------------------------
 */

/* Some items have a context and some have none: false, answered. */
bool ops_cipher_contexts(struct vault_job *job, const struct ops_list *list);

/* Draws the nonces of all items, under the lock; out of memory is noted. */
void ops_cipher_nonces(struct vault_job *job, struct ops_list *list);

/* The key that an item is worked on with: of the version, or derived from it. */
struct ops_cipher_parts {
    struct buf context, nonce, associated_data; /* decoded */
};
void ops_cipher_parts_init(struct ops_cipher_parts *parts);
void ops_cipher_parts_done(struct ops_cipher_parts *parts); /* fits CLEANUP */

/* Decodes context and nonce. False: the item failed. */
bool ops_cipher_read(struct vault_job *job, struct ops_item *item, struct ops_cipher_parts *parts);

/* Associated data for a key that takes none, or a nonce, which no key of today takes: false, the
 * item failed. */
bool ops_cipher_takes_data(struct vault_job *job, const struct ops_list *list,
                           struct ops_item *item);
bool ops_cipher_takes_nonce(const struct ops_list *list, struct ops_item *item);

/* Encrypts `plain` with item->sealing into item->output, or fails the item. */
void ops_cipher_seal(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     struct ops_cipher_parts *parts, struct slice plain);

/* Decrypts the item's ciphertext with item->version into `plain`, which is empty. False: the item
 * failed. */
bool ops_cipher_open(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     struct ops_cipher_parts *parts, struct buf *plain);

/* Takes the version that a ciphertext names, when there is one. */
void ops_cipher_take(const struct keyring *k, struct ops_item *item);

/* Derives a key for a context; for ed25519 its private half. False: the item failed, with `before`
 * and what is wrong. */
bool ops_cipher_derive(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                       const struct keyring_version *version, struct slice context, size_t len,
                       struct secret *out);

/* --- how to sign, ops_scheme.c -----------------------------------------------------------------
 */

/* The algorithm of the path, or else of a field. */
struct slice ops_scheme_algorithm(const struct vault_job *job, const char *field);

/* Looks up a hash by Vault's name. */
bool ops_scheme_hash(struct slice name, enum crypto_hash *out);

/* Reads the options of sign and verify; false: answered. */
bool ops_scheme_read(struct vault_job *job, struct crypto_scheme *out);

/* Checks them against the key; false: answered. `does` is "signing" or "verification". */
bool ops_scheme_check(struct vault_job *job, struct ops_list *list, const char *does);

/* False: the padding is unknown and matters to the key; the item failed. */
bool ops_scheme_padding(struct vault_job *job, const struct ops_list *list, struct ops_item *item);

/* Decodes the message, or the context, of an item. False: the item failed. */
bool ops_scheme_message(struct vault_job *job, struct ops_item *item, const char *missing,
                        struct buf *out);
bool ops_scheme_context(struct vault_job *job, struct ops_item *item, struct buf *out);

/* The key that an item is signed or verified with: its version's, or one derived from it. */
struct ops_scheme_signer {
    const struct crypto_key *key;
    struct crypto_key *derived; /* to be unloaded; NULL: the key is the version's */
    const struct crypto_key_ops *ops;
    struct secret private;
};

/* False: the item failed. */
bool ops_scheme_load(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                     struct slice context, struct ops_scheme_signer *out);
void ops_scheme_unload(struct ops_scheme_signer *signer); /* fits CLEANUP; zeroed is fine */

/* --- endpoints ----------------------------------------------------------------------------------
 */

extern const struct field_spec ops_encrypt_fields[], ops_decrypt_fields[], ops_rewrap_fields[],
    ops_datakey_fields[], ops_sign_fields[], ops_verify_fields[], ops_hmac_fields[];
bool ops_encrypt_exists(struct vault_job *job);
void ops_encrypt_prepare(struct vault_job *job);
void ops_encrypt_work(struct vault_job *job);
void ops_encrypt_finish(struct vault_job *job);
void ops_decrypt_prepare(struct vault_job *job);
void ops_rewrap_prepare(struct vault_job *job);
void ops_datakey_prepare(struct vault_job *job);
void ops_sign_prepare(struct vault_job *job);
void ops_verify_prepare(struct vault_job *job);
void ops_hmac_prepare(struct vault_job *job);

/* Writes ciphertext and key_version. */
void ops_encrypt_write(const struct ops_list *list, const struct ops_item *item,
                       struct jsonwrite *w);

/* Frees what an upsert left. NULL allowed. */
void ops_encrypt_drop(struct ops_upsert *upsert);

/* verify of an hmac: behind the reading of the items. */
void ops_hmac_verify(struct vault_job *job, struct ops_list *list);
