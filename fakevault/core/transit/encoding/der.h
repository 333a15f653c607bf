/*
 * der: just as much of ASN.1's distinguished encoding as keys need (ITU-T X.690).
 *
 * Reading never runs over the end: after the first misfit it yields empty slices and `failed` is
 * set. Writing goes backwards, from the end of a buffer to its begin, so that the length of what is
 * inside is known when the header in front of it is written:
 *
 *     struct der_writer w = der_into(bytes, size);
 *     size_t end = der_end(&w);
 *     der_integer(&w, exponent);           the last element first
 *     der_integer(&w, modulus);
 *     der_wrap(&w, DER_SEQUENCE, end);
 *     der_slice(&w)                        -> SEQUENCE { modulus, exponent }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text/slice.h"

enum der_tag {
    DER_INTEGER = 0x02,
    DER_BITS = 0x03,
    DER_OCTETS = 0x04,
    DER_NULL = 0x05,
    DER_OBJECT = 0x06,
    DER_SEQUENCE = 0x30,
    DER_EXPLICIT_0 = 0xa0,
    DER_EXPLICIT_1 = 0xa1,
};

struct der {
    struct slice rest;
    bool failed;
};

struct der der_from(struct slice bytes);

/* The content of the next element, which must have this tag. */
struct slice der_read(struct der *d, enum der_tag tag);

/* The same as a reader; it has failed when the element is not there. */
struct der der_enter(struct der *d, enum der_tag tag);

/* The content of the next INTEGER without leading zeros; it must not be negative. */
struct slice der_read_unsigned(struct der *d);

/* True when the next element has this tag. */
bool der_next_is(const struct der *d, enum der_tag tag);

/* True when all was there and nothing is left over. */
bool der_complete(const struct der *d);

struct der_writer {
    uint8_t *ptr;
    size_t size;
    size_t at;   /* what is written lies in ptr[at..size) */
    bool failed; /* it did not fit */
};

struct der_writer der_into(uint8_t *ptr, size_t size);
size_t der_end(const struct der_writer *w); /* how much is written: remember it for der_wrap */
void der_raw(struct der_writer *w, struct slice bytes);
void der_element(struct der_writer *w, enum der_tag tag, struct slice content);
void der_integer(struct der_writer *w, struct slice big_endian); /* not negative */
void der_wrap(struct der_writer *w, enum der_tag tag, size_t end);
struct slice der_slice(const struct der_writer *w); /* empty when it did not fit */
