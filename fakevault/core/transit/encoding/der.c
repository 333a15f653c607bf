#include "fakevault/core/transit/encoding/der.h"

#include <string.h>

struct der der_from(struct slice bytes)
{
    return (struct der){.rest = bytes};
}

static uint8_t octet(struct slice s, size_t at)
{
    return (uint8_t)s.ptr[at];
}

/* Reads a length of one to three bytes; *header becomes the size of tag and length. */
static bool read_length(struct slice s, size_t *header, size_t *len)
{
    if (s.len < 2)
        return false;
    size_t first = octet(s, 1), count = first & 0x7f;
    *header = 2;
    *len = first;
    if (first < 0x80)
        return true;
    if (count == 0 || count > 2 || s.len < 2 + count)
        return false;
    *len = 0;
    for (size_t i = 0; i < count; i++)
        *len = *len << 8 | octet(s, 2 + i);
    *header = 2 + count;
    return *len >= (count == 1 ? 0x80u : 0x100u); /* the shortest form */
}

struct slice der_read(struct der *d, enum der_tag tag)
{
    size_t header = 0, len = 0;
    if (d->failed || d->rest.len == 0 || octet(d->rest, 0) != tag ||
        !read_length(d->rest, &header, &len) || d->rest.len - header < len) {
        d->failed = true;
        return (struct slice){0};
    }
    struct slice content = {d->rest.ptr + header, len};
    d->rest = slice_from(d->rest, header + len);
    return content;
}

struct der der_enter(struct der *d, enum der_tag tag)
{
    struct slice content = der_read(d, tag);
    return (struct der){.rest = content, .failed = d->failed};
}

struct slice der_read_unsigned(struct der *d)
{
    struct slice number = der_read(d, DER_INTEGER);
    if (number.len == 0 || (octet(number, 0) & 0x80) != 0) {
        d->failed = true;
        return (struct slice){0};
    }
    while (number.len > 0 && octet(number, 0) == 0)
        number = slice_from(number, 1);
    return number;
}

bool der_next_is(const struct der *d, enum der_tag tag)
{
    return !d->failed && d->rest.len > 0 && octet(d->rest, 0) == tag;
}

bool der_complete(const struct der *d)
{
    return !d->failed && d->rest.len == 0;
}

struct der_writer der_into(uint8_t *ptr, size_t size)
{
    return (struct der_writer){.ptr = ptr, .size = size, .at = size};
}

size_t der_end(const struct der_writer *w)
{
    return w->size - w->at;
}

void der_raw(struct der_writer *w, struct slice bytes)
{
    if (w->failed || bytes.len > w->at) {
        w->failed = true;
        return;
    }
    w->at -= bytes.len;
    if (bytes.len > 0)
        memcpy(w->ptr + w->at, bytes.ptr, bytes.len);
}

static void header(struct der_writer *w, enum der_tag tag, size_t len)
{
    uint8_t bytes[4] = {(uint8_t)tag};
    size_t used = 1;
    if (len >= 0x100)
        bytes[used++] = 0x82;
    else if (len >= 0x80)
        bytes[used++] = 0x81;
    if (len >= 0x100)
        bytes[used++] = (uint8_t)(len >> 8);
    bytes[used++] = (uint8_t)len;
    w->failed = w->failed || len > UINT16_MAX;
    der_raw(w, slice_bytes(bytes, used));
}

void der_element(struct der_writer *w, enum der_tag tag, struct slice content)
{
    der_raw(w, content);
    header(w, tag, content.len);
}

void der_integer(struct der_writer *w, struct slice big_endian)
{
    while (big_endian.len > 1 && octet(big_endian, 0) == 0)
        big_endian = slice_from(big_endian, 1);
    size_t end = der_end(w);
    der_raw(w, big_endian);
    if (big_endian.len == 0 || (octet(big_endian, 0) & 0x80) != 0)
        der_raw(w, slice_bytes("", 1));
    der_wrap(w, DER_INTEGER, end);
}

void der_wrap(struct der_writer *w, enum der_tag tag, size_t end)
{
    header(w, tag, der_end(w) - end);
}

struct slice der_slice(const struct der_writer *w)
{
    return w->failed ? (struct slice){0} : slice_bytes(w->ptr + w->at, w->size - w->at);
}
