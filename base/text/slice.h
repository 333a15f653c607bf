/*
 * slice: borrowed bytes. It owns nothing and is valid only as long as what it
 * points into. Not NUL-terminated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *ptr; /* NULL only when len is 0 */
    size_t len;
};

#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})
#define SLICE_FMT(s) (int)(s).len, (s).ptr == NULL ? "" : (s).ptr /* for "%.*s" */

/* Borrows a C string; NULL gives the empty slice. */
struct slice slice_of(const char *text);

/* Borrows len bytes. */
struct slice slice_bytes(const void *ptr, size_t len);

bool slice_equal(struct slice a, struct slice b);
bool slice_equal_text(struct slice a, const char *text);
bool slice_starts_with(struct slice s, const char *prefix);
bool slice_ends_with(struct slice s, const char *suffix);

/* Returns the part of s from offset on; empty when offset is beyond the end. */
struct slice slice_from(struct slice s, size_t offset);

/* Cuts s at the first `separator`: returns what stands before it and moves *s
 * behind it. Without one, returns all and empties *s. */
struct slice slice_cut(struct slice *s, char separator);

/* Drops blanks, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* Returns the offset of the first `needle` in s, or s.len. */
size_t slice_find(struct slice s, char needle);

/* Returns true when all of s is a decimal number that fits, and stores it. No
 * sign, no blank. */
bool slice_to_u64(struct slice s, uint64_t *out);

/* Returns a heap copy with a NUL, which the caller frees; NULL when out of
 * memory. An inner NUL stays. */
char *slice_dup(struct slice s);

/* Returns true when text matches a glob of '*' (any run, also across '/') and
 * '?' (one byte). No recursion, O(text * pattern). */
bool slice_glob(struct slice pattern, struct slice text);
