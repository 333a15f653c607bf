/* sys/policy and sys/policies/acl (vault-api.md 2.9). */
#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/base64.h"
#include "fakevault/core/api.h"
#include "fakevault/core/policy/policy_store.h"
#include "fakevault/core/state.h"

static const struct field_spec old_fields[] = {
    {.name = "policy", .type = FIELD_STRING},
    {.name = "rules", .type = FIELD_STRING},
    {0},
};

static const struct field_spec fields[] = {
    {.name = "policy", .type = FIELD_STRING},
    {0},
};

/* True below sys/policy, which has its own names for things. */
static bool is_old(const struct vault_job *job)
{
    return slice_starts_with(job->below, "policy");
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The name in lower case; `trim`, without blanks around it. */
static void add_name(const struct vault_job *job, bool trim, struct buf *out)
{
    struct slice name = call_capture(job, "name");
    while (trim && name.len > 0 && is_blank(name.ptr[0]))
        name = slice_from(name, 1);
    while (trim && name.len > 0 && is_blank(name.ptr[name.len - 1]))
        name.len--;
    for (size_t i = 0; i < name.len; i++)
        buf_add_char(out, (char)tolower((unsigned char)name.ptr[i]));
}

/* --- read ------------------------------------------------------------------------------------- */

static bool is_listed(struct slice name)
{
    return !policy_store_is_hidden(name) && !slice_equal_text(name, "root");
}

static bool is_below(struct slice name, struct slice folder)
{
    return name.len > folder.len && memcmp(name.ptr, folder.ptr, folder.len) == 0;
}

/* As Vault walks its store: what is in a folder, then the folders in it, the last first. */
static void write_folder(struct jsonwrite *w, const struct policy_store *s, struct slice folder)
{
    struct slice last = {0};
    for (size_t i = 0; i < s->count; i++) {
        struct slice name = slice_of(s->items[i]->name), rest = slice_from(name, folder.len);
        if (is_listed(name) && is_below(name, folder) && slice_find(rest, '/') == rest.len)
            jsonwrite_slice(w, NULL, name);
    }
    for (size_t i = s->count; i > 0; i--) {
        struct slice name = slice_of(s->items[i - 1]->name), rest = slice_from(name, folder.len);
        struct slice inner = {name.ptr, folder.len + slice_find(rest, '/') + 1};
        if (!is_below(name, folder) || slice_find(rest, '/') == rest.len ||
            slice_equal(inner, last))
            continue;
        last = inner;
        write_folder(w, s, inner);
    }
}

static void write_names(struct jsonwrite *w, const char *key, const struct policy_store *s)
{
    jsonwrite_array(w, key);
    write_folder(w, s, (struct slice){"", 0});
    jsonwrite_string(w, NULL, "root");
    jsonwrite_end(w);
}

static void list_finish(struct vault_job *job)
{
    struct jsonwrite *w = call_data(job);
    write_names(w, "keys", &job->vault->policies);
    if (is_old(job))
        write_names(w, "policies", &job->vault->policies);
    call_answer(job, is_old(job) ? CALL_INJECTED : CALL_DATA);
}

static void read_finish(struct vault_job *job)
{
    struct buf name CLEANUP(buf_done);
    buf_init(&name, LIMIT_PATH_BYTES);
    add_name(job, true, &name);
    job->no_memory = job->no_memory || name.failed;
    const struct policy *policy = policy_store_find(&job->vault->policies, buf_slice(&name));
    if (policy == NULL) {
        call_fail_bare(job, 404);
        return;
    }
    struct jsonwrite *w = call_data(job);
    jsonwrite_string(w, "name", policy->name);
    jsonwrite_string(w, is_old(job) ? "rules" : "policy", policy->text);
    call_answer(job, is_old(job) ? CALL_INJECTED : CALL_DATA);
}

/* --- write ------------------------------------------------------------------------------------ */

/* Base64 stands for what it decodes to. False when out of memory. */
static bool add_text(struct slice given, struct buf *out)
{
    buf_init(out, LIMIT_REQUEST_BODY_BYTES);
    enum errc code = base64_parse(given, BASE64_STANDARD, out, NULL);
    if (code == ERRC_SYNTAX && !out->failed) {
        buf_reset(out);
        buf_add_slice(out, given);
        code = ERRC_OK;
    }
    return code == ERRC_OK && !out->failed;
}

static struct slice given_text(struct vault_job *job)
{
    struct slice text = field_text(&job->fields, "policy");
    if (text.len > 0 || !is_old(job))
        return text;
    call_warn(job, "'rules' is deprecated, please use 'policy' instead");
    return field_text(&job->fields, "rules");
}

static void warn_about_name(struct vault_job *job, const struct buf *lower)
{
    if (!slice_equal(call_capture(job, "name"), buf_slice(lower)))
        call_warn(job, "policy name was converted to %s", buf_text(lower));
}

static void answer_set(struct vault_job *job, enum errc code, const struct errc_why *why)
{
    bool refused = code == ERRC_SYNTAX || code == ERRC_TOO_BIG;
    if (code == ERRC_NOMEM)
        job->no_memory = true;
    else if (refused)
        call_fail(job, 400, "%s", why->text);
    else if (code != ERRC_OK)
        call_trouble(job, code, why);
    else if (job->warnings.len > 0)
        call_answer_none(job, 200);
    else
        call_empty(job);
}

static void set_finish(struct vault_job *job)
{
    struct buf name CLEANUP(buf_done), lower CLEANUP(buf_done), text CLEANUP(buf_done);
    struct errc_why why = {{0}};
    struct policy *policy = NULL;
    buf_init(&name, LIMIT_PATH_BYTES);
    buf_init(&lower, LIMIT_PATH_BYTES);
    add_name(job, true, &name);
    add_name(job, false, &lower);
    warn_about_name(job, &lower);
    struct slice given = given_text(job);
    bool complete = add_text(given, &text) && !name.failed && !lower.failed;
    if (given.len == 0)
        call_fail(job, 400, "'policy' parameter not supplied or empty");
    job->no_memory = job->no_memory || !complete;
    if (call_answered(job) || job->no_memory)
        return;
    if (text.len > BARRIER_PLAIN_MAX) { /* the store would say so, but only once it is parsed */
        call_fail(job, 400, "put failed due to value being too large");
        return;
    }
    enum errc code = policy_parse(buf_slice(&name), buf_slice(&text), &policy, &why);
    if (code == ERRC_OK && policy_store_is_fixed(buf_slice(&name))) {
        policy_free(policy);
        code = errc_fail(&why, ERRC_SYNTAX, "cannot update \"%s\" policy", buf_text(&name));
    }
    if (code == ERRC_OK)
        code = policy_store_put(&job->vault->policies, &job->vault->barrier, policy, &why);
    answer_set(job, code, &why);
}

static void delete_finish(struct vault_job *job)
{
    struct buf name CLEANUP(buf_done);
    struct errc_why why = {{0}};
    buf_init(&name, LIMIT_PATH_BYTES);
    add_name(job, true, &name);
    job->no_memory = job->no_memory || name.failed;
    if (job->no_memory)
        return;
    if (policy_store_is_fixed(buf_slice(&name))) {
        call_fail(job, 400, "cannot delete \"%s\" policy", buf_text(&name));
        return;
    }
    if (slice_equal_text(buf_slice(&name), "default")) {
        call_fail(job, 400, "cannot delete default policy");
        return;
    }
    struct vault *v = job->vault;
    enum errc code = policy_store_erase(&v->policies, &v->barrier, buf_slice(&name), &why);
    call_done(job, code, &why);
}

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "policy/?", .operation = ROUTE_READ, .finish = list_finish},
    {.pattern = "policy/?", .operation = ROUTE_LIST, .finish = list_finish},
    {.pattern = "policy/+name", .operation = ROUTE_READ,
     .fields = old_fields, .finish = read_finish},
    {.pattern = "policy/+name", .operation = ROUTE_UPDATE,
     .fields = old_fields, .finish = set_finish},
    {.pattern = "policy/+name", .operation = ROUTE_DELETE,
     .fields = old_fields, .finish = delete_finish},
    {.pattern = "policies/acl/?", .operation = ROUTE_LIST, .finish = list_finish},
    {.pattern = "policies/acl/+name", .operation = ROUTE_READ,
     .fields = fields, .finish = read_finish},
    {.pattern = "policies/acl/+name", .operation = ROUTE_UPDATE,
     .fields = fields, .finish = set_finish},
    {.pattern = "policies/acl/+name", .operation = ROUTE_DELETE,
     .fields = fields, .finish = delete_finish},
};
/* clang-format on */

const struct route_table policy_api_table = ROUTE_TABLE(rows);
