/*
 * keyform: keys in the shapes that people carry them in: PKCS#8, PKCS#1, SEC1, SPKI, PEM
 * (RFC 5958, 8017, 5915, 5280, 7468, 8410). How crypto.h has them is in the middle.
 *
 * Sentences are Go's, as Vault passes them on (vault-api.md 4.18).
 */
#pragma once

#include "base/secret.h"
#include "base/text/buf.h"
#include "fakevault/core/crypto.h"

#define KEYFORM_BYTES_MAX 4096u /* any of them: PKCS#8 of RSA-4096 has 2375 */

enum keyform_kind {
    KEYFORM_RSA,
    KEYFORM_EC,
    KEYFORM_ED25519,
};

/* A key out of a container. */
struct keyform {
    enum keyform_kind kind;
    const char *curve;     /* KEYFORM_EC: "P-256" */
    size_t bytes;          /* KEYFORM_RSA: of the modulus */
    struct secret private; /* empty: a public key. An Ed25519 key has only its seed */
    struct buf public;     /* of a public key: as crypto.h says */
};

/* Frees and wipes; a zeroed one is fine. Fits CLEANUP. */
void keyform_done(struct keyform *f);

/* Reads PKCS#8. ERRC_SYNTAX, ERRC_NOMEM. */
MUST_USE enum errc keyform_read_private(struct slice pkcs8, struct secret_arena *arena,
                                        struct keyform *out, struct errc_why *why);

/* Reads SPKI in PEM. ERRC_SYNTAX, ERRC_NOMEM. */
MUST_USE enum errc keyform_read_public(struct slice pem, struct keyform *out, struct errc_why *why);

/* ERRC_SCHEMA when a key is none of this type; `wanted` is the type's name. */
MUST_USE enum errc keyform_check(const struct keyform *f, enum crypto_key_type type,
                                 const char *wanted, struct errc_why *why);

/* Each writes into arena memory, *out, which the caller ends. `public` is what crypto.h says.
 * ERRC_NOMEM. */
MUST_USE enum errc keyform_write_pkcs8(enum crypto_key_type type, struct slice private,
                                       struct slice public, struct secret_arena *arena,
                                       struct secret *out);
MUST_USE enum errc keyform_write_sec1(enum crypto_key_type type, struct slice private,
                                      struct slice public, struct secret_arena *arena,
                                      struct secret *out);

/* The numbers of an RSA key, big-endian. `of` borrows from PKCS#1; false when it is none. */
enum keyform_rsa_part {
    KEYFORM_RSA_N,
    KEYFORM_RSA_E,
    KEYFORM_RSA_D,
    KEYFORM_RSA_P,
    KEYFORM_RSA_Q,
    KEYFORM_RSA_DP,
    KEYFORM_RSA_DQ,
    KEYFORM_RSA_QINV,
    KEYFORM_RSA_PARTS,
};
struct keyform_rsa {
    struct slice of[KEYFORM_RSA_PARTS];
};
bool keyform_rsa_private(struct slice pkcs1, struct keyform_rsa *out);
bool keyform_rsa_public(struct slice spki, struct keyform_rsa *out); /* n and e only */
MUST_USE enum errc keyform_write_pkcs1(const struct keyform_rsa *rsa, struct secret_arena *arena,
                                       struct secret *out);
MUST_USE enum errc keyform_write_rsa_spki(const struct keyform_rsa *rsa, struct buf *out);

/* Width of a scalar and of a coordinate; 0 for other types. */
size_t keyform_curve_bytes(enum crypto_key_type type);

/* The two coordinates at the end of an EC key's SPKI. */
struct slice keyform_point(struct slice spki, enum crypto_key_type type);

/* Appends PEM: lines of 64 characters between BEGIN and END; and reads the first block, whatever it
 * is called. ERRC_SYNTAX: there is none. */
void keyform_write_pem(const char *label, struct slice der, struct buf *out);
MUST_USE enum errc keyform_read_pem(struct slice pem, struct buf *der);
