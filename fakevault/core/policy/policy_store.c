#include "fakevault/core/policy/policy_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "fakevault/core/policy/policy_builtin.h"

static const char *const fixed[] = {"root", "response-wrapping", "control-group"};
static const char *const hidden[] = {"response-wrapping", "control-group"};

static bool is_one_of(struct slice name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(name, list[i]))
            return true;
    return false;
}

bool policy_store_is_fixed(struct slice name)
{
    return is_one_of(name, fixed, COUNT(fixed));
}

bool policy_store_is_hidden(struct slice name)
{
    return is_one_of(name, hidden, COUNT(hidden));
}

void policy_store_init(struct policy_store *s)
{
    *s = (struct policy_store){0};
}

static void drop_acls(struct policy_store *s)
{
    for (size_t i = 0; i < s->acl_count; i++) {
        acl_free(s->acls[i].acl);
        free(s->acls[i].names);
    }
    s->acl_count = 0;
}

void policy_store_done(struct policy_store *s)
{
    drop_acls(s);
    for (size_t i = 0; i < s->count; i++)
        policy_free(s->items[i]);
    free(s->items);
    policy_store_init(s);
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Where a name stands, or belongs. */
static size_t place_of(const struct policy_store *s, struct slice name, bool *there)
{
    size_t low = 0, high = s->count;
    *there = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct slice other = slice_of(s->items[middle]->name);
        int order = memcmp(other.ptr, name.ptr, other.len < name.len ? other.len : name.len);
        if (order == 0)
            order = (other.len > name.len) - (other.len < name.len);
        if (order == 0)
            *there = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct policy *find(const struct policy_store *s, struct slice name)
{
    bool there;
    size_t at = place_of(s, name, &there);
    return there ? s->items[at] : NULL;
}

const struct policy *policy_store_find(const struct policy_store *s, struct slice name)
{
    return find(s, name);
}

/* Room for one more, so that what is stored can be remembered. */
static enum errc make_room(struct policy_store *s)
{
    struct policy **grown = realloc(s->items, (s->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    s->items = grown;
    return ERRC_OK;
}

static void remember(struct policy_store *s, struct policy *policy)
{
    bool there;
    size_t at = place_of(s, slice_of(policy->name), &there);
    drop_acls(s);
    if (there) {
        policy_free(s->items[at]);
    } else {
        memmove(&s->items[at + 1], &s->items[at], (s->count - at) * sizeof *s->items);
        s->count++;
    }
    s->items[at] = policy;
}

static enum errc hold(struct policy_store *s, struct slice name, struct slice text,
                      struct errc_why *why)
{
    struct policy *policy = NULL;
    if (make_room(s) != ERRC_OK || policy_hold(name, text, &policy) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    remember(s, policy);
    return ERRC_OK;
}

/* --- records ---------------------------------------------------------------------------------- */

struct loader {
    struct policy_store *store;
    struct barrier *barrier;
    struct errc_why *why;
};

static enum errc load_one(void *context, struct slice rest)
{
    struct loader *l = context;
    char name[STORE_NAME_MAX];
    struct secret text CLEANUP(secret_done) = {0};
    (void)snprintf(name, sizeof name, POLICY_STORE_PREFIX "%.*s", SLICE_FMT(rest));
    TRY(barrier_get(l->barrier, name, &text, l->why));
    return hold(l->store, rest, secret_slice(&text), l->why);
}

enum errc policy_store_load(struct policy_store *s, struct barrier *b, struct errc_why *why)
{
    for (const struct policy_builtin *p = policy_builtin_all; p->name != NULL; p++)
        TRY(hold(s, slice_of(p->name), slice_of(p->text), why));
    struct loader l = {s, b, why};
    return store_list(b->store, SLICE_LITERAL(POLICY_STORE_PREFIX), load_one, &l, why);
}

static enum errc record_name(struct slice name, char out[static STORE_NAME_MAX],
                             struct errc_why *why)
{
    if (name.len + sizeof POLICY_STORE_PREFIX > STORE_NAME_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "the name of a policy is limited to %zu bytes",
                         STORE_NAME_MAX - sizeof POLICY_STORE_PREFIX);
    (void)snprintf(out, STORE_NAME_MAX, POLICY_STORE_PREFIX "%.*s", SLICE_FMT(name));
    return ERRC_OK;
}

enum errc policy_store_put(struct policy_store *s, struct barrier *b, struct policy *taken,
                           struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    enum errc code = record_name(slice_of(taken->name), name, why);
    if (code == ERRC_OK)
        code = make_room(s);
    if (code == ERRC_OK)
        code = barrier_put(b, name, slice_of(taken->text), why);
    if (code == ERRC_OK)
        remember(s, taken);
    else
        policy_free(taken);
    return code;
}

enum errc policy_store_erase(struct policy_store *s, struct barrier *b, struct slice name,
                             struct errc_why *why)
{
    char record[STORE_NAME_MAX];
    bool there;
    size_t at = place_of(s, name, &there);
    if (!there)
        return ERRC_OK;
    TRY(record_name(name, record, why));
    TRY(store_erase(b->store, slice_of(record), why));
    drop_acls(s);
    policy_free(s->items[at]);
    s->count--;
    memmove(&s->items[at], &s->items[at + 1], (s->count - at) * sizeof *s->items);
    return ERRC_OK;
}

/* --- ACLs ------------------------------------------------------------------------------------- */

static bool same_names(const struct policy_store_acl *a, const struct slice *names, size_t count)
{
    if (a->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!slice_equal(a->names[i], names[i]))
            return false;
    return true;
}

/* Copies names and their texts into one block; NULL when out of memory. */
static struct slice *copy_names(const struct slice *names, size_t count)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++)
        bytes += names[i].len;
    struct slice *copy = malloc(count * sizeof *copy + bytes);
    if (copy == NULL)
        return NULL;
    char *text = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        if (names[i].len > 0)
            memcpy(text, names[i].ptr, names[i].len);
        copy[i] = (struct slice){text, names[i].len};
        text += names[i].len;
    }
    return copy;
}

static enum errc build(const struct policy_store *s, const struct slice *names, size_t count,
                       struct acl **out)
{
    const struct policy **policies = calloc(count + 1, sizeof *policies);
    if (policies == NULL)
        return ERRC_NOMEM;
    enum errc code = ERRC_OK;
    for (size_t i = 0; i < count && code == ERRC_OK; i++) {
        struct policy *policy = find(s, names[i]);
        policies[i] = policy;
        code = policy == NULL ? ERRC_OK : policy_read(policy, NULL);
    }
    if (code == ERRC_OK)
        code = acl_new(policies, count, out);
    free(policies);
    return code;
}

enum errc policy_store_acl(struct policy_store *s, const struct slice *names, size_t count,
                           const struct acl **out)
{
    for (size_t i = 0; i < s->acl_count; i++)
        if (same_names(&s->acls[i], names, count)) {
            *out = s->acls[i].acl;
            return ERRC_OK;
        }
    if (s->acl_count == POLICY_STORE_ACLS_MAX)
        drop_acls(s);
    struct policy_store_acl made = {.names = copy_names(names, count), .count = count};
    enum errc code = made.names == NULL ? ERRC_NOMEM : build(s, names, count, &made.acl);
    if (code != ERRC_OK) {
        free(made.names);
        return code;
    }
    s->acls[s->acl_count++] = made;
    *out = made.acl;
    return ERRC_OK;
}
