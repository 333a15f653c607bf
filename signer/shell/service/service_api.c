#include "signer/shell/service/service_api.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text/jsonwrite.h"
#include "signer/core/bundle/canonical.h"
#include "signer/core/bundle/manifest.h"
#include "signer/core/ids.h"
#include "signer/core/service/run_json.h"
#include "signer/shell/service/run_pool.h"
#include "signer/shell/service/run_store.h"
#include "signer/shell/service/service_stats.h"

#define JSON_TYPE "application/json"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define RETRY_AFTER_S 1

/* One call under way. */
struct call {
    struct service_api *api;
    const struct service_http_request *request;
    struct service_http_answer *answer;
};

static void refuse(struct call *c, enum api_error error, const char *message)
{
    service_http_refuse(c->answer, error, message, c->request->request_id);
    if (error == API_ERROR_BUSY)
        c->answer->retry_after_s = RETRY_AFTER_S;
}

static void refuse_code(struct call *c, enum errc code, const struct errc_why *why)
{
    refuse(c, api_error_of(code), why->text);
}

static void tell_run(struct call *c, unsigned status, const struct run *run)
{
    c->answer->status = status;
    c->answer->content_type = JSON_TYPE;
    c->answer->unsettled = !run_settled(run->status);
    run_json_format(run, &c->answer->body);
    buf_add_char(&c->answer->body, '\n');
    if (status == 202)
        (void)snprintf(c->answer->location, sizeof c->answer->location, "/api/v1/bundles/%s",
                       run->id);
}

/* Two documents ask for the same when what would be signed is the same: a field that is left out
 * equals its default. */
static enum errc same_content(const struct run *run, const struct manifest_bundle *bundle,
                              bool *same, struct errc_why *why)
{
    char mine[MANIFEST_CHECKSUM_BYTES], theirs[MANIFEST_CHECKSUM_BYTES];
    struct manifest_bundle old CLEANUP(manifest_bundle_done) = {0};
    TRY(manifest_bundle_parse(slice_bytes(run->bundle, run->bundle_len), MANIFEST_REQUEST, &old,
                              why));
    TRY(manifest_inputs_hash(&old, mine, why));
    TRY(manifest_inputs_hash(bundle, theirs, why));
    *same = strcmp(mine, theirs) == 0;
    return ERRC_OK;
}

static void tell_repeat(struct call *c, const struct run *run, const struct manifest_bundle *bundle)
{
    struct errc_why why = {0};
    bool same = false;
    enum errc code = same_content(run, bundle, &same, &why);
    if (code != ERRC_OK) {
        refuse(c, API_ERROR_INTERNAL, why.text);
    } else if (!same) {
        (void)errc_fail(&why, ERRC_EXISTS,
                        "field \"bundleRunId\": run \"%s\" has other content; take a new id",
                        run->id);
        refuse_code(c, ERRC_EXISTS, &why);
    } else {
        tell_run(c, 202, run);
    }
}

static void log_accepted(const struct service_api *api, const char *event, const struct run *run,
                         const char *request_id)
{
    struct stderrlog_line line;
    stderrlog_begin(&api->log, &line, "info", event);
    logline_add(&line.line, "bundle", run->id);
    logline_add(&line.line, "request", request_id);
    stderrlog_end(&line);
}

/* Saves and queues a new run. ERRC_EXISTS when another service was faster. */
static enum errc accept_run(struct call *c, const struct manifest_bundle *bundle, struct run *run,
                            struct errc_why *why)
{
    struct service_api *api = c->api;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_FILE_BYTES);
    TRY(canonical_format(bundle->document, &text, why));
    TRY(run_init(run, bundle->bundle_run_id, api->service, buf_slice(&text),
                 api->clock.now(api->clock.context).wall_ns, why));
    TRY(run_pool_reserve(api->pool, why));
    enum errc code = run_store_create(api->store, run, why);
    if (code != ERRC_OK) {
        run_pool_unreserve(api->pool);
        return code;
    }
    run_pool_put(api->pool, run->id);
    log_accepted(api, "run_accepted", run, c->request->request_id);
    return ERRC_OK;
}

static void log_invalid(struct call *c, const struct errc_why *why)
{
    struct stderrlog_line line;
    stderrlog_begin(&c->api->log, &line, "warn", "validation_failed");
    logline_add(&line.line, "request", c->request->request_id);
    logline_add(&line.line, "message", why->text);
    stderrlog_end(&line);
}

static void create(struct call *c)
{
    struct run run CLEANUP(run_done) = {0};
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct errc_why why = {0};
    enum errc code = manifest_bundle_parse(c->request->body, MANIFEST_REQUEST, &bundle, &why);
    if (code != ERRC_OK) {
        log_invalid(c, &why);
        refuse(c, errc_class(code) == ERRC_CLASS_INVALID ? API_ERROR_INVALID : API_ERROR_INTERNAL,
               why.text);
        return;
    }
    code = run_store_load(c->api->store, bundle.bundle_run_id, &run, &why);
    if (code == ERRC_NOT_FOUND) {
        code = accept_run(c, &bundle, &run, &why);
        if (code == ERRC_OK) {
            tell_run(c, 202, &run);
            return;
        }
        run_done(&run);
        if (code == ERRC_EXISTS)
            code = run_store_load(c->api->store, bundle.bundle_run_id, &run, &why);
        if (code != ERRC_OK) {
            refuse_code(c, code, &why);
            return;
        }
    }
    if (code == ERRC_OK)
        tell_repeat(c, &run, &bundle);
    else
        refuse(c, API_ERROR_INTERNAL, why.text);
}

/* Loads the run of the path, or refuses. */
static bool find_run(struct call *c, struct run *run)
{
    struct errc_why why = {0};
    struct slice id = c->request->id;
    char text[ENTROPY_UUID_BYTES] = "";
    enum errc code = ERRC_NOT_FOUND;
    if (ids_is_uuid(id)) {
        memcpy(text, id.ptr, sizeof text - 1);
        code = run_store_load(c->api->store, text, run, &why);
    }
    if (code == ERRC_NOT_FOUND) {
        (void)errc_fail(&why, code, "there is no run \"%.*s\"", id.len > 60 ? 60 : (int)id.len,
                        id.ptr);
        refuse_code(c, code, &why);
    } else if (code != ERRC_OK) {
        refuse(c, API_ERROR_INTERNAL, why.text);
    }
    return code == ERRC_OK;
}

static void tell(struct call *c)
{
    struct run run CLEANUP(run_done) = {0};
    if (find_run(c, &run))
        tell_run(c, 200, &run);
}

static void manifest(struct call *c)
{
    struct run run CLEANUP(run_done) = {0};
    struct errc_why why = {0};
    if (!find_run(c, &run))
        return;
    if (run.status != RUN_COMPLETED) {
        (void)errc_fail(&why, ERRC_NOT_FOUND, "run \"%s\" has no manifest: it is %s", run.id,
                        run_status_name(run.status));
        refuse_code(c, ERRC_NOT_FOUND, &why);
        return;
    }
    c->answer->status = 200;
    c->answer->content_type = JSON_TYPE;
    if (run_store_manifest(c->api->store, run.id, &c->answer->body, &why) != ERRC_OK)
        refuse(c, API_ERROR_INTERNAL, why.text);
}

/* Brings a blocked run back to pending and into the queue. */
static enum errc take_up(struct service_api *api, struct run *run, struct errc_why *why)
{
    if (strcmp(run->service, api->service) != 0)
        return errc_fail(why, ERRC_STATE, "run \"%s\" belongs to the service %s", run->id,
                         run->service);
    TRY(run_retry(run, api->clock.now(api->clock.context).wall_ns, why));
    TRY(run_pool_reserve(api->pool, why));
    enum errc code = run_store_save(api->store, run, why);
    if (code != ERRC_OK) {
        run_pool_unreserve(api->pool);
        return code;
    }
    run_pool_put(api->pool, run->id);
    return ERRC_OK;
}

static void retry(struct call *c)
{
    struct run run CLEANUP(run_done) = {0};
    struct errc_why why = {0};
    if (!find_run(c, &run))
        return;
    enum errc code = take_up(c->api, &run, &why);
    if (code != ERRC_OK) {
        refuse_code(c, code, &why);
        return;
    }
    log_accepted(c->api, "run_retried", &run, c->request->request_id);
    tell_run(c, 202, &run);
}

/* True when an entry could be appended now: the file is there and opens for writing, and the file
 * system has room. Nothing is written. */
static bool audit_writable(const char *path)
{
    struct statvfs fs;
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool room = fstatvfs(fd, &fs) == 0 && fs.f_bavail > 0 && (fs.f_flag & ST_RDONLY) == 0;
    (void)close(fd);
    return room;
}

static void write_health(struct call *c, bool writable)
{
    struct service_api *api = c->api;
    struct service_stats_view view =
        service_stats_view(api->stats, api->clock.now(api->clock.context).mono_ns);
    struct jsonwrite w;
    jsonwrite_init(&w, &c->answer->body, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "status", writable ? "ok" : "degraded");
    jsonwrite_string(&w, "service", api->service);
    jsonwrite_string(&w, "version", PROJECT_VERSION);
    jsonwrite_object(&w, "audit");
    jsonwrite_bool(&w, "writable", writable);
    jsonwrite_end(&w);
    jsonwrite_object(&w, "vault");
    jsonwrite_bool(&w, "up", view.vault_up);
    if (!view.vault_up)
        jsonwrite_string(&w, "reason", view.vault_reason.text);
    jsonwrite_end(&w);
    jsonwrite_object(&w, "fallback");
    jsonwrite_bool(&w, "allowed", api->allow_fallback);
    jsonwrite_bool(&w, "active", view.fallback_active);
    jsonwrite_int(&w, "seconds", (int64_t)view.fallback_seconds);
    jsonwrite_end(&w);
    jsonwrite_object(&w, "runs");
    jsonwrite_int(&w, "queued", run_pool_queued(api->pool));
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    buf_add_char(&c->answer->body, '\n');
}

static void healthz(struct call *c)
{
    bool writable = audit_writable(c->api->audit_log);
    c->answer->status = writable ? 200 : 503;
    c->answer->content_type = JSON_TYPE;
    write_health(c, writable);
}

static void tell_metrics(struct call *c)
{
    struct service_api *api = c->api;
    c->answer->status = 200;
    c->answer->content_type = METRICS_TYPE;
    service_stats_format(api->stats, run_pool_queued(api->pool),
                         api->clock.now(api->clock.context).mono_ns, &c->answer->body);
}

void service_api_answer(void *context, const struct service_http_request *request,
                        struct service_http_answer *answer)
{
    static void (*const handlers[API_ROUTE_COUNT])(struct call *) = {
        [API_ROUTE_CREATE] = create,     [API_ROUTE_RUN] = tell,
        [API_ROUTE_MANIFEST] = manifest, [API_ROUTE_RETRY] = retry,
        [API_ROUTE_HEALTHZ] = healthz,   [API_ROUTE_METRICS] = tell_metrics,
    };
    struct call call = {.api = context, .request = request, .answer = answer};
    handlers[request->route](&call);
}
