#include "fakevault/core/token/api/token_lookup.h"

#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/token/token_ttl.h"

void token_lookup_list(struct jsonwrite *w, const char *key, const struct slice *items,
                       size_t count)
{
    jsonwrite_array(w, key);
    for (size_t i = 0; i < count; i++)
        jsonwrite_slice(w, NULL, items[i]);
    jsonwrite_end(w);
}

static void write_stamp(struct jsonwrite *w, const char *key, int64_t wall_ns)
{
    char text[STAMP_BYTES];
    stamp_format(wall_ns, STAMP_GO_NANO, text);
    jsonwrite_string(w, key, text);
}

void token_lookup_json(struct jsonwrite *w, const char *key, struct slice json)
{
    if (json.len == 0)
        jsonwrite_null(w, key);
    else
        jsonwrite_raw(w, key, json);
}

/* Vault takes the time that is left from the nearest full second of now. */
static int64_t seconds_left(const struct token *t, int64_t wall_ns)
{
    int64_t rounded = (wall_ns + NS_PER_S / 2) / NS_PER_S * NS_PER_S;
    return t->expires_ns == 0 ? 0 : (t->expires_ns - rounded) / NS_PER_S;
}

/* The members in their order, which is the alphabet's. */
static void write_first(struct jsonwrite *w, const struct token *t, struct slice id)
{
    jsonwrite_string(w, "accessor", t->accessor);
    if (t->bound_cidr_count > 0)
        token_lookup_list(w, "bound_cidrs", t->bound_cidrs, t->bound_cidr_count);
    jsonwrite_int(w, "creation_time", t->created_s);
    jsonwrite_int(w, "creation_ttl", t->ttl_ns / NS_PER_S);
    jsonwrite_slice(w, "display_name", t->display_name);
    jsonwrite_string(w, "entity_id", "");
    if (t->expires_ns == 0)
        jsonwrite_null(w, "expire_time");
    else
        write_stamp(w, "expire_time", t->expires_ns);
    jsonwrite_int(w, "explicit_max_ttl", t->explicit_max_ttl_ns / NS_PER_S);
    jsonwrite_slice(w, "id", id);
    if (t->issued_ns != 0)
        write_stamp(w, "issue_time", t->issued_ns);
    if (t->renewed_ns != 0) {
        write_stamp(w, "last_renewal", t->renewed_ns);
        jsonwrite_int(w, "last_renewal_time", t->renewed_ns / NS_PER_S);
    }
}

static void write_rest(struct jsonwrite *w, const struct token *t, int64_t wall_ns)
{
    token_lookup_json(w, "meta", t->meta);
    jsonwrite_int(w, "num_uses", t->uses_left);
    jsonwrite_bool(w, "orphan", t->orphan);
    jsonwrite_slice(w, "path", t->path);
    if (t->period_ns != 0)
        jsonwrite_int(w, "period", t->period_ns / NS_PER_S);
    token_lookup_list(w, "policies", t->policies, t->policy_count);
    if (t->issued_ns != 0)
        jsonwrite_bool(w, "renewable", t->renewable);
    if (t->role.len > 0)
        jsonwrite_slice(w, "role", t->role);
    jsonwrite_int(w, "ttl", seconds_left(t, wall_ns));
    jsonwrite_string(w, "type", token_type_name(t->type));
}

void token_lookup_answer(struct vault_job *job, const struct token *token, struct slice id)
{
    struct jsonwrite *w = call_data(job);
    write_first(w, token, id);
    write_rest(w, token, job->now.wall_ns);
    call_answer(job, CALL_DATA);
}
