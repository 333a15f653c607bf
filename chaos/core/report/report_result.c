#include "chaos/core/report/report_result.h"

#include <string.h>

#include "base/text/jsonread.h"

#define POOL_BYTES_MAX (64u << 20)

static enum errc read_size(const json_t *object, const char *field, size_t *out,
                           struct errc_why *why)
{
    int64_t value = 0;
    TRY(jsonread_int(object, field, 0, INT64_MAX, &value, why));
    *out = (size_t)value;
    return ERRC_OK;
}

static enum errc read_verdict(const json_t *object, enum verdict *out, struct errc_why *why)
{
    const char *name = NULL;
    TRY(jsonread_string(object, "verdict", &name, why));
    for (unsigned v = 0; v < VERDICT_COUNT; v++) {
        *out = (enum verdict)v;
        if (strcmp(verdict_name(*out), name) == 0)
            return ERRC_OK;
    }
    return errc_fail(why, ERRC_SCHEMA, "verdict \"%.40s\" is unknown", name);
}

static enum errc read_finding(const json_t *object, struct verdict_finding *out,
                              struct errc_why *why)
{
    TRY(read_verdict(object, &out->flag, why));
    TRY(jsonread_string(object, "rule", &out->rule, why));
    TRY(jsonread_string(object, "text", &out->text, why));
    return jsonread_has(object, "step") ? read_size(object, "step", &out->step, why) : ERRC_OK;
}

static enum errc read_step(const json_t *object, struct report_junit_step *out,
                           struct errc_why *why)
{
    const char *result = NULL;
    TRY(read_size(object, "number", &out->number, why));
    TRY(jsonread_bool(object, "again", &out->again, why));
    TRY(jsonread_string(object, "text", &out->text, why));
    TRY(jsonread_int(object, "took_ms", INT64_MIN, INT64_MAX, &out->took_ms, why));
    TRY(jsonread_string(object, "result", &result, why));
    out->skipped = strcmp(result, "skipped") == 0;
    return ERRC_OK;
}

static enum errc read_findings(struct report_result *r, struct errc_why *why)
{
    json_t *array = NULL;
    TRY(jsonread_array(r->root, "findings", &array, why));
    struct verdict_finding *items = pool_array(&r->pool, json_array_size(array), sizeof *items);
    TRY(pool_status(&r->pool, why));
    for (size_t i = 0; i < json_array_size(array); i++)
        TRY(read_finding(json_array_get(array, i), &items[i], why));
    r->run.findings = items;
    r->run.finding_count = json_array_size(array);
    return ERRC_OK;
}

static enum errc read_steps(struct report_result *r, struct errc_why *why)
{
    json_t *array = NULL;
    TRY(jsonread_array(r->root, "steps", &array, why));
    struct report_junit_step *items = pool_array(&r->pool, json_array_size(array), sizeof *items);
    TRY(pool_status(&r->pool, why));
    for (size_t i = 0; i < json_array_size(array); i++)
        TRY(read_step(json_array_get(array, i), &items[i], why));
    r->run.steps = items;
    r->run.step_count = json_array_size(array);
    return ERRC_OK;
}

enum errc report_result_read(struct slice text, struct report_result *out, struct errc_why *why)
{
    *out = (struct report_result){0};
    pool_init(&out->pool, POOL_BYTES_MAX);
    TRY(jsonread_parse(text, &out->root, why));
    TRY(jsonread_string(out->root, "scenario", &out->run.scenario, why));
    TRY(jsonread_string(out->root, "verdict", &out->run.verdict, why));
    TRY(jsonread_string(out->root, "seed", &out->run.seed, why));
    TRY(jsonread_string(out->root, "started", &out->run.started, why));
    TRY(jsonread_int(out->root, "took_ms", INT64_MIN, INT64_MAX, &out->run.took_ms, why));
    TRY(read_findings(out, why));
    return read_steps(out, why);
}

void report_result_done(struct report_result *result)
{
    jsonread_done(&result->root);
    result->root = NULL;
    pool_done(&result->pool);
}
