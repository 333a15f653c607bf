/*
 * keyport: the port to the two signature schemes, and what a public key is here.
 *
 * A key is known by its SPKI DER and by nothing else: not by name, not by version
 * (failures.md 0, item 9). The scheme follows from the key, never from a message
 * (failures.md S17).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

enum keyport_kind {
    KEYPORT_ECDSA_P256, /* DER signature over SHA-256 of the message */
    KEYPORT_ED25519,    /* 64 bytes over the message */
};

#define KEYPORT_SPKI_BYTES 128       /* P-256 has 91, Ed25519 has 44 */
#define KEYPORT_FINGERPRINT_BYTES 72 /* "sha256:" and 64 hex digits, with the NUL */
#define KEYPORT_SEED_BYTES 32
#define KEYPORT_ED25519_BYTES 64

struct keyport_public {
    enum keyport_kind kind;
    uint8_t spki[KEYPORT_SPKI_BYTES];
    size_t spki_len;
    char fingerprint[KEYPORT_FINGERPRINT_BYTES];
};

struct keyport {
    /* Reads a PEM "PUBLIC KEY". ERRC_SYNTAX, or ERRC_SCHEMA for a kind other than ours. */
    enum errc (*read_pem)(void *context, struct slice pem, struct keyport_public *out,
                          struct errc_why *why);
    /* ERRC_OK only when the signature is the key's over the message; else ERRC_CRYPTO. */
    enum errc (*verify)(void *context, const struct keyport_public *key, struct slice message,
                        struct slice signature, struct errc_why *why);
    /* Derives the public key of an Ed25519 seed (KEYPORT_SEED_BYTES). ERRC_CRYPTO. */
    enum errc (*seed_public)(void *context, struct slice seed, struct keyport_public *out,
                             struct errc_why *why);
    /* Signs with an Ed25519 seed. ERRC_CRYPTO. */
    enum errc (*seed_sign)(void *context, struct slice seed, struct slice message,
                           uint8_t out[KEYPORT_ED25519_BYTES], struct errc_why *why);
    void *context;
};

/* Makes a key from its SPKI DER: recognises the kind and fills the fingerprint. ERRC_SCHEMA when
 * it is neither kind. */
MUST_USE enum errc keyport_from_spki(struct slice spki, struct keyport_public *out,
                                     struct errc_why *why);

/* Appends the key as PEM, ending with a newline. */
void keyport_format_pem(const struct keyport_public *key, struct buf *out);

/* Appends "vault:vN:BASE64" or "ed25519:BASE64" (version is for the first only). */
void keyport_format_signature(enum keyport_kind kind, int64_t version, struct slice raw,
                              struct buf *out);

/* Reads such a text into raw bytes. *version is 0 for ed25519. ERRC_SYNTAX. */
MUST_USE enum errc keyport_parse_signature(struct slice text, enum keyport_kind *kind,
                                           int64_t *version, struct buf *raw, struct errc_why *why);
