#include "fakevault/core/policy/hcldecode.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text/jsonread.h"

static enum errc no_memory(struct errc_why *why)
{
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

static enum errc given(json_t *made, json_t **out, struct errc_why *why)
{
    *out = made;
    return made == NULL ? no_memory(why) : ERRC_OK;
}

__attribute__((format(printf, 3, 4))) static enum errc
bad(struct hclscan_place place, struct errc_why *why, const char *format, ...)
{
    char text[ERRC_WHY_MAX];
    struct buf where CLEANUP(buf_done);
    va_list args;
    buf_init(&where, 64);
    hcl_add_place(place, &where);
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return errc_fail(why, ERRC_SYNTAX, "At %s: %s", buf_text(&where), text);
}

/* Names count without regard to case, as there. */
static bool begins_with_name(const struct hcl_item *item, const char *name)
{
    struct slice key = item->keys->text;
    return key.len == strlen(name) && strncasecmp(key.ptr, name, key.len) == 0;
}

static bool is_named(const struct hcl_item *item, const char *name)
{
    return item->keys->next == NULL && begins_with_name(item, name);
}

/* A block `name "key" { }`, which is no value, complains as an object list or as its item. */
static enum errc refuse_blocks(const struct hcl_item *items, const char *name, const char *as,
                               struct errc_why *why)
{
    for (const struct hcl_item *i = items; i != NULL; i = i->next)
        if (!is_named(i, name) && begins_with_name(i, name))
            return bad(i->keys->next->place, why, "root.%s%s", name, as);
    return ERRC_OK;
}

/* The next item with this name as its only key, from `item` on. */
static const struct hcl_item *named(const struct hcl_item *item, const char *name)
{
    while (item != NULL && !is_named(item, name))
        item = item->next;
    return item;
}

const struct hcl_node *hcldecode_find(const struct hcl_item *items, const char *name)
{
    const struct hcl_item *item = named(items, name);
    return item == NULL ? NULL : item->value;
}

static bool is_text(const struct hcl_node *node)
{
    return node->kind == HCL_LITERAL &&
           (node->type == HCLSCAN_STRING || node->type == HCLSCAN_HEREDOC ||
            node->type == HCLSCAN_NUMBER);
}

static enum errc no_string(const char *name, const struct hcl_node *node, struct errc_why *why)
{
    bool object = node->kind == HCL_OBJECT;
    struct hclscan_place first = object && node->items != NULL ? node->items->keys->place
                                 : object                      ? (struct hclscan_place){0}
                                                               : node->place;
    return bad(first, why, "root.%s: unknown type for string %s", name,
               object ? "*ast.ObjectList" : hcl_type_name(node));
}

enum errc hcldecode_string(const struct hcl_item *items, const char *name, struct slice *out,
                           struct errc_why *why)
{
    TRY(refuse_blocks(items, name, ": unknown type for string *ast.ObjectList", why));
    for (const struct hcl_item *i = named(items, name); i != NULL; i = named(i->next, name)) {
        if (!is_text(i->value))
            return no_string(name, i->value, why);
        *out = i->value->text;
    }
    return ERRC_OK;
}

/* --- values of any type ----------------------------------------------------------------------- */

static enum errc any(const struct hcl_node *node, json_t **out, struct errc_why *why);

static enum errc literal(const struct hcl_node *node, json_t **out, struct errc_why *why)
{
    struct slice text = node->text;
    char number[64];
    if (node->type == HCLSCAN_BOOL)
        return given(json_boolean(slice_equal_text(text, "true")), out, why);
    if (node->type != HCLSCAN_NUMBER && node->type != HCLSCAN_FLOAT)
        return given(json_stringn_nocheck(text.ptr, text.len), out, why);
    (void)snprintf(number, sizeof number, "%.*s", SLICE_FMT(text));
    double value =
        node->type == HCLSCAN_NUMBER ? (double)strtoll(number, NULL, 0) : strtod(number, NULL);
    return given(json_real(value - value == 0 ? value : 0), out, why);
}

static enum errc elements(const struct hcl_node *list, json_t *into, struct errc_why *why)
{
    for (const struct hcl_node *n = list->nodes; n != NULL; n = n->next) {
        json_t *value = NULL;
        TRY(any(n, &value, why));
        if (json_array_append_new(into, value) != 0)
            return no_memory(why);
    }
    return ERRC_OK;
}

static enum errc members(const struct hcl_node *object, json_t *into, struct errc_why *why)
{
    for (const struct hcl_item *i = object->items; i != NULL; i = i->next) {
        json_t *value = NULL;
        struct slice key = i->keys->text;
        TRY(any(i->value, &value, why));
        if (json_object_setn_new_nocheck(into, key.ptr, key.len, value) != 0)
            return no_memory(why);
    }
    return ERRC_OK;
}

static enum errc any(const struct hcl_node *node, json_t **out, struct errc_why *why)
{
    if (node->kind == HCL_LITERAL)
        return literal(node, out, why);
    json_t *made CLEANUP(jsonread_done) = node->kind == HCL_LIST ? json_array() : json_object();
    if (made == NULL)
        return no_memory(why);
    TRY(node->kind == HCL_LIST ? elements(node, made, why) : members(node, made, why));
    return given(json_incref(made), out, why);
}

enum errc hcldecode_any(const struct hcl_item *items, const char *name, json_t **out,
                        struct errc_why *why)
{
    const struct hcl_node *node = hcldecode_find(items, name);
    return node == NULL ? ERRC_OK : any(node, out, why);
}

/* --- lists ------------------------------------------------------------------------------------ */

static enum errc add_strings(const struct hcl_node *node, const char *name, json_t *list,
                             struct errc_why *why)
{
    if (node->kind == HCL_LITERAL)
        return bad(node->place, why, "unknown slice type: %s", hcl_type_name(node));
    if (node->items != NULL)
        return bad(node->items->keys->place, why,
                   "root.%s[0]: unknown type for string *ast.ObjectItem", name);
    size_t at = 0;
    for (const struct hcl_node *n = node->nodes; n != NULL; n = n->next, at++) {
        if (!is_text(n))
            return bad(n->place, why, "root.%s[%zu]: unknown type for string %s", name, at,
                       hcl_type_name(n));
        if (json_array_append_new(list, json_stringn_nocheck(n->text.ptr, n->text.len)) != 0)
            return no_memory(why);
    }
    return ERRC_OK;
}

enum errc hcldecode_strings(const struct hcl_item *items, const char *name, json_t **out,
                            struct errc_why *why)
{
    TRY(refuse_blocks(items, name, "[0]: unknown type for string *ast.ObjectItem", why));
    if (named(items, name) == NULL)
        return ERRC_OK;
    json_t *list CLEANUP(jsonread_done) = json_array();
    if (list == NULL)
        return no_memory(why);
    for (const struct hcl_item *i = named(items, name); i != NULL; i = named(i->next, name))
        TRY(add_strings(i->value, name, list, why));
    return given(json_incref(list), out, why);
}

/* The list that the map has for a name, made when it has none yet. */
static json_t *list_of(json_t *map, struct slice name)
{
    struct buf lower CLEANUP(buf_done);
    buf_init(&lower, name.len);
    for (size_t i = 0; i < name.len; i++)
        buf_add_char(&lower, (char)tolower((unsigned char)name.ptr[i]));
    json_t *list = json_object_getn(map, buf_text(&lower), lower.len);
    if (list != NULL || lower.failed)
        return list;
    list = json_array();
    return json_object_setn_new_nocheck(map, buf_text(&lower), lower.len, list) == 0 ? list : NULL;
}

static enum errc add_lists(const struct hcl_node *node, const char *name, json_t *map,
                           struct errc_why *why)
{
    if (node->kind != HCL_OBJECT)
        return bad(node->place, why, "root.%s: not an object type for map (%s)", name,
                   hcl_type_name(node));
    for (const struct hcl_item *i = node->items; i != NULL; i = i->next) {
        json_t *list = list_of(map, i->keys->text);
        if (list == NULL)
            return no_memory(why);
        if (i->value->kind == HCL_LITERAL)
            return bad(i->value->place, why, "unknown slice type: %s", hcl_type_name(i->value));
        if (i->value->kind == HCL_LIST) {
            TRY(elements(i->value, list, why));
            continue;
        }
        json_t *object = NULL;
        TRY(any(i->value, &object, why));
        if (json_array_append_new(list, object) != 0)
            return no_memory(why);
    }
    return ERRC_OK;
}

enum errc hcldecode_lists(const struct hcl_item *items, const char *name, json_t **out,
                          struct errc_why *why)
{
    if (named(items, name) == NULL)
        return ERRC_OK;
    json_t *map CLEANUP(jsonread_done) = json_object();
    if (map == NULL)
        return no_memory(why);
    for (const struct hcl_item *i = named(items, name); i != NULL; i = named(i->next, name))
        TRY(add_lists(i->value, name, map, why));
    return given(json_incref(map), out, why);
}
