#include "chaos/core/ledger/ledger_lines.h"

#include <string.h>

#include "base/text/stamp.h"

size_t ledger_lines_count(struct slice text)
{
    size_t count = text.len > 0 && text.ptr[text.len - 1] != '\n' ? 1 : 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

bool ledger_lines_next(struct ledger_lines *l, struct slice *line, bool *torn)
{
    if (l->rest.len == 0)
        return false;
    *torn = slice_find(l->rest, '\n') == l->rest.len;
    *line = slice_cut(&l->rest, '\n');
    l->line++;
    return true;
}

/* Returns the field when it is there and not null. */
static const json_t *present(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return json_is_null(value) ? NULL : value;
}

static void wrong(struct ledger_lines *l, const char *field, const char *wanted)
{
    ledger_problem(l->problems, l->pool, l->file, l->line, "field \"%s\" is not %s", field, wanted);
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
    ledger_problem(l->problems, l->pool, l->file, l->line, "field \"%s\" is missing", field);
    return false;
}
