#include "fakevault/core/store/pack.h"

#include <string.h>

#include "base/bug.h"

struct pack pack_into(uint8_t *ptr, size_t cap)
{
    return (struct pack){.ptr = ptr, .cap = cap};
}

static void put(struct pack *p, const void *bytes, size_t len)
{
    if (p->ptr != NULL) {
        CHECK(len <= p->cap - p->len);
        if (len > 0)
            memcpy(p->ptr + p->len, bytes, len);
    }
    p->len += len;
}

void pack_u8(struct pack *p, uint8_t value)
{
    put(p, &value, 1);
}

static void put_big_endian(struct pack *p, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    put(p, bytes, width);
}

void pack_u32(struct pack *p, uint32_t value)
{
    put_big_endian(p, value, 4);
}

void pack_i64(struct pack *p, int64_t value)
{
    put_big_endian(p, (uint64_t)value, 8);
}

void pack_bytes(struct pack *p, struct slice value)
{
    CHECK(value.len <= UINT32_MAX);
    pack_u32(p, (uint32_t)value.len);
    put(p, value.ptr, value.len);
}

void pack_text(struct pack *p, const char *value)
{
    pack_bytes(p, slice_of(value));
}

struct unpack pack_read_from(struct slice bytes)
{
    return (struct unpack){.rest = bytes};
}

static struct slice take(struct unpack *u, size_t len)
{
    if (u->failed || len > u->rest.len) {
        u->failed = true;
        return (struct slice){0};
    }
    struct slice taken = {u->rest.ptr, len};
    u->rest = slice_from(u->rest, len);
    return taken;
}

static uint64_t take_big_endian(struct unpack *u, size_t width)
{
    struct slice bytes = take(u, width);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.ptr[i];
    return value;
}

uint8_t pack_read_u8(struct unpack *u)
{
    return (uint8_t)take_big_endian(u, 1);
}

uint32_t pack_read_u32(struct unpack *u)
{
    return (uint32_t)take_big_endian(u, 4);
}

int64_t pack_read_i64(struct unpack *u)
{
    return (int64_t)take_big_endian(u, 8);
}

struct slice pack_read_bytes(struct unpack *u)
{
    uint32_t len = pack_read_u32(u);
    return take(u, len);
}

void pack_read_text(struct unpack *u, char *out, size_t size)
{
    struct slice text = pack_read_bytes(u);
    if (text.len >= size) {
        u->failed = true;
        text.len = 0;
    }
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

bool pack_read_complete(const struct unpack *u)
{
    return !u->failed && u->rest.len == 0;
}
