#include "base/text/base64.h"

#include <sodium.h>

void base64_format(struct slice bytes, enum base64_alphabet alphabet, struct buf *out)
{
    const bool standard = alphabet == BASE64_STANDARD;
    int variant =
        standard ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    size_t room_len = sodium_base64_encoded_len(bytes.len, variant);
    char *room = buf_reserve(out, room_len);
    if (room == NULL)
        return;
    (void)sodium_bin2base64(room, room_len, (const unsigned char *)bytes.ptr, bytes.len, variant);
    buf_commit(out, __builtin_strlen(room));
}

static int value_of(char c, enum base64_alphabet alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (alphabet == BASE64_STANDARD ? '+' : '-'))
        return 62;
    if (c == (alphabet == BASE64_STANDARD ? '/' : '_'))
        return 63;
    return -1;
}

/* A reader of one quantum (four characters) after the other; `at` is Go's `si`.
 */
struct reader {
    struct slice text;
    enum base64_alphabet alphabet;
    size_t at;
    bool ended;
};

static void skip_newlines(struct reader *r)
{
    while (r->at < r->text.len && (r->text.ptr[r->at] == '\n' || r->text.ptr[r->at] == '\r'))
        r->at++;
}

/* Reads the rest of a padded quantum whose character number `have` was '='.
 * True when it is right. */
static bool read_padding(struct reader *r, int have, size_t *bad_at)
{
    *bad_at = r->at - 1;
    if (r->alphabet != BASE64_STANDARD || have < 2)
        return false;
    if (have == 2) {
        skip_newlines(r);
        *bad_at = r->at;
        if (r->at == r->text.len)
            *bad_at = r->text.len;
        if (r->at == r->text.len || r->text.ptr[r->at] != '=')
            return false;
        r->at++;
    }
    skip_newlines(r);
    *bad_at = r->at;
    r->ended = true;
    return r->at == r->text.len;
}

/* Reads one quantum into out; false at an error, with Go's offset. */
static bool read_quantum(struct reader *r, uint8_t out[static 3], size_t *n, size_t *bad_at)
{
    uint32_t bits = 0;
    int have = 0;
    for (; have < 4; have++) {
        skip_newlines(r);
        if (r->at == r->text.len) {
            r->ended = true;
            *bad_at = r->at - (size_t)have;
            if (have == 1 || (have > 1 && r->alphabet == BASE64_STANDARD))
                return false;
            break;
        }
        char c = r->text.ptr[r->at++];
        int v = value_of(c, r->alphabet);
        if (v < 0) {
            *bad_at = r->at - 1;
            if (c != '=' || !read_padding(r, have, bad_at))
                return false;
            break;
        }
        bits |= (uint32_t)v << (18 - 6 * have);
    }
    *n = have == 0 ? 0 : (size_t)have * 6 / 8;
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return true;
}

/* Decodes what begins a text of whole quanta without newlines and padding, which is nearly all of
 * it, in one go. Returns how many characters that were. */
static size_t read_plain(struct slice text, enum base64_alphabet alphabet, struct buf *out)
{
    size_t fits = (out->max - out->len) / 3, at = 0, n = 0;
    size_t quanta = text.len / 4 < fits ? text.len / 4 : fits;
    uint8_t *room = quanta == 0 ? NULL : (uint8_t *)buf_reserve(out, 3 * quanta);
    for (; room != NULL && n < quanta; n++, at += 4) {
        int v[4];
        for (size_t i = 0; i < 4; i++)
            v[i] = value_of(text.ptr[at + i], alphabet);
        if ((v[0] | v[1] | v[2] | v[3]) < 0)
            break;
        room[3 * n] = (uint8_t)(v[0] << 2 | v[1] >> 4);
        room[3 * n + 1] = (uint8_t)(v[1] << 4 | v[2] >> 2);
        room[3 * n + 2] = (uint8_t)(v[2] << 6 | v[3]);
    }
    if (n > 0)
        buf_commit(out, 3 * n);
    return at;
}

enum errc base64_parse(struct slice text, enum base64_alphabet alphabet, struct buf *out,
                       size_t *bad_at)
{
    size_t start = out->len, ignored = 0;
    struct reader r = {.text = text, .alphabet = alphabet};
    if (bad_at == NULL)
        bad_at = &ignored;
    r.at = read_plain(text, alphabet, out);
    while (!r.ended && r.at < text.len) {
        uint8_t bytes[3];
        size_t n = 0;
        if (!read_quantum(&r, bytes, &n, bad_at)) {
            out->len = start;
            if (out->ptr != NULL)
                out->ptr[start] = '\0';
            return ERRC_SYNTAX;
        }
        buf_add(out, bytes, n);
    }
    return out->failed ? ERRC_TOO_BIG : ERRC_OK;
}
