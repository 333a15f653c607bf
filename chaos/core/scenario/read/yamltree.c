#include "chaos/core/scenario/read/yamltree.h"

#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct pool *pool;
    struct lint *lint;
    size_t nodes;
    bool broken; /* the text cannot be read on */
};

static void reader_done(struct reader *r)
{
    yaml_parser_delete(&r->parser);
}

static void event_done(yaml_event_t *event)
{
    yaml_event_delete(event);
}

static bool listed(const char *text, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool plain_decimal(const char *text)
{
    const char *digits = text + (text[0] == '-');
    size_t len = strlen(digits);
    return len > 0 && strspn(digits, "0123456789") == len && (len == 1 || digits[0] != '0');
}

/* Tells how an unquoted scalar reads. */
static enum yamltree_scalar classify(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", NULL};
    static const char *const bools[] = {"true", "false", "yes", "no", "on", "off", NULL};
    static const char *const odd[] = {".inf", "-.inf", "+.inf", ".nan", NULL};
    static const char number_bytes[] = "0123456789_.:+-xabcdefoABCDEFTZtz";
    if (listed(text, nulls))
        return YAMLTREE_NULL;
    if (listed(text, bools))
        return YAMLTREE_BOOL;
    if (plain_decimal(text))
        return YAMLTREE_INT;
    const char *first = text + strspn(text, "+-.");
    bool digit = *first >= '0' && *first <= '9';
    if (listed(text, odd) || (digit && strspn(text, number_bytes) == strlen(text)))
        return YAMLTREE_NUMBER;
    return YAMLTREE_TEXT;
}

static size_t line_of(yaml_mark_t mark)
{
    return mark.line + 1;
}

static size_t column_of(yaml_mark_t mark)
{
    return mark.column + 1;
}

static void complain(struct reader *r, yaml_mark_t mark, const char *text)
{
    lint_add(r->lint, line_of(mark), column_of(mark), "", "%s", text);
    r->broken = true;
}

/* The trouble is where it opened, not at the end of the file, where libyaml gave up. */
static bool is_unclosed_quote(const yaml_parser_t *p)
{
    return p->context != NULL && strcmp(p->context, "while scanning a quoted scalar") == 0 &&
           strcmp(p->problem, "found unexpected end of stream") == 0;
}

static void complain_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    r->broken = true;
    if (p->error == YAML_MEMORY_ERROR)
        r->pool->failed = true;
    else if (p->error == YAML_READER_ERROR)
        lint_add(r->lint, line_of(p->mark), column_of(p->mark), "", "not readable as text: %s",
                 p->problem);
    else if (is_unclosed_quote(p))
        lint_add(r->lint, line_of(p->context_mark), column_of(p->context_mark), "",
                 "not readable as YAML: the quote that opens here is not closed");
    else
        lint_add(r->lint, line_of(p->problem_mark), column_of(p->problem_mark), "",
                 "not readable as YAML: %s%s%s", p->problem, p->context == NULL ? "" : ", ",
                 p->context == NULL ? "" : p->context);
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (r->broken || r->pool->failed)
        return false;
    if (yaml_parser_parse(&r->parser, event) != 0)
        return true;
    complain_syntax(r);
    return false;
}

static struct yamltree_node *new_node(struct reader *r, const yaml_event_t *event, size_t depth)
{
    if (depth > YAMLTREE_DEPTH_MAX || ++r->nodes > YAMLTREE_NODES_MAX) {
        complain(r, event->start_mark,
                 depth > YAMLTREE_DEPTH_MAX ? "nested too deeply" : "too many values");
        return NULL;
    }
    struct yamltree_node *node = pool_new(r->pool, sizeof *node);
    if (node == NULL)
        return NULL;
    node->line = line_of(event->start_mark);
    node->column = column_of(event->start_mark);
    return node;
}

/* Anchors and tags are features that a scenario has no use for, and a cost to who reads one. */
static bool refuse_decoration(struct reader *r, const yaml_event_t *event,
                              const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        complain(r, event->start_mark, "anchors are not supported, write the value out");
    else if (tag != NULL)
        complain(r, event->start_mark, "tags are not supported");
    return anchor != NULL || tag != NULL;
}

static struct yamltree_node *parse_value(struct reader *r, const yaml_event_t *event, size_t depth);

static struct yamltree_node *parse_scalar(struct reader *r, const yaml_event_t *event, size_t depth)
{
    if (refuse_decoration(r, event, event->data.scalar.anchor, event->data.scalar.tag))
        return NULL;
    struct yamltree_node *node = new_node(r, event, depth);
    if (node == NULL)
        return NULL;
    struct slice text = slice_bytes(event->data.scalar.value, event->data.scalar.length);
    if (slice_find(text, '\0') < text.len) {
        complain(r, event->start_mark, "a NUL character is not allowed");
        return NULL;
    }
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = pool_text(r->pool, text);
    if (node->text != NULL)
        node->scalar = plain ? classify(node->text) : YAMLTREE_TEXT;
    return node->text == NULL ? NULL : node;
}

static void append(struct yamltree_node *parent, struct yamltree_node ***tail,
                   struct yamltree_node *child)
{
    **tail = child;
    *tail = &child->next;
    parent->count++;
}

static struct yamltree_node *parse_list(struct reader *r, const yaml_event_t *event, size_t depth)
{
    if (refuse_decoration(r, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag))
        return NULL;
    struct yamltree_node *node = new_node(r, event, depth);
    if (node == NULL)
        return NULL;
    node->kind = YAMLTREE_LIST;
    struct yamltree_node **tail = &node->first;
    for (;;) {
        yaml_event_t item CLEANUP(event_done) = {0};
        if (!next_event(r, &item))
            return NULL;
        if (item.type == YAML_SEQUENCE_END_EVENT)
            return node;
        struct yamltree_node *child = parse_value(r, &item, depth + 1);
        if (child == NULL)
            return NULL;
        append(node, &tail, child);
    }
}

/* Reads the value behind a key and hangs it into the map, unless the key was there before. */
static bool parse_entry(struct reader *r, struct yamltree_node *map, struct yamltree_node ***tail,
                        const struct yamltree_node *key, size_t depth)
{
    yaml_event_t event CLEANUP(event_done) = {0};
    if (!next_event(r, &event))
        return false;
    struct yamltree_node *value = parse_value(r, &event, depth + 1);
    if (value == NULL)
        return false;
    value->key = key->text;
    value->key_line = key->line;
    value->key_column = key->column;
    const struct yamltree_node *before = yamltree_get(map, key->text);
    if (before == NULL)
        append(map, tail, value);
    else
        lint_add(r->lint, key->line, key->column, "",
                 "key \"%.60s\" is given twice, first in line %zu", key->text, before->key_line);
    return true;
}

static struct yamltree_node *parse_map(struct reader *r, const yaml_event_t *event, size_t depth)
{
    if (refuse_decoration(r, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag))
        return NULL;
    struct yamltree_node *node = new_node(r, event, depth);
    if (node == NULL)
        return NULL;
    node->kind = YAMLTREE_MAP;
    struct yamltree_node **tail = &node->first;
    for (;;) {
        yaml_event_t item CLEANUP(event_done) = {0};
        if (!next_event(r, &item))
            return NULL;
        if (item.type == YAML_MAPPING_END_EVENT)
            return node;
        struct yamltree_node *key = parse_value(r, &item, depth + 1);
        if (key == NULL)
            return NULL;
        if (key->kind != YAMLTREE_SCALAR) {
            complain(r, item.start_mark, "a key must be a word");
            return NULL;
        }
        if (!parse_entry(r, node, &tail, key, depth))
            return NULL;
    }
}

static struct yamltree_node *parse_value(struct reader *r, const yaml_event_t *event, size_t depth)
{
    if (event->type == YAML_SCALAR_EVENT)
        return parse_scalar(r, event, depth);
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return parse_list(r, event, depth);
    if (event->type == YAML_MAPPING_START_EVENT)
        return parse_map(r, event, depth);
    complain(r, event->start_mark, "aliases are not supported, write the value out");
    return NULL;
}

/* Takes the event that must come next; complains with text when another one does. */
static bool expect_event(struct reader *r, yaml_event_type_t type, const char *text)
{
    yaml_event_t event CLEANUP(event_done) = {0};
    if (!next_event(r, &event))
        return false;
    if (event.type == type)
        return true;
    complain(r, event.start_mark, text);
    return false;
}

static struct yamltree_node *parse_document(struct reader *r)
{
    if (!expect_event(r, YAML_STREAM_START_EVENT, "not readable as YAML") ||
        !expect_event(r, YAML_DOCUMENT_START_EVENT, "the file is empty"))
        return NULL;
    yaml_event_t event CLEANUP(event_done) = {0};
    if (!next_event(r, &event))
        return NULL;
    struct yamltree_node *root = parse_value(r, &event, 1);
    if (root == NULL || !expect_event(r, YAML_DOCUMENT_END_EVENT, "not readable as YAML") ||
        !expect_event(r, YAML_STREAM_END_EVENT, "a second document begins, want only one"))
        return NULL;
    return root;
}

enum errc yamltree_parse(struct slice text, struct pool *pool, struct lint *lint,
                         struct yamltree_node **out, struct errc_why *why)
{
    struct reader r CLEANUP(reader_done) = {.pool = pool, .lint = lint};
    *out = NULL;
    if (yaml_parser_initialize(&r.parser) == 0)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.len == 0 ? "" : text.ptr),
                                 text.len);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    *out = parse_document(&r);
    return pool_status(pool, why);
}

const struct yamltree_node *yamltree_get(const struct yamltree_node *map, const char *key)
{
    for (const struct yamltree_node *n = map->first; n != NULL; n = n->next)
        if (n->key != NULL && strcmp(n->key, key) == 0)
            return n;
    return NULL;
}
