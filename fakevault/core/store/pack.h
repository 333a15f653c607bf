/*
 * pack: records as bytes: fixed-width big-endian numbers and counted strings.
 *
 * A record that holds key material must never lie in ordinary memory, so a writer fills memory that
 * the caller measured first; the same function does both:
 *
 *     struct pack p = {0};          p.ptr NULL: only measures
 *     record_write(&p, record);
 *     TRY(secret_new(arena, p.len, &bytes));
 *     p = pack_into(bytes.ptr, bytes.len);
 *     record_write(&p, record);
 *
 * A reader never runs over the end: after the first misfit it yields zeros and `failed` is set.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text/slice.h"

struct pack {
    uint8_t *ptr; /* NULL: measure */
    size_t cap;
    size_t len;
};

struct pack pack_into(uint8_t *ptr, size_t cap);
void pack_u8(struct pack *p, uint8_t value);
void pack_u32(struct pack *p, uint32_t value);
void pack_i64(struct pack *p, int64_t value);
void pack_bytes(struct pack *p, struct slice value); /* u32 length, bytes */
void pack_text(struct pack *p, const char *value);   /* NULL is "" */

struct unpack {
    struct slice rest;
    bool failed;
};

struct unpack pack_read_from(struct slice bytes);
uint8_t pack_read_u8(struct unpack *u);
uint32_t pack_read_u32(struct unpack *u);
int64_t pack_read_i64(struct unpack *u);
struct slice pack_read_bytes(struct unpack *u); /* borrows from the record */

/* Copies a counted string into out (size with its NUL); one that is too long fails. */
void pack_read_text(struct unpack *u, char *out, size_t size);

/* True when all was there and nothing is left over. */
bool pack_read_complete(const struct unpack *u);
