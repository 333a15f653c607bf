#include "fakevault/core/token/token_store.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/hex.h"

#define SALT_NAME "sys/token/salt"
#define ID_PREFIX "sys/token/id/"
#define REAP_TREES 16u /* expired trees that one request clears away */

static void record_name(const struct token *token, char out[static STORE_NAME_MAX])
{
    struct buf name = {.ptr = out, .cap = STORE_NAME_MAX, .max = STORE_NAME_MAX - 1};
    buf_add_text(&name, ID_PREFIX);
    hex_format(slice_bytes(token->digest, sizeof token->digest), &name);
}

static void put_record(struct barrier *b, struct barrier_batch *batch, const struct token *token)
{
    struct buf record CLEANUP(buf_done);
    char name[STORE_NAME_MAX];
    buf_init(&record, BARRIER_PLAIN_MAX);
    token_format(token, &record);
    record_name(token, name);
    if (record.failed && batch->status == ERRC_OK)
        batch->status = buf_status(&record, NULL);
    barrier_batch_put(b, batch, name, buf_slice(&record));
}

static void erase_record(struct barrier_batch *batch, const struct token *token)
{
    char name[STORE_NAME_MAX];
    record_name(token, name);
    barrier_batch_erase(batch, name);
}

/* --- revocation ------------------------------------------------------------------------------- */

/* Clearing away what nobody can reach any more may fail. */
static void tolerate(enum errc code)
{
    (void)code;
}

static void cubbyhole_prefix(const struct token *token, char out[static STORE_NAME_MAX])
{
    (void)snprintf(out, STORE_NAME_MAX, TOKEN_STORE_CUBBYHOLE "%s/", token->accessor);
}

static void erase_cubbyhole(struct barrier *b, const struct token *token)
{
    char prefix[STORE_NAME_MAX];
    cubbyhole_prefix(token, prefix);
    tolerate(barrier_erase_all(b, prefix, NULL));
}

static struct token *first_leaf(struct token *token)
{
    while (token->child != NULL)
        token = token->child;
    return token;
}

/* Commits when the batch is full, or when told to. */
static void flush(struct barrier *b, struct barrier_batch *batch, bool all)
{
    if (!all && batch->count < STORE_BATCH_MAX)
        return;
    if (batch->count > 0)
        tolerate(barrier_commit(b, batch, NULL));
    barrier_batch_done(batch);
    barrier_batch_init(batch);
}

/* Forgets a tree whose root is no longer in the store, from the leaves up. */
static void drop_tree(struct token_table *t, struct barrier *b, struct token *root)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    struct token *at = root;
    for (bool last = false; !last;) {
        struct token *leaf = first_leaf(at);
        last = leaf == root;
        at = leaf->parent; /* not the root: a tree may be as deep as it has tokens */
        erase_cubbyhole(b, leaf);
        if (!last)
            erase_record(&batch, leaf);
        token_table_remove(t, leaf);
        flush(b, &batch, last);
    }
}

struct eraser {
    struct barrier_batch *batch;
    const char *prefix;
};

static enum errc erase_below(void *context, struct slice rest)
{
    struct eraser *e = context;
    char name[2 * STORE_NAME_MAX];
    if (e->batch->count == STORE_BATCH_MAX)
        return ERRC_STATE; /* full; the rest comes later */
    (void)snprintf(name, sizeof name, "%s%.*s", e->prefix, SLICE_FMT(rest));
    barrier_batch_erase(e->batch, name);
    return ERRC_OK;
}

/* A token and what lies in its cubbyhole, as far as it fits into one batch: what is wrapped goes
 * with the token that may fetch it. */
static enum errc erase_one(struct barrier *b, const struct token *token, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    char prefix[STORE_NAME_MAX];
    cubbyhole_prefix(token, prefix);
    struct eraser e = {&batch, prefix};
    barrier_batch_init(&batch);
    erase_record(&batch, token);
    enum errc code = store_list(b->store, slice_of(prefix), erase_below, &e, why);
    if (code != ERRC_OK && code != ERRC_STATE)
        return code;
    return barrier_commit(b, &batch, why);
}

enum errc token_store_revoke(struct token_table *t, struct barrier *b, struct token *token,
                             struct errc_why *why)
{
    TRY(erase_one(b, token, why));
    drop_tree(t, b, token);
    return ERRC_OK;
}

static void make_orphan(struct token *child)
{
    token_table_unlink(child);
    child->orphan = true;
    memset(child->parent_digest, 0, sizeof child->parent_digest);
}

/* Stores up to a batch of children as orphans. */
static enum errc free_children(struct barrier *b, struct token *token, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    struct token *child = token->child;
    for (; child != NULL && batch.count < STORE_BATCH_MAX; child = child->next) {
        struct token orphan = *child;
        orphan.orphan = true;
        memset(orphan.parent_digest, 0, sizeof orphan.parent_digest);
        put_record(b, &batch, &orphan);
    }
    TRY(barrier_commit(b, &batch, why));
    while (token->child != child)
        make_orphan(token->child);
    return ERRC_OK;
}

enum errc token_store_revoke_alone(struct token_table *t, struct barrier *b, struct token *token,
                                   struct errc_why *why)
{
    while (token->child != NULL)
        TRY(free_children(b, token, why));
    return token_store_revoke(t, b, token, why);
}

void token_store_reap(struct token_table *t, struct barrier *b, int64_t wall_ns)
{
    struct token *due = token_table_due(t, wall_ns);
    for (unsigned i = 0; due != NULL && i < REAP_TREES; i++) {
        if (token_store_revoke(t, b, due, NULL) != ERRC_OK)
            return;
        due = token_table_due(t, wall_ns);
    }
}

/* The first cubbyhole without a token. */
struct stray {
    const struct token_table *table;
    char prefix[STORE_NAME_MAX];
    bool found;
};

static enum errc look_for_stray(void *context, struct slice folder)
{
    struct stray *s = context;
    struct slice accessor = {folder.ptr, folder.len - 1};
    if (s->found || token_table_find_accessor(s->table, accessor) != NULL)
        return ERRC_OK;
    s->found = true;
    (void)snprintf(s->prefix, sizeof s->prefix, TOKEN_STORE_CUBBYHOLE "%.*s", SLICE_FMT(folder));
    return ERRC_OK;
}

enum errc token_store_tidy(const struct token_table *t, struct barrier *b, struct errc_why *why)
{
    for (;;) {
        struct stray stray = {.table = t};
        TRY(store_list_level(b->store, SLICE_LITERAL(TOKEN_STORE_CUBBYHOLE), look_for_stray, &stray,
                             why));
        if (!stray.found)
            return ERRC_OK;
        TRY(barrier_erase_all(b, stray.prefix, why));
    }
}

/* --- creation and change ---------------------------------------------------------------------- */

void token_store_salt(struct token_table *t, struct barrier *b, struct barrier_batch *batch)
{
    b->entropy.fill(b->entropy.context, t->keys.salt, sizeof t->keys.salt);
    token_id_derive(&t->keys);
    barrier_batch_put(b, batch, SALT_NAME, slice_bytes(t->keys.salt, sizeof t->keys.salt));
}

enum errc token_store_draw(struct token_table *t, struct barrier *b, const struct token *draft,
                           struct slice id, struct barrier_batch *batch, struct token **out)
{
    struct token complete = *draft;
    (void)token_id_digest(id, &t->keys, complete.digest); /* an id of ours, or without '.' */
    token_id_random(&b->entropy, complete.accessor);
    TRY(token_table_reserve(t));
    TRY(token_copy(&complete, out));
    put_record(b, batch, *out);
    return ERRC_OK;
}

void token_store_adopt(struct token_table *t, struct token *token)
{
    token_table_add(t, token);
    (void)token_table_link(t, token);
}

enum errc token_store_create(struct token_table *t, struct barrier *b, const struct token *draft,
                             struct slice id, struct token **out, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    struct token *token;
    barrier_batch_init(&batch);
    TRY(token_store_draw(t, b, draft, id, &batch, &token));
    enum errc code = barrier_commit(b, &batch, why);
    if (code != ERRC_OK) {
        token_release(token);
        return code;
    }
    token_store_adopt(t, token);
    if (out != NULL)
        *out = token;
    return ERRC_OK;
}

static enum errc put_one(struct barrier *b, const struct token *token, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    put_record(b, &batch, token);
    return barrier_commit(b, &batch, why);
}

enum errc token_store_use(struct token_table *t, struct barrier *b, struct token *token,
                          struct errc_why *why)
{
    (void)t;
    if (token->uses_left == 0)
        return ERRC_OK;
    struct token used = *token;
    used.uses_left = token->uses_left == 1 ? TOKEN_SPENT : token->uses_left - 1;
    TRY(put_one(b, &used, why));
    token->uses_left = used.uses_left;
    return ERRC_OK;
}

enum errc token_store_renew(struct token_table *t, struct barrier *b, struct token *token,
                            int64_t lease_ns, int64_t wall_ns, struct errc_why *why)
{
    struct token renewed = *token;
    renewed.lease_ns = lease_ns;
    renewed.expires_ns = token_end(wall_ns, lease_ns);
    renewed.renewed_ns = wall_ns;
    TRY(put_one(b, &renewed, why));
    token->lease_ns = lease_ns;
    token->renewed_ns = wall_ns;
    token_table_set_expiry(t, token, renewed.expires_ns);
    return ERRC_OK;
}

/* --- loading ---------------------------------------------------------------------------------- */

struct loader {
    struct token_table *table;
    struct barrier *barrier;
    struct errc_why *why;
};

static enum errc load_one(void *context, struct slice rest)
{
    struct loader *l = context;
    struct secret record CLEANUP(secret_done) = {0};
    struct token *token;
    char digest[DIGEST_BYTES + 1], name[STORE_NAME_MAX];
    struct buf raw = {.ptr = digest, .cap = sizeof digest, .max = DIGEST_BYTES};
    (void)snprintf(name, sizeof name, ID_PREFIX "%.*s", SLICE_FMT(rest));
    if (rest.len != 2 * DIGEST_BYTES || hex_parse(rest, &raw) != ERRC_OK)
        return errc_fail(l->why, ERRC_SCHEMA, "a stored token has an odd name");
    TRY(barrier_get(l->barrier, name, &record, l->why));
    TRY(token_table_reserve(l->table));
    enum errc code = token_parse(secret_slice(&record), &token);
    if (code == ERRC_SCHEMA)
        return errc_fail(l->why, code, "the stored \"%s\" is damaged", name);
    TRY(code);
    memcpy(token->digest, digest, DIGEST_BYTES);
    token_table_add(l->table, token);
    return ERRC_OK;
}

/* Drops what is spent or hangs below a token that is gone. True when there was any; then there may
 * be more, which hung below. */
static bool clear_leftovers(struct token_table *t, struct barrier *b)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    bool any = false;
    for (struct token *x = token_table_next(t, NULL), *next; x != NULL; x = next) {
        next = token_table_next(t, x);
        if (x->uses_left != TOKEN_SPENT && (x->orphan || x->parent != NULL))
            continue;
        erase_cubbyhole(b, x);
        erase_record(&batch, x);
        token_table_remove(t, x);
        flush(b, &batch, false);
        any = true;
    }
    flush(b, &batch, true);
    return any;
}

enum errc token_store_load(struct token_table *t, struct barrier *b, struct errc_why *why)
{
    struct secret salt CLEANUP(secret_done) = {0};
    TRY(barrier_get(b, SALT_NAME, &salt, why));
    if (salt.len != sizeof t->keys.salt)
        return errc_fail(why, ERRC_SCHEMA, "the stored \"%s\" is damaged", SALT_NAME);
    memcpy(t->keys.salt, salt.ptr, salt.len);
    token_id_derive(&t->keys);
    struct loader l = {t, b, why};
    TRY(store_list(b->store, SLICE_LITERAL(ID_PREFIX), load_one, &l, why));
    for (struct token *x = token_table_next(t, NULL); x != NULL; x = token_table_next(t, x))
        (void)token_table_link(t, x);
    while (clear_leftovers(t, b))
        ;
    return token_store_tidy(t, b, why);
}
