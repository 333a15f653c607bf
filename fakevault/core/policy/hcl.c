#include "fakevault/core/policy/hcl.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/limits.h"
#include "fakevault/core/policy/hcltext.h"

#define BLOCK_BYTES 4096u

struct hcl_block {
    struct hcl_block *next;
    size_t used, size;
    max_align_t memory[];
};

struct parser {
    struct hclscan scan;
    struct hclscan_token token; /* read last */
    bool unread;                /* token is to be read again */
    unsigned depth;
    struct hcl *tree;
    struct errc_why *why;
};

static enum errc parse_object(struct parser *p, struct hcl_node **out);
static enum errc parse_list(struct parser *p, struct hcl_node **out);

static enum errc no_memory(struct parser *p)
{
    return errc_fail(p->why, ERRC_NOMEM, "out of memory");
}

static struct hcl_block *new_block(struct hcl *tree, size_t size)
{
    struct hcl_block *block = calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    block->next = tree->blocks;
    tree->blocks = block;
    return block;
}

/* Zeroed memory that lives as long as the tree; NULL when there is none. */
static void *allot(struct parser *p, size_t size)
{
    struct hcl_block *block = p->tree->blocks;
    size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (block == NULL || block->size - block->used < size)
        block = new_block(p->tree, size > BLOCK_BYTES ? size : BLOCK_BYTES);
    if (block == NULL)
        return NULL;
    void *memory = (char *)block->memory + block->used;
    block->used += size;
    return memory;
}

void hcl_done(struct hcl *h)
{
    while (h->blocks != NULL) {
        struct hcl_block *block = h->blocks;
        h->blocks = block->next;
        free(block);
    }
    *h = (struct hcl){0};
}

void hcl_add_place(struct hclscan_place place, struct buf *out)
{
    if (place.line == 0)
        buf_add_char(out, '-');
    else
        buf_addf(out, "%u:%u", place.line, place.column);
}

const char *hcl_type_name(const struct hcl_node *node)
{
    static const char *const names[] = {
        [HCL_LITERAL] = "*ast.LiteralType",
        [HCL_LIST] = "*ast.ListType",
        [HCL_OBJECT] = "*ast.ObjectType",
    };
    return names[node->kind];
}

/* The end of the source, which some callers expect, has no sentence. */
static enum errc at_end(void)
{
    return ERRC_NOT_FOUND;
}

__attribute__((format(printf, 3, 4))) static enum errc
bad(struct parser *p, struct hclscan_place place, const char *format, ...)
{
    struct errc_why text = {{0}};
    struct buf where CLEANUP(buf_done);
    va_list args;
    buf_init(&where, 64);
    hcl_add_place(place, &where);
    va_start(args, format);
    (void)vsnprintf(text.text, sizeof text.text, format, args);
    va_end(args);
    if (p->scan.json)
        return errc_fail(p->why, ERRC_SYNTAX, "%s", text.text);
    return errc_fail(p->why, ERRC_SYNTAX, "At %s: %s", buf_text(&where), text.text);
}

static const char *got(const struct parser *p)
{
    return hclscan_type_name(p->token.type);
}

static enum hclscan_type read(struct parser *p)
{
    if (!p->unread)
        do {
            p->token = hclscan_next(&p->scan);
        } while (p->token.type == HCLSCAN_COMMENT);
    p->unread = false;
    return p->token.type;
}

/* --- keys and literals ------------------------------------------------------------------------ */

static enum errc copy_text(struct parser *p, const struct buf *from, struct slice *out)
{
    char *copy = allot(p, from->len + 1);
    if (from->failed || copy == NULL)
        return no_memory(p);
    memcpy(copy, buf_text(from), from->len);
    *out = (struct slice){copy, from->len};
    return ERRC_OK;
}

/* The value of the token read last. */
static enum errc token_value(struct parser *p, struct slice *out)
{
    struct buf value CLEANUP(buf_done);
    struct slice written = p->token.text;
    bool sound = true;
    buf_init(&value, 4 * written.len + 1);
    if (p->token.type == HCLSCAN_STRING)
        sound = hcltext_unquote(written, p->scan.json, &value);
    else if (p->token.type == HCLSCAN_HEREDOC)
        hcltext_heredoc(written, &value);
    else if (p->token.type != HCLSCAN_NULL)
        buf_add_slice(&value, written);
    if (!sound && p->scan.complaint == NULL)
        return bad(p, p->token.place, "unquote %.*s err: invalid syntax", SLICE_FMT(written));
    return copy_text(p, &value, out);
}

/* Puts a key at the end of the list that *tail points to. */
static enum errc add_key(struct parser *p, struct hcl_key ***tail)
{
    struct hcl_key *key = allot(p, sizeof *key);
    if (key == NULL)
        return no_memory(p);
    TRY(token_value(p, &key->text));
    key->quoted = p->token.type == HCLSCAN_STRING;
    if (!p->scan.json)
        key->place = p->token.place;
    **tail = key;
    *tail = &key->next;
    return ERRC_OK;
}

static struct hcl_node *new_node(struct parser *p, enum hcl_kind kind)
{
    struct hcl_node *node = allot(p, sizeof *node);
    if (node == NULL)
        return NULL;
    node->kind = kind;
    if (!p->scan.json)
        node->place = p->token.place;
    return node;
}

static enum errc parse_literal(struct parser *p, struct hcl_node **out)
{
    *out = new_node(p, HCL_LITERAL);
    if (*out == NULL)
        return no_memory(p);
    (*out)->type = p->token.type == HCLSCAN_NULL ? HCLSCAN_STRING : p->token.type;
    return token_value(p, &(*out)->text);
}

static bool is_literal(enum hclscan_type type)
{
    return type == HCLSCAN_NUMBER || type == HCLSCAN_FLOAT || type == HCLSCAN_BOOL ||
           type == HCLSCAN_STRING || type == HCLSCAN_HEREDOC || type == HCLSCAN_NULL;
}

/* --- objects and lists of HCL ----------------------------------------------------------------- */

/* What a token that ends the keys says; ERRC_OK for a good end. */
static enum errc end_of_keys(struct parser *p, size_t count)
{
    struct hclscan_place place = p->token.place;
    enum hclscan_type type = p->token.type;
    if (type == HCLSCAN_EOF)
        return at_end();
    if (type == HCLSCAN_ILLEGAL)
        return bad(p, place, "illegal character");
    if (type == HCLSCAN_LBRACE)
        return count > 0 ? ERRC_OK : bad(p, place, "expected: IDENT | STRING got: %s", got(p));
    if (type != HCLSCAN_ASSIGN)
        return bad(p, place, "expected: IDENT | STRING | ASSIGN | LBRACE got: %s", got(p));
    if (count == 0)
        return bad(p, place, "no object keys found!");
    return count == 1 ? ERRC_OK : bad(p, place, "nested object expected: LBRACE got: %s", got(p));
}

/* Reads keys up to the '=' or '{' behind them, which stays in p->token. */
static enum errc parse_keys(struct parser *p, struct hcl_key **keys)
{
    size_t count = 0;
    while (read(p) == HCLSCAN_IDENT || p->token.type == HCLSCAN_STRING) {
        TRY(add_key(p, &keys));
        count++;
    }
    return end_of_keys(p, count);
}

/* What stands behind '='. */
static enum errc parse_value(struct parser *p, struct hcl_node **out)
{
    enum hclscan_type type = read(p);
    if (is_literal(type))
        return parse_literal(p, out);
    if (type == HCLSCAN_LBRACE)
        return parse_object(p, out);
    if (type == HCLSCAN_LBRACK)
        return parse_list(p, out);
    if (type == HCLSCAN_EOF)
        return at_end();
    if (p->scan.json)
        return bad(p, p->token.place, "Expected object value, got unknown token: %u:%u %s %.*s",
                   p->token.place.line, p->token.place.column, got(p), SLICE_FMT(p->token.text));
    return bad(p, p->token.place, "Unknown token: %u:%u %s %.*s", p->token.place.line,
               p->token.place.column, got(p), SLICE_FMT(p->token.text));
}

static enum errc keys_without_value(struct parser *p, const struct hcl_key *keys)
{
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 4 * ERRC_WHY_MAX);
    for (const struct hcl_key *k = keys; k != NULL; k = k->next)
        buf_addf(&shown, k->quoted ? "%s\"%.*s\"" : "%s%.*s", k == keys ? "" : " ",
                 SLICE_FMT(k->text));
    return bad(p, p->token.place, "key '%s' expected start of object ('{') or assignment ('=')",
               buf_text(&shown));
}

static enum errc parse_item(struct parser *p, struct hcl_item **out)
{
    struct hcl_item *item = allot(p, sizeof *item);
    if (item == NULL)
        return no_memory(p);
    enum errc code = parse_keys(p, &item->keys);
    bool given = item->keys != NULL && code != ERRC_NOMEM;
    bool cut = code == ERRC_NOT_FOUND;
    if (given && (cut || (code != ERRC_OK && p->token.type == HCLSCAN_RBRACE))) {
        p->token.type = HCLSCAN_EOF; /* so that it is not taken for the end of an object */
        return keys_without_value(p, item->keys);
    }
    if (code != ERRC_OK)
        return code;
    if (p->token.type == HCLSCAN_LBRACE) {
        TRY(parse_object(p, &item->value));
    } else {
        item->assign = p->token.place;
        TRY(parse_value(p, &item->value));
    }
    *out = item;
    return ERRC_OK;
}

static bool is_next(struct parser *p, enum hclscan_type type)
{
    bool is = read(p) == type;
    p->unread = true;
    return is;
}

/* Items up to the end, or up to the '}' of an object, which is left unread. */
static enum errc parse_items(struct parser *p, bool object, struct hcl_item **list)
{
    while (!object || !is_next(p, HCLSCAN_RBRACE)) {
        enum errc code = parse_item(p, list);
        if (code == ERRC_NOT_FOUND)
            return ERRC_OK;
        TRY(code);
        list = &(*list)->next;
        if (is_next(p, HCLSCAN_COMMA))
            p->unread = false;
    }
    return ERRC_OK;
}

static enum errc too_deep(struct parser *p)
{
    return bad(p, p->token.place, "nested deeper than %u", LIMIT_JSON_DEPTH);
}

/* --- objects and lists of JSON ---------------------------------------------------------------- */

static enum errc parse_json_item(struct parser *p, struct hcl_item **out)
{
    struct hcl_item *item = allot(p, sizeof *item);
    if (item == NULL)
        return no_memory(p);
    struct hcl_key **tail = &item->keys;
    for (;;) {
        enum hclscan_type type = read(p);
        if (type == HCLSCAN_EOF)
            return at_end();
        if (type == HCLSCAN_ILLEGAL)
            return bad(p, p->token.place, "illegal");
        if (type == HCLSCAN_COLON && item->keys != NULL)
            break;
        if (type != HCLSCAN_STRING)
            return bad(p, p->token.place, "expected: STRING got: %s", got(p));
        TRY(add_key(p, &tail));
    }
    item->assign = p->token.place;
    *out = item;
    return parse_value(p, &item->value);
}

/* Ends at whatever is no comma, as the library does. */
static enum errc parse_json_items(struct parser *p, struct hcl_item **list)
{
    do {
        struct hcl_item *item = NULL;
        enum errc code = parse_json_item(p, &item);
        if (code == ERRC_NOT_FOUND || (code != ERRC_OK && p->token.type == HCLSCAN_RBRACE))
            return code == ERRC_NOMEM ? code : ERRC_OK;
        TRY(code);
        CHECK(item != NULL);
        *list = item;
        list = &item->next;
    } while (read(p) == HCLSCAN_COMMA);
    return ERRC_OK;
}

static enum errc parse_object(struct parser *p, struct hcl_node **out)
{
    *out = new_node(p, HCL_OBJECT);
    if (*out == NULL)
        return no_memory(p);
    if (++p->depth > LIMIT_JSON_DEPTH)
        return too_deep(p);
    if (p->scan.json) {
        TRY(parse_json_items(p, &(*out)->items));
    } else {
        enum errc code = parse_items(p, true, &(*out)->items);
        if (code != ERRC_OK && (code == ERRC_NOMEM || p->token.type != HCLSCAN_RBRACE))
            return code;
        if (read(p) != HCLSCAN_RBRACE)
            return bad(p, p->token.place, "object expected closing RBRACE got: %s", got(p));
    }
    p->depth--;
    return ERRC_OK;
}

/* A complaint about what is in a list says so, with the place of the inner one in it. */
static enum errc within_list(struct parser *p, struct hclscan_place place, const char *what,
                             enum errc code)
{
    if (code != ERRC_SYNTAX || p->scan.json || p->why == NULL)
        return code;
    struct errc_why inner = *p->why;
    return bad(p, place, "error while trying to parse %s within list: %.400s", what, inner.text);
}

static enum errc parse_element(struct parser *p, struct hcl_node **out)
{
    struct hclscan_place place = p->token.place;
    enum hclscan_type type = p->token.type;
    if (p->scan.json && (type == HCLSCAN_BOOL || type == HCLSCAN_LBRACK))
        return ERRC_OK; /* the library leaves them out */
    if (is_literal(type) && type != HCLSCAN_NULL)
        return parse_literal(p, out);
    if (type == HCLSCAN_LBRACE)
        return within_list(p, place, "object", parse_object(p, out));
    if (type == HCLSCAN_LBRACK)
        return within_list(p, place, "list", parse_list(p, out));
    return bad(p, place, "unexpected token while parsing list: %s", got(p));
}

static enum errc parse_list(struct parser *p, struct hcl_node **out)
{
    bool need_comma = false;
    *out = new_node(p, HCL_LIST);
    if (*out == NULL)
        return no_memory(p);
    if (++p->depth > LIMIT_JSON_DEPTH)
        return too_deep(p);
    struct hcl_node **last = &(*out)->nodes;
    for (;;) {
        enum hclscan_type type = read(p);
        if (type == HCLSCAN_RBRACK)
            break;
        if (type == HCLSCAN_COMMA) {
            need_comma = false;
            continue;
        }
        if (need_comma)
            return bad(p, p->token.place, "error parsing list, expected comma or list end, got: %s",
                       got(p));
        need_comma = !p->scan.json && type != HCLSCAN_LBRACK;
        enum errc code = parse_element(p, last);
        if (code == ERRC_NOT_FOUND)
            code = bad(p, p->token.place, "EOF token found");
        TRY(code);
        if (*last != NULL)
            last = &(*last)->next;
    }
    p->depth--;
    return ERRC_OK;
}

/* --- flattening of JSON ----------------------------------------------------------------------- */

static bool all_objects(const struct hcl_node *value)
{
    bool all = value->kind == HCL_OBJECT ? value->items != NULL
                                         : value->kind == HCL_LIST && value->nodes != NULL;
    for (const struct hcl_item *i = value->items; i != NULL; i = i->next)
        all = all && i->value != NULL && i->value->kind == HCL_OBJECT;
    for (const struct hcl_node *n = value->nodes; n != NULL; n = n->next)
        all = all && n->kind == HCL_OBJECT;
    return all;
}

/* Appends copies of keys at the end of the list that *tail points to. */
static enum errc copy_keys(struct parser *p, const struct hcl_key *keys, struct hcl_key ***tail)
{
    for (; keys != NULL; keys = keys->next) {
        struct hcl_key *copy = allot(p, sizeof *copy);
        if (copy == NULL)
            return no_memory(p);
        *copy = *keys;
        copy->next = NULL;
        **tail = copy;
        *tail = &copy->next;
    }
    return ERRC_OK;
}

/* An item with the keys of both. */
static enum errc join(struct parser *p, const struct hcl_item *outer, const struct hcl_key *inner,
                      struct hcl_node *value, struct hcl_item **out)
{
    struct hcl_item *item = allot(p, sizeof *item);
    if (item == NULL)
        return no_memory(p);
    struct hcl_key **tail = &item->keys;
    item->value = value;
    item->assign = outer->assign;
    *out = item;
    TRY(copy_keys(p, outer->keys, &tail));
    return copy_keys(p, inner, &tail);
}

static enum errc flatten_items(struct parser *p, struct hcl_item **list);

static enum errc flatten_inside(struct parser *p, struct hcl_node *value)
{
    TRY(flatten_items(p, &value->items));
    for (struct hcl_node *n = value->nodes; n != NULL; n = n->next)
        TRY(flatten_inside(p, n));
    return ERRC_OK;
}

/* {"a":{"b":{..}}} is `a "b" { .. }`: an object whose members are all objects melts into items of
 * more keys, and so does a list of objects. */
static enum errc flatten_item(struct parser *p, struct hcl_item *item, struct hcl_item ***tail)
{
    struct hcl_item *joined = NULL;
    if (item->value == NULL || !all_objects(item->value)) {
        item->next = NULL;
        **tail = item;
        *tail = &item->next;
        return item->value == NULL ? ERRC_OK : flatten_inside(p, item->value);
    }
    for (struct hcl_item *i = item->value->items; i != NULL; i = i->next) {
        TRY(join(p, item, i->keys, i->value, &joined));
        TRY(flatten_item(p, joined, tail));
    }
    for (struct hcl_node *n = item->value->nodes; n != NULL; n = n->next) {
        TRY(join(p, item, NULL, n, &joined));
        TRY(flatten_item(p, joined, tail));
    }
    return ERRC_OK;
}

static enum errc flatten_items(struct parser *p, struct hcl_item **list)
{
    struct hcl_item *item = *list, *next;
    struct hcl_item **tail = list;
    *list = NULL;
    for (; item != NULL; item = next) {
        next = item->next;
        TRY(flatten_item(p, item, &tail));
    }
    return ERRC_OK;
}

/* --- whole texts ------------------------------------------------------------------------------ */

static enum errc parse_json(struct parser *p)
{
    struct hcl_node *object = NULL;
    if (read(p) == HCLSCAN_EOF)
        return bad(p, p->token.place, "EOF token found");
    enum errc code = parse_object(p, &object);
    if (code == ERRC_NOT_FOUND)
        return bad(p, p->token.place, "EOF token found");
    TRY(code);
    p->tree->items = object->items;
    return flatten_items(p, &p->tree->items);
}

static enum errc parse_hcl(struct parser *p)
{
    enum errc code = parse_items(p, false, &p->tree->items);
    return code == ERRC_NOT_FOUND ? bad(p, p->token.place, "EOF token found") : code;
}

/* "\r\n" becomes "\n". */
static void unify_line_ends(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r' || i + 1 == text.len || text.ptr[i + 1] != '\n')
            buf_add_char(out, text.ptr[i]);
}

static enum errc complaint(struct parser *p)
{
    struct buf where CLEANUP(buf_done);
    buf_init(&where, 64);
    hcl_add_place(p->scan.complaint_place, &where);
    return errc_fail(p->why, ERRC_SYNTAX, "%s%s: %s%s", p->scan.json ? "" : "At ", buf_text(&where),
                     p->scan.complaint, p->scan.complaint_about);
}

enum errc hcl_parse(struct slice text, struct hcl *out, struct errc_why *why)
{
    struct buf source CLEANUP(buf_done);
    struct parser p = {.tree = out, .why = why};
    buf_init(&source, text.len);
    *out = (struct hcl){0};
    bool json = slice_starts_with(slice_trim(text), "{");
    if (!json)
        unify_line_ends(text, &source);
    if (source.failed)
        return no_memory(&p);
    hclscan_init(&p.scan, json ? text : buf_slice(&source), json);
    enum errc code = json ? parse_json(&p) : parse_hcl(&p);
    return code != ERRC_NOMEM && p.scan.complaint != NULL ? complaint(&p) : code;
}
