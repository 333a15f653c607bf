#include "fakevault/core/token/token_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void token_names_done(struct token_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free((void *)(uintptr_t)names->items[i].ptr);
    free(names->items);
    *names = (struct token_names){0};
}

static int compare(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, common);
    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

static enum errc insert(struct token_names *names, size_t at, struct slice name)
{
    struct slice *grown = realloc(names->items, (names->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    names->items = grown;
    memmove(grown + at + 1, grown + at, (names->count - at) * sizeof *grown);
    grown[at] = name;
    names->count++;
    return ERRC_OK;
}

enum errc token_names_add(struct token_names *names, struct slice name)
{
    name = slice_trim(name);
    if (name.len == 0)
        return ERRC_OK;
    char *text = slice_dup(name);
    if (text == NULL)
        return ERRC_NOMEM;
    for (size_t i = 0; i < name.len; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    struct slice lower = {text, name.len};
    size_t at = 0;
    int order = 1;
    while (at < names->count && (order = compare(names->items[at], lower)) < 0)
        at++;
    enum errc code = order == 0 && at < names->count ? ERRC_EXISTS : insert(names, at, lower);
    if (code != ERRC_OK)
        free(text);
    return code == ERRC_EXISTS ? ERRC_OK : code;
}

enum errc token_names_add_all(struct token_names *names, const struct slice *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(token_names_add(names, items[i]));
    return ERRC_OK;
}

enum errc token_names_add_json(struct token_names *names, const json_t *texts)
{
    for (size_t i = 0; i < json_array_size(texts); i++) {
        const json_t *text = json_array_get(texts, i);
        TRY(token_names_add(names, slice_bytes(json_string_value(text), json_string_length(text))));
    }
    return ERRC_OK;
}

bool token_names_has(const struct token_names *names, struct slice name)
{
    for (size_t i = 0; i < names->count; i++)
        if (slice_equal(names->items[i], name))
            return true;
    return false;
}

enum errc token_names_sanitize(struct token_names *names, bool add_default)
{
    if (token_names_has(names, SLICE_LITERAL("root"))) {
        token_names_done(names);
        return token_names_add(names, SLICE_LITERAL("root"));
    }
    return add_default ? token_names_add(names, SLICE_LITERAL("default")) : ERRC_OK;
}

void token_names_remove(struct token_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!slice_equal_text(names->items[i], name))
            continue;
        free((void *)(uintptr_t)names->items[i].ptr);
        names->count--;
        memmove(names->items + i, names->items + i + 1, (names->count - i) * sizeof *names->items);
        return;
    }
}

bool token_names_fit(const struct token_names *globs, struct slice text)
{
    for (size_t i = 0; i < globs->count; i++)
        if (slice_glob(globs->items[i], text))
            return true;
    return false;
}

void token_names_print(const struct token_names *names, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < names->count; i++)
        buf_addf(out, "%s\"%.*s\"", i > 0 ? " " : "", SLICE_FMT(names->items[i]));
    buf_add_char(out, ']');
}
