/*
 * transit: the endpoints of the transit engine (vault-api.md 4) that use keys. One file per group;
 * the table is in transit.c. Those that make and change keys: keys/transit_key.h.
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/transit/keys/keyring.h"

/* ops/transit_sign.c, ops/transit_verify.c */
extern const struct field_spec transit_sign_fields[];
extern const struct field_spec transit_verify_fields[];
void transit_sign_prepare(struct vault_job *job);
void transit_sign_work(struct vault_job *job);
void transit_sign_finish(struct vault_job *job);
void transit_verify_prepare(struct vault_job *job);
void transit_verify_work(struct vault_job *job);
void transit_verify_finish(struct vault_job *job);

/* Finds the key that the path names. NULL: not there (not answered), or trouble (answered). */
struct keyring *transit_key(struct vault_job *job);

/* Reads hash_algorithm, marshaling_algorithm, prehashed; answers and returns false when they are
 * wrong. */
bool transit_scheme_read(struct vault_job *job, struct crypto_scheme *out);

/* One message of a sign or verify request; a request without a batch has one. */
struct transit_item {
    const char *error; /* NULL while all is well; static, or owned_error */
    char *owned_error;
    struct slice reference;
    struct buf input;
    struct slice signature;          /* to verify; as sent */
    struct buf decoded;              /* to verify; without "vault:vN:" */
    struct keyring_version *version; /* one reference */
    uint32_t number;                 /* of the version */
    struct buf output;               /* of sign: the raw signature */
    enum crypto_verdict verdict;
    enum errc failed; /* of the port */
    bool fault;       /* the error is a 500 outside of a batch */
};

struct transit_items {
    struct transit_item *items;
    size_t count;
    bool batch;
    struct crypto_scheme scheme;
};

/* Makes the items of a request: the batch, or one of `input`; the job owns them as its state.
 * Answers and returns NULL when the batch is wrong or memory is short. */
struct transit_items *transit_items_new(struct vault_job *job);

/* Decodes an item's input out of base64 into item->input. `present`: the request has one. */
void transit_item_decode(struct vault_job *job, struct transit_item *item, const json_t *source);

/* Sets an item's error from a format. */
void transit_item_fail(struct vault_job *job, struct transit_item *item, const char *format, ...)
    PRINTF_LIKE(3, 4);
