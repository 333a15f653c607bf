#include "fakevault/core/audit/audit_entry.h"

#include <string.h>

#include "base/count.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "base/text/stamp.h"
#include "base/units.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/policy/authorise.h"
#include "fakevault/core/state.h"

struct entry {
    const struct vault_job *job;
    const struct audit_device *device;
    struct jsonwrite w;
};

/* --- hashing ---------------------------------------------------------------------------------- */

static void write_hashed(struct entry *e, const char *key, struct slice text, bool hash)
{
    char hashed[AUDIT_HASH_BYTES];
    if (!hash || e->device->raw) {
        jsonwrite_slice(&e->w, key, text);
        return;
    }
    audit_device_hash(e->device, text, hashed);
    jsonwrite_string(&e->w, key, hashed);
}

static void write_text(struct entry *e, const char *key, struct slice text, bool hash)
{
    if (text.len > 0)
        write_hashed(e, key, text, hash);
}

static bool listed(const json_t *names, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(names, i, item) if (strcmp(json_string_value(item), name) == 0) return true;
    return false;
}

struct hashing {
    const struct audit_device *device;
    const json_t *plain; /* names of members that are not hashed */
    bool numbers;
    bool times; /* those of a token are times in Vault, not texts, and stay */
};

static bool is_time(const char *name)
{
    return strcmp(name, "issue_time") == 0 || strcmp(name, "expire_time") == 0;
}

/* A hashed copy of a value that stands in the member `name`, or NULL without memory. */
static json_t *hashed_copy(const struct hashing *h, json_t *value, const char *name)
{
    char room[GOJSON_NUMBER_BYTES], hash[AUDIT_HASH_BYTES];
    struct slice text;
    bool is_text = gojson_string(value, &text) || (h->numbers && gojson_number(value, room, &text));
    if (is_text && !listed(h->plain, name) && !(h->times && is_time(name))) {
        audit_device_hash(h->device, text, hash);
        return json_string(hash);
    }
    json_t *copy = json_is_object(value)  ? json_object()
                   : json_is_array(value) ? json_array()
                                          : NULL;
    const char *key;
    json_t *member;
    size_t i;
    json_object_foreach(value, key, member)(void)
        json_object_set_new_nocheck(copy, key, hashed_copy(h, member, key));
    json_array_foreach(value, i, member)(void)
        json_array_append_new(copy, hashed_copy(h, member, name));
    return copy == NULL ? json_incref(value) : copy;
}

static void write_tree(struct entry *e, const char *key, json_t *tree, bool numbers,
                       const json_t *plain)
{
    const struct hashing h = {.device = e->device,
                              .plain = plain,
                              .numbers = numbers,
                              .times = !numbers && e->job->engine == MOUNT_TOKEN};
    json_t *copy = e->device->raw ? json_incref(tree) : hashed_copy(&h, tree, "");
    jsonwrite_value(&e->w, key, copy);
    json_decref(copy);
}

/* Reads JSON that this server wrote; NULL for nothing. */
static json_t *parse(struct slice text)
{
    json_t *value = NULL;
    return text.len > 0 && gojson_parse(text, &value, NULL) == ERRC_OK ? value : NULL;
}

/* --- who -------------------------------------------------------------------------------------- */

static void write_names(struct entry *e, const char *key, const struct token *token)
{
    jsonwrite_array(&e->w, key);
    for (size_t i = 0; i < token->policy_count; i++)
        jsonwrite_slice(&e->w, NULL, token->policies[i]);
    jsonwrite_end(&e->w);
}

static void write_policy_results(struct entry *e, const struct token *token)
{
    jsonwrite_object(&e->w, "policy_results");
    jsonwrite_bool(&e->w, "allowed", e->job->authorised);
    if (!e->job->authorised) {
        jsonwrite_end(&e->w);
        return;
    }
    jsonwrite_array(&e->w, "granting_policies");
    for (size_t i = 0; i < token->policy_count; i++) {
        if (!authorise_grants(e->job, &token->policies[i]))
            continue;
        jsonwrite_object(&e->w, NULL);
        jsonwrite_slice(&e->w, "name", token->policies[i]);
        jsonwrite_string(&e->w, "namespace_id", "root");
        jsonwrite_string(&e->w, "type", "acl");
        jsonwrite_end(&e->w);
    }
    jsonwrite_end(&e->w);
    jsonwrite_end(&e->w);
}

static void write_issue_time(struct entry *e, int64_t wall_ns)
{
    char text[STAMP_BYTES];
    stamp_format(wall_ns / NS_PER_S * NS_PER_S, STAMP_GO_NANO, text);
    jsonwrite_string(&e->w, "token_issue_time", text);
}

/* Who asks. A request that was not let through has nobody, unless the policies refused it. */
static const struct token *asking(const struct vault_job *job)
{
    return job->authorised || job->denied ? job->token : NULL;
}

static void write_auth(struct entry *e)
{
    const struct token *token = asking(e->job);
    jsonwrite_object(&e->w, "auth");
    if (token == NULL) {
        jsonwrite_string(&e->w, "token_type", "default");
        jsonwrite_end(&e->w);
        return;
    }
    write_text(e, "client_token", request_token(&e->job->request), true);
    write_text(e, "accessor", slice_of(token->accessor), e->device->hmac_accessor);
    write_text(e, "display_name", token->display_name, false);
    write_names(e, "policies", token);
    write_names(e, "token_policies", token);
    write_policy_results(e, token);
    if (token->meta.len > 2)
        jsonwrite_raw(&e->w, "metadata", token->meta);
    if (e->job->uses_before > 0)
        jsonwrite_int(&e->w, "remaining_uses", e->job->uses_before);
    jsonwrite_string(&e->w, "token_type", token_type_name(token->type));
    if (token->ttl_ns > 0)
        jsonwrite_int(&e->w, "token_ttl", token->ttl_ns / NS_PER_S);
    write_issue_time(e, token->created_s * NS_PER_S);
    jsonwrite_end(&e->w);
}

/* What Vault counts clients by that have no entity: a hash of what the token may do. */
static void write_client_id(struct entry *e, const struct token *token)
{
    struct buf input CLEANUP(buf_done), text CLEANUP(buf_done);
    uint8_t digest[DIGEST_BYTES];
    buf_init(&input, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&text, 64);
    for (size_t i = 0; i < token->policy_count; i++) {
        if (i > 0)
            buf_add_char(&input, '\x7f');
        buf_add_slice(&input, token->policies[i]);
    }
    buf_add(&input, "\0root", 5);
    digest_sha256(buf_slice(&input), digest);
    base64_format(slice_bytes(digest, sizeof digest), BASE64_STANDARD, &text);
    jsonwrite_slice(&e->w, "client_id", buf_slice(&text));
    e->w.out->failed = e->w.out->failed || input.failed || text.failed;
}

/* --- what ------------------------------------------------------------------------------------- */

static const char *mount_class(const struct vault_job *job)
{
    return slice_starts_with(slice_of(job->mount_path), "auth/") ? "auth" : "secret";
}

/* The mount a request went to. Its accessor is known once the mount was asked something: for its
 * answer, and before that whether a thing exists. */
static void write_mount(struct entry *e, const char *version_key, bool answered)
{
    const struct vault_job *job = e->job;
    const struct mount *m = job->mount_path[0] == '\0'
                                ? NULL
                                : mount_at(&job->vault->mounts, slice_of(job->mount_path));
    bool writes = job->operation == ROUTE_UPDATE || job->operation == ROUTE_CREATE;
    bool asked = job->token != NULL && (writes || (answered && job->authorised));
    if (job->mount_path[0] == '\0')
        return;
    jsonwrite_string(&e->w, "mount_point", job->mount_path);
    jsonwrite_string(&e->w, "mount_type", job->plugin->type);
    if (asked && m != NULL)
        jsonwrite_string(&e->w, "mount_accessor", m->accessor);
    jsonwrite_string(&e->w, version_key, job->plugin->version);
    jsonwrite_string(&e->w, "mount_class", mount_class(job));
}

static void write_path(struct entry *e)
{
    struct buf path CLEANUP(buf_done);
    buf_init(&path, LIMIT_PATH_BYTES + 1);
    buf_add_slice(&path, buf_slice(&e->job->path));
    if (e->job->operation == ROUTE_LIST && !slice_ends_with(buf_slice(&path), "/"))
        buf_add_char(&path, '/');
    jsonwrite_slice(&e->w, "path", buf_slice(&path));
    e->w.out->failed = e->w.out->failed || path.failed;
}

static void write_namespace(struct entry *e)
{
    jsonwrite_object(&e->w, "namespace");
    jsonwrite_string(&e->w, "id", "root");
    jsonwrite_end(&e->w);
}

/* The headers that sys/config/auditing/request-headers names. */
static void write_headers(struct entry *e)
{
    const struct vault_request *request = &e->job->request;
    const char *name, *value;
    json_t *setting, *found = json_object();
    json_object_foreach(
        (json_t *)(uintptr_t)settings_get(&e->job->vault->settings, "audited_headers"), name,
        setting)
    {
        char hash[AUDIT_HASH_BYTES];
        value = request->header == NULL ? NULL : request->header(request->header_context, name);
        if (value == NULL)
            continue;
        audit_device_hash(e->device, slice_of(value), hash);
        bool hashed = json_is_true(json_object_get(setting, "hmac"));
        (void)json_object_set_new(found, name, json_pack("[s]", hashed ? hash : value));
    }
    if (json_object_size(found) > 0)
        jsonwrite_value(&e->w, "headers", found);
    json_decref(found);
}

/* The names of members that a mount wants in clear, or NULL. */
static const json_t *plain_names(const struct vault_job *job, const char *of)
{
    const struct mount *m = mount_at(&job->vault->mounts, slice_of(job->mount_path));
    return m == NULL ? NULL : json_object_get(m->tuned, of);
}

static void write_request(struct entry *e, bool answered)
{
    const struct vault_job *job = e->job;
    const struct token *token = asking(job);
    jsonwrite_object(&e->w, "request");
    jsonwrite_string(&e->w, "id", job->request_id);
    if (token != NULL)
        write_client_id(e, token);
    jsonwrite_string(&e->w, "operation", job->facts.operation);
    write_mount(e, "mount_running_version", answered);
    write_text(e, "client_token", request_token(&job->request), true);
    if (job->token != NULL)
        write_text(e, "client_token_accessor", slice_of(job->token->accessor),
                   e->device->hmac_accessor);
    write_namespace(e);
    write_path(e);
    if (json_object_size(job->data) > 0)
        write_tree(e, "data", job->data, true, plain_names(job, "audit_non_hmac_request_keys"));
    write_text(e, "remote_address", job->request.remote_address, false);
    if (job->request.remote_port > 0)
        jsonwrite_int(&e->w, "remote_port", job->request.remote_port);
    if (job->wrap_ttl_ns > 0)
        jsonwrite_int(&e->w, "wrap_ttl", job->wrap_ttl_ns / NS_PER_S);
    write_headers(e);
    jsonwrite_end(&e->w);
}

static void start(struct entry *e, const char *type, int64_t wall_ns, struct buf *out)
{
    char time[STAMP_BYTES];
    stamp_format(wall_ns, STAMP_GO_NANO, time);
    buf_add_text(out, e->device->prefix == NULL ? "" : e->device->prefix);
    jsonwrite_init(&e->w, out, JSONWRITE_GO_HTML);
    jsonwrite_object(&e->w, NULL);
    jsonwrite_string(&e->w, "time", time);
    jsonwrite_string(&e->w, "type", type);
}

static void end(struct entry *e)
{
    jsonwrite_end(&e->w);
    buf_add_char(e->w.out, '\n');
}

static void format_request(const struct vault_job *job, const struct audit_device *d,
                           struct buf *out)
{
    struct entry e = {.job = job, .device = d};
    start(&e, "request", job->now.wall_ns, out);
    write_auth(&e);
    write_request(&e, false);
    if (!job->authorised)
        jsonwrite_slice(&e.w, "error", buf_slice(&job->text));
    end(&e);
}

void audit_entry_test(const struct audit_device *d, const char *id, int64_t wall_ns,
                      struct buf *out)
{
    struct entry e = {.device = d};
    start(&e, "request", wall_ns, out);
    jsonwrite_object(&e.w, "auth");
    jsonwrite_string(&e.w, "token_type", "default");
    jsonwrite_end(&e.w);
    jsonwrite_object(&e.w, "request");
    jsonwrite_string(&e.w, "id", id);
    jsonwrite_string(&e.w, "operation", "update");
    write_namespace(&e);
    jsonwrite_string(&e.w, "path", "sys/audit/test");
    jsonwrite_end(&e.w);
    end(&e);
}

/* --- the answer ------------------------------------------------------------------------------- */

static void write_response_auth(struct entry *e)
{
    json_t *auth CLEANUP(jsonread_done) = parse(buf_slice(&e->job->auth_out));
    if (!json_is_object(auth))
        return;
    const char *accessor = jsonread_string_or(auth, "accessor", "");
    const struct token *token =
        token_table_find_accessor(&e->job->vault->tokens, slice_of(accessor));
    jsonwrite_object(&e->w, "auth");
    write_text(e, "client_token", slice_of(jsonread_string_or(auth, "client_token", "")), true);
    write_text(e, "accessor", slice_of(accessor), e->device->hmac_accessor);
    if (token != NULL)
        write_text(e, "display_name", token->display_name, false);
    jsonwrite_value(&e->w, "policies", json_object_get(auth, "policies"));
    jsonwrite_value(&e->w, "token_policies", json_object_get(auth, "token_policies"));
    json_t *meta = json_object_get(auth, "metadata");
    if (json_object_size(meta) > 0)
        jsonwrite_value(&e->w, "metadata", meta);
    int64_t uses = json_integer_value(json_object_get(auth, "num_uses"));
    if (uses > 0)
        jsonwrite_int(&e->w, "num_uses", uses);
    jsonwrite_string(&e->w, "token_type", jsonread_string_or(auth, "token_type", "default"));
    int64_t ttl = json_integer_value(json_object_get(auth, "lease_duration"));
    if (ttl > 0)
        jsonwrite_int(&e->w, "token_ttl", ttl);
    jsonwrite_end(&e->w);
}

static void write_response_wrap(struct entry *e)
{
    json_t *wrap CLEANUP(jsonread_done) = parse(buf_slice(&e->job->wrap_out));
    if (!json_is_object(wrap))
        return;
    bool hash = e->device->hmac_accessor;
    jsonwrite_object(&e->w, "wrap_info");
    jsonwrite_int(&e->w, "ttl", json_integer_value(json_object_get(wrap, "ttl")));
    write_text(e, "token", slice_of(jsonread_string_or(wrap, "token", "")), true);
    write_text(e, "accessor", slice_of(jsonread_string_or(wrap, "accessor", "")), hash);
    write_text(e, "creation_time", slice_of(jsonread_string_or(wrap, "creation_time", "")), false);
    write_text(e, "creation_path", slice_of(jsonread_string_or(wrap, "creation_path", "")), false);
    write_text(e, "wrapped_accessor", slice_of(jsonread_string_or(wrap, "wrapped_accessor", "")),
               hash);
    jsonwrite_end(&e->w);
}

/* Of a list only how long it is. */
static void elide(json_t *data)
{
    static const char *const names[] = {"keys", "key_info"};
    for (size_t i = 0; i < COUNT(names); i++) {
        json_t *value = json_object_get(data, names[i]);
        size_t count = json_is_array(value) ? json_array_size(value) : json_object_size(value);
        if (value != NULL)
            (void)json_object_set_new(data, names[i], json_integer((json_int_t)count));
    }
}

/* An endpoint that wrote its own body is logged with the whole of it. */
static void write_raw_response(struct entry *e, const struct vault_reply *reply)
{
    jsonwrite_object(&e->w, "data");
    write_hashed(e, "http_content_type", SLICE_LITERAL("application/json"), true);
    if (reply->body.len > 0)
        write_hashed(e, "http_raw_body", buf_slice(&reply->body), true);
    jsonwrite_int(&e->w, "http_status_code", reply->status);
    jsonwrite_end(&e->w);
}

static bool is_go_error(const struct vault_job *job)
{
    return slice_starts_with(buf_slice(&job->text), "1 error occurred:");
}

static void write_response_data(struct entry *e, const struct vault_reply *reply)
{
    const struct vault_job *job = e->job;
    if (job->raw || (job->shape == CALL_EMPTY && job->status >= 400)) {
        write_raw_response(e, reply);
        return;
    }
    if (job->shape == CALL_ERROR && job->with_errors && (!job->authorised || !is_go_error(job))) {
        jsonwrite_object(&e->w, "data");
        write_hashed(e, "error", buf_slice(&job->text), true);
        jsonwrite_end(&e->w);
    }
    if (job->shape != CALL_DATA && job->shape != CALL_INJECTED)
        return;
    json_t *data CLEANUP(jsonread_done) =
        job->wrap_out.len > 0 ? NULL : parse(buf_slice(&job->data_out));
    if (e->device->elide_lists && job->operation == ROUTE_LIST)
        elide(data);
    if (json_object_size(data) > 0)
        write_tree(e, "data", data, false, plain_names(job, "audit_non_hmac_response_keys"));
}

static void write_response_error(struct entry *e)
{
    const struct vault_job *job = e->job;
    if (job->shape != CALL_ERROR || !job->with_errors)
        return;
    const char *why = job->status == 403   ? "permission denied"
                      : job->status == 404 ? "unsupported path"
                      : job->status == 405 ? "unsupported operation"
                                           : "invalid request";
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_LINE_BYTES);
    if (is_go_error(job))
        buf_add_slice(&text, buf_slice(&job->text));
    else
        buf_addf(&text, "1 error occurred:\n\t* %s\n\n", why);
    jsonwrite_slice(&e->w, "error", buf_slice(&text));
    e->w.out->failed = e->w.out->failed || text.failed;
}

static void format_response(const struct vault_job *job, const struct audit_device *d,
                            const struct vault_reply *reply, struct buf *out)
{
    struct entry e = {.job = job, .device = d};
    start(&e, "response", job->now.wall_ns, out);
    write_auth(&e);
    write_request(&e, true);
    jsonwrite_object(&e.w, "response");
    if (job->wrap_out.len == 0)
        write_response_auth(&e);
    write_mount(&e, "mount_running_plugin_version", true);
    if (job->leased) {
        jsonwrite_object(&e.w, "secret");
        jsonwrite_end(&e.w);
    }
    write_response_data(&e, reply);
    if (job->warnings.len > 0 && !job->raw && job->shape != CALL_EMPTY) {
        jsonwrite_array(&e.w, "warnings");
        jsonwrite_raw(&e.w, NULL, buf_slice(&job->warnings));
        jsonwrite_end(&e.w);
    }
    write_response_wrap(&e);
    jsonwrite_end(&e.w);
    write_response_error(&e);
    end(&e);
}

/* --- the steps of a request ------------------------------------------------------------------- */

void audit_entry_begin(struct vault_job *job)
{
    job->audited = true;
    job->uses_before = job->token == NULL ? 0 : job->token->uses_left;
    if (job->vault->audit.count == 0)
        return;
    (void)call_identify(job);
    if (audit_lines_new(&job->vault->audit, &job->audit) != ERRC_OK)
        job->no_memory = true;
    for (size_t i = 0; i < job->audit.count; i++)
        format_request(job, job->audit.items[i].device, &job->audit.items[i].text);
}

void audit_entry_end(struct vault_job *job, struct vault_reply *reply)
{
    if (!job->audited || job->vault->audit.count == 0)
        return;
    (void)call_identify(job);
    if (audit_lines_new(&job->vault->audit, &reply->audit) != ERRC_OK) {
        reply->audit_failed = true;
        return;
    }
    for (size_t i = 0; i < reply->audit.count; i++)
        format_response(job, reply->audit.items[i].device, reply, &reply->audit.items[i].text);
}
