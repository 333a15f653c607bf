/* auth/token/create, create-orphan and create/:role (vault-api.md 3.1). The order of the checks is
 * Vault's. */
#include "fakevault/core/token/api/token_create.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/units.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/api/token_auth.h"
#include "fakevault/core/token/api/token_policies.h"
#include "fakevault/core/token/api/token_role.h"
#include "fakevault/core/token/token_batch.h"
#include "fakevault/core/token/token_names.h"
#include "fakevault/core/token/token_ttl.h"

const struct field_spec token_create_fields[] = {
    {.name = "display_name", .type = FIELD_STRING},
    {.name = "entity_alias", .type = FIELD_STRING},
    {.name = "explicit_max_ttl", .type = FIELD_STRING},
    {.name = "id", .type = FIELD_STRING},
    {.name = "lease", .type = FIELD_STRING},
    {.name = "meta", .type = FIELD_PAIRS},
    {.name = "no_default_policy", .type = FIELD_BOOL},
    {.name = "no_parent", .type = FIELD_BOOL},
    {.name = "num_uses", .type = FIELD_INT},
    {.name = "period", .type = FIELD_STRING},
    {.name = "policies", .type = FIELD_SLICE},
    {.name = "renewable", .type = FIELD_BOOL, .number = 1},
    {.name = "ttl", .type = FIELD_STRING},
    {.name = "type", .type = FIELD_STRING},
    {0},
};

/* A token on its way. */
struct making {
    struct vault_job *job;
    const struct token *parent;
    json_t *role; /* NULL: none */
    struct token draft;
    struct token_policies policies;
    struct slice *cidrs; /* the role's */
    struct buf meta, path, display_name;
    bool sudo;
    bool create_orphan;                 /* asked for by path */
    int64_t explicit_max_ns, period_ns; /* that count: of the call and the role */
};

static void making_done(struct making *m)
{
    token_names_done(&m->policies.names);
    free(m->cidrs);
    json_decref(m->role);
    buf_done(&m->meta);
    buf_done(&m->path);
    buf_done(&m->display_name);
}

static struct slice text_of(const struct making *m, const char *field)
{
    return field_text(&m->job->fields, field);
}

static bool fail(struct making *m, const char *text)
{
    call_fail(m->job, 400, "%s", text);
    return false;
}

static bool no_memory(struct making *m)
{
    m->job->no_memory = true;
    return false;
}

/* --- who asks, and for what kind -------------------------------------------------------------- */

static bool check_parent(struct making *m)
{
    const struct token *parent = m->parent;
    if (!token_usable(parent, m->job->now.wall_ns))
        return fail(m, "parent token lookup failed: no parent found");
    if (parent->type == TOKEN_BATCH)
        return fail(m, "batch tokens cannot create more tokens");
    if (parent->uses_left > 0)
        return fail(m, "restricted use token cannot generate child tokens");
    return true;
}

/* True when a duration is given and not 0; a broken one fails. */
static bool batch_lacks(struct making *m, const char *field)
{
    int64_t ns = 0;
    if (gotext_duration(text_of(m, field), &ns, NULL) != ERRC_OK)
        call_fail(m->job, 400, "\"%s\" value could not be parsed", field);
    else if (ns != 0)
        call_fail(m->job, 400, "batch tokens cannot have \"%s\" set", field);
    return !call_answered(m->job);
}

/* Of what a batch token cannot have, Vault looks at the first that is there. */
static bool check_batch(struct making *m)
{
    if (text_of(m, "explicit_max_ttl").len > 0)
        return batch_lacks(m, "explicit_max_ttl");
    if (m->draft.uses_left != 0)
        return fail(m, "batch tokens cannot have \"num_uses\" set");
    return text_of(m, "period").len == 0 || batch_lacks(m, "period");
}

/* A role may insist, or have a default of its own. */
static struct slice wanted_type(const struct making *m)
{
    struct slice sent = text_of(m, "type"), own = token_role_text(m->role, "token_type");
    if (slice_equal_text(own, "service") || slice_equal_text(own, "batch"))
        return own;
    return slice_equal_text(own, "default-batch") && sent.len == 0 ? SLICE_LITERAL("batch") : sent;
}

/* Entities are not kept: an alias that the role allows is accepted and has no effect. */
static bool check_entity_alias(struct making *m)
{
    struct token_names allowed CLEANUP(token_names_done) = {0};
    struct token_names alias CLEANUP(token_names_done) = {0};
    struct slice sent = text_of(m, "entity_alias");
    if (sent.len == 0)
        return true;
    if (m->role == NULL)
        return fail(m, "'entity_alias' is only allowed in combination with token role");
    const json_t *list = json_object_get(m->role, "allowed_entity_aliases");
    if (token_names_add_json(&allowed, list) != ERRC_OK || token_names_add(&alias, sent) != ERRC_OK)
        return no_memory(m);
    return (alias.count == 1 && token_names_fit(&allowed, alias.items[0])) ||
           fail(m, "invalid 'entity_alias' value");
}

static int64_t lesser_given(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static bool choose_type(struct making *m)
{
    struct slice type = wanted_type(m);
    m->draft.renewable = field_flag(&m->job->fields, "renewable");
    m->draft.uses_left = field_number(&m->job->fields, "num_uses");
    if (slice_equal_text(type, "batch")) {
        if (!check_batch(m))
            return false;
        m->draft.type = TOKEN_BATCH;
        m->draft.renewable = false;
    } else if (type.len > 0 && !slice_equal_text(type, "service")) {
        return fail(m, "invalid 'token_type' value");
    }
    if (m->draft.uses_left < 0)
        return fail(m, "number of uses cannot be negative");
    if (m->role != NULL) {
        json_int_t uses = json_integer_value(json_object_get(m->role, "token_num_uses"));
        m->draft.renewable = m->draft.renewable && token_role_flag(m->role, "renewable");
        m->draft.uses_left = lesser_given(m->draft.uses_left, uses);
        m->draft.role = token_role_text(m->role, "name");
    }
    return check_entity_alias(m);
}

/* --- names
 * ---------------------------------------------------------------------------------------- */

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* "token-" and the wanted name, in which a run of UTF-8 is one '-' per character. */
static void write_display_name(struct making *m)
{
    struct slice wanted = text_of(m, "display_name");
    buf_add_text(&m->display_name, wanted.len > 0 ? "token-" : "token");
    for (size_t i = 0; i < wanted.len; i++) {
        bool continues = ((unsigned char)wanted.ptr[i] & 0xc0) == 0x80;
        if (!continues)
            buf_add_char(&m->display_name, is_name_byte(wanted.ptr[i]) ? wanted.ptr[i] : '-');
    }
    m->draft.display_name = buf_slice(&m->display_name);
    if (wanted.len > 0 && slice_ends_with(m->draft.display_name, "-"))
        m->draft.display_name.len--;
}

static bool name_it(struct making *m)
{
    const json_t *meta = field_get(&m->job->fields, "meta")->tree;
    struct jsonwrite w;
    jsonwrite_init(&w, &m->meta, JSONWRITE_GO_HTML);
    if (meta != NULL)
        jsonwrite_value(&w, NULL, meta);
    buf_add_slice(&m->path, buf_slice(&m->job->path));
    if (token_role_text(m->role, "path_suffix").len > 0)
        buf_addf(&m->path, "/%.*s", SLICE_FMT(token_role_text(m->role, "path_suffix")));
    write_display_name(m);
    if (m->meta.failed || m->path.failed || m->display_name.failed)
        return no_memory(m);
    m->draft.meta = buf_slice(&m->meta);
    m->draft.path = buf_slice(&m->path);
    if (text_of(m, "id").len > 0 && !m->sudo)
        return fail(m, "root or sudo privileges required to specify token id");
    return true;
}

/* --- policies --------------------------------------------------------------------------------- */

static bool choose_policies(struct making *m)
{
    m->policies.type = m->draft.type;
    if (!token_policies_choose(&m->policies))
        return false;
    m->draft.policies = m->policies.names.items;
    m->draft.policy_count = m->policies.names.count;
    return true;
}

/* --- family and times
 * ------------------------------------------------------------------------------- */

/* A role says who is an orphan, and from where its tokens may be used. */
static bool follow_role(struct making *m)
{
    const json_t *cidrs = json_object_get(m->role, "token_bound_cidrs");
    size_t count = json_array_size(cidrs);
    m->draft.orphan = token_role_flag(m->role, "orphan");
    if (!m->draft.orphan)
        memcpy(m->draft.parent_digest, m->parent->digest, sizeof m->draft.parent_digest);
    if (count == 0)
        return true;
    m->cidrs = calloc(count, sizeof *m->cidrs);
    if (m->cidrs == NULL)
        return no_memory(m);
    for (size_t i = 0; i < count; i++)
        m->cidrs[i] = slice_of(json_string_value(json_array_get(cidrs, i)));
    m->draft.bound_cidrs = m->cidrs;
    m->draft.bound_cidr_count = count;
    return true;
}

static bool choose_parent(struct making *m)
{
    if (m->role != NULL)
        return follow_role(m);
    bool no_parent = field_flag(&m->job->fields, "no_parent");
    if (no_parent && !m->sudo)
        return fail(m, "root or sudo privileges required to create orphan token");
    m->draft.orphan = no_parent || m->create_orphan;
    if (m->draft.orphan)
        return true;
    memcpy(m->draft.parent_digest, m->parent->digest, sizeof m->draft.parent_digest);
    m->draft.bound_cidrs = m->parent->bound_cidrs;
    m->draft.bound_cidr_count = m->parent->bound_cidr_count;
    return true;
}

/* Reads a duration that may not be negative. */
static bool read_duration(struct making *m, const char *field, int64_t *ns)
{
    struct errc_why why = {{0}};
    if (gotext_duration(text_of(m, field), ns, &why) != ERRC_OK)
        return fail(m, why.text);
    if (*ns >= 0)
        return true;
    call_fail(m->job, 400, "%s must be positive", field);
    return false;
}

static bool read_times(struct making *m)
{
    const char *ttl_field = text_of(m, "ttl").len > 0 ? "ttl" : "lease";
    if (!read_duration(m, "explicit_max_ttl", &m->draft.explicit_max_ttl_ns) ||
        !read_duration(m, "period", &m->draft.period_ns))
        return false;
    if (m->draft.period_ns > 0 && !m->sudo)
        return fail(m, "root or sudo privileges required to create periodic token");
    m->explicit_max_ns = m->draft.explicit_max_ttl_ns;
    m->period_ns = m->draft.period_ns;
    return read_duration(m, ttl_field, &m->draft.ttl_ns);
}

/* Of a limit that call and role both set, the lesser counts. */
static void limit_by_role(struct making *m, const char *what, const char *member, int64_t *ns)
{
    int64_t own = token_role_ns(m->role, member);
    bool both = *ns != 0 && own != 0;
    *ns = lesser_given(*ns, own);
    if (both)
        call_warn(m->job,
                  "%s specified both during creation call and in role; using the lesser value of "
                  "%lld seconds",
                  what, (long long)(*ns / NS_PER_S));
}

static bool choose_times(struct making *m)
{
    struct token *d = &m->draft;
    if (!read_times(m))
        return false;
    if (d->type != TOKEN_BATCH) {
        limit_by_role(m, "Explicit max TTL", "token_explicit_max_ttl", &m->explicit_max_ns);
        limit_by_role(m, "Period", "token_period", &m->period_ns);
    }
    bool root = token_names_has(&m->policies.names, SLICE_LITERAL("root"));
    struct token_ttl_ask ask = {.ttl_ns = d->ttl_ns,
                                .period_ns = m->period_ns,
                                .explicit_max_ns = m->explicit_max_ns,
                                .start_ns = m->job->now.wall_ns};
    if ((m->period_ns > 0 || d->ttl_ns > 0 || !root) &&
        !token_ttl_calculate(m->job, &ask, &d->ttl_ns))
        return false;
    if (d->ttl_ns == 0)
        d->ttl_ns = m->explicit_max_ns;
    if (d->ttl_ns != 0)
        return true;
    if (m->parent->ttl_ns != 0)
        return fail(m, "expiring root tokens cannot create non-expiring root tokens");
    d->renewable = false;
    d->bound_cidr_count = 0;
    return true;
}

/* --- the token
 * --------------------------------------------------------------------------------------- */

static bool check_id(struct making *m, struct slice id)
{
    if (slice_starts_with(id, "hvs."))
        return fail(m, "custom token ID cannot have the 'hvs.' prefix");
    if (slice_starts_with(id, "s."))
        return fail(m, "custom token ID cannot have the 's.' prefix");
    if (slice_find(id, '.') < id.len)
        return fail(m, "custom token ID cannot have a '.' in the value");
    if (token_table_find(&m->job->vault->tokens, id) != NULL)
        return fail(m, "cannot create a token with a duplicate ID");
    return true;
}

static void store(struct making *m, struct slice id)
{
    struct vault *v = m->job->vault;
    struct errc_why why = {{0}};
    struct token *token;
    enum errc code = token_store_create(&v->tokens, &v->barrier, &m->draft, id, &token, &why);
    if (code == ERRC_OK)
        token_auth_answer(m->job, token, id, token->ttl_ns);
    else
        call_trouble(m->job, code, &why);
}

static void make_batch(struct making *m)
{
    struct errc_why why = {{0}};
    struct buf id CLEANUP(buf_done);
    buf_init(&id, LIMIT_REQUEST_BODY_BYTES);
    enum errc code = token_batch_format(&m->job->vault->barrier, &m->draft, &id, &why);
    if (code == ERRC_OK)
        token_auth_answer(m->job, &m->draft, buf_slice(&id), m->draft.ttl_ns);
    else
        call_trouble(m->job, code, &why);
}

static void make(struct making *m)
{
    struct vault *v = m->job->vault;
    char made_up[TOKEN_ID_BYTES];
    struct slice id = text_of(m, "id");
    if (id.len > 0)
        call_warn(m->job,
                  "Supplying a custom ID for the token uses the weaker SHA1 hashing instead "
                  "of the more secure SHA2-256 HMAC for token obfuscation. SHA1 hashed "
                  "tokens on the wire leads to less secure lookups.");
    if (m->draft.type == TOKEN_BATCH) {
        make_batch(m);
        return;
    }
    if (id.len > 0) {
        if (check_id(m, id))
            store(m, id);
        return;
    }
    if (token_is_root(&m->draft))
        token_id_root(&v->ports.entropy, made_up);
    else
        token_id_service(&v->ports.entropy, &v->tokens.keys, made_up);
    store(m, slice_of(made_up));
    secret_wipe(made_up, sizeof made_up);
}

static void stamp(struct making *m)
{
    int64_t now = m->job->now.wall_ns;
    m->draft.created_s = now / NS_PER_S;
    if (m->draft.type == TOKEN_BATCH)
        now = m->draft.created_s * NS_PER_S;
    m->draft.uses_granted = m->draft.uses_left;
    m->draft.issued_ns = now;
    m->draft.lease_ns = m->draft.ttl_ns;
    m->draft.expires_ns = m->draft.ttl_ns == 0 ? 0 : token_end(now, m->draft.ttl_ns);
}

/* Takes over the role. */
static void create(struct vault_job *job, bool create_orphan, json_t *role)
{
    struct making m CLEANUP(making_done) = {.job = job,
                                            .parent = job->token,
                                            .role = role,
                                            .sudo = token_auth_sudo(job),
                                            .create_orphan = create_orphan};
    m.policies =
        (struct token_policies){.job = job, .parent = m.parent, .role = role, .sudo = m.sudo};
    buf_init(&m.meta, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&m.path, 2 * LIMIT_PATH_BYTES);
    buf_init(&m.display_name, LIMIT_REQUEST_BODY_BYTES);
    if (!check_parent(&m) || !choose_type(&m) || !name_it(&m) || !choose_policies(&m) ||
        !choose_parent(&m) || !choose_times(&m))
        return;
    stamp(&m);
    make(&m);
    if (job->status == 200)
        token_policies_warn(&m.policies);
}

void token_create_finish(struct vault_job *job)
{
    create(job, false, NULL);
}

void token_create_orphan_finish(struct vault_job *job)
{
    create(job, true, NULL);
}

void token_create_by_role_finish(struct vault_job *job)
{
    struct slice name = call_capture(job, "role_name");
    struct errc_why why = {{0}};
    json_t *role = NULL;
    enum errc code = token_role_load(job->vault, name, &role, &why);
    if (code == ERRC_NOT_FOUND)
        call_fail(job, 400, "unknown role %.*s", SLICE_FMT(name));
    else if (code != ERRC_OK)
        call_trouble(job, code, &why);
    else
        create(job, false, role);
}
