/*
 * trust: which public keys a signature may be made with.
 *
 *     {"version":1,
 *      "vault":{"key":"docugen-manifest","keyVersion":1,"fingerprint":"sha256:...",
 *               "publicKey":"-----BEGIN PUBLIC KEY-----...","acceptedAt":"..."},
 *      "retired":[ the same, oldest first ],
 *      "fallback":[{"fingerprint","publicKey","acceptedAt"}]}
 *
 * `vault` is the pin: the only key that new signatures are asked of. Keys that were pinned before
 * stay under `retired`, and public halves of fallback keys under `fallback`, so that every bundle
 * ever made can be verified without Vault (failures.md S11, S12). Only `signer trust accept`
 * writes the file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/limits.h"
#include "base/text/buf.h"
#include "signer/core/keys/keyport.h"

#define TRUST_NAME_BYTES 129

enum trust_role { TRUST_VAULT, TRUST_RETIRED, TRUST_FALLBACK };

struct trust_key {
    enum trust_role role;
    char name[TRUST_NAME_BYTES]; /* transit key; "" for a fallback key */
    int64_t version;             /* of the transit key; 0 for a fallback key */
    int64_t accepted_wall_ns;
    struct keyport_public key;
};

struct trust {
    struct trust_key *keys;
    size_t count;
};

void trust_init(struct trust *trust);
void trust_done(struct trust *trust); /* fits CLEANUP */

/* Reads the file's text; every fingerprint is recomputed. ERRC_SYNTAX, ERRC_SCHEMA,
 * ERRC_CRYPTO (fingerprint and key disagree). */
MUST_USE enum errc trust_parse(struct slice text, const struct keyport *keyport, struct trust *out,
                               struct errc_why *why);
MUST_USE enum errc trust_format(const struct trust *trust, struct buf *out, struct errc_why *why);

/* Returns the pin, or NULL. */
const struct trust_key *trust_pin(const struct trust *trust);

/* Returns the key with this fingerprint, or NULL. */
const struct trust_key *trust_find(const struct trust *trust, const char *fingerprint);

/* Pins key; the old pin is retired. The same key and version again changes nothing and
 * *changed is false. ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc trust_pin_key(struct trust *trust, const char *name, int64_t version,
                                 const struct keyport_public *key, int64_t wall_ns, bool *changed,
                                 struct errc_why *why);

/* Adds a fallback key's public half; one that is known changes nothing. */
MUST_USE enum errc trust_add_fallback(struct trust *trust, const struct keyport_public *key,
                                      int64_t wall_ns, bool *changed, struct errc_why *why);
