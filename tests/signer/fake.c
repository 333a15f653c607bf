#include "tests/signer/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/text/base64.h"

const struct config_retry fake_retry = {
    .attempts = 3,
    .backoff_base_ms = 250,
    .backoff_max_ms = 2000,
    .attempt_timeout_ms = 2000,
    .total_timeout_ms = 10000,
};

const struct ids_actor fake_actor = {.type = IDS_AUTOMATION, .id = "api"};

struct keyport_public fake_key(enum keyport_kind kind, uint8_t n)
{
    static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    static const uint8_t ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    uint8_t spki[91];
    struct keyport_public key;
    memset(spki, n, sizeof spki);
    size_t len = kind == KEYPORT_ECDSA_P256 ? 91 : 44;
    memcpy(spki, kind == KEYPORT_ECDSA_P256 ? p256 : ed25519,
           kind == KEYPORT_ECDSA_P256 ? sizeof p256 : sizeof ed25519);
    CHECK(keyport_from_spki(slice_bytes(spki, len), &key, NULL) == ERRC_OK);
    return key;
}

void fake_seed(uint8_t n, uint8_t out[static KEYPORT_SEED_BYTES])
{
    memset(out, n, KEYPORT_SEED_BYTES);
}

static size_t signature_of(const struct keyport_public *key, struct slice message,
                           uint8_t out[static KEYPORT_ED25519_BYTES])
{
    struct buf all CLEANUP(buf_done);
    buf_init(&all, LIMIT_MANIFEST_BYTES + 1024);
    buf_add(&all, key->spki, key->spki_len);
    buf_add_slice(&all, message);
    if (all.failed)
        return 0;
    digest_sha256(buf_slice(&all), out);
    memcpy(out + DIGEST_BYTES, out, DIGEST_BYTES);
    return key->kind == KEYPORT_ED25519 ? KEYPORT_ED25519_BYTES : DIGEST_BYTES;
}

void fake_sign(const struct keyport_public *key, struct slice message, struct buf *out)
{
    uint8_t raw[KEYPORT_ED25519_BYTES];
    size_t len = signature_of(key, message, raw);
    buf_add(out, raw, len);
    out->failed = out->failed || len == 0;
}

static enum errc read_pem(void *context, struct slice pem, struct keyport_public *out,
                          struct errc_why *why)
{
    (void)context;
    struct buf der CLEANUP(buf_done);
    buf_init(&der, KEYPORT_SPKI_BYTES);
    if (!slice_starts_with(pem, "-----BEGIN PUBLIC KEY-----\n") || pem.len < 60)
        return errc_fail(why, ERRC_SYNTAX, "no PEM");
    struct slice body = slice_from(pem, 27);
    body.len = slice_find(body, '-');
    enum errc code = base64_parse(body, BASE64_STANDARD, &der, NULL);
    if (code != ERRC_OK)
        return errc_fail(why, code, "no PEM");
    return keyport_from_spki(buf_slice(&der), out, why);
}

static enum errc verify(void *context, const struct keyport_public *key, struct slice message,
                        struct slice signature, struct errc_why *why)
{
    (void)context;
    uint8_t raw[KEYPORT_ED25519_BYTES];
    size_t len = signature_of(key, message, raw);
    if (len == 0)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    if (slice_equal(signature, slice_bytes(raw, len)))
        return ERRC_OK;
    return errc_fail(why, ERRC_CRYPTO, "the signature is not that of key %s", key->fingerprint);
}

static enum errc seed_public(void *context, struct slice seed, struct keyport_public *out,
                             struct errc_why *why)
{
    (void)context;
    (void)why;
    *out = fake_key(KEYPORT_ED25519, (uint8_t)seed.ptr[0]);
    return ERRC_OK;
}

static enum errc seed_sign(void *context, struct slice seed, struct slice message,
                           uint8_t out[KEYPORT_ED25519_BYTES], struct errc_why *why)
{
    (void)context;
    struct keyport_public key = fake_key(KEYPORT_ED25519, (uint8_t)seed.ptr[0]);
    if (signature_of(&key, message, out) == 0)
        return errc_fail(why, ERRC_CRYPTO, "out of memory");
    return ERRC_OK;
}

struct keyport fake_keyport(void)
{
    return (struct keyport){
        .read_pem = read_pem, .verify = verify, .seed_public = seed_public, .seed_sign = seed_sign};
}

enum errc fake_bundle(struct manifest_bundle *out)
{
    static const char text[] =
        "{\"bundleRunId\":\"" FAKE_RUN_ID "\",\"operatorId\":\"op\",\"metadata\":{\"b\":1,\"a\":2},"
        "\"artefacts\":[{\"id\":\"x\",\"type\":\"payslip\",\"path\":\"x.pdf\",\"storageKey\":\"k/"
        "x\","
        "\"renderVersion\":\"1\"},{\"id\":\"y\",\"type\":\"payslip\",\"path\":\"d/y.pdf\","
        "\"storageKey\":\"k/y\",\"renderVersion\":\"1\"}]}";
    uint8_t hash[DIGEST_BYTES];
    TRY(manifest_bundle_parse(slice_of(text), MANIFEST_FOLDER, out, NULL));
    for (size_t i = 0; i < out->artefact_count; i++) {
        memset(hash, (int)i + 1, sizeof hash);
        TRY(manifest_set_checksum(out, i, hash, NULL));
    }
    return ERRC_OK;
}

struct trust_key fake_pin(uint8_t n)
{
    return (struct trust_key){.role = TRUST_VAULT,
                              .name = "docugen-manifest",
                              .version = 1,
                              .key = fake_key(KEYPORT_ECDSA_P256, n)};
}

char *fake_fixture(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", FIXTURES, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size >= 0);
    rewind(file);
    char *text = calloc(1, (size_t)size + 1);
    CHECK(text != NULL && fread(text, 1, (size_t)size, file) == (size_t)size);
    (void)fclose(file);
    return text;
}
