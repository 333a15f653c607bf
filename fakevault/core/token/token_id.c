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

/* The key of the signatures, so that the salt itself signs nothing. */
static void sign(struct slice body, const uint8_t salt[static TOKEN_ID_SALT_BYTES],
                 uint8_t out[static DIGEST_BYTES])
{
    uint8_t key[DIGEST_BYTES];
    digest_hmac_sha256(slice_bytes(salt, TOKEN_ID_SALT_BYTES), SLICE_LITERAL("signed ids"), key);
    digest_hmac_sha256(slice_bytes(key, sizeof key), body, out);
    secret_wipe(key, sizeof key);
}

void token_id_service(const struct entropy *entropy, const uint8_t salt[static TOKEN_ID_SALT_BYTES],
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
    sign(slice_bytes(body, BODY_LEN), salt, bytes + HEAD_LEN);
    struct buf text = {.ptr = out, .cap = TOKEN_ID_BYTES, .max = TOKEN_ID_BYTES - 1};
    buf_add_text(&text, SERVICE_PREFIX);
    base64_format(slice_bytes(bytes, sizeof bytes), BASE64_URL_RAW, &text);
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(inner, sizeof inner);
}

void token_id_digest(struct slice id, const uint8_t salt[static TOKEN_ID_SALT_BYTES],
                     uint8_t out[static DIGEST_BYTES])
{
    digest_hmac_sha256(slice_bytes(salt, TOKEN_ID_SALT_BYTES), id, out);
}

bool token_id_forged(struct slice id, const uint8_t salt[static TOKEN_ID_SALT_BYTES])
{
    if (id.len <= UNSIGNED_LEN_MAX || !slice_starts_with(id, SERVICE_PREFIX))
        return false;
    uint8_t bytes[SIGNED_LEN + 1], want[DIGEST_BYTES];
    struct buf raw = {.ptr = (char *)bytes, .cap = sizeof bytes, .max = SIGNED_LEN};
    enum errc code = base64_parse(slice_from(id, PREFIX_LEN), BASE64_URL_RAW, &raw, NULL);
    if (code == ERRC_SYNTAX)
        return false; /* no base64: just unknown, to Vault */
    if (code != ERRC_OK || raw.len != SIGNED_LEN)
        return true;
    sign(slice_bytes(bytes + HEAD_LEN + DIGEST_BYTES + 2, BODY_LEN), salt, want);
    return !digest_equal(want, bytes + HEAD_LEN);
}
