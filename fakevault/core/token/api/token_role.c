/* auth/token/roles: the endpoints, and what the making of tokens asks of a role. */
#include "fakevault/core/token/api/token_role.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/token_cidr.h"
#include "fakevault/core/token/token_names.h"
#include "fakevault/core/token/token_ttl.h"

#define PREFIX "sys/token/roles/"

static const struct field_spec role_fields[] = {
    {.name = "allowed_entity_aliases", .type = FIELD_STRINGS},
    {.name = "allowed_policies", .type = FIELD_STRINGS},
    {.name = "allowed_policies_glob", .type = FIELD_STRINGS},
    {.name = "bound_cidrs", .type = FIELD_STRINGS},
    {.name = "disallowed_policies", .type = FIELD_STRINGS},
    {.name = "disallowed_policies_glob", .type = FIELD_STRINGS},
    {.name = "explicit_max_ttl", .type = FIELD_SECONDS},
    {.name = "orphan", .type = FIELD_BOOL},
    {.name = "path_suffix", .type = FIELD_STRING},
    {.name = "period", .type = FIELD_SECONDS},
    {.name = "renewable", .type = FIELD_BOOL, .number = 1},
    {.name = "token_bound_cidrs", .type = FIELD_STRINGS},
    {.name = "token_explicit_max_ttl", .type = FIELD_SECONDS},
    {.name = "token_no_default_policy", .type = FIELD_BOOL},
    {.name = "token_num_uses", .type = FIELD_INT},
    {.name = "token_period", .type = FIELD_SECONDS},
    {.name = "token_type", .type = FIELD_STRING, .text = "default-service"},
    {0},
};

/* --- record ----------------------------------------------------------------------------------- */

static bool record_name(struct slice name, char out[static STORE_NAME_MAX])
{
    int len = snprintf(out, STORE_NAME_MAX, PREFIX "%.*s", SLICE_FMT(name));
    return len < (int)STORE_NAME_MAX;
}

enum errc token_role_load(struct vault *v, struct slice name, json_t **out, struct errc_why *why)
{
    struct secret record CLEANUP(secret_done) = {0};
    char path[STORE_NAME_MAX];
    if (!record_name(name, path))
        return ERRC_NOT_FOUND;
    TRY(barrier_get(&v->barrier, path, &record, why));
    return gojson_parse(secret_slice(&record), out, why);
}

struct slice token_role_text(const json_t *role, const char *member)
{
    const json_t *text = json_object_get(role, member);
    return slice_bytes(json_string_value(text), json_string_length(text));
}

int64_t token_role_ns(const json_t *role, const char *member)
{
    return json_integer_value(json_object_get(role, member)) * NS_PER_S;
}

bool token_role_flag(const json_t *role, const char *member)
{
    return json_is_true(json_object_get(role, member));
}

/* --- making one ------------------------------------------------------------------------------- */

/* A role on its way; `role` is what it was before, or new. */
struct shaping {
    struct vault_job *job;
    json_t *role;
    bool is_new;
};

static const struct field_value *sent(const struct shaping *s, const char *field)
{
    return field_get(&s->job->fields, field);
}

static bool has(const struct shaping *s, const char *field)
{
    return sent(s, field)->present;
}

static bool fail(struct shaping *s, const char *text)
{
    call_fail(s->job, 400, "%s", text);
    return false;
}

/* Takes the value over. */
static void set(struct shaping *s, const char *member, json_t *value)
{
    if (value == NULL || json_object_set_new_nocheck(s->role, member, value) != 0)
        s->job->no_memory = true;
}

static void set_flag(struct shaping *s, const char *field)
{
    if (s->is_new || has(s, field))
        set(s, field, json_boolean(sent(s, field)->number != 0));
}

static json_t *names_json(const struct token_names *names)
{
    json_t *array = json_array();
    for (size_t i = 0; i < names->count && array != NULL; i++) {
        json_t *text = json_stringn_nocheck(names->items[i].ptr, names->items[i].len);
        if (text == NULL || json_array_append_new(array, text) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static void set_names(struct shaping *s, const char *field, bool policies)
{
    struct token_names names CLEANUP(token_names_done) = {0};
    enum errc code = token_names_add_json(&names, sent(s, field)->tree);
    if (code == ERRC_OK && policies)
        code = token_names_sanitize(&names, false);
    set(s, field, code == ERRC_OK ? names_json(&names) : NULL);
}

static void set_lists(struct shaping *s)
{
    static const struct {
        const char *field;
        bool policies;
    } lists[] = {{"allowed_policies", true},
                 {"allowed_policies_glob", true},
                 {"disallowed_policies", false},
                 {"disallowed_policies_glob", false}};
    for (size_t i = 0; i < COUNT(lists); i++)
        if (s->is_new || has(s, lists[i].field))
            set_names(s, lists[i].field, lists[i].policies);
    if (has(s, "allowed_entity_aliases"))
        set_names(s, "allowed_entity_aliases", false);
    else if (s->is_new)
        set(s, "allowed_entity_aliases", json_null());
}

static bool word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Vault's \w[\w-.]+\w, anywhere in the text. */
static bool has_suffix_word(struct slice s)
{
    for (size_t i = 0; i + 2 < s.len; i++) {
        char middle = s.ptr[i + 1];
        size_t end = i + 1;
        if (!word(s.ptr[i]) || !(word(middle) || middle == '-' || middle == '.'))
            continue;
        while (end < s.len && (word(s.ptr[end]) || s.ptr[end] == '-' || s.ptr[end] == '.'))
            end++;
        while (end > i + 2 && !word(s.ptr[end - 1]))
            end--;
        if (end > i + 2)
            return true;
    }
    return false;
}

static bool set_suffix(struct shaping *s)
{
    struct slice suffix = field_text(&s->job->fields, "path_suffix");
    if (!s->is_new && !has(s, "path_suffix"))
        return true;
    if (suffix.len > 0 && !has_suffix_word(suffix))
        return fail(s, "given role path suffix contains invalid characters; must match "
                       "\\w[\\w-.]+\\w");
    if (suffix.len > 0 && memmem(suffix.ptr, suffix.len, "..", 2) != NULL)
        return fail(s, "error registering path suffix: path cannot contain parent references");
    set(s, "path_suffix", json_stringn_nocheck(suffix.ptr == NULL ? "" : suffix.ptr, suffix.len));
    return true;
}

/* Reads a list of networks into a member, or drops the member when the list is empty. */
static bool set_cidrs(struct shaping *s, const char *field, const char *member, const char *before)
{
    struct errc_why why = {{0}};
    json_t *list = NULL;
    enum errc code = token_cidr_read(sent(s, field)->tree, &list, &why);
    if (code == ERRC_SYNTAX) {
        call_fail(s->job, 400, "%s: %s", before, why.text);
        return false;
    }
    if (code == ERRC_OK && json_array_size(list) > 0) {
        set(s, member, list);
        return true;
    }
    json_decref(list);
    s->job->no_memory = s->job->no_memory || code != ERRC_OK;
    (void)json_object_del(s->role, member);
    return true;
}

static bool set_token_fields(struct shaping *s)
{
    int64_t uses = sent(s, "token_num_uses")->number;
    if (has(s, "token_bound_cidrs") &&
        !set_cidrs(s, "token_bound_cidrs", "token_bound_cidrs", "error parsing role fields"))
        return false;
    set_flag(s, "token_no_default_policy");
    if (has(s, "token_num_uses") && uses < 0)
        return fail(s, "error parsing role fields: 'token_num_uses' cannot be negative");
    if (has(s, "token_num_uses") && uses > 0)
        set(s, "token_num_uses", json_integer(uses));
    else if (has(s, "token_num_uses"))
        (void)json_object_del(s->role, "token_num_uses");
    return true;
}

static bool set_type(struct shaping *s)
{
    static const char *const types[] = {"service", "batch", "default-service", "default-batch"};
    struct slice type = field_text(&s->job->fields, "token_type");
    if (has(s, "token_type") && sent(s, "token_type")->tree == NULL)
        return fail(s, "Invalid 'token_type' value: null");
    if (!s->is_new && !has(s, "token_type"))
        return true;
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_equal_text(type, types[i])) {
            set(s, "token_type", json_string_nocheck(types[i]));
            return true;
        }
    call_fail(s->job, 400, "invalid 'token_type' value \"%.*s\"", SLICE_FMT(type));
    return false;
}

/* The older name of a member counts where the newer one is not given. */
static void set_seconds(struct shaping *s, const char *newer, const char *older)
{
    bool both = has(s, newer) && has(s, older);
    if (both)
        call_warn(s->job,
                  "Both '%s' and deprecated '%s' value supplied, ignoring the deprecated value",
                  newer, older);
    if (has(s, newer)) {
        set(s, newer, json_integer(sent(s, newer)->number));
        set(s, older, json_integer(0));
    } else if (has(s, older) || s->is_new) {
        set(s, newer, json_integer(sent(s, older)->number));
        set(s, older, json_integer(sent(s, older)->number));
    }
}

static bool set_older_cidrs(struct shaping *s)
{
    if (!has(s, "token_bound_cidrs"))
        return !has(s, "bound_cidrs") ||
               (set_cidrs(s, "bound_cidrs", "bound_cidrs", "error parsing bound_cidrs") &&
                set_cidrs(s, "bound_cidrs", "token_bound_cidrs", "error parsing bound_cidrs"));
    if (has(s, "bound_cidrs"))
        call_warn(s->job, "Both 'token_bound_cidrs' and deprecated 'bound_cidrs' value supplied, "
                          "ignoring the deprecated value");
    (void)json_object_del(s->role, "bound_cidrs");
    return true;
}

static void warn_of_max(struct shaping *s)
{
    int64_t max_ns = token_role_ns(
        s->role, has(s, "token_explicit_max_ttl") ? "token_explicit_max_ttl" : "explicit_max_ttl");
    int64_t allowed_ns = token_ttl_max(s->job);
    if (max_ns > allowed_ns)
        call_warn(s->job,
                  "Given explicit max TTL of %lld is greater than system/mount allowed value of "
                  "%lld seconds; until this is fixed attempting to create tokens against this role "
                  "will result in an error",
                  (long long)(max_ns / NS_PER_S), (long long)(allowed_ns / NS_PER_S));
}

static bool check_batch(struct shaping *s)
{
    if (!slice_equal_text(token_role_text(s->role, "token_type"), "batch"))
        return true;
    const char *fault = !token_role_flag(s->role, "orphan")           ? "non-orphan tokens"
                        : token_role_ns(s->role, "token_period") != 0 ? "periodic tokens"
                        : token_role_flag(s->role, "renewable")       ? "renewable tokens"
                        : token_role_ns(s->role, "token_explicit_max_ttl") != 0
                            ? "tokens with an explicit max TTL"
                            : NULL;
    if (fault != NULL)
        call_fail(s->job, 400, "'token_type' cannot be 'batch' when role is set to generate %s",
                  fault);
    return fault == NULL;
}

/* In Vault's order, so that of several faults the same is told. */
static bool shape(struct shaping *s)
{
    if (s->is_new) {
        struct slice name = call_capture(s->job, "role_name");
        set(s, "name", json_stringn_nocheck(name.ptr, name.len));
    }
    set_flag(s, "orphan");
    set_flag(s, "renewable");
    if (!set_suffix(s))
        return false;
    set_lists(s);
    if (!set_token_fields(s) || !set_type(s))
        return false;
    set_seconds(s, "token_period", "period");
    if (!set_older_cidrs(s))
        return false;
    set_seconds(s, "token_explicit_max_ttl", "explicit_max_ttl");
    warn_of_max(s);
    return check_batch(s) && !s->job->no_memory;
}

static void store(struct vault_job *job, const json_t *role)
{
    struct errc_why why = {{0}};
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    char name[STORE_NAME_MAX];
    buf_init(&text, BARRIER_PLAIN_MAX);
    jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
    jsonwrite_value(&w, NULL, role);
    enum errc code = buf_status(&text, &why);
    if (code == ERRC_OK && !record_name(call_capture(job, "role_name"), name))
        code = errc_fail(&why, ERRC_RANGE, "the name of the role is too long");
    if (code == ERRC_OK)
        code = barrier_put(&job->vault->barrier, name, buf_slice(&text), &why);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    else if (job->warnings.len > 0)
        call_answer_none(job, 200);
    else
        call_empty(job);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static enum errc load_named(struct vault_job *job, json_t **out)
{
    struct errc_why why = {{0}};
    enum errc code = token_role_load(job->vault, call_capture(job, "role_name"), out, &why);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        call_trouble(job, code, &why);
    return code;
}

static bool role_exists(struct vault_job *job)
{
    json_t *role CLEANUP(jsonread_done) = NULL;
    return load_named(job, &role) == ERRC_OK;
}

static void write_finish(struct vault_job *job)
{
    json_t *role CLEANUP(jsonread_done) = NULL;
    enum errc code = load_named(job, &role);
    if (call_answered(job))
        return;
    if (code == ERRC_NOT_FOUND)
        role = json_object();
    job->no_memory = job->no_memory || role == NULL;
    struct shaping s = {.job = job, .role = role, .is_new = code == ERRC_NOT_FOUND};
    if (!job->no_memory && shape(&s))
        store(job, role);
}

static void read_finish(struct vault_job *job)
{
    json_t *role CLEANUP(jsonread_done) = NULL;
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&text, BARRIER_PLAIN_MAX);
    if (load_named(job, &role) == ERRC_OK) {
        jsonwrite_init(&w, &text, JSONWRITE_GO_HTML);
        jsonwrite_value(&w, NULL, role);
        job->no_memory = job->no_memory || text.failed;
        call_answer_json(job, buf_slice(&text));
    } else if (!call_answered(job)) {
        call_fail_bare(job, 404);
    }
}

static void delete_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    char name[STORE_NAME_MAX];
    if (!record_name(call_capture(job, "role_name"), name)) {
        call_empty(job);
        return;
    }
    enum errc code = store_erase(job->vault->ports.store, slice_of(name), &why);
    call_done(job, code, &why);
}

static void list_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    struct jsonwrite *w = call_data(job);
    jsonwrite_array(w, "keys");
    size_t empty = job->data_out.len;
    enum errc code =
        store_list(job->vault->ports.store, SLICE_LITERAL(PREFIX), call_list_name, w, &why);
    bool any = job->data_out.len > empty;
    jsonwrite_end(w);
    if (code != ERRC_OK)
        call_trouble(job, code, &why);
    else if (!any && !job->data_out.failed)
        call_fail_bare(job, 404);
    else
        call_answer(job, CALL_DATA);
}

static const struct route_endpoint rows[] = {
    {.pattern = "roles/?", .operation = ROUTE_LIST, .finish = list_finish},
    {.pattern = "roles/:role_name",
     .operation = ROUTE_READ,
     .fields = role_fields,
     .finish = read_finish},
    {.pattern = "roles/:role_name",
     .operation = ROUTE_UPDATE,
     .fields = role_fields,
     .exists = role_exists,
     .finish = write_finish},
    {.pattern = "roles/:role_name",
     .operation = ROUTE_DELETE,
     .fields = role_fields,
     .finish = delete_finish},
};

const struct route_table token_role_table = ROUTE_TABLE(rows);
