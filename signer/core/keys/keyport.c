#include "signer/core/keys/keyport.h"

#include <string.h>

#include "base/count.h"
#include "base/digest.h"
#include "base/text/base64.h"

/* The fixed part of each SPKI (RFC 5480 for P-256 with an uncompressed point, RFC 8410 for
 * Ed25519); the key itself follows. */
static const uint8_t p256_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                      0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t ed25519_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

static const struct {
    const uint8_t *prefix;
    size_t prefix_len;
    size_t len;
} shapes[] = {
    [KEYPORT_ECDSA_P256] = {p256_prefix, sizeof p256_prefix, 91},
    [KEYPORT_ED25519] = {ed25519_prefix, sizeof ed25519_prefix, 44},
};

enum errc keyport_from_spki(struct slice spki, struct keyport_public *out, struct errc_why *why)
{
    for (size_t i = 0; i < COUNT(shapes); i++) {
        if (spki.len != shapes[i].len ||
            memcmp(spki.ptr, shapes[i].prefix, shapes[i].prefix_len) != 0)
            continue;
        *out = (struct keyport_public){.kind = (enum keyport_kind)i, .spki_len = spki.len};
        memcpy(out->spki, spki.ptr, spki.len);
        memcpy(out->fingerprint, "sha256:", 7);
        digest_sha256_hex(spki, out->fingerprint + 7);
        return ERRC_OK;
    }
    return errc_fail(why, ERRC_SCHEMA, "the public key is neither ECDSA P-256 nor Ed25519");
}

void keyport_format_pem(const struct keyport_public *key, struct buf *out)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * KEYPORT_SPKI_BYTES);
    base64_format(slice_bytes(key->spki, key->spki_len), BASE64_STANDARD, &text);
    buf_add_text(out, "-----BEGIN PUBLIC KEY-----\n");
    for (struct slice rest = buf_slice(&text); rest.len > 0; rest = slice_from(rest, 64)) {
        buf_add(out, rest.ptr, rest.len < 64 ? rest.len : 64);
        buf_add_char(out, '\n');
    }
    buf_add_text(out, "-----END PUBLIC KEY-----\n");
    out->failed = out->failed || text.failed;
}

void keyport_format_signature(enum keyport_kind kind, int64_t version, struct slice raw,
                              struct buf *out)
{
    if (kind == KEYPORT_ECDSA_P256)
        buf_addf(out, "vault:v%lld:", (long long)version);
    else
        buf_add_text(out, "ed25519:");
    base64_format(raw, BASE64_STANDARD, out);
}

enum errc keyport_parse_signature(struct slice text, enum keyport_kind *kind, int64_t *version,
                                  struct buf *raw, struct errc_why *why)
{
    uint64_t n = 0;
    struct slice rest = text;
    struct slice scheme = slice_cut(&rest, ':');
    if (slice_equal_text(scheme, "ed25519")) {
        *kind = KEYPORT_ED25519;
    } else if (slice_equal_text(scheme, "vault")) {
        struct slice v = slice_cut(&rest, ':');
        if (!slice_starts_with(v, "v") || v.len < 2 || v.ptr[1] == '0' ||
            !slice_to_u64(slice_from(v, 1), &n) || n > INT32_MAX)
            return errc_fail(why, ERRC_SYNTAX, "the signature has no key version: \"%.*s\"",
                             (int)(text.len < 20 ? text.len : 20), text.ptr);
        *kind = KEYPORT_ECDSA_P256;
    } else {
        return errc_fail(why, ERRC_SYNTAX,
                         "the signature begins neither with \"vault:v\" nor with \"ed25519:\"");
    }
    /* Go's reader skips line ends; a signature of ours has none. */
    bool bare = slice_find(rest, '\n') == rest.len && slice_find(rest, '\r') == rest.len;
    enum errc code =
        !bare || rest.len == 0 ? ERRC_SYNTAX : base64_parse(rest, BASE64_STANDARD, raw, NULL);
    if (code == ERRC_SYNTAX)
        return errc_fail(why, code, "the signature is not in base64");
    if (code != ERRC_OK)
        return errc_fail(why, code, "the signature is too long");
    *version = (int64_t)n;
    return ERRC_OK;
}
