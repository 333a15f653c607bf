#include "chaos/shell/run/summary.h"

#include "base/text/jsonwrite.h"
#include "chaos/core/report/report_result.h"
#include "chaos/shell/run/results.h"

#define FILE_BYTES_MAX (64u << 20)

/* False when the run did not get as far as its result. */
static bool add_suite(const struct schedule_item *item, struct buf *out)
{
    struct report_result result CLEANUP(report_result_done) = {0};
    struct buf text CLEANUP(buf_done);
    buf_init(&text, FILE_BYTES_MAX);
    if (!item->told || results_read(item->job.folder.text, "result.json", &text, NULL) != ERRC_OK ||
        report_result_read(buf_slice(&text), &result, NULL) != ERRC_OK)
        return false;
    report_junit_suite(&result.run, out);
    return true;
}

enum errc summary_format_junit(const struct schedule *schedule, struct buf *out,
                               struct errc_why *why)
{
    buf_add_text(out, REPORT_JUNIT_HEAD "<testsuites name=\"chaos\">\n");
    for (size_t i = 0; i < schedule->count; i++) {
        const struct schedule_item *item = &schedule->items[i];
        if (!add_suite(item, out))
            report_junit_substitute(item->job.scenario->name, item->verdict, out);
    }
    buf_add_text(out, "</testsuites>\n");
    return buf_status(out, why);
}

static void write_item(struct jsonwrite *w, const struct schedule_item *item)
{
    struct buf result CLEANUP(buf_done);
    buf_init(&result, FILE_BYTES_MAX);
    jsonwrite_object(w, NULL);
    jsonwrite_string(w, "name", item->job.scenario->name);
    jsonwrite_string(w, "file", item->job.file.text);
    jsonwrite_string(w, "purpose", item->job.scenario->purpose);
    jsonwrite_string(w, "verdict", verdict_name(item->verdict));
    jsonwrite_int(w, "wall_ms", item->told ? item->result.wall_ms : 0);
    jsonwrite_int(w, "wait_ms", item->told ? item->result.wait_ms : 0);
    jsonwrite_string(w, "folder", item->started ? item->job.folder.text : NULL);
    if (item->told && results_read(item->job.folder.text, "result.json", &result, NULL) == ERRC_OK)
        jsonwrite_raw(w, "result", slice_trim(buf_slice(&result)));
    else
        jsonwrite_null(w, "result");
    jsonwrite_end(w);
}

enum errc summary_format_json(const struct schedule *schedule, int exit_code, uint64_t seed,
                              int64_t wall_ms, struct buf *out, struct errc_why *why)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_int(&w, "version", 1);
    jsonwrite_int(&w, "exit", exit_code);
    jsonwrite_int(&w, "seed", (int64_t)seed);
    jsonwrite_int(&w, "wall_ms", wall_ms);
    jsonwrite_array(&w, "scenarios");
    for (size_t i = 0; i < schedule->count; i++)
        write_item(&w, &schedule->items[i]);
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
    return buf_status(out, why);
}
