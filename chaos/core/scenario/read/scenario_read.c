#include "chaos/core/scenario/read/scenario_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/flags.h"

#define KIND_BYTES 120u
#define CANDIDATES_MAX 64u

size_t scenario_read_push(struct scenario_read *r, const char *name)
{
    size_t mark = strlen(r->path);
    (void)snprintf(r->path + mark, sizeof r->path - mark, "%s%.60s", mark == 0 ? "" : ".", name);
    return mark;
}

size_t scenario_read_push_index(struct scenario_read *r, size_t index)
{
    size_t mark = strlen(r->path);
    (void)snprintf(r->path + mark, sizeof r->path - mark, "[%zu]", index);
    return mark;
}

void scenario_read_pop(struct scenario_read *r, size_t mark)
{
    r->path[mark] = '\0';
}

const char *scenario_read_kind(const struct yamltree_node *node, char *room, size_t size)
{
    static const char *const prefixes[] = {
        [YAMLTREE_NULL] = "nothing",    [YAMLTREE_BOOL] = "the boolean ",
        [YAMLTREE_INT] = "the number ", [YAMLTREE_NUMBER] = "the number ",
        [YAMLTREE_TEXT] = "\"",
    };
    if (node->kind == YAMLTREE_LIST)
        return "a list";
    if (node->kind == YAMLTREE_MAP)
        return "a map";
    if (node->scalar == YAMLTREE_NULL)
        return prefixes[YAMLTREE_NULL];
    (void)snprintf(room, size, "%s%.60s%s", prefixes[node->scalar], node->text,
                   node->scalar == YAMLTREE_TEXT ? "\"" : "");
    return room;
}

static void want(struct scenario_read *r, const struct yamltree_node *node, const char *wanted)
{
    char room[KIND_BYTES];
    lint_add(r->lint, node->line, node->column, r->path, "want %s, got %s", wanted,
             scenario_read_kind(node, room, sizeof room));
}

void scenario_read_unknown(struct scenario_read *r, size_t line, size_t column, const char *word,
                           const char *const candidates[], size_t count)
{
    const char *nearest = flags_nearest(word, candidates, count);
    if (nearest != NULL) {
        lint_add(r->lint, line, column, r->path, "\"%.60s\" is unknown, did you mean \"%s\"?", word,
                 nearest);
        return;
    }
    char list[ERRC_WHY_MAX] = "";
    for (size_t i = 0, len = 0; i < count && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i == 0 ? "" : ", ",
                                candidates[i]);
    lint_add(r->lint, line, column, r->path, "\"%.60s\" is unknown, want one of: %.300s", word,
             list);
}

static bool is_scalar(const struct yamltree_node *node, enum yamltree_scalar scalar)
{
    return node->kind == YAMLTREE_SCALAR && node->scalar == scalar;
}

/* --- scalars --- */

static bool to_int(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    uint64_t n = 0;
    if (!slice_to_u64(slice_of(text + negative), &n) || n > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static void read_int(struct scenario_read *r, const struct verb_field *field,
                     const struct yamltree_node *node, struct scenario_value *out)
{
    int64_t n = 0;
    if (!is_scalar(node, YAMLTREE_INT)) {
        want(r, node, "a whole number");
    } else if (!to_int(node->text, &n) || n < field->min || n > field->max) {
        lint_add(r->lint, node->line, node->column, r->path,
                 "%.40s is not in %" PRId64 "..%" PRId64, node->text, field->min, field->max);
    } else {
        out->number = n;
    }
}

static void read_bool(struct scenario_read *r, const struct yamltree_node *node,
                      struct scenario_value *out)
{
    bool on = is_scalar(node, YAMLTREE_BOOL) && strcmp(node->text, "true") == 0;
    bool off = is_scalar(node, YAMLTREE_BOOL) && strcmp(node->text, "false") == 0;
    if (!on && !off)
        want(r, node, "true or false");
    out->flag = on;
}

static size_t count_words(const char *const words[])
{
    size_t n = 0;
    while (words[n] != NULL)
        n++;
    return n;
}

static const char *read_word(struct scenario_read *r, const struct verb_field *field,
                             const struct yamltree_node *node)
{
    if (node->kind != YAMLTREE_SCALAR || node->scalar == YAMLTREE_NULL) {
        want(r, node, "a word");
        return NULL;
    }
    for (size_t i = 0; field->words[i] != NULL; i++)
        if (strcmp(field->words[i], node->text) == 0)
            return field->words[i];
    scenario_read_unknown(r, node->line, node->column, node->text, field->words,
                          count_words(field->words));
    return NULL;
}

static const char *read_text(struct scenario_read *r, enum verb_format format, int64_t min,
                             int64_t max, const struct yamltree_node *node)
{
    char room[KIND_BYTES];
    if (node->kind != YAMLTREE_SCALAR || node->scalar == YAMLTREE_NULL) {
        want(r, node, "a text");
    } else if (node->scalar != YAMLTREE_TEXT) {
        lint_add(r->lint, node->line, node->column, r->path,
                 "want a text, got %s: put it in quotes",
                 scenario_read_kind(node, room, sizeof room));
    } else if (strlen(node->text) < (size_t)min) {
        lint_add(r->lint, node->line, node->column, r->path, "is empty");
    } else if (max > 0 && strlen(node->text) > (size_t)max) {
        lint_add(r->lint, node->line, node->column, r->path,
                 "is %zu bytes long, at most %" PRId64 " are allowed", strlen(node->text), max);
    } else if (!verb_format_matches(format, node->text)) {
        lint_add(r->lint, node->line, node->column, r->path, "\"%.60s\" does not match %s",
                 node->text, verb_format_pattern(format));
    } else {
        return node->text;
    }
    return NULL;
}

/* --- lists and maps --- */

static bool too_many(struct scenario_read *r, const struct verb_field *field,
                     const struct yamltree_node *node)
{
    if (node->count > 0 && (field->max == 0 || node->count <= (size_t)field->max))
        return false;
    if (node->count == 0)
        lint_add(r->lint, node->line, node->column, r->path, "is empty, leave it out");
    else
        lint_add(r->lint, node->line, node->column, r->path,
                 "has %zu entries, at most %" PRId64 " are allowed", node->count, field->max);
    return true;
}

static bool contains(const struct scenario_value *value, const char *text)
{
    for (size_t i = 0; i < value->count; i++)
        if (strcmp(value->texts[i], text) == 0)
            return true;
    return false;
}

static void read_item(struct scenario_read *r, const struct verb_field *field,
                      const struct yamltree_node *node, struct scenario_value *out)
{
    const char *text = field->type == VERB_WORDS ? read_word(r, field, node)
                                                 : read_text(r, field->format, 0, 65536, node);
    bool twice = text != NULL && field->type == VERB_WORDS && contains(out, text);
    if (twice)
        lint_add(r->lint, node->line, node->column, r->path, "\"%s\" is listed twice", text);
    else if (text != NULL)
        out->texts[out->count++] = text;
}

static void read_list(struct scenario_read *r, const struct verb_field *field,
                      const struct yamltree_node *node, struct scenario_value *out)
{
    bool single = field->type == VERB_WORDS && node->kind == YAMLTREE_SCALAR;
    out->count = 0;
    if (!single && node->kind != YAMLTREE_LIST) {
        want(r, node, field->type == VERB_WORDS ? "a word or a list of words" : "a list of texts");
        return;
    }
    if (!single && too_many(r, field, node))
        return;
    out->texts = pool_array(r->pool, single ? 1 : node->count, sizeof *out->texts);
    if (out->texts == NULL)
        return;
    if (single) {
        read_item(r, field, node, out);
        return;
    }
    size_t index = 0;
    for (const struct yamltree_node *n = node->first; n != NULL; n = n->next) {
        size_t mark = scenario_read_push_index(r, index++);
        read_item(r, field, n, out);
        scenario_read_pop(r, mark);
    }
}

static void read_pair(struct scenario_read *r, const struct verb_field *field,
                      const struct yamltree_node *entry, struct scenario_value *out)
{
    size_t mark = scenario_read_push(r, entry->key);
    const char *value = NULL;
    if (!verb_format_matches(field->format, entry->key))
        lint_add(r->lint, entry->key_line, entry->key_column, r->path, "the name does not match %s",
                 verb_format_pattern(field->format));
    else
        value = read_text(r, VERB_FORMAT_ANY, 0, 4096, entry);
    if (value != NULL)
        out->pairs[out->count++] = (struct scenario_pair){.name = entry->key,
                                                          .value = value,
                                                          .line = entry->key_line,
                                                          .column = entry->key_column};
    scenario_read_pop(r, mark);
}

static void read_map(struct scenario_read *r, const struct verb_field *field,
                     const struct yamltree_node *node, struct scenario_value *out)
{
    if (node->kind != YAMLTREE_MAP) {
        want(r, node, "a map of names to texts");
        return;
    }
    if (too_many(r, field, node))
        return;
    out->pairs = pool_array(r->pool, node->count, sizeof *out->pairs);
    for (const struct yamltree_node *n = node->first; out->pairs != NULL && n != NULL; n = n->next)
        read_pair(r, field, n, out);
}

static void read_nested(struct scenario_read *r, const struct verb_field *field,
                        const struct yamltree_node *node, struct scenario_value *out)
{
    if (node->kind != YAMLTREE_MAP)
        want(r, node, "a map");
    else if (node->count == 0)
        lint_add(r->lint, node->line, node->column, r->path, "is empty, leave it out");
    else
        out->values = scenario_read_fields(r, field->fields, NULL, node, &out->count);
}

void scenario_read_value(struct scenario_read *r, const struct verb_field *field,
                         const struct yamltree_node *node, struct scenario_value *out)
{
    scenario_read_standard(r, field, out);
    out->given = true;
    out->line = node->line;
    out->column = node->column;
    switch (field->type) {
    case VERB_INT:
        read_int(r, field, node, out);
        return;
    case VERB_BOOL:
        read_bool(r, node, out);
        return;
    case VERB_TEXT:
        out->text = read_text(r, field->format, field->min, field->max, node);
        return;
    case VERB_WORD:
        out->text = read_word(r, field, node);
        return;
    case VERB_WORDS:
    case VERB_TEXTS:
        read_list(r, field, node, out);
        return;
    case VERB_MAP:
        read_map(r, field, node, out);
        return;
    case VERB_FIELDS:
        read_nested(r, field, node, out);
        return;
    case VERB_NOTHING:
    case VERB_STEPS:
        return;
    }
}

static size_t count_fields(const struct verb_field *fields)
{
    size_t n = 0;
    while (fields != NULL && fields[n].name != NULL)
        n++;
    return n;
}

/* All fields left out. */
static struct scenario_value *standards(struct scenario_read *r, const struct verb_field *fields,
                                        size_t *count)
{
    *count = count_fields(fields);
    struct scenario_value *values = pool_array(r->pool, *count, sizeof *values);
    for (size_t i = 0; values != NULL && i < *count; i++)
        scenario_read_standard(r, &fields[i], &values[i]);
    return values;
}

void scenario_read_standard(struct scenario_read *r, const struct verb_field *field,
                            struct scenario_value *out)
{
    *out = (struct scenario_value){.field = field};
    if (field->type == VERB_FIELDS)
        out->values = standards(r, field->fields, &out->count);
    if (field->standard == NULL)
        return;
    out->text = field->type == VERB_TEXT || field->type == VERB_WORD ? field->standard : NULL;
    out->flag = field->type == VERB_BOOL && strcmp(field->standard, "true") == 0;
    if (field->type == VERB_INT)
        CHECK(to_int(field->standard, &out->number));
}

static void complain_field(struct scenario_read *r, const struct verb_field *fields,
                           const struct yamltree_node *entry, const char *skip)
{
    const char *names[CANDIDATES_MAX];
    size_t count = 0;
    if (skip != NULL)
        names[count++] = skip;
    for (size_t i = 0; fields != NULL && fields[i].name != NULL && count < CANDIDATES_MAX; i++)
        names[count++] = fields[i].name;
    scenario_read_unknown(r, entry->key_line, entry->key_column, entry->key, names, count);
}

struct scenario_value *scenario_read_fields(struct scenario_read *r,
                                            const struct verb_field *fields, const char *skip,
                                            const struct yamltree_node *map, size_t *count)
{
    struct scenario_value *values = standards(r, fields, count);
    if (values == NULL)
        return NULL;
    for (const struct yamltree_node *n = map->first; n != NULL; n = n->next) {
        const struct verb_field *field = verb_field_find(fields, n->key);
        if (field == NULL && (skip == NULL || strcmp(skip, n->key) != 0))
            complain_field(r, fields, n, skip);
        if (field == NULL || field->type == VERB_STEPS)
            continue;
        size_t mark = scenario_read_push(r, n->key);
        scenario_read_value(r, field, n, &values[field - fields]);
        scenario_read_pop(r, mark);
    }
    for (size_t i = 0; i < *count; i++)
        if (fields[i].required && yamltree_get(map, fields[i].name) == NULL)
            lint_add(r->lint, map->line, map->column, r->path, "\"%s\" is missing", fields[i].name);
    return values;
}
