/*
 * fake: hand-made collaborators of the signer's core: a keyport whose signatures are hashes, and
 * a bundle to sign.
 */
#pragma once

#include "base/errc.h"
#include "signer/core/bundle/manifest.h"
#include "signer/core/config.h"
#include "signer/core/ids.h"
#include "signer/core/keys/keyport.h"
#include "signer/core/keys/trust.h"

#define FAKE_RUN_ID "0f6ff4a3-8fa2-4e75-8d2c-5d7f2a5a3b10"

/* Signature of key over message: SHA-256(spki, message), twice for Ed25519. */
struct keyport fake_keyport(void);

/* A key of a kind; n makes it differ from others. */
struct keyport_public fake_key(enum keyport_kind kind, uint8_t n);

/* Appends the fake signature. */
void fake_sign(const struct keyport_public *key, struct slice message, struct buf *out);

/* The seed of fake_key(KEYPORT_ED25519, n). */
void fake_seed(uint8_t n, uint8_t out[static KEYPORT_SEED_BYTES]);

/* A bundle with two artefacts, checksums set. */
MUST_USE enum errc fake_bundle(struct manifest_bundle *out);

struct trust_key fake_pin(uint8_t n);

extern const struct config_retry fake_retry; /* 3 attempts, 250/2000, 2000, 10000 */
extern const struct ids_actor fake_actor;

/* Returns the whole text of FIXTURES/name; the caller frees it. Fails the test when it cannot. */
char *fake_fixture(const char *name);
