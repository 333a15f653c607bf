#include "fakevault/core/token/token_id.h"

#include <string.h>

#include "base/secret.h"
#include "base/text/base64.h"

#define SERVICE_PREFIX "hvs."
#define PREFIX_LEN (sizeof SERVICE_PREFIX - 1)
#define RANDOM_LEN (TOKEN_ID_RANDOM_BYTES - 1)
#define ROOT_LEN (PREFIX_LEN + RANDOM_LEN)
#define UNSIGNED_LEN_MAX 34u /* a longer id is a signed one */

/* The signed id in Vault's protocol-buffer encoding: 1 = version, 2 = HMAC, 3 = what is signed,
 * which is 1 = an id of the unsigned kind. */
#define HEAD_LEN 4u /* 08 01 12 20 */
#define BODY_LEN (2u + ROOT_LEN)
#define SIGNED_LEN (HEAD_LEN + DIGEST_BYTES + 2u + BODY_LEN)

/* A byte that would favour some of the 62 is drawn again. */
void token_id_random(const struct entropy *entropy, char out[static TOKEN_ID_RANDOM_BYTES])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < RANDOM_LEN; i++) {
        uint8_t roll;
        do {
            entropy->fill(entropy->context, &roll, 1);
        } while (roll >= 248);
        out[i] = digits[roll % 62];
    }
    out[RANDOM_LEN] = '\0';
}

void token_id_root(const struct entropy *entropy, char out[static TOKEN_ID_BYTES])
{
    memcpy(out, SERVICE_PREFIX, PREFIX_LEN);
    token_id_random(entropy, out + PREFIX_LEN);
}

void token_id_derive(struct token_id_keys *keys)
{
    digest_hmac_sha256(slice_bytes(keys->salt, sizeof keys->salt), SLICE_LITERAL("signed ids"),
                       keys->signing);
}

static void sign(struct slice body, const struct token_id_keys *keys,
                 uint8_t out[static DIGEST_BYTES])
{
    digest_hmac_sha256(slice_bytes(keys->signing, sizeof keys->signing), body, out);
}

void token_id_service(const struct entropy *entropy, const struct token_id_keys *keys,
                      char out[static TOKEN_ID_BYTES])
{
    uint8_t bytes[SIGNED_LEN] = {0x08, 0x01, 0x12, DIGEST_BYTES};
    uint8_t *after = bytes + HEAD_LEN + DIGEST_BYTES;
    uint8_t *body = after + 2;
    char inner[TOKEN_ID_BYTES];
    token_id_root(entropy, inner);
    after[0] = 0x1a;
    after[1] = BODY_LEN;
    body[0] = 0x0a;
    body[1] = ROOT_LEN;
    memcpy(body + 2, inner, ROOT_LEN);
    sign(slice_bytes(body, BODY_LEN), keys, bytes + HEAD_LEN);
    struct buf text = {.ptr = out, .cap = TOKEN_ID_BYTES, .max = TOKEN_ID_BYTES - 1};
    buf_add_text(&text, SERVICE_PREFIX);
    base64_format(slice_bytes(bytes, sizeof bytes), BASE64_URL_RAW, &text);
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(inner, sizeof inner);
}

static bool genuine(const uint8_t *bytes, size_t len, const struct token_id_keys *keys)
{
    uint8_t want[DIGEST_BYTES];
    if (len != SIGNED_LEN)
        return false;
    sign(slice_bytes(bytes + HEAD_LEN + DIGEST_BYTES + 2, BODY_LEN), keys, want);
    return digest_equal(want, bytes + HEAD_LEN);
}

/* What is no base64 is not taken for a signed one, but for one that is not known. */
enum token_id_kind token_id_open(struct slice id, const struct token_id_keys *keys,
                                 char inner[static TOKEN_ID_BYTES], struct slice *out)
{
    *out = id;
    if (id.len <= UNSIGNED_LEN_MAX || !slice_starts_with(id, SERVICE_PREFIX))
        return TOKEN_ID_PLAIN;
    uint8_t bytes[SIGNED_LEN + 1];
    struct buf raw = {.ptr = (char *)bytes, .cap = sizeof bytes, .max = SIGNED_LEN};
    enum errc code = base64_parse(slice_from(id, PREFIX_LEN), BASE64_URL_RAW, &raw, NULL);
    enum token_id_kind kind = TOKEN_ID_FORGED;
    if (code == ERRC_SYNTAX) {
        kind = TOKEN_ID_PLAIN;
    } else if (code == ERRC_OK && genuine(bytes, raw.len, keys)) {
        kind = TOKEN_ID_SIGNED;
        memcpy(inner, bytes + SIGNED_LEN - ROOT_LEN, ROOT_LEN);
        *out = (struct slice){inner, ROOT_LEN};
    }
    secret_wipe(bytes, sizeof bytes);
    return kind;
}

bool token_id_digest(struct slice id, const struct token_id_keys *keys,
                     uint8_t out[static DIGEST_BYTES])
{
    char inner[TOKEN_ID_BYTES];
    struct slice plain;
    bool known = token_id_open(id, keys, inner, &plain) != TOKEN_ID_FORGED;
    if (known)
        digest_hmac_sha256(slice_bytes(keys->salt, sizeof keys->salt), plain, out);
    secret_wipe(inner, sizeof inner);
    return known;
}
