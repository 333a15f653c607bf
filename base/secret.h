/*
 * secret: memory for keys and tokens, locked against swapping, left out of core
 * dumps, wiped when freed.
 *
 * One arena per process, made at start; small allocations come out of it
 * (libsodium's guarded pages run out at about 16,000). There is no print
 * function, and none is to be added. Not thread-safe by itself: the arena has a
 * lock of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"

struct secret_arena;

/* A secret: bytes inside an arena. A zeroed struct is the empty secret. */
struct secret {
    uint8_t *ptr;
    size_t len;
    struct secret_arena *arena;
};

/* Reserves and locks `bytes`. ERRC_NOMEM when the memory cannot be had; when it
 * cannot be locked (RLIMIT_MEMLOCK), it works without the lock and *locked is
 * false, so that the caller can warn. locked may be NULL. */
MUST_USE enum errc secret_arena_new(size_t bytes, struct secret_arena **out, bool *locked,
                                    struct errc_why *why);

/* Wipes and returns the whole arena. NULL allowed. */
void secret_arena_free(struct secret_arena *arena);

/* Takes len zeroed bytes. ERRC_NOMEM when the arena is full. */
MUST_USE enum errc secret_new(struct secret_arena *arena, size_t len, struct secret *out);

/* The same with a copy of bytes. */
MUST_USE enum errc secret_copy(struct secret_arena *arena, struct slice bytes, struct secret *out);

/* Wipes and returns the bytes; s is the empty secret afterwards. The empty
 * secret and NULL are allowed. Fits CLEANUP(secret_done). */
void secret_done(struct secret *s);

/* Borrows the bytes. */
struct slice secret_slice(const struct secret *s);

/* Compares in constant time; different lengths are unequal. */
bool secret_equal(struct slice a, struct slice b);

/* Overwrites memory in a way that the compiler keeps. */
void secret_wipe(void *ptr, size_t len);

/* Bytes there are, and bytes in use. */
size_t secret_arena_size(const struct secret_arena *arena);
size_t secret_arena_used(struct secret_arena *arena);
