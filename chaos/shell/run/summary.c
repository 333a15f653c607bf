#include "chaos/shell/run/summary.h"

#include <string.h>

#include "base/text/jsonwrite.h"
#include "chaos/shell/run/results.h"

#define FILE_BYTES_MAX (64u << 20)

static void add_escaped(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '&')
            buf_add_text(out, "&amp;");
        else if (*c == '<')
            buf_add_text(out, "&lt;");
        else if (*c == '"')
            buf_add_text(out, "&quot;");
        else
            buf_add_char(out, *c);
    }
}

/* A run that ended before it could tell: an error of chaos', or skipped. */
static void add_substitute(const struct schedule_item *item, struct buf *out)
{
    bool skipped = item->verdict == VERDICT_SKIPPED;
    buf_add_text(out, "<testsuite name=\"");
    add_escaped(out, item->job.scenario->name);
    buf_addf(out,
             "\" tests=\"1\" failures=\"0\" errors=\"%d\" skipped=\"%d\">\n"
             "<testcase classname=\"",
             !skipped, skipped);
    add_escaped(out, item->job.scenario->name);
    buf_addf(out, "\" name=\"run\"><%s message=\"%s\"/></testcase>\n</testsuite>\n",
             skipped ? "skipped" : "error", verdict_name(item->verdict));
}

/* The suites of one run's document, without its frame. */
static bool add_suites(const struct schedule_item *item, struct buf *out)
{
    static const char end[] = "</testsuite>";
    struct buf text CLEANUP(buf_done);
    buf_init(&text, FILE_BYTES_MAX);
    if (!item->told || results_read(item->job.folder.text, "junit.xml", &text, NULL) != ERRC_OK)
        return false;
    const char *from = strstr(buf_text(&text), "<testsuite ");
    const char *to = NULL;
    for (const char *at = from; at != NULL; at = strstr(at + 1, end))
        to = at;
    if (from == NULL || to == from)
        return false;
    buf_add(out, from, (size_t)(to - from) + sizeof end - 1);
    buf_add_char(out, '\n');
    return true;
}

enum errc summary_format_junit(const struct schedule *schedule, struct buf *out,
                               struct errc_why *why)
{
    buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"chaos\">\n");
    for (size_t i = 0; i < schedule->count; i++)
        if (!add_suites(&schedule->items[i], out))
            add_substitute(&schedule->items[i], out);
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
