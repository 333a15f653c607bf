#include "fakevault/core/http/route.h"

#include <string.h>

static bool word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Vault's GenericNameRegex: \w(([\w-.]+)?\w)? */
static bool key_name(struct slice s)
{
    if (s.len == 0 || !word_byte(s.ptr[0]) || !word_byte(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!word_byte(s.ptr[i]) && s.ptr[i] != '-' && s.ptr[i] != '.')
            return false;
    return true;
}

static bool is_capture(char c)
{
    return c != '\0' && strchr(":+*!~", c) != NULL;
}

/* Takes "name" off the pattern and the bytes it stands for off the path. */
static bool capture(struct slice *pattern, struct slice *path, struct route_match *match)
{
    char kind = pattern->ptr[0];
    *pattern = slice_from(*pattern, 1);
    size_t name_len = 0, taken = path->len;
    while (name_len < pattern->len && word_byte(pattern->ptr[name_len]))
        name_len++;
    struct route_capture c = {.name = {pattern->ptr, name_len}};
    *pattern = slice_from(*pattern, name_len);
    if (kind == '!')
        taken = 0;
    else if (kind == ':')
        taken = slice_find(*path, '/');
    else if (pattern->len <= path->len) /* what is behind is literal, and stands at the end */
        taken = path->len - pattern->len;
    c.value = (struct slice){path->ptr, taken};
    *path = slice_from(*path, taken);
    if ((kind == ':' && !key_name(c.value)) || (kind == '+' && c.value.len == 0) ||
        (kind == '~' && (c.value.len == 0 || slice_ends_with(c.value, "/"))))
        return false;
    match->captures[match->capture_count++] = c;
    return true;
}

static bool pattern_fits(const char *text, struct slice path, struct route_match *match)
{
    struct slice pattern = slice_of(text);
    match->capture_count = 0;
    while (pattern.len > 0) {
        if (is_capture(pattern.ptr[0])) {
            if (!capture(&pattern, &path, match))
                return false;
        } else if (slice_equal_text(pattern, "/?")) {
            return path.len == 0 || slice_equal_text(path, "/");
        } else if (path.len > 0 && path.ptr[0] == pattern.ptr[0]) {
            pattern = slice_from(pattern, 1);
            path = slice_from(path, 1);
        } else {
            return false;
        }
    }
    return path.len == 0;
}

bool route_find(const struct route_table *table, struct slice path, enum route_operation operation,
                struct route_match *match)
{
    const char *first = NULL; /* the pattern that fits first is the path's, as in Vault */
    *match = (struct route_match){0};
    for (size_t i = 0; i < table->count; i++) {
        const struct route_endpoint *row = &table->rows[i];
        bool other = first != NULL && strcmp(first, row->pattern) != 0;
        if (other || !pattern_fits(row->pattern, path, match))
            continue;
        first = row->pattern;
        match->path_known = true;
        if (row->operation == operation) {
            match->endpoint = row;
            return true;
        }
    }
    return false;
}

const char *route_operation_name(enum route_operation operation)
{
    static const char *const names[] = {
        [ROUTE_READ] = "read",     [ROUTE_LIST] = "list",     [ROUTE_UPDATE] = "update",
        [ROUTE_CREATE] = "create", [ROUTE_DELETE] = "delete", [ROUTE_PATCH] = "patch",
        [ROUTE_HEADER] = "header", [ROUTE_HELP] = "help",     [ROUTE_OPTIONS] = "",
        [ROUTE_OTHER] = "",
    };
    return names[operation];
}
