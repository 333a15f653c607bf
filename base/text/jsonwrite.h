/*
 * jsonwrite: writes JSON into a buf, one value after the other, commas and
 * quotes included.
 *
 * It writes what it is told, in the order it is told: sorting keys is the
 * caller's. A mistake in the order of calls (a value in an object without a
 * key, an unclosed object) is a CHECK.
 *
 *     struct jsonwrite w;
 *     jsonwrite_init(&w, &out, JSONWRITE_PLAIN);
 *     jsonwrite_object(&w, NULL);
 *     jsonwrite_string(&w, "name", "k");
 *     jsonwrite_array(&w, "errors");
 *     jsonwrite_string(&w, NULL, "sealed");
 *     jsonwrite_end(&w);
 *     jsonwrite_end(&w);          -> {"name":"k","errors":["sealed"]}
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text/buf.h"

enum jsonwrite_style {
    JSONWRITE_PLAIN,   /* escapes what RFC 8259 demands */
    JSONWRITE_GO_HTML, /* Go's encoding/json: also < > & U+2028 U+2029
                          (vault-api.md 1.3) */
};

#define JSONWRITE_DEPTH_MAX (LIMIT_JSON_DEPTH + 16u) /* a tree that was read, and its wrapping */

struct jsonwrite {
    struct buf *out;
    enum jsonwrite_style style;
    /* When set, jsonwrite_value has each string and number of a tree written by it. */
    void (*scalar)(struct jsonwrite *w, const char *key, const json_t *value);
    size_t depth;
    char open[JSONWRITE_DEPTH_MAX]; /* '}' or ']' of each open container */
    bool comma;                     /* a value stands before */
};

void jsonwrite_init(struct jsonwrite *w, struct buf *out, enum jsonwrite_style style);

/* Each takes the key inside an object, NULL inside an array or at the top. */
void jsonwrite_object(struct jsonwrite *w, const char *key);
void jsonwrite_array(struct jsonwrite *w, const char *key);
void jsonwrite_end(struct jsonwrite *w);
void jsonwrite_slice(struct jsonwrite *w, const char *key, struct slice value);
void jsonwrite_string(struct jsonwrite *w, const char *key,
                      const char *value); /* NULL writes null */
void jsonwrite_int(struct jsonwrite *w, const char *key, int64_t value);

/* Writes the shortest text that is read as the same number, laid out as Go and ECMAScript do:
 * 0.1, 1, 1e+21, 1e-7. The value is finite. */
void jsonwrite_real(struct jsonwrite *w, const char *key, double value);
void jsonwrite_bool(struct jsonwrite *w, const char *key, bool value);
void jsonwrite_null(struct jsonwrite *w, const char *key);

/* Writes a value that is JSON already. */
void jsonwrite_raw(struct jsonwrite *w, const char *key, struct slice json);

/* A string that begins with this byte, which no text in UTF-8 has, is a number
 * kept as it was written. */
#define JSONWRITE_NUMBER_MARK '\xff'

/* Writes a tree with its keys sorted bytewise, as Go prints a map. */
void jsonwrite_value(struct jsonwrite *w, const char *key, const json_t *value);
