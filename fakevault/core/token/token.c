#include "fakevault/core/token/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text/buf.h"
#include "base/units.h"
#include "fakevault/core/store/pack.h"

#define FORMAT 2u

enum flag {
    FLAG_BATCH = 1,
    FLAG_RENEWABLE = 2,
    FLAG_ORPHAN = 4,
};

/* --- record ----------------------------------------------------------------------------------- */

static uint32_t flags_of(const struct token *t)
{
    return (t->type == TOKEN_BATCH ? FLAG_BATCH : 0u) | (t->renewable ? FLAG_RENEWABLE : 0u) |
           (t->orphan ? FLAG_ORPHAN : 0u);
}

static void write_slices(struct pack *p, const struct slice *items, size_t count)
{
    pack_u32(p, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        pack_bytes(p, items[i]);
}

static void write_record(struct pack *p, const struct token *t)
{
    pack_u8(p, FORMAT);
    pack_u32(p, flags_of(t));
    pack_text(p, t->accessor);
    pack_bytes(p, slice_bytes(t->parent_digest, sizeof t->parent_digest));
    pack_bytes(p, t->display_name);
    pack_bytes(p, t->path);
    pack_bytes(p, t->role);
    pack_bytes(p, t->meta);
    pack_i64(p, t->created_s);
    pack_i64(p, t->ttl_ns);
    pack_i64(p, t->explicit_max_ttl_ns);
    pack_i64(p, t->period_ns);
    pack_i64(p, t->issued_ns);
    pack_i64(p, t->lease_ns);
    pack_i64(p, t->expires_ns);
    pack_i64(p, t->renewed_ns);
    pack_i64(p, t->uses_granted);
    pack_i64(p, t->uses_left);
    write_slices(p, t->policies, t->policy_count);
    write_slices(p, t->bound_cidrs, t->bound_cidr_count);
}

void token_format(const struct token *token, struct buf *out)
{
    struct pack measure = {0};
    write_record(&measure, token);
    char *ptr = buf_reserve(out, measure.len);
    if (ptr == NULL)
        return;
    struct pack p = pack_into((uint8_t *)ptr, measure.len);
    write_record(&p, token);
    buf_commit(out, p.len);
}

static void read_digest(struct unpack *u, uint8_t out[static DIGEST_BYTES])
{
    struct slice bytes = pack_read_bytes(u);
    if (bytes.len == DIGEST_BYTES)
        memcpy(out, bytes.ptr, DIGEST_BYTES);
    else
        u->failed = true;
}

static void read_fixed(struct unpack *u, struct token *t)
{
    u->failed = pack_read_u8(u) != FORMAT || u->failed;
    uint32_t flags = pack_read_u32(u);
    t->type = (flags & FLAG_BATCH) != 0 ? TOKEN_BATCH : TOKEN_SERVICE;
    t->renewable = (flags & FLAG_RENEWABLE) != 0;
    t->orphan = (flags & FLAG_ORPHAN) != 0;
    pack_read_text(u, t->accessor, sizeof t->accessor);
    read_digest(u, t->parent_digest);
    t->display_name = pack_read_bytes(u);
    t->path = pack_read_bytes(u);
    t->role = pack_read_bytes(u);
    t->meta = pack_read_bytes(u);
    t->created_s = pack_read_i64(u);
    t->ttl_ns = pack_read_i64(u);
    t->explicit_max_ttl_ns = pack_read_i64(u);
    t->period_ns = pack_read_i64(u);
    t->issued_ns = pack_read_i64(u);
    t->lease_ns = pack_read_i64(u);
    t->expires_ns = pack_read_i64(u);
    t->renewed_ns = pack_read_i64(u);
    t->uses_granted = pack_read_i64(u);
    t->uses_left = pack_read_i64(u);
}

static size_t skip_slices(struct unpack *u)
{
    size_t count = pack_read_u32(u);
    for (size_t i = 0; i < count && !u->failed; i++)
        (void)pack_read_bytes(u);
    return u->failed ? 0 : count;
}

/* How many items the lists of a record have. False when the record is damaged. */
static bool measure_lists(struct unpack u, size_t *policies, size_t *cidrs)
{
    *policies = skip_slices(&u);
    *cidrs = skip_slices(&u);
    return pack_read_complete(&u);
}

static const struct slice *read_slices(struct unpack *u, struct slice *at)
{
    size_t count = pack_read_u32(u);
    for (size_t i = 0; i < count; i++)
        at[i] = pack_read_bytes(u);
    return at;
}

/* The block: struct, policies, networks, record. */
enum errc token_parse(struct slice record, struct token **out)
{
    struct token head = {.references = 1};
    size_t policies, cidrs;
    struct unpack u = pack_read_from(record);
    read_fixed(&u, &head);
    if (u.failed || !measure_lists(u, &policies, &cidrs))
        return ERRC_SCHEMA;
    head.bytes = sizeof head + (policies + cidrs) * sizeof(struct slice) + record.len;
    struct token *t = malloc(head.bytes);
    if (t == NULL)
        return ERRC_NOMEM;
    struct slice *slices = (struct slice *)(t + 1);
    char *copy = (char *)(slices + policies + cidrs);
    memcpy(copy, record.ptr, record.len);
    u = pack_read_from((struct slice){copy, record.len});
    read_fixed(&u, &head); /* once more: now its texts point into the copy */
    head.policies = read_slices(&u, slices);
    head.policy_count = policies;
    head.bound_cidrs = read_slices(&u, slices + policies);
    head.bound_cidr_count = cidrs;
    *t = head;
    *out = t;
    return ERRC_OK;
}

enum errc token_copy(const struct token *from, struct token **out)
{
    struct buf record CLEANUP(buf_done);
    buf_init(&record, LIMIT_REQUEST_BODY_BYTES);
    token_format(from, &record);
    TRY(buf_status(&record, NULL));
    TRY(token_parse(buf_slice(&record), out));
    memcpy((*out)->digest, from->digest, sizeof from->digest);
    return ERRC_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

struct token token_root(int64_t wall_ns)
{
    static const struct slice policies[] = {{"root", 4}};
    return (struct token){.policies = policies,
                          .policy_count = 1,
                          .display_name = SLICE_LITERAL("root"),
                          .path = SLICE_LITERAL("auth/token/root"),
                          .orphan = true,
                          .created_s = wall_ns / NS_PER_S};
}

struct token *token_keep(struct token *token)
{
    token->references++;
    return token;
}

void token_release(struct token *token)
{
    if (token == NULL)
        return;
    CHECK(token->references > 0);
    if (--token->references > 0)
        return;
    secret_wipe(token, token->bytes);
    free(token);
}

const char *token_type_name(enum token_type type)
{
    return type == TOKEN_BATCH ? "batch" : "service";
}

bool token_has_policy(const struct token *token, const char *name)
{
    for (size_t i = 0; i < token->policy_count; i++)
        if (slice_equal_text(token->policies[i], name))
            return true;
    return false;
}

bool token_is_root(const struct token *token)
{
    return token->policy_count == 1 && slice_equal_text(token->policies[0], "root");
}

bool token_expired(const struct token *token, int64_t wall_ns)
{
    return token->expires_ns != 0 && wall_ns > token->expires_ns;
}

bool token_usable(const struct token *token, int64_t wall_ns)
{
    if (token->dead || token->uses_left == TOKEN_SPENT)
        return false;
    for (const struct token *t = token; t != NULL; t = t->parent)
        if (token_expired(t, wall_ns))
            return false;
    return true;
}

int64_t token_end(int64_t now_ns, int64_t ttl_ns)
{
    int64_t last = INT64_MAX - NS_PER_S;
    return ttl_ns > last - now_ns ? last : now_ns + ttl_ns;
}
