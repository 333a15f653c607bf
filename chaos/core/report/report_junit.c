#include "chaos/core/report/report_junit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text/stamp.h"
#include "base/units.h"

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

static void add_seconds(int64_t ms, struct buf *out)
{
    buf_addf(out, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
}

/* What JUnit calls a failure is ours too; what it calls an error is trouble, ours or of evidence.
 */
static bool is_failure(enum verdict flag)
{
    return flag == VERDICT_FAIL || flag == VERDICT_DIRTY || flag == VERDICT_NOT_EXERCISED;
}

static bool has_finding(const struct report_junit_run *run, size_t step, bool failure)
{
    for (size_t i = 0; i < run->finding_count; i++)
        if (run->findings[i].step == step && is_failure(run->findings[i].flag) == failure)
            return true;
    return false;
}

static void add_findings(const struct report_junit_run *run, size_t step, struct buf *out)
{
    /* The schema allows one <failure> or one <error>: the texts go into it together. */
    bool failure = has_finding(run, step, true);
    if (!failure && !has_finding(run, step, false))
        return;
    const char *element = failure ? "failure" : "error";
    bool first = true;
    for (size_t i = 0; i < run->finding_count; i++) {
        const struct verdict_finding *f = &run->findings[i];
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

static void begin_case(const struct report_junit_run *run, const char *name, int64_t took_ms,
                       struct buf *out)
{
    buf_add_text(out, "    <testcase classname=\"chaos.");
    add_escaped(run->scenario, out);
    buf_add_text(out, "\" name=\"");
    add_escaped(name, out);
    buf_add_text(out, "\" time=\"");
    add_seconds(took_ms, out);
    buf_add_text(out, "\">\n");
}

/* Findings of a step stand with its last run: the steady state runs twice under one number. */
static bool is_last_run(const struct report_junit_run *run, const struct report_junit_step *step)
{
    for (const struct report_junit_step *s = step + 1; s < run->steps + run->step_count; s++)
        if (s->number == step->number && !s->skipped)
            return false;
    return true;
}

static void add_step(const struct report_junit_run *run, const struct report_junit_step *step,
                     struct buf *out)
{
    struct buf name CLEANUP(buf_done);
    buf_init(&name, 64u << 10);
    buf_addf(&name, "%03zu%s %s", step->number, step->again ? " again" : "", step->text);
    begin_case(run, buf_text(&name), step->took_ms, out);
    if (step->skipped)
        buf_add_text(out, "      <skipped message=\"not reached\"/>\n");
    else if (is_last_run(run, step))
        add_findings(run, step->number, out);
    buf_add_text(out, "    </testcase>\n");
    if (name.failed)
        out->failed = true;
}

static size_t count_cases(const struct report_junit_run *run,
                          bool (*is)(const struct report_junit_run *run, size_t i))
{
    size_t count = 0;
    for (size_t i = 0; i <= run->step_count; i++)
        count += is(run, i);
    return count;
}

/* Case i of a suite: a step, or behind the last one the run as a whole (number 0). */
static size_t number_of(const struct report_junit_run *run, size_t i)
{
    return i == run->step_count ? 0 : run->steps[i].number;
}

static bool case_skipped(const struct report_junit_run *run, size_t i)
{
    return i < run->step_count && run->steps[i].skipped;
}

static bool shows_findings(const struct report_junit_run *run, size_t i)
{
    return i == run->step_count || (!case_skipped(run, i) && is_last_run(run, &run->steps[i]));
}

static bool case_failed(const struct report_junit_run *run, size_t i)
{
    return shows_findings(run, i) && has_finding(run, number_of(run, i), true);
}

static bool case_in_error(const struct report_junit_run *run, size_t i)
{
    return shows_findings(run, i) && !case_failed(run, i) &&
           has_finding(run, number_of(run, i), false);
}

void report_junit_suite(const struct report_junit_run *run, struct buf *out)
{
    buf_add_text(out, "<testsuite name=\"");
    add_escaped(run->scenario, out);
    buf_addf(out,
             "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
             "timestamp=\"%.19s\" time=\"",
             run->step_count + 1, count_cases(run, case_failed), count_cases(run, case_in_error),
             count_cases(run, case_skipped), run->started);
    add_seconds(run->took_ms, out);
    buf_add_text(out, "\">\n    <properties>\n      <property name=\"verdict\" value=\"");
    add_escaped(run->verdict, out);
    buf_add_text(out, "\"/>\n      <property name=\"seed\" value=\"");
    add_escaped(run->seed, out);
    buf_add_text(out, "\"/>\n    </properties>\n");
    for (size_t i = 0; i < run->step_count; i++)
        add_step(run, &run->steps[i], out);
    begin_case(run, "the run as a whole: invariants, faults, evidence", 0, out);
    add_findings(run, 0, out);
    buf_add_text(out, "    </testcase>\n  </testsuite>\n");
}

void report_junit_substitute(const char *scenario, enum verdict verdict, struct buf *out)
{
    bool skipped = verdict == VERDICT_SKIPPED;
    buf_add_text(out, "<testsuite name=\"");
    add_escaped(scenario, out);
    buf_addf(out,
             "\" tests=\"1\" failures=\"0\" errors=\"%d\" skipped=\"%d\">\n"
             "<testcase classname=\"",
             !skipped, skipped);
    add_escaped(scenario, out);
    buf_addf(out, "\" name=\"run\"><%s message=\"%s\"/></testcase>\n</testsuite>\n",
             skipped ? "skipped" : "error", verdict_name(verdict));
}

static int64_t span_ms(struct instant from, struct instant to)
{
    return (to.mono_ns - from.mono_ns) / NS_PER_MS;
}

void report_junit_document(const struct judgement *judgement, struct buf *out)
{
    const struct record *record = judgement->record;
    struct report_junit_step *steps = calloc(record->step_count + 1, sizeof *steps);
    char started[STAMP_BYTES];
    char seed[24];
    if (steps == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < record->step_count; i++) {
        const struct record_step *s = &record->steps[i];
        steps[i] = (struct report_junit_step){.number = s->plan->number,
                                              .again = s->again,
                                              .skipped = s->result == RECORD_SKIPPED,
                                              .text = s->plan->text,
                                              .took_ms = span_ms(s->started, s->ended)};
    }
    stamp_format(record->started.wall_ns, STAMP_NANO, started);
    (void)snprintf(seed, sizeof seed, "%" PRIu64, record->seed);
    const struct report_junit_run run = {.scenario = record->scenario->name,
                                         .verdict = verdict_name(judgement->verdict),
                                         .seed = seed,
                                         .started = started,
                                         .took_ms = span_ms(record->started, record->ended),
                                         .steps = steps,
                                         .step_count = record->step_count,
                                         .findings = judgement->findings.items,
                                         .finding_count = judgement->findings.count};
    buf_add_text(out, REPORT_JUNIT_HEAD "<testsuites>\n  ");
    report_junit_suite(&run, out);
    buf_add_text(out, "</testsuites>\n");
    free(steps);
}
