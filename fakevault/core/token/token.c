#include "fakevault/core/token/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakevault/core/store/pack.h"

#define SALT_NAME "sys/token/salt"
#define ID_PREFIX "sys/token/id/"
#define RECORD_MAX 2048u

void token_table_init(struct token_table *t)
{
    *t = (struct token_table){0};
}

void token_table_done(struct token_table *t)
{
    free(t->items);
    secret_wipe(t, sizeof *t);
}

static void write_record(struct pack *p, const struct token *token)
{
    pack_text(p, token->accessor);
    pack_text(p, token->policies);
    pack_text(p, token->display_name);
    pack_text(p, token->path);
    pack_i64(p, token->created_ns);
    pack_u8(p, token->orphan);
    pack_u8(p, token->issued);
}

static enum errc read_record(struct slice bytes, struct token *token, struct errc_why *why)
{
    struct unpack u = pack_read_from(bytes);
    pack_read_text(&u, token->accessor, sizeof token->accessor);
    pack_read_text(&u, token->policies, sizeof token->policies);
    pack_read_text(&u, token->display_name, sizeof token->display_name);
    pack_read_text(&u, token->path, sizeof token->path);
    token->created_ns = pack_read_i64(&u);
    token->orphan = pack_read_u8(&u) != 0;
    token->issued = pack_read_u8(&u) != 0;
    if (!pack_read_complete(&u))
        return errc_fail(why, ERRC_SCHEMA, "the stored token %s is damaged", token->hash);
    return ERRC_OK;
}

struct loader {
    struct token_table *table;
    struct barrier *barrier;
    struct errc_why *why;
};

static enum errc load_one(void *context, struct slice rest)
{
    struct loader *l = context;
    struct token token;
    memset(&token, 0, sizeof token);
    char name[STORE_NAME_MAX];
    if (rest.len != sizeof token.hash - 1)
        return errc_fail(l->why, ERRC_SCHEMA, "a stored token has an odd name");
    memcpy(token.hash, rest.ptr, rest.len);
    (void)snprintf(name, sizeof name, ID_PREFIX "%s", token.hash);
    struct secret record CLEANUP(secret_done) = {0};
    TRY(barrier_get(l->barrier, name, &record, l->why));
    TRY(read_record(secret_slice(&record), &token, l->why));
    return token_table_add(l->table, &token);
}

enum errc token_table_load(struct token_table *t, struct barrier *b, struct errc_why *why)
{
    struct secret salt CLEANUP(secret_done) = {0};
    TRY(barrier_get(b, SALT_NAME, &salt, why));
    if (salt.len != sizeof t->salt)
        return errc_fail(why, ERRC_SCHEMA, "the stored \"%s\" is damaged", SALT_NAME);
    memcpy(t->salt, salt.ptr, salt.len);
    struct loader l = {t, b, why};
    return store_list(b->store, SLICE_LITERAL(ID_PREFIX), load_one, &l, why);
}

void token_salt_batch(struct token_table *t, struct barrier *b, struct barrier_batch *batch)
{
    b->entropy.fill(b->entropy.context, t->salt, sizeof t->salt);
    barrier_batch_put(b, batch, SALT_NAME, slice_bytes(t->salt, sizeof t->salt));
}

/* Writes count characters of base62; a byte that would favour some of them is drawn again. */
static void fill_base62(const struct entropy *entropy, char *out, size_t count)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < count; i++) {
        uint8_t roll;
        do {
            entropy->fill(entropy->context, &roll, 1);
        } while (roll >= 248);
        out[i] = digits[roll % 62];
    }
    out[count] = '\0';
}

void token_id(const struct entropy *entropy, char out[static TOKEN_ID_BYTES])
{
    memcpy(out, "hvs.", 4);
    fill_base62(entropy, out + 4, TOKEN_ID_BYTES - 5);
}

/* Salted twice over: the inner digest keeps ids of any length in a buffer of fixed size. */
static void hash_id(const struct token_table *t, struct slice id, char out[static DIGEST_HEX_BYTES])
{
    uint8_t both[TOKEN_SALT_BYTES + DIGEST_BYTES];
    memcpy(both, t->salt, TOKEN_SALT_BYTES);
    digest_sha256(id, both + TOKEN_SALT_BYTES);
    digest_sha256_hex(slice_bytes(both, sizeof both), out);
    secret_wipe(both, sizeof both);
}

void token_batch(const struct token_table *t, struct token *token, struct slice id, int64_t wall_ns,
                 struct barrier *b, struct barrier_batch *batch)
{
    hash_id(t, id, token->hash);
    fill_base62(&b->entropy, token->accessor, sizeof token->accessor - 1);
    token->created_ns = wall_ns;
    uint8_t record[RECORD_MAX];
    struct pack p = pack_into(record, sizeof record);
    write_record(&p, token);
    char name[STORE_NAME_MAX];
    (void)snprintf(name, sizeof name, ID_PREFIX "%s", token->hash);
    barrier_batch_put(b, batch, name, slice_bytes(record, p.len));
}

static int compare_hash(const void *a, const void *b)
{
    const struct token *left = a, *right = b;
    return strcmp(left->hash, right->hash);
}

enum errc token_table_add(struct token_table *t, const struct token *token)
{
    struct token *grown = realloc(t->items, (t->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    t->items = grown;
    size_t at = t->count++;
    for (; at > 0 && compare_hash(&t->items[at - 1], token) > 0; at--)
        t->items[at] = t->items[at - 1];
    t->items[at] = *token;
    return ERRC_OK;
}

const struct token *token_find(const struct token_table *t, struct slice id)
{
    if (id.len == 0 || t->count == 0)
        return NULL;
    struct token wanted;
    hash_id(t, id, wanted.hash);
    return bsearch(&wanted, t->items, t->count, sizeof *t->items, compare_hash);
}

bool token_is_root(const struct token *token)
{
    return strcmp(token->policies, "root") == 0;
}
