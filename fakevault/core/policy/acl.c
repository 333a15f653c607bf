#include "fakevault/core/policy/acl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text/buf.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"

struct grants {
    struct acl_grant *items; /* sorted by path */
    size_t count, room;
};

struct acl {
    bool root;
    struct grants exact;
    struct grants prefix;
    struct grants segments;
};

/* --- building --------------------------------------------------------------------------------- */

static int compare_path(const void *key, const void *grant)
{
    return strcmp(key, ((const struct acl_grant *)grant)->path);
}

static struct acl_grant *find(const struct grants *g, const char *path)
{
    return g->count == 0 ? NULL : bsearch(path, g->items, g->count, sizeof *g->items, compare_path);
}

/* The grant for a path that no path before goes behind; NULL when out of memory. */
static struct acl_grant *append(struct grants *g, const char *path)
{
    if (g->count > 0 && strcmp(g->items[g->count - 1].path, path) == 0)
        return &g->items[g->count - 1];
    if (g->count == g->room) {
        size_t room = g->room == 0 ? 8 : 2 * g->room;
        struct acl_grant *grown = realloc(g->items, room * sizeof *grown);
        if (grown == NULL)
            return NULL;
        g->items = grown;
        g->room = room;
    }
    char *copy = slice_dup(slice_of(path));
    if (copy == NULL)
        return NULL;
    g->items[g->count] = (struct acl_grant){.path = copy};
    return &g->items[g->count++];
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

/* Joins the lists of two maps; an empty list stands for all values and wins. */
static enum errc merge_map(json_t **into, const json_t *from)
{
    const char *key;
    json_t *values;
    if (*into == NULL && json_object_size(from) > 0)
        *into = json_object();
    if (*into == NULL)
        return json_object_size(from) > 0 ? ERRC_NOMEM : ERRC_OK;
    json_object_foreach((json_t *)(uintptr_t)from, key, values)
    {
        const json_t *before = json_object_get(*into, key);
        bool all = json_array_size(values) == 0 || (before != NULL && json_array_size(before) == 0);
        json_t *joined = all ? json_array() : json_copy(values);
        if (!all && before != NULL && json_array_extend(joined, (json_t *)(uintptr_t)before) != 0) {
            json_decref(joined);
            joined = NULL;
        }
        if (json_object_set_new_nocheck(*into, key, joined) != 0)
            return ERRC_NOMEM;
    }
    return ERRC_OK;
}

static enum errc merge_names(json_t **into, const json_t *from)
{
    if (json_array_size(from) == 0)
        return ERRC_OK;
    if (*into == NULL)
        *into = json_object();
    for (size_t i = 0; i < json_array_size(from); i++) {
        const char *name = json_string_value(json_array_get(from, i));
        if (json_object_set_new_nocheck(*into, name, json_true()) != 0)
            return ERRC_NOMEM;
    }
    return ERRC_OK;
}

static void clear_parameters(struct acl_grant *g)
{
    json_decref(g->allowed);
    json_decref(g->denied);
    g->allowed = g->denied = NULL;
}

/* Once denied, always denied; else the sum of all, with the shorter times. */
static enum errc merge(struct acl_grant *g, const struct policy_rule *rule)
{
    if ((g->capabilities & POLICY_DENY) != 0)
        return ERRC_OK;
    if ((rule->capabilities & POLICY_DENY) != 0) {
        g->capabilities = POLICY_DENY;
        clear_parameters(g);
        return ERRC_OK;
    }
    g->capabilities |= rule->capabilities;
    g->min_ttl_ns = lesser(g->min_ttl_ns, rule->min_wrapping_ttl_ns);
    g->max_ttl_ns = lesser(g->max_ttl_ns, rule->max_wrapping_ttl_ns);
    TRY(merge_map(&g->allowed, rule->allowed));
    TRY(merge_map(&g->denied, rule->denied));
    return merge_names(&g->required, rule->required);
}

static enum errc add_rule(struct acl *acl, const struct policy_rule *rule)
{
    struct grants *list = rule->segments ? &acl->segments
                          : rule->prefix ? &acl->prefix
                                         : &acl->exact;
    struct acl_grant *g = append(list, rule->path);
    return g == NULL ? ERRC_NOMEM : merge(g, rule);
}

struct placed_rule {
    const struct policy_rule *rule;
    size_t place; /* among all: rules for one path are merged in their order */
};

static int compare_rules(const void *a, const void *b)
{
    const struct placed_rule *left = a, *right = b;
    int order = strcmp(left->rule->path, right->rule->path);
    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

/* All rules, sorted by path; the caller frees the list. NULL when out of memory. */
static struct placed_rule *sorted_rules(const struct policy *const *policies, size_t count,
                                        size_t *rule_count)
{
    size_t room = 1, n = 0;
    for (size_t i = 0; i < count; i++)
        room += policies[i] == NULL ? 0 : policies[i]->rule_count;
    struct placed_rule *rules = calloc(room, sizeof *rules);
    for (size_t i = 0; i < count && rules != NULL; i++)
        for (size_t r = 0; policies[i] != NULL && r < policies[i]->rule_count; r++) {
            const struct policy_rule *rule = &policies[i]->rules[r];
            if (!rule->templated) {
                rules[n] = (struct placed_rule){rule, n};
                n++;
            }
        }
    if (rules != NULL)
        qsort(rules, n, sizeof *rules, compare_rules);
    *rule_count = n;
    return rules;
}

static bool has_root(const struct policy *const *policies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (policies[i] != NULL && strcmp(policies[i]->name, "root") == 0)
            return true;
    return false;
}

enum errc acl_new(const struct policy *const *policies, size_t count, struct acl **out)
{
    size_t rule_count;
    struct acl *acl = calloc(1, sizeof *acl);
    struct placed_rule *rules = sorted_rules(policies, count, &rule_count);
    enum errc code = acl == NULL || rules == NULL ? ERRC_NOMEM : ERRC_OK;
    for (size_t i = 0; i < rule_count && code == ERRC_OK; i++)
        code = add_rule(acl, rules[i].rule);
    free(rules);
    if (code != ERRC_OK) {
        acl_free(acl);
        return code;
    }
    acl->root = has_root(policies, count);
    *out = acl;
    return ERRC_OK;
}

static void grants_done(struct grants *g)
{
    for (size_t i = 0; i < g->count; i++) {
        free(g->items[i].path);
        clear_parameters(&g->items[i]);
        json_decref(g->items[i].required);
    }
    free(g->items);
}

void acl_free(struct acl *acl)
{
    if (acl == NULL)
        return;
    grants_done(&acl->exact);
    grants_done(&acl->prefix);
    grants_done(&acl->segments);
    free(acl);
}

bool acl_is_root(const struct acl *acl)
{
    return acl->root;
}

/* --- which rule decides ----------------------------------------------------------------------- */

struct candidate {
    const struct acl_grant *grant;
    size_t first_wildcard;
    size_t wildcards;
    bool prefix;
    struct slice path; /* without a '*' at its end */
};

static int compare_slice(struct slice a, struct slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* True when a goes before b: see the head of acl.h. */
static bool outranks(const struct candidate *a, const struct candidate *b)
{
    if (a->first_wildcard != b->first_wildcard)
        return a->first_wildcard > b->first_wildcard;
    if (a->prefix != b->prefix)
        return !a->prefix;
    if (a->wildcards != b->wildcards)
        return a->wildcards < b->wildcards;
    if (a->path.len != b->path.len)
        return a->path.len > b->path.len;
    return compare_slice(a->path, b->path) > 0;
}

static bool begins_with(struct slice text, struct slice prefix)
{
    return prefix.len == 0 ||
           (text.len >= prefix.len && memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

/* True when a path fits a pattern of segments; counts its '+'. */
static bool fits(struct candidate *c, struct slice path)
{
    struct slice pattern = c->path;
    for (;;) {
        bool last = slice_find(pattern, '/') == pattern.len;
        bool path_ends = slice_find(path, '/') == path.len;
        struct slice want = slice_cut(&pattern, '/'), have = slice_cut(&path, '/');
        bool wildcard = slice_equal_text(want, "+");
        bool begins = last && c->prefix && begins_with(have, want);
        c->wildcards += wildcard;
        if (!wildcard && !begins && !slice_equal(want, have))
            return false;
        if (last)
            return c->prefix || path_ends;
        if (path_ends)
            return false;
    }
}

static struct candidate candidate_of(const struct acl_grant *g)
{
    struct candidate c = {.grant = g, .path = slice_of(g->path)};
    c.first_wildcard = slice_find(c.path, '+');
    c.prefix = slice_ends_with(c.path, "*");
    if (c.prefix)
        c.path.len--;
    return c;
}

static const struct acl_grant *longest_prefix(const struct acl *acl, struct slice path)
{
    const struct acl_grant *best = NULL;
    for (size_t i = 0; i < acl->prefix.count; i++) {
        const struct acl_grant *g = &acl->prefix.items[i];
        if (slice_starts_with(path, g->path) &&
            (best == NULL || strlen(g->path) > strlen(best->path)))
            best = g;
    }
    return best;
}

static const struct acl_grant *find_inexact(const struct acl *acl, struct slice path)
{
    struct candidate best = {.grant = longest_prefix(acl, path), .prefix = true};
    if (best.grant != NULL) {
        best.path = slice_of(best.grant->path);
        best.first_wildcard = best.path.len;
    }
    for (size_t i = 0; i < acl->segments.count; i++) {
        struct candidate c = candidate_of(&acl->segments.items[i]);
        if (fits(&c, path) && (best.grant == NULL || outranks(&c, &best)))
            best = c;
    }
    return best.grant;
}

static const struct acl_grant *find_exact(const struct acl *acl, struct slice path)
{
    char *copy = slice_dup(path);
    const struct acl_grant *g = copy == NULL ? NULL : find(&acl->exact, copy);
    free(copy);
    return g;
}

static struct slice without_slash(struct slice path)
{
    if (slice_ends_with(path, "/"))
        path.len--;
    return path;
}

/* A list is looked for without its '/' too: who may list "a" may list "a/". */
static const struct acl_grant *decide(const struct acl *acl, struct slice path, bool list)
{
    while (slice_starts_with(path, "/"))
        path = slice_from(path, 1);
    struct slice bare = without_slash(path);
    bool both = list && bare.len < path.len;
    const struct acl_grant *g = find_exact(acl, path);
    if (g == NULL && both)
        g = find_exact(acl, bare);
    if (g == NULL && both)
        g = find_inexact(acl, bare);
    return g != NULL ? g : find_inexact(acl, path);
}

/* --- parameters ------------------------------------------------------------------------------- */

/* "a*", "*a" and "*a*" are globs. */
static bool matches(struct slice pattern, struct slice text)
{
    if (pattern.len < 2)
        return slice_equal(pattern, text);
    bool front = pattern.ptr[0] == '*', back = pattern.ptr[pattern.len - 1] == '*';
    struct slice core = {pattern.ptr + front, pattern.len - front - back};
    if (text.len < core.len)
        return false;
    if (front && back) {
        for (size_t at = 0; at + core.len <= text.len; at++)
            if (memcmp(text.ptr + at, core.ptr, core.len) == 0)
                return true;
        return false;
    }
    if (front)
        return memcmp(text.ptr + text.len - core.len, core.ptr, core.len) == 0;
    return back ? memcmp(text.ptr, core.ptr, core.len) == 0 : slice_equal(pattern, text);
}

static bool value_in(const json_t *value, const json_t *list)
{
    struct slice pattern, text;
    if (json_array_size(list) == 0)
        return true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        bool strings = gojson_string(item, &pattern) && gojson_string(value, &text);
        if (strings ? matches(pattern, text) : json_equal(item, value))
            return true;
    }
    return false;
}

/* What a map has for a parameter in lower case; NULL for nothing. */
static const json_t *list_for(const json_t *map, const char *name)
{
    struct buf lower CLEANUP(buf_done);
    buf_init(&lower, strlen(name));
    for (; *name != '\0'; name++)
        buf_add_char(&lower, (char)tolower((unsigned char)*name));
    return json_object_get(map, buf_text(&lower));
}

static bool has_required(const json_t *required, const json_t *data)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)required, name, value)
    {
        if (list_for(data, name) == NULL)
            return false;
    }
    return true;
}

static bool is_denied(const json_t *denied, const json_t *data)
{
    const char *name;
    json_t *value;
    if (json_object_get(denied, "*") != NULL)
        return true;
    json_object_foreach((json_t *)(uintptr_t)data, name, value)
    {
        const json_t *list = list_for(denied, name);
        if (list != NULL && value_in(value, list))
            return true;
    }
    return false;
}

static bool is_allowed(const json_t *allowed, const json_t *data)
{
    const char *name;
    json_t *value;
    bool others = json_object_get(allowed, "*") != NULL;
    if (json_object_size(allowed) == (others ? 1u : 0u))
        return true;
    json_object_foreach((json_t *)(uintptr_t)data, name, value)
    {
        const json_t *list = list_for(allowed, name);
        if (list == NULL ? !others : !value_in(value, list))
            return false;
    }
    return true;
}

static bool parameters_fit(const struct acl_grant *g, const json_t *data)
{
    if (!has_required(g->required, data))
        return false;
    if (json_object_size(data) == 0)
        return true;
    if (json_object_size(g->denied) > 0 && is_denied(g->denied, data))
        return false;
    return is_allowed(g->allowed, data);
}

/* --- answers ---------------------------------------------------------------------------------- */

static unsigned needed(enum route_operation operation)
{
    static const unsigned bits[] = {
        [ROUTE_READ] = POLICY_READ,
        [ROUTE_LIST] = POLICY_LIST,
        [ROUTE_UPDATE] = POLICY_UPDATE,
        [ROUTE_CREATE] = POLICY_CREATE,
        [ROUTE_DELETE] = POLICY_DELETE,
        [ROUTE_PATCH] = POLICY_PATCH,
        [ROUTE_HEADER] = 0,
        [ROUTE_OTHER] = 0,
    };
    return bits[operation];
}

static bool wrapping_fits(const struct acl_grant *g, int64_t ttl_ns)
{
    bool too_long = g->max_ttl_ns > 0 && (ttl_ns == 0 || ttl_ns > g->max_ttl_ns);
    bool too_short = g->min_ttl_ns > 0 && ttl_ns < g->min_ttl_ns;
    return !too_long && !too_short;
}

bool acl_allows(const struct acl *acl, const struct acl_request *request)
{
    enum route_operation op = request->operation;
    if (acl->root || op == ROUTE_HELP)
        return true;
    const struct acl_grant *g = decide(acl, request->path, op == ROUTE_LIST);
    if (g == NULL || (g->capabilities & needed(op)) == 0)
        return false;
    if (request->sudo && (g->capabilities & POLICY_SUDO) == 0)
        return false;
    if (!wrapping_fits(g, request->wrap_ttl_ns))
        return false;
    return op == ROUTE_LIST || op == ROUTE_DELETE || parameters_fit(g, request->data);
}

unsigned acl_capabilities(const struct acl *acl, struct slice path)
{
    if (acl->root)
        return POLICY_ROOT;
    const struct acl_grant *g = decide(acl, path, true);
    return g == NULL || g->capabilities == 0 ? POLICY_DENY : g->capabilities;
}

static bool grants_below(const struct grants *g, struct slice mount)
{
    for (size_t i = 0; i < g->count; i++) {
        unsigned bits = g->items[i].capabilities;
        if (bits != 0 && (bits & POLICY_DENY) == 0 &&
            strncmp(g->items[i].path, mount.ptr, mount.len) == 0)
            return true;
    }
    return false;
}

/* True when the segments of a pattern can lead below the mount. */
static bool leads_below(const struct acl_grant *g, struct slice mount)
{
    struct candidate c = candidate_of(g);
    struct slice pattern = c.path;
    if (g->capabilities == 0 || (g->capabilities & POLICY_DENY) != 0)
        return false;
    while (mount.len > 0) {
        struct slice have = slice_cut(&mount, '/'), want = slice_cut(&pattern, '/');
        if (slice_equal_text(want, "+"))
            continue;
        if (c.prefix && pattern.len == 0 && begins_with(have, want))
            return true;
        if (!slice_equal(want, have))
            return false;
    }
    return true;
}

/* Without patterns of segments even a denying prefix shows the mount: so does Vault. */
bool acl_sees_mount(const struct acl *acl, struct slice mount_path)
{
    if ((acl_capabilities(acl, mount_path) & POLICY_DENY) == 0)
        return true;
    if (grants_below(&acl->exact, mount_path) || grants_below(&acl->prefix, mount_path))
        return true;
    for (size_t i = 0; i < acl->segments.count; i++)
        if (leads_below(&acl->segments.items[i], mount_path))
            return true;
    return acl->segments.count == 0 && longest_prefix(acl, mount_path) != NULL;
}

void acl_each(const struct acl *acl, bool prefix,
              void (*each)(void *context, const struct acl_grant *grant), void *context)
{
    const struct grants *list = prefix ? &acl->prefix : &acl->exact;
    for (size_t i = 0; i < list->count; i++)
        each(context, &list->items[i]);
}

/* --- writing ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned bit;
} names[] = {
    {"create", POLICY_CREATE}, {"delete", POLICY_DELETE}, {"deny", POLICY_DENY},
    {"list", POLICY_LIST},     {"patch", POLICY_PATCH},   {"read", POLICY_READ},
    {"root", POLICY_ROOT},     {"sudo", POLICY_SUDO},     {"update", POLICY_UPDATE},
};

void acl_write_capabilities(struct jsonwrite *w, const char *key, unsigned capabilities)
{
    if ((capabilities & POLICY_DENY) != 0)
        capabilities = POLICY_DENY;
    jsonwrite_array(w, key);
    for (size_t i = 0; i < COUNT(names); i++)
        if ((capabilities & names[i].bit) != 0)
            jsonwrite_string(w, NULL, names[i].name);
    jsonwrite_end(w);
}
