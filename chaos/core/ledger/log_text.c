#include "chaos/core/ledger/log_text.h"

/* The length of the value at the front: up to a blank, or to the quote that ends it. */
static size_t value_length(struct slice rest)
{
    if (rest.len == 0 || rest.ptr[0] != '"')
        return slice_find(rest, ' ');
    size_t i = 1;
    while (i < rest.len && rest.ptr[i] != '"')
        i += rest.ptr[i] == '\\' ? 2 : 1;
    return i + 1 < rest.len ? i + 1 : rest.len;
}

bool log_text_field(struct slice line, const char *field, struct slice *value)
{
    while (line.len > 0) {
        struct slice name = slice_trim(slice_cut(&line, '='));
        size_t len = value_length(line);
        *value = slice_bytes(line.ptr, len);
        if (slice_equal_text(name, field))
            return true;
        line = slice_from(line, len);
    }
    *value = (struct slice){0};
    return false;
}
