#include "base/text/hex.h"

#include <sodium.h>

void hex_format(struct slice bytes, struct buf *out)
{
    char *room = buf_reserve(out, bytes.len * 2);
    if (room == NULL)
        return;
    (void)sodium_bin2hex(room, bytes.len * 2 + 1, (const unsigned char *)bytes.ptr, bytes.len);
    buf_commit(out, bytes.len * 2);
}

enum errc hex_parse(struct slice text, struct buf *out)
{
    if (text.len % 2 != 0)
        return ERRC_SYNTAX;
    unsigned char *room = (unsigned char *)buf_reserve(out, text.len / 2);
    if (room == NULL)
        return ERRC_TOO_BIG;
    size_t len = 0;
    const char *end = NULL;
    if (text.len > 0 &&
        (sodium_hex2bin(room, text.len / 2, text.ptr, text.len, NULL, &len, &end) != 0 ||
         end != text.ptr + text.len))
        return ERRC_SYNTAX;
    buf_commit(out, text.len / 2);
    return ERRC_OK;
}
