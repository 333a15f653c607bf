#include "chaos/core/report/report_junit.h"

#include <inttypes.h>
#include <string.h>

#include "base/text/stamp.h"
#include "base/units.h"
#include "chaos/core/judge/invariants.h"

/* Escapes for text and attributes; what XML 1.0 cannot hold becomes U+FFFD. */
static void add_escaped(const char *text, struct buf *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '&')
            buf_add_text(out, "&amp;");
        else if (byte == '<')
            buf_add_text(out, "&lt;");
        else if (byte == '>')
            buf_add_text(out, "&gt;");
        else if (byte == '"')
            buf_add_text(out, "&quot;");
        else if (byte == '\n' || byte == '\t' || byte == '\r')
            buf_addf(out, "&#%d;", byte);
        else if (byte < 0x20)
            buf_add_text(out, "\xef\xbf\xbd");
        else
            buf_add_char(out, *c);
    }
}

static void add_seconds(int64_t ns, struct buf *out)
{
    int64_t ms = ns / NS_PER_MS;
    buf_addf(out, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
}

/* What JUnit calls a failure is ours too; what it calls an error is trouble, ours or of evidence.
 */
static bool is_failure(enum verdict flag)
{
    return flag == VERDICT_FAIL || flag == VERDICT_DIRTY || flag == VERDICT_NOT_EXERCISED;
}

static bool has_finding(const struct judgement *run, size_t step, bool failure)
{
    for (size_t i = 0; i < run->findings.count; i++)
        if (run->findings.items[i].step == step &&
            is_failure(run->findings.items[i].flag) == failure)
            return true;
    return false;
}

static void add_findings(const struct judgement *run, size_t step, struct buf *out)
{
    /* The schema allows one <failure> or one <error>: the texts go into it together. */
    bool failure = has_finding(run, step, true);
    if (!failure && !has_finding(run, step, false))
        return;
    const char *element = failure ? "failure" : "error";
    bool first = true;
    for (size_t i = 0; i < run->findings.count; i++) {
        const struct verdict_finding *f = &run->findings.items[i];
        if (f->step != step)
            continue;
        if (first) {
            buf_addf(out, "      <%s type=\"%s\" message=\"", element, verdict_name(f->flag));
            add_escaped(f->text, out);
            buf_add_text(out, "\">");
        }
        buf_addf(out, "%s", first ? "" : "\n");
        buf_addf(out, "%s: %s: ", verdict_name(f->flag), f->rule);
        add_escaped(f->text, out);
        first = false;
    }
    buf_addf(out, "</%s>\n", element);
}

static void begin_case(const struct judgement *run, const char *name, int64_t took_ns,
                       struct buf *out)
{
    buf_add_text(out, "    <testcase classname=\"chaos.");
    add_escaped(run->record->scenario->name, out);
    buf_add_text(out, "\" name=\"");
    add_escaped(name, out);
    buf_add_text(out, "\" time=\"");
    add_seconds(took_ns, out);
    buf_add_text(out, "\">\n");
}

/* Findings of a step stand with its last run: the steady state runs twice under one number. */
static bool is_last_run(const struct judgement *run, const struct record_step *step)
{
    for (const struct record_step *s = step + 1; s < run->record->steps + run->record->step_count;
         s++)
        if (s->plan == step->plan && s->result != RECORD_SKIPPED)
            return false;
    return true;
}

static void add_step(const struct judgement *run, const struct record_step *step, struct buf *out)
{
    struct buf name CLEANUP(buf_done);
    buf_init(&name, 64u << 10);
    buf_addf(&name, "%03zu%s %s", step->plan->number, step->again ? " again" : "",
             step->plan->text);
    begin_case(run, buf_text(&name), step->ended.mono_ns - step->started.mono_ns, out);
    if (step->result == RECORD_SKIPPED)
        buf_add_text(out, "      <skipped message=\"not reached\"/>\n");
    else if (is_last_run(run, step))
        add_findings(run, step->plan->number, out);
    buf_add_text(out, "    </testcase>\n");
    if (name.failed)
        out->failed = true;
}

static size_t count_cases(const struct judgement *run,
                          bool (*is)(const struct judgement *run, size_t i))
{
    size_t count = 0;
    for (size_t i = 0; i <= run->record->step_count; i++)
        count += is(run, i);
    return count;
}

/* Case i of a suite: a step, or behind the last one the run as a whole (number 0). */
static size_t number_of(const struct judgement *run, size_t i)
{
    return i == run->record->step_count ? 0 : run->record->steps[i].plan->number;
}

static bool shows_findings(const struct judgement *run, size_t i)
{
    return i == run->record->step_count || (run->record->steps[i].result != RECORD_SKIPPED &&
                                            is_last_run(run, &run->record->steps[i]));
}

static bool case_failed(const struct judgement *run, size_t i)
{
    return shows_findings(run, i) && has_finding(run, number_of(run, i), true);
}

static bool case_in_error(const struct judgement *run, size_t i)
{
    return shows_findings(run, i) && !case_failed(run, i) &&
           has_finding(run, number_of(run, i), false);
}

static bool case_skipped(const struct judgement *run, size_t i)
{
    return i < run->record->step_count && run->record->steps[i].result == RECORD_SKIPPED;
}

static void add_suite(const struct judgement *run, struct buf *out)
{
    char stamp[STAMP_BYTES];
    stamp_format(run->record->started.wall_ns, STAMP_MILLI, stamp);
    buf_add_text(out, "  <testsuite name=\"");
    add_escaped(run->record->scenario->name, out);
    buf_addf(out,
             "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
             "timestamp=\"%.19s\" time=\"",
             run->record->step_count + 1, count_cases(run, case_failed),
             count_cases(run, case_in_error), count_cases(run, case_skipped), stamp);
    add_seconds(run->record->ended.mono_ns - run->record->started.mono_ns, out);
    buf_add_text(out, "\">\n    <properties>\n      <property name=\"verdict\" value=\"");
    add_escaped(verdict_name(run->verdict), out);
    buf_addf(out,
             "\"/>\n      <property name=\"seed\" value=\"%" PRIu64 "\"/>\n    </properties>\n",
             run->record->seed);
    for (size_t i = 0; i < run->record->step_count; i++)
        add_step(run, &run->record->steps[i], out);
    begin_case(run, "the run as a whole: invariants, faults, evidence", 0, out);
    add_findings(run, 0, out);
    buf_add_text(out, "    </testcase>\n  </testsuite>\n");
}

void report_junit_suites(const struct judgement *const runs[], size_t count, struct buf *out)
{
    buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (size_t i = 0; i < count; i++)
        add_suite(runs[i], out);
    buf_add_text(out, "</testsuites>\n");
}
