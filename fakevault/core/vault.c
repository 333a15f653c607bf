#include "fakevault/core/vault.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/limits.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "fakevault/core/api.h"
#include "fakevault/core/audit/audit_entry.h"
#include "fakevault/core/call.h"
#include "fakevault/core/envelope.h"
#include "fakevault/core/facts.h"
#include "fakevault/core/http/extras.h"
#include "fakevault/core/http/help.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/http/target.h"
#include "fakevault/core/metrics/metering.h"
#include "fakevault/core/policy/authorise.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/api/token_auth.h"
#include "fakevault/core/token/api/token_use.h"
#include "fakevault/core/transit/keys/transit_rotate.h"
#include "fakevault/core/wrapping/wrapping.h"

#define VERSION "1.14.9"

static const struct vault_facts no_facts = {.operation = ""};

enum errc vault_new(const struct vault_ports *ports, const struct vault_options *options,
                    struct vault **out, struct errc_why *why)
{
    struct vault *v = calloc(1, sizeof *v);
    if (v == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for a vault");
    v->ports = *ports;
    v->options = options == NULL ? (struct vault_options){0} : *options;
    v->version =
        options != NULL && options->report_version != NULL ? options->report_version : VERSION;
    barrier_init(&v->barrier, ports->crypto, ports->store, ports->entropy, ports->arena);
    seal_init(&v->seal, ports->arena);
    token_table_init(&v->tokens);
    mount_table_init(&v->mounts);
    policy_store_init(&v->policies);
    enum errc code = seal_load(&v->seal, ports->store, why);
    if (code != ERRC_OK) {
        free(v);
        return code;
    }
    *out = v;
    return ERRC_OK;
}

void vault_free(struct vault *v)
{
    if (v == NULL)
        return;
    CHECK(v->jobs == NULL);
    state_seal(v);
    meter_done(&v->tally.meter);
    free(v);
}

/* --- receive and begin ------------------------------------------------------------------------ */

static void link_job(struct vault *v, struct vault_job *job)
{
    job->next = v->jobs;
    if (v->jobs != NULL)
        v->jobs->previous = job;
    v->jobs = job;
}

static void unlink_job(struct vault *v, struct vault_job *job)
{
    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        v->jobs = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
}

static struct vault_job *job_new(struct vault *v, const struct vault_request *request)
{
    struct vault_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->vault = v;
    job->request = *request;
    job->facts = no_facts;
    buf_init(&job->path, LIMIT_PATH_BYTES + 1);
    buf_init(&job->text, 0);
    buf_init(&job->data_out, 0);
    buf_init(&job->auth_out, LIMIT_REPLY_BODY_BYTES);
    buf_init(&job->wrap_out, LIMIT_REPLY_BODY_BYTES);
    buf_init(&job->warnings, LIMIT_REPLY_BODY_BYTES);
    return job;
}

static void drop_state(struct vault_job *job)
{
    if (job->state.done != NULL)
        job->state.done(job->state.ptr);
    job->state = (struct call_state){0};
}

static void job_free(struct vault *v, struct vault_job *job)
{
    unlink_job(v, job);
    drop_state(job);
    transit_rotate_drop(job);
    token_release(job->token);
    field_done(&job->fields);
    json_decref(job->data);
    buf_done(&job->path);
    buf_done(&job->text);
    buf_done(&job->data_out);
    buf_done(&job->auth_out);
    buf_done(&job->wrap_out);
    buf_done(&job->warnings);
    audit_lines_done(&job->audit);
    free(job->input_sha256);
    free(job->signature_sha256);
    free(job);
}

static void identify(struct vault_job *job)
{
    struct vault *v = job->vault;
    if (state_sealed(v))
        return;
    token_store_reap(&v->tokens, &v->barrier, job->now.wall_ns);
    struct token *token = token_auth_find(job, request_token(&job->request));
    if (token == NULL || !token_usable(token, job->now.wall_ns) ||
        !token_auth_place(token, job->request.remote_address)) {
        token_release(token);
        return;
    }
    job->token = token;
    job->facts.accessor = slice_of(token->accessor);
}

/* True when the request is for an endpoint before the logical router; its row is in job->match
 * then.
 */
static bool find_hard_wired(struct vault_job *job)
{
    job->bare_protocol = job->operation != ROUTE_HELP && api_find_hard_wired(job);
    return job->bare_protocol;
}

static struct mount *find_mount(struct vault_job *job)
{
    struct slice path = buf_slice(&job->path);
    struct mount *m = mount_find(&job->vault->mounts, path);
    if (m != NULL || slice_ends_with(path, "/"))
        return m;
    /* "transit" means the mount itself, with nothing below. */
    char whole[MOUNT_PATH_BYTES];
    if (path.len + 2 > sizeof whole)
        return NULL;
    memcpy(whole, path.ptr, path.len);
    memcpy(whole + path.len, "/", 2);
    return mount_at(&job->vault->mounts, slice_of(whole));
}

static void find_route(struct vault_job *job, const struct mount *m)
{
    memcpy(job->mount_path, m->path, sizeof job->mount_path);
    memcpy(job->mount_uuid, m->uuid, sizeof job->mount_uuid);
    job->plugin = m->plugin;
    job->engine = m->engine;
    job->kv_version_2 = m->kv_version_2;
    job->below = slice_from(buf_slice(&job->path), strlen(m->path));
    api_find(job);
}

static void read_fields(struct vault_job *job, const char *prefix)
{
    struct errc_why why = {{0}};
    enum errc code = field_read(&job->fields, job->match.endpoint->fields, job->data, &why);
    if (code == ERRC_NOMEM)
        job->no_memory = true;
    else if (code != ERRC_OK)
        call_fail(job, 400, "%s%s", prefix, why.text);
}

static bool has_existence_check(const struct vault_job *job)
{
    return job->match.endpoint != NULL && job->match.endpoint->exists != NULL;
}

static void check_existence(struct vault_job *job)
{
    read_fields(job, "");
    if (!call_answered(job) && !job->no_memory && !job->match.endpoint->exists(job))
        job->operation = ROUTE_CREATE;
    job->facts.operation = route_operation_name(job->operation);
}

static void check_before_route(struct vault_job *job)
{
    bool writes = job->operation == ROUTE_UPDATE || job->operation == ROUTE_PATCH;
    if (state_sealed(job->vault))
        call_fail(job, 503, CALL_SEALED);
    else if (writes && slice_ends_with(buf_slice(&job->path), "/"))
        call_fail(job, 400, "cannot write to a path ending in '/'");
}

static bool unanswered(const struct vault_job *job)
{
    return !call_answered(job) && !job->no_memory;
}

/* Token, route, policies and fields, in the order in which Vault notices what is wrong. */
static void route_logical(struct vault_job *job)
{
    const struct mount *m = find_mount(job);
    if (m != NULL)
        find_route(job, m);
    const struct route_endpoint *e = job->match.endpoint;
    if (e != NULL && e->admit != NULL)
        e->admit(job);
    if (call_answered(job))
        return;
    job->token_counts = e == NULL || !e->public;
    if (job->token == NULL && job->token_counts)
        call_fail(job, 403, "permission denied");
    else if (has_existence_check(job))
        check_existence(job);
    if (unanswered(job) && job->token_counts)
        authorise_job(job);
    job->denied = job->status == 403 && job->token != NULL;
    if (!unanswered(job))
        return;
    job->authorised = true;
    if (m == NULL)
        call_fail(job, 404, "no handler for route \"%.*s\". route entry not found.",
                  SLICE_FMT(buf_slice(&job->path)));
    else if (job->operation == ROUTE_HELP)
        help_answer(job);
    else if (e == NULL && job->match.path_known)
        call_wrapped(job, 405, "unsupported operation");
    else if (e == NULL)
        api_unknown_path(job);
    else if (!has_existence_check(job))
        read_fields(job, "Field validation failed: ");
}

static void receive_logical(struct vault_job *job)
{
    if (job->operation == ROUTE_OTHER) {
        call_fail_bare(job, 405);
        return;
    }
    request_read(job);
    facts_note_inputs(job);
    if (!call_answered(job))
        request_check_headers(job);
}

struct vault_job *vault_receive(struct vault *v, const struct vault_request *request)
{
    struct vault_job *job = job_new(v, request);
    if (job == NULL)
        return NULL;
    target_read(job);
    if (!unanswered(job))
        return job;
    if (!find_hard_wired(job))
        receive_logical(job);
    else if (job->match.endpoint == NULL)
        call_fail_bare(job, 405);
    return job;
}

static void begin_logical(struct vault_job *job)
{
    check_before_route(job);
    if (call_answered(job))
        return;
    route_logical(job);
    if (!job->no_memory)
        audit_entry_begin(job);
}

/* Of what is before the logical router only the seal is audited. */
static void begin_hard_wired(struct vault_job *job)
{
    job->authorised = slice_equal_text(buf_slice(&job->path), "sys/seal");
    if (job->authorised)
        audit_entry_begin(job);
}

void vault_begin(struct vault *v, struct vault_job *job, struct instant now)
{
    if (job == NULL)
        return;
    job->now = now;
    job->begun_mono_ns = now.mono_ns;
    link_job(v, job);
    identify(job);
    facts_fill(job);
    transit_rotate_begin(job);
    if (unanswered(job) && !job->bare_protocol)
        begin_logical(job);
    const struct route_endpoint *e = job->match.endpoint;
    if (unanswered(job) && e->prepare != NULL)
        e->prepare(job);
    if (unanswered(job) && job->bare_protocol)
        begin_hard_wired(job);
}

const struct vault_facts *vault_job_facts(const struct vault_job *job)
{
    return job == NULL ? &no_facts : &job->facts;
}

/* --- run and end ------------------------------------------------------------------------------ */

bool vault_job_blocks(const struct vault_job *job)
{
    const struct route_endpoint *e = job == NULL ? NULL : job->match.endpoint;
    return job != NULL && (job->audit.count > 0 || (e != NULL && e->blocks));
}

/* What no device took must not happen. */
static void write_to_devices(struct vault_job *job)
{
    job->audit_failed = !audit_lines_write(&job->audit);
    audit_lines_done(&job->audit);
}

void vault_job_run(struct vault_job *job)
{
    int ready = CALL_READY;
    if (job == NULL || !atomic_compare_exchange_strong(&job->phase, &ready, CALL_RUNNING))
        return;
    write_to_devices(job);
    transit_rotate_work(job);
    if (unanswered(job) && !job->audit_failed && job->match.endpoint->work != NULL)
        job->match.endpoint->work(job);
    atomic_store(&job->phase, CALL_RAN);
}

/* A seal may have come since begin. What only computed has answered in its work already. */
static void finish(struct vault_job *job)
{
    const struct route_endpoint *e = job->match.endpoint;
    bool sealed_out = atomic_load(&job->phase) == CALL_SEALED_OUT;
    if (sealed_out || (!job->bare_protocol && state_sealed(job->vault)))
        call_fail(job, 503, CALL_SEALED);
    else if (e->finish != NULL)
        e->finish(job);
}

static void refuse_unaudited(struct vault_job *job)
{
    if (job->bare_protocol)
        call_fail(job, 500, "failed to audit request, cannot continue");
    else
        call_fault(job, "internal error");
}

void vault_end(struct vault *v, struct vault_job *job, struct instant now,
               struct vault_reply *reply)
{
    if (job == NULL) {
        envelope_no_memory(reply);
        return;
    }
    int phase = atomic_load(&job->phase);
    CHECK(phase == CALL_RAN || phase == CALL_SEALED_OUT);
    job->now = now;
    transit_rotate_end(job);
    token_use_begin(job);
    if (job->audit_failed)
        refuse_unaudited(job);
    if (unanswered(job))
        finish(job);
    if (!call_answered(job))
        call_fault(job, "internal error");
    extras_warn(job);
    token_use_end(job);
    wrapping_apply(job);
    metering_request(job);
    envelope_format(job, reply);
    if (job->audited && !job->bare_protocol)
        audit_entry_end(job, reply);
    job_free(v, job);
}

void vault_deliver(struct vault_reply *reply)
{
    bool taken = !reply->audit_failed && audit_lines_write(&reply->audit);
    audit_lines_done(&reply->audit);
    if (!taken)
        envelope_replace(reply, "{\"errors\":[\"internal error\"]}\n");
}

void vault_cancel(struct vault *v, struct vault_job *job)
{
    if (job != NULL)
        job_free(v, job);
}

void vault_handle(struct vault *v, const struct vault_request *request, struct instant now,
                  struct vault_reply *reply)
{
    struct vault_job *job = vault_receive(v, request);
    vault_begin(v, job, now);
    vault_job_run(job);
    vault_end(v, job, now, reply);
    vault_deliver(reply);
}

/* --- control ---------------------------------------------------------------------------------- */

void vault_state(const struct vault *v, struct vault_state *out)
{
    *out = (struct vault_state){
        .initialized = seal_initialized(&v->seal),
        .sealed = state_sealed(v),
        .shares = (int)v->seal.shares,
        .threshold = (int)v->seal.threshold,
        .progress = (int)v->seal.given.count,
        .storage = v->ports.store->kind,
    };
}

void vault_seal(struct vault *v)
{
    if (!state_sealed(v))
        metering_sealed(v);
    for (struct vault_job *job = v->jobs; job != NULL; job = job->next) {
        int ready = CALL_READY;
        bool by_token = !job->bare_protocol;
        if (by_token && atomic_compare_exchange_strong(&job->phase, &ready, CALL_SEALED_OUT))
            drop_state(job);
    }
    state_seal(v);
}

enum errc vault_unseal_share(struct vault *v, struct slice share, struct instant now,
                             struct errc_why *why)
{
    struct secret bytes CLEANUP(secret_done) = {0};
    TRY(seal_parse_share(share, v->ports.arena, &bytes, why));
    enum errc code = state_give_share(v, secret_slice(&bytes), now, why);
    return code == ERRC_SCHEMA ? ERRC_CRYPTO : code == ERRC_RANGE ? ERRC_SYNTAX : code;
}

static const struct mount dev_mount = {
    .path = "secret/", .engine = MOUNT_KV, .description = "key/value secret storage"};

/* The token looks as the one that Vault's dev mode makes by a request (vault-api.md 3.1). */
static struct token dev_token(int64_t wall_ns)
{
    struct token token = token_root(wall_ns);
    token.display_name = SLICE_LITERAL("token");
    token.path = SLICE_LITERAL("auth/token/create");
    token.issued_ns = wall_ns;
    return token;
}

enum errc vault_dev_init(struct vault *v, struct slice root_token, struct instant now,
                         struct buf *unseal_key, struct buf *token, struct errc_why *why)
{
    if (seal_initialized(&v->seal))
        return errc_fail(why, ERRC_STATE, "Vault is already initialized");
    struct secret key CLEANUP(secret_done) = {0};
    char made_up[TOKEN_ID_BYTES];
    struct token root = dev_token(now.wall_ns);
    struct mount kv CLEANUP(mount_done) = dev_mount;
    if (secret_new(v->ports.arena, BARRIER_KEY_BYTES, &key) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    v->ports.entropy.fill(v->ports.entropy.context, key.ptr, key.len);
    mount_identify(&kv, &v->ports.entropy);
    TRY(mount_set_options(&kv, json_pack("{s:s}", "version", "2")));
    token_id_root(&v->ports.entropy, made_up);
    struct slice id = root_token.len > 0 ? root_token : slice_of(made_up);
    base64_format(secret_slice(&key), BASE64_STANDARD, unseal_key);
    buf_add_slice(token, id);
    TRY(buf_status(unseal_key, why));
    TRY(buf_status(token, why));
    TRY(state_create(v, secret_slice(&key), 1, 1, &root, id, &kv, now, why));
    secret_wipe(made_up, sizeof made_up);
    return state_give_share(v, secret_slice(&key), now, why);
}
