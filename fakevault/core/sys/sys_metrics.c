/* sys/metrics: behind the token, or before everything else when the listener is told so, as a dev
 * server is; then it answers also while sealed (vault-api.md 2.12). */
#include <string.h>

#include "base/limits.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/metrics/metering.h"
#include "fakevault/core/state.h"

#define TEXT_PLAIN "text/plain"
#define TEXT_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

/* Answers with a body that is no envelope and that the endpoint wrote itself. */
static void answer_body(struct vault_job *job, int status, const char *type, struct slice body)
{
    call_answer_json(job, body);
    job->shape = CALL_BARE;
    job->content_type = type;
    call_make_raw(job, status);
}

static void answer_text(struct vault_job *job)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_REPLY_BODY_BYTES / 2);
    if (!job->vault->options.prometheus) {
        answer_body(job, 400, TEXT_PLAIN, SLICE_LITERAL("prometheus is not enabled"));
        return;
    }
    meter_write_text(&job->vault->tally.meter, job->now.wall_ns, &text);
    job->no_memory = job->no_memory || text.failed;
    answer_body(job, 200, TEXT_PROMETHEUS, buf_slice(&text));
}

static void answer_json(struct vault_job *job)
{
    meter_write_json(&job->vault->tally.meter, job->now.wall_ns, call_data(job));
    call_answer(job, CALL_BARE);
    call_make_raw(job, 200);
}

static bool wants_prometheus(struct slice accept)
{
    static const char type[] = "prometheus/telemetry";
    return slice_starts_with(accept, "application/openmetrics-text") ||
           (accept.len > 0 && memmem(accept.ptr, accept.len, type, sizeof type - 1) != NULL);
}

static void finish(struct vault_job *job)
{
    struct buf format CLEANUP(buf_done), unknown CLEANUP(buf_done);
    buf_init(&format, LIMIT_PATH_BYTES);
    buf_init(&unknown, 2 * LIMIT_PATH_BYTES);
    (void)request_query(&job->request, "format", &format);
    metering_collect(job->vault);
    bool by_header = format.len == 0 && wants_prometheus(job->request.accept);
    if (by_header || slice_equal_text(buf_slice(&format), "prometheus")) {
        answer_text(job);
    } else if (format.len == 0) {
        answer_json(job);
    } else {
        buf_addf(&unknown, "metric response format \"%s\" unknown", buf_text(&format));
        job->no_memory = job->no_memory || unknown.failed;
        answer_body(job, 400, TEXT_PLAIN, buf_slice(&unknown));
    }
}

static const struct field_spec fields[] = {
    {.name = "format", .type = FIELD_STRING},
    {0},
};

static const struct route_endpoint rows[] = {
    {.pattern = "metrics", .operation = ROUTE_READ, .fields = fields, .finish = finish},
};

static const struct route_endpoint open_rows[] = {
    {.pattern = "sys/metrics", .operation = ROUTE_READ, .finish = finish},
};

const struct route_table sys_metrics_table = ROUTE_TABLE(rows);
const struct route_table sys_metrics_open_table = ROUTE_TABLE(open_rows);
