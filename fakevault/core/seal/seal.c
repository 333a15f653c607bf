#include "fakevault/core/seal/seal.h"

#include <string.h>

#include "base/text/base64.h"
#include "base/text/hex.h"
#include "fakevault/core/store/pack.h"

#define CONFIG_MAGIC "fakevault seal 1"
#define SHARE_TEXT_MAX 4096u

void seal_init(struct seal *s, struct secret_arena *arena)
{
    *s = (struct seal){.arena = arena};
}

bool seal_initialized(const struct seal *s)
{
    return s->shares > 0;
}

enum errc seal_load(struct seal *s, const struct store *store, struct errc_why *why)
{
    struct buf record CLEANUP(buf_done);
    buf_init(&record, 1024);
    enum errc code = store_get(store, SLICE_LITERAL(SEAL_CONFIG_NAME), &record, why);
    if (code == ERRC_NOT_FOUND)
        return ERRC_OK;
    TRY(code);
    struct unpack u = pack_read_from(buf_slice(&record));
    struct slice magic = pack_read_bytes(&u);
    uint32_t shares = pack_read_u32(&u), threshold = pack_read_u32(&u);
    if (!pack_read_complete(&u) || !slice_equal_text(magic, CONFIG_MAGIC) ||
        seal_check(shares, threshold, NULL) != ERRC_OK)
        return errc_fail(why, ERRC_SCHEMA,
                         "the store's \"%s\" is none of fakevault's; start with another -path",
                         SEAL_CONFIG_NAME);
    seal_adopt(s, shares, threshold);
    return ERRC_OK;
}

enum errc seal_check(int64_t shares, int64_t threshold, struct errc_why *why)
{
    const char *wrong = shares < 1                     ? "shares must be at least one"
                        : threshold < 1                ? "threshold must be at least one"
                        : shares > 1 && threshold == 1 ? "threshold must be greater than one for "
                                                         "multiple shares"
                        : shares > 255                 ? "shares must be less than 256"
                        : threshold > 255              ? "threshold must be less than 256"
                        : threshold > shares           ? "threshold cannot be larger than shares"
                                                       : NULL;
    if (wrong != NULL)
        return errc_fail(why, ERRC_SCHEMA, "%s", wrong);
    return ERRC_OK;
}

void seal_batch(unsigned shares, unsigned threshold, struct barrier_batch *batch)
{
    uint8_t bytes[64];
    struct pack p = pack_into(bytes, sizeof bytes);
    pack_text(&p, CONFIG_MAGIC);
    pack_u32(&p, shares);
    pack_u32(&p, threshold);
    barrier_batch_put_clear(batch, SEAL_CONFIG_NAME, slice_bytes(bytes, p.len));
}

void seal_adopt(struct seal *s, unsigned shares, unsigned threshold)
{
    s->shares = shares;
    s->threshold = threshold;
}

size_t seal_share_bytes(unsigned shares)
{
    return shares == 1 ? BARRIER_KEY_BYTES : BARRIER_KEY_BYTES + 1;
}

void seal_split(struct slice unseal_key, unsigned shares, unsigned threshold,
                const struct entropy *entropy, uint8_t *out)
{
    if (shares == 1)
        memcpy(out, unseal_key.ptr, unseal_key.len);
    else
        shamir_split(unseal_key, shares, threshold, entropy, out);
}

static bool length_in_range(size_t len)
{
    return len >= SEAL_SHARE_BYTES_MIN && len <= SEAL_SHARE_BYTES_MAX;
}

static enum errc decode_share(struct slice text, struct buf *bytes, struct errc_why *why)
{
    /* Room for all at once: a buf that grows leaves copies of a secret behind. */
    if (text.len > SHARE_TEXT_MAX)
        return errc_fail(why, ERRC_SYNTAX, "'key' must be a valid hex or base64 string");
    if (buf_reserve(bytes, text.len) == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a share");
    if (hex_parse(text, bytes) == ERRC_OK && length_in_range(bytes->len))
        return ERRC_OK;
    buf_reset(bytes);
    if (base64_parse(text, BASE64_STANDARD, bytes, NULL) == ERRC_OK)
        return ERRC_OK;
    return errc_fail(why, ERRC_SYNTAX, "'key' must be a valid hex or base64 string");
}

enum errc seal_parse_share(struct slice text, struct secret_arena *arena, struct secret *out,
                           struct errc_why *why)
{
    struct buf bytes CLEANUP(buf_done);
    buf_init(&bytes, SHARE_TEXT_MAX + 1);
    enum errc code = decode_share(text, &bytes, why);
    if (code == ERRC_OK)
        code = secret_copy(arena, buf_slice(&bytes), out);
    return code;
}

enum errc seal_check_share(struct slice share, struct errc_why *why)
{
    if (share.len < SEAL_SHARE_BYTES_MIN)
        return errc_fail(why, ERRC_RANGE, "key is shorter than minimum %u bytes",
                         SEAL_SHARE_BYTES_MIN);
    if (share.len > SEAL_SHARE_BYTES_MAX)
        return errc_fail(why, ERRC_RANGE, "key is longer than maximum %u bytes",
                         SEAL_SHARE_BYTES_MAX);
    return ERRC_OK;
}

enum errc seal_give(struct seal *s, struct slice share, const struct entropy *entropy)
{
    if (quorum_has(&s->given, share))
        return ERRC_OK;
    TRY(quorum_give(&s->given, s->arena, share));
    if (s->given.count == 1)
        entropy_uuid(entropy, s->nonce);
    return ERRC_OK;
}

bool seal_ready(const struct seal *s)
{
    return s->threshold > 0 && s->given.count >= s->threshold;
}

enum errc seal_join(const struct seal *s, struct secret *out, struct errc_why *why)
{
    return quorum_join(&s->given, s->threshold, s->arena, out, why);
}

void seal_reset(struct seal *s)
{
    quorum_reset(&s->given);
    s->nonce[0] = '\0';
}
