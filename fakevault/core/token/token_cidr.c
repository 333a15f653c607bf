#include "fakevault/core/token/token_cidr.h"

#include <arpa/inet.h>
#include <string.h>

#define ADDRESS_TEXT_MAX 64u
#define ADDRESS_BYTES 16u

struct network {
    int family;
    unsigned bits; /* of the mask */
    unsigned all;  /* bits of an address */
    uint8_t bytes[ADDRESS_BYTES];
};

static bool parse_address(struct slice text, struct network *out)
{
    char copy[ADDRESS_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *out = (struct network){.family = AF_INET, .all = 32};
    if (inet_pton(AF_INET, copy, out->bytes) != 1) {
        *out = (struct network){.family = AF_INET6, .all = 128};
        if (inet_pton(AF_INET6, copy, out->bytes) != 1)
            return false;
    }
    out->bits = out->all;
    return true;
}

static bool parse(struct slice text, struct network *out)
{
    uint64_t bits;
    struct slice mask = text, address = slice_cut(&mask, '/');
    if (!parse_address(address, out))
        return false;
    if (address.len == text.len)
        return true;
    if (!slice_to_u64(mask, &bits) || bits > out->all)
        return false;
    out->bits = (unsigned)bits;
    return true;
}

/* The text that is kept; empty for none. What is no address but has a '/' is a socket's path. */
static struct slice shown(struct slice text)
{
    struct network n;
    if (!parse(text, &n))
        return slice_find(text, '/') < text.len ? text : (struct slice){0};
    return n.bits == n.all ? (struct slice){text.ptr, slice_find(text, '/')} : text;
}

static enum errc add(json_t *list, struct slice text, struct errc_why *why)
{
    struct slice keep = shown(text);
    if (keep.len == 0)
        return errc_fail(why, ERRC_SYNTAX,
                         "error parsing address \"%.*s\": Unable to convert \"%.*s\" to an IPv4 or "
                         "IPv6 address, or a UNIX Socket",
                         SLICE_FMT(text), SLICE_FMT(text));
    json_t *item = json_stringn_nocheck(keep.ptr, keep.len);
    return item != NULL && json_array_append_new(list, item) == 0 ? ERRC_OK : ERRC_NOMEM;
}

enum errc token_cidr_read(const json_t *texts, json_t **out, struct errc_why *why)
{
    json_t *list = json_array();
    enum errc code = list == NULL ? ERRC_NOMEM : ERRC_OK;
    for (size_t i = 0; i < json_array_size(texts) && code == ERRC_OK; i++) {
        const json_t *text = json_array_get(texts, i);
        code = add(list, slice_bytes(json_string_value(text), json_string_length(text)), why);
    }
    if (code == ERRC_OK)
        *out = list;
    else
        json_decref(list);
    return code;
}

bool token_cidr_contains(struct slice network, struct slice address)
{
    struct network n, a;
    if (!parse(network, &n) || !parse_address(address, &a) || n.family != a.family)
        return false;
    unsigned whole = n.bits / 8, rest = n.bits % 8;
    if (memcmp(n.bytes, a.bytes, whole) != 0)
        return false;
    return rest == 0 || ((n.bytes[whole] ^ a.bytes[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}
