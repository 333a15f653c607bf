#include "signer/core/service/api_prefer.h"

#include <strings.h>

/* Cuts at the first separator outside quotes. */
static struct slice cut_unquoted(struct slice *s, char separator)
{
    bool quoted = false;
    for (size_t i = 0; i < s->len; i++) {
        char c = s->ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted) {
            struct slice head = {s->ptr, i};
            *s = slice_from(*s, i + 1);
            return head;
        }
    }
    struct slice all = *s;
    *s = (struct slice){0};
    return all;
}

static struct slice unquote(struct slice s)
{
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        return (struct slice){s.ptr + 1, s.len - 2};
    return s;
}

bool api_prefer_wait(struct slice header, uint64_t max, uint64_t *seconds)
{
    while (header.len > 0) {
        struct slice preference = cut_unquoted(&header, ',');
        struct slice value = cut_unquoted(&preference, ';');
        struct slice name = slice_trim(slice_cut(&value, '='));
        if (name.len != 4 || strncasecmp(name.ptr, "wait", 4) != 0)
            continue;
        uint64_t n = 0;
        if (!slice_to_u64(unquote(slice_trim(value)), &n))
            return false;
        *seconds = n < max ? n : max;
        return true;
    }
    return false;
}
