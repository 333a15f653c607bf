#include "chaos/core/ledger/ledger_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "base/text/stamp.h"

void ledger_lines_init(struct ledger_lines *l, const char *file, struct pool *pool,
                       struct ledger_problems *problems)
{
    *l = (struct ledger_lines){.file = file, .pool = pool, .problems = problems};
    buf_init(&l->tail, LEDGER_LINES_TAIL_MAX);
}

void ledger_lines_done(struct ledger_lines *l)
{
    buf_done(&l->tail);
}

/* The next whole line of `rest`, with what was left of the reading before; false when there is
 * none, and then what is left is kept. */
static bool next_line(struct ledger_lines *l, struct slice *rest, struct slice *line)
{
    size_t end = slice_find(*rest, '\n');
    if (l->tail.len > 0 || end == rest->len)
        buf_add(&l->tail, rest->ptr, end);
    if (end == rest->len)
        return false;
    *line = l->tail.len > 0 ? buf_slice(&l->tail) : slice_bytes(rest->ptr, end);
    *rest = slice_from(*rest, end + 1);
    return true;
}

enum errc ledger_lines_feed(struct ledger_lines *l, struct slice bytes,
                            enum errc (*read)(void *context, struct slice line), void *context)
{
    struct slice rest = bytes, line;
    l->consumed += bytes.len;
    while (rest.len > 0 && next_line(l, &rest, &line)) {
        l->line++;
        l->at = l->end;
        l->end += line.len + 1;
        TRY(read(context, line));
        buf_reset(&l->tail);
    }
    return buf_status(&l->tail, NULL);
}

bool ledger_lines_object(struct slice line, json_t **out, enum errc *code)
{
    *code = jsonread_parse(line, out, NULL);
    return *code == ERRC_OK && json_is_object(*out);
}

enum errc ledger_lines_room(void **items, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return ERRC_OK;
    size_t more = *room == 0 ? 64 : 2 * *room, bytes = 0;
    void *grown = __builtin_mul_overflow(more, size, &bytes) ? NULL : realloc(*items, bytes);
    if (grown == NULL)
        return ERRC_NOMEM;
    *items = grown;
    *room = more;
    return ERRC_OK;
}

/* Returns the field when it is there and not null. */
static const json_t *present(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return json_is_null(value) ? NULL : value;
}

static void wrong(struct ledger_lines *l, const char *field, const char *wanted)
{
    ledger_lines_problem(l, "field \"%s\" is not %s", field, wanted);
}

void ledger_lines_text(struct ledger_lines *l, const json_t *object, const char *field,
                       const char **out)
{
    const json_t *value = present(object, field);
    if (value == NULL)
        return;
    if (!json_is_string(value)) {
        wrong(l, field, "a string");
        return;
    }
    const char *copy = pool_text(l->pool, slice_of(json_string_value(value)));
    if (copy != NULL)
        *out = copy;
}

void ledger_lines_int(struct ledger_lines *l, const json_t *object, const char *field, int64_t *out)
{
    const json_t *value = present(object, field);
    if (value == NULL)
        return;
    if (json_is_integer(value))
        *out = json_integer_value(value);
    else
        wrong(l, field, "an integer");
}

void ledger_lines_bool(struct ledger_lines *l, const json_t *object, const char *field, bool *out)
{
    const json_t *value = present(object, field);
    if (value == NULL)
        return;
    if (json_is_boolean(value))
        *out = json_is_true(value);
    else
        wrong(l, field, "true or false");
}

void ledger_lines_stamp(struct ledger_lines *l, const json_t *object, const char *field,
                        int64_t *out)
{
    const json_t *value = present(object, field);
    if (value == NULL)
        return;
    if (!json_is_string(value) || !stamp_parse(slice_of(json_string_value(value)), out))
        wrong(l, field, "a time as RFC 3339 has it");
}

void ledger_lines_texts(struct ledger_lines *l, const json_t *object, const char *field,
                        const char ***out, size_t *count)
{
    const json_t *value = present(object, field);
    if (value == NULL)
        return;
    size_t items = json_array_size(value);
    const char **texts = pool_array(l->pool, items, sizeof *texts);
    if (!json_is_array(value))
        wrong(l, field, "a list");
    for (size_t i = 0; texts != NULL && i < items; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (text == NULL)
            wrong(l, field, "a list of strings");
        texts[i] = text == NULL ? "" : pool_text(l->pool, slice_of(text));
    }
    if (l->pool->failed || texts == NULL)
        return;
    *out = texts;
    *count = items;
}

bool ledger_lines_must(struct ledger_lines *l, const json_t *object, const char *field)
{
    if (present(object, field) != NULL)
        return true;
    ledger_lines_problem(l, "field \"%s\" is missing", field);
    return false;
}
