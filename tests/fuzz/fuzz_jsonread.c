/*
 * fuzz_jsonread: whatever is read can be written, and what was written reads
 * back. Only a real number without a fraction may change once: 1.5e3 is written
 * as 1500, as Go does, and that reads as an integer; from 2^63 up to 1e21, where
 * Go goes over to exponents, it reads as one that is too large, which is refused.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_large_whole(const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_real(value)) {
        double size = fabs(json_real_value(value));
        return size >= 9223372036854775808.0 && size < 1e21;
    }
    json_array_foreach(value, i, member) if (has_large_whole(member)) return true;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (has_large_whole(member))
            return true;
    }
    return false;
}

/* Writes and reads again; the caller owns what is returned. */
static json_t *round_trip(const json_t *value, enum jsonwrite_style style)
{
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    json_t *back = NULL;
    buf_init(&text, (size_t)8 * LIMIT_FILE_BYTES);
    jsonwrite_init(&w, &text, style);
    jsonwrite_value(&w, NULL, value);
    if (jsonread_parse(buf_slice(&text), &back, NULL) != ERRC_OK)
        abort();
    return back;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value CLEANUP(jsonread_done) = NULL;
    struct errc_why why;
    if (jsonread_parse(slice_bytes(data, size), &value, &why) != ERRC_OK)
        return 0;
    if (has_large_whole(value))
        return 0;
    json_t *once CLEANUP(jsonread_done) = round_trip(value, JSONWRITE_PLAIN);
    json_t *plain CLEANUP(jsonread_done) = round_trip(once, JSONWRITE_PLAIN);
    json_t *html CLEANUP(jsonread_done) = round_trip(once, JSONWRITE_GO_HTML);
    json_t *again CLEANUP(jsonread_done) = round_trip(plain, JSONWRITE_PLAIN);
    if (!json_equal(plain, html) || !json_equal(plain, again))
        abort();
    return 0;
}
