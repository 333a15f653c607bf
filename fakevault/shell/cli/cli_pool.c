#include "fakevault/shell/cli/cli_pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "fakevault/core/http/gojson.h"

#define EXIT_NO_MEMORY 2

struct cli_pool_item {
    struct cli_pool_item *next;
    json_t *tree; /* NULL: bytes */
    size_t len;
    char bytes[];
};

_Noreturn static void give_up(void)
{
    (void)fputs("out of memory\n", stderr);
    exit(EXIT_NO_MEMORY);
}

static struct cli_pool_item *add(struct cli_pool *pool, size_t len)
{
    struct cli_pool_item *item = calloc(1, sizeof *item + len);
    if (item == NULL)
        give_up();
    item->len = len;
    item->next = pool->first;
    pool->first = item;
    return item;
}

void cli_pool_done(struct cli_pool *pool)
{
    while (pool->first != NULL) {
        struct cli_pool_item *item = pool->first;
        pool->first = item->next;
        json_decref(item->tree);
        secret_wipe(item->bytes, item->len);
        free(item);
    }
}

void *cli_pool_bytes(struct cli_pool *pool, size_t len)
{
    return add(pool, len)->bytes;
}

char *cli_pool_text(struct cli_pool *pool, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        give_up();
    char *text = cli_pool_bytes(pool, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *cli_pool_copy(struct cli_pool *pool, struct slice text)
{
    char *copy = cli_pool_bytes(pool, text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

char *cli_pool_take(struct cli_pool *pool, struct buf *text)
{
    if (buf_status(text, NULL) != ERRC_OK)
        give_up();
    char *copy = cli_pool_copy(pool, buf_slice(text));
    buf_done(text);
    return copy;
}

json_t *cli_pool_tree(struct cli_pool *pool, json_t *tree)
{
    if (tree == NULL)
        give_up();
    add(pool, 0)->tree = tree;
    return tree;
}

json_t *cli_pool_object(struct cli_pool *pool)
{
    return cli_pool_tree(pool, json_object());
}

json_t *cli_pool_array(struct cli_pool *pool)
{
    return cli_pool_tree(pool, json_array());
}

json_t *cli_pool_string(struct cli_pool *pool, const char *text)
{
    return cli_pool_tree(pool, text == NULL ? json_null() : json_string(text));
}

void cli_pool_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) != 0)
        give_up();
}

void cli_pool_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        give_up();
}

json_t *cli_pool_new_text(const char *text)
{
    struct buf valid CLEANUP(buf_done);
    buf_init(&valid, SIZE_MAX / 4);
    gojson_valid_utf8(slice_of(text), &valid);
    if (valid.failed)
        give_up();
    return json_stringn_nocheck(buf_text(&valid), valid.len);
}
