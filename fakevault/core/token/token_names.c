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

static int compare(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;
    size_t common = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->ptr, b->ptr, common);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static enum errc make_room(struct token_names *names)
{
    size_t room = names->room == 0 ? 8 : 2 * names->room;
    if (names->count < names->room)
        return ERRC_OK;
    struct slice *grown = realloc(names->items, room * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    names->items = grown;
    names->room = room;
    return ERRC_OK;
}

/* Puts a name at the end, where it may be out of order or there already; see settle. */
static enum errc append(struct token_names *names, struct slice name)
{
    name = slice_trim(name);
    if (name.len == 0)
        return ERRC_OK;
    char *text = make_room(names) == ERRC_OK ? slice_dup(name) : NULL;
    if (text == NULL)
        return ERRC_NOMEM;
    for (size_t i = 0; i < name.len; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    names->items[names->count++] = (struct slice){text, name.len};
    return ERRC_OK;
}

/* Sorts, and drops what is there twice. */
static void settle(struct token_names *names)
{
    size_t kept = 0;
    if (names->count > 1)
        qsort(names->items, names->count, sizeof *names->items, compare);
    for (size_t i = 0; i < names->count; i++) {
        if (kept > 0 && slice_equal(names->items[kept - 1], names->items[i]))
            free((void *)(uintptr_t)names->items[i].ptr);
        else
            names->items[kept++] = names->items[i];
    }
    names->count = kept;
}

enum errc token_names_add(struct token_names *names, struct slice name)
{
    return token_names_add_all(names, &name, 1);
}

enum errc token_names_add_all(struct token_names *names, const struct slice *items, size_t count)
{
    enum errc code = ERRC_OK;
    for (size_t i = 0; i < count && code == ERRC_OK; i++)
        code = append(names, items[i]);
    settle(names);
    return code;
}

enum errc token_names_add_json(struct token_names *names, const json_t *texts)
{
    enum errc code = ERRC_OK;
    for (size_t i = 0; i < json_array_size(texts) && code == ERRC_OK; i++) {
        const json_t *text = json_array_get(texts, i);
        code = append(names, slice_bytes(json_string_value(text), json_string_length(text)));
    }
    settle(names);
    return code;
}

bool token_names_among(const struct slice *items, size_t count, struct slice name)
{
    return count > 0 && bsearch(&name, items, count, sizeof *items, compare) != NULL;
}

bool token_names_has(const struct token_names *names, struct slice name)
{
    return token_names_among(names->items, names->count, name);
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
