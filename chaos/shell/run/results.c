#include "chaos/shell/run/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/file.h"
#include "base/text/printable.h"
#include "base/text/stamp.h"
#include "chaos/core/ledger/waits.h"
#include "chaos/core/report/report.h"
#include "chaos/shell/stack/stack.h"

#define FILE_BYTES_MAX (256u << 20)
#define SAME_SECOND_MAX 1000 /* runs of one scenario with one seed within a second */

/* 20261123T181146Z: sorts as text and needs no quoting in a shell. */
static void format_moment(int64_t wall_ns, char out[static STAMP_BYTES])
{
    char full[STAMP_BYTES];
    size_t n = 0;
    stamp_format(wall_ns, STAMP_MILLI, full);
    for (const char *c = full; *c != '\0' && *c != '.'; c++)
        if (*c != '-' && *c != ':')
            out[n++] = *c;
    out[n++] = 'Z';
    out[n] = '\0';
}

enum errc results_open(const char *runs, const char *scenario, int64_t wall_ns, uint64_t seed,
                       struct folder_path *out, struct errc_why *why)
{
    struct folder_path parent;
    struct folder_path path;
    char moment[STAMP_BYTES];
    format_moment(wall_ns, moment);
    TRY(folder_format(&parent, why, "%s/%s", runs, scenario));
    TRY(file_make_folder(parent.text, 0755, why));
    for (int n = 1; n <= SAME_SECOND_MAX; n++) {
        char suffix[16] = "";
        if (n > 1)
            (void)snprintf(suffix, sizeof suffix, "-%d", n);
        TRY(folder_format(&path, why, "%s/%s-%llu%s", parent.text, moment, (unsigned long long)seed,
                          suffix));
        if (mkdir(path.text, 0755) == 0)
            return folder_absolute(path.text, out, why);
        if (errno != EEXIST)
            break;
    }
    return errc_fail(why, ERRC_IO, "cannot make the folder \"%s\": %s", path.text, strerror(errno));
}

enum errc results_check(const char *runs, struct errc_why *why)
{
    struct folder_path path;
    TRY(folder_format(&path, why, "%s/.chaos-XXXXXX", runs));
    if (mkdtemp(path.text) == NULL)
        return errc_fail(why, ERRC_USAGE,
                         "cannot write results into \"%s\": %s; name another folder with --runs",
                         runs, strerror(errno));
    (void)rmdir(path.text);
    return ERRC_OK;
}

/* For sh: 'it'\''s'. */
static void add_quoted(struct buf *out, const char *text)
{
    buf_add_char(out, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'')
            buf_add_text(out, "'\\'");
        buf_add_char(out, *c);
    }
    buf_add_char(out, '\'');
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The scenario is the copy beside the script: the original may have been edited since. */
static void format_recipe(const struct results_recipe *recipe, struct buf *out)
{
    buf_add_text(out, "#!/bin/sh\n# runs this scenario again with the same seed\n"
                      "here=$(CDPATH= cd -- \"$(dirname -- \"$0\")\" && pwd) || exit 70\nexec ");
    add_quoted(out, recipe->program);
    buf_addf(out, " run --seed %llu --signer ", (unsigned long long)recipe->seed);
    add_quoted(out, recipe->signer);
    buf_add_text(out, " --fakevault ");
    add_quoted(out, recipe->fakevault);
    buf_add_text(out, " \"$@\" \"$here\"/");
    add_quoted(out, name_of(recipe->file));
    buf_add_char(out, '\n');
}

static enum errc write_file(const char *folder, const char *name, const struct buf *text,
                            mode_t mode, struct errc_why *why)
{
    struct folder_path path;
    TRY(buf_status(text, why));
    TRY(folder_format(&path, why, "%s/%s", folder, name));
    return file_put(path.text, buf_slice(text), mode, why);
}

static enum errc write_reports(const char *folder, const struct judgement *run,
                               struct errc_why *why)
{
    static const struct {
        const char *name;
        void (*format)(const struct judgement *run, struct buf *out);
        bool for_people; /* who look at it in a terminal */
    } reports[] = {
        {"history.ndjson", report_format_history, false},
        {"timeline.txt", report_format_timeline, true},
        {"junit.xml", report_format_junit, false},
        {"findings.txt", report_format_findings, true},
        {"result.json", report_format_result, false}, /* last: who sees it, sees all */
    };
    for (size_t i = 0; i < COUNT(reports); i++) {
        struct buf text CLEANUP(buf_done), shown CLEANUP(buf_done);
        buf_init(&text, FILE_BYTES_MAX);
        buf_init(&shown, FILE_BYTES_MAX);
        reports[i].format(run, &text);
        if (reports[i].for_people)
            printable_text(buf_slice(&text), &shown);
        shown.failed = shown.failed || text.failed;
        TRY(write_file(folder, reports[i].name, reports[i].for_people ? &shown : &text, 0644, why));
    }
    return ERRC_OK;
}

enum errc results_write(const char *folder, const struct judgement *run,
                        const struct results_recipe *recipe, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    struct folder_path link, copy;
    buf_init(&text, FILE_BYTES_MAX);
    format_recipe(recipe, &text);
    TRY(write_file(folder, "repro.sh", &text, 0755, why));
    TRY(folder_format(&copy, why, "%s/%s", folder, name_of(recipe->file)));
    TRY(file_put(copy.text, recipe->text, 0644, why));
    TRY(write_reports(folder, run, why));
    const char *name = name_of(folder);
    TRY(folder_format(&link, why, "%.*slatest", (int)(name - folder), folder));
    return folder_link(link.text, name, why);
}

enum errc results_read(const char *folder, const char *name, struct buf *out, struct errc_why *why)
{
    struct folder_path path;
    TRY(folder_format(&path, why, "%s/%s", folder, name));
    return file_read(path.text, out, why);
}

int64_t results_designed_wait_ms(const char *folder, const struct record *record)
{
    struct buf trail CLEANUP(buf_done);
    struct folder_path path;
    int64_t ms = 0;
    const char *text = record->scenario->stack.subject->audit;
    const struct subject_template_values values = {{[SUBJECT_TEMPLATE_RUN] = folder}};
    buf_init(&trail, FILE_BYTES_MAX);
    if (stack_subject_path(text, &values, &path, NULL) != ERRC_OK ||
        file_read(path.text, &trail, NULL) != ERRC_OK ||
        waits_measure(buf_slice(&trail), record, &ms, NULL) != ERRC_OK)
        return 0;
    return ms;
}
