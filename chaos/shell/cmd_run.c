#include "chaos/shell/cmd_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/flags.h"
#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"
#include "base/text/printable.h"
#include "base/units.h"
#include "chaos/shell/run/library.h"
#include "chaos/shell/run/results.h"
#include "chaos/shell/run/schedule.h"
#include "chaos/shell/run/summary.h"

#define OUTPUT_BYTES_MAX (256u << 20)
#define SEED_MAX ((INT64_C(1) << 48) - 1) /* a drawn seed stays easy to copy */
#define PER_PROCESSOR 2                   /* scenarios at a time: most of their time is waiting */

struct options {
    const char *signer;
    const char *fakevault;
    const char *runs;
    const char *junit;
    const char *tags;
    int64_t seed;
    int64_t at_a_time;
    bool keep;
    bool json;
    bool quiet;
    bool verbose;
};

static const struct flags_spec specs[] = {
    {"signer", FLAGS_TEXT, offsetof(struct options, signer), "PATH",
     "the signer to judge (beside chaos)"},
    {"fakevault", FLAGS_TEXT, offsetof(struct options, fakevault), "PATH",
     "the Vault to break (beside chaos)"},
    {"runs", FLAGS_TEXT, offsetof(struct options, runs), "FOLDER", "where results go (runs)"},
    {"seed", FLAGS_INT, offsetof(struct options, seed), "N",
     "seed of all that is random (drawn and printed)"},
    {"j", FLAGS_INT, offsetof(struct options, at_a_time), "N",
     "scenarios at a time (two for each processor)"},
    {"tags", FLAGS_TEXT, offsetof(struct options, tags), "A,B",
     "only scenarios with one of these tags"},
    {"junit", FLAGS_TEXT, offsetof(struct options, junit), "FILE",
     "write one JUnit file for all scenarios"},
    {"keep", FLAGS_SWITCH, offsetof(struct options, keep), NULL,
     "keep keys and tokens in the results, to look at a run by hand"},
    {"json", FLAGS_SWITCH, offsetof(struct options, json), NULL,
     "print one JSON document instead of the table"},
    {"q", FLAGS_SWITCH, offsetof(struct options, quiet), NULL, "show only what did not pass"},
    {"v", FLAGS_SWITCH, offsetof(struct options, verbose), NULL, "show every step"},
};
static const struct flags run_flags = {specs, COUNT(specs)};

/* One call of `chaos run`. */
struct call {
    struct options options;
    struct runjob_options shared;
    struct folder_path program, signer, fakevault, runs;
    struct library library;
    struct schedule schedule;
    int64_t wall_ms;
};

static void call_done(struct call *c)
{
    free(c->schedule.items);
    library_done(&c->library);
}

void cmd_run_explain(void)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, OUTPUT_BYTES_MAX);
    flags_help(&run_flags, &out);
    (void)fputs(buf_text(&out), stdout);
}

static int64_t processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n;
}

static enum errc read_options(struct call *c, int argc, char *const argv[], const char **paths,
                              size_t *count, struct errc_why *why)
{
    struct options *o = &c->options;
    *o = (struct options){.runs = "runs", .seed = -1, .at_a_time = PER_PROCESSOR * processors()};
    if (o->at_a_time > SCHEDULE_AT_A_TIME_MAX)
        o->at_a_time = SCHEDULE_AT_A_TIME_MAX;
    TRY(flags_parse(&run_flags, argc, argv, o, paths, count, why));
    if (*count == 0)
        return errc_fail(why, ERRC_USAGE, "no scenario given; name a file or a folder");
    if (o->at_a_time < 1 || o->at_a_time > SCHEDULE_AT_A_TIME_MAX)
        return errc_fail(why, ERRC_USAGE, "-j %lld is not in 1..%u", (long long)o->at_a_time,
                         SCHEDULE_AT_A_TIME_MAX);
    if (o->seed < -1)
        return errc_fail(why, ERRC_USAGE, "--seed %lld is negative", (long long)o->seed);
    if (o->quiet && o->verbose)
        return errc_fail(why, ERRC_USAGE, "-q and -v contradict each other");
    if (o->seed == -1) {
        const struct entropy entropy = entropy_os();
        entropy.fill(entropy.context, &o->seed, sizeof o->seed);
        o->seed &= SEED_MAX;
    }
    return ERRC_OK;
}

/* A program of the harness: as told, or beside this one. */
static enum errc find_program(const struct call *c, const char *flag, const char *told,
                              struct folder_path *out, struct errc_why *why)
{
    struct folder_path beside;
    const char *slash = strrchr(c->program.text, '/');
    TRY(folder_format(&beside, why, "%.*s/%s", (int)(slash - c->program.text), c->program.text,
                      flag));
    const char *path = told != NULL ? told : beside.text;
    if (folder_absolute(path, out, why) != ERRC_OK || access(out->text, X_OK) != 0)
        return errc_fail(why, ERRC_USAGE,
                         "there is no program \"%s\"; build it, or name it with "
                         "--%s",
                         path, flag);
    return ERRC_OK;
}

/* What could not be written at the end is told before anything is started. */
static enum errc check_outputs(struct call *c, struct errc_why *why)
{
    const char *junit = c->options.junit;
    bool good = (junit == NULL || file_check_replace(junit, why) == ERRC_OK) &&
                file_make_folder(c->options.runs, 0755, why) == ERRC_OK &&
                folder_absolute(c->options.runs, &c->runs, why) == ERRC_OK;
    return good ? results_check(c->runs.text, why) : ERRC_USAGE;
}

static enum errc find_programs(struct call *c, struct errc_why *why)
{
    TRY(folder_absolute("/proc/self/exe", &c->program, why));
    TRY(find_program(c, "signer", c->options.signer, &c->signer, why));
    TRY(find_program(c, "fakevault", c->options.fakevault, &c->fakevault, why));
    TRY(check_outputs(c, why));
    c->shared = (struct runjob_options){.program = c->program.text,
                                        .signer = c->signer.text,
                                        .fakevault = c->fakevault.text,
                                        .runs = c->runs.text,
                                        .seed = (uint64_t)c->options.seed,
                                        .keep = c->options.keep};
    return ERRC_OK;
}

static bool is_selected(const struct scenario *scenario, const char *tags)
{
    if (tags == NULL)
        return true;
    for (struct slice rest = slice_of(tags); rest.len > 0;) {
        struct slice tag = slice_trim(slice_cut(&rest, ','));
        for (size_t i = 0; i < scenario->tag_count; i++)
            if (slice_equal_text(tag, scenario->tags[i]))
                return true;
    }
    return false;
}

static enum errc fill_schedule(struct call *c, struct errc_why *why)
{
    struct schedule *s = &c->schedule;
    s->at_a_time = (size_t)c->options.at_a_time;
    s->items = calloc(c->library.count, sizeof s->items[0]);
    if (s->items == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    for (size_t i = 0; i < c->library.count; i++) {
        const struct library_entry *entry = c->library.entries[i];
        struct schedule_item *item = &s->items[s->count++];
        item->over = !is_selected(&entry->scenario, c->options.tags);
        item->verdict = VERDICT_SKIPPED;
        item->job = (struct runjob){.scenario = &entry->scenario,
                                    .plan = &entry->plan,
                                    .options = &c->shared,
                                    .text = buf_slice(&entry->text),
                                    .message_fd = -1,
                                    .write_fd = -1};
        TRY(folder_absolute(entry->path.text, &item->job.file, why));
    }
    return ERRC_OK;
}

static int name_width(const struct schedule *s)
{
    size_t longest = strlen("scenario");
    for (size_t i = 0; i < s->count; i++) {
        size_t len = strlen(s->items[i].job.scenario->name);
        if (!s->items[i].over && len > longest)
            longest = len;
    }
    return (int)longest;
}

static size_t left_to_run(const struct schedule *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += !s->items[i].over;
    return n;
}

static void show_total(const struct call *c, struct ui *ui)
{
    struct ui_total total = {.wall_ms = c->wall_ms, .runs = c->options.runs};
    for (size_t i = 0; i < c->schedule.count; i++) {
        const struct schedule_item *item = &c->schedule.items[i];
        total.counts[item->verdict]++;
        total.wait_ms += item->told ? item->result.wait_ms : 0;
    }
    ui_total(ui, &total);
}

static enum errc write_junit(const struct call *c, struct errc_why *why)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, OUTPUT_BYTES_MAX);
    if (c->options.junit == NULL)
        return ERRC_OK;
    TRY(summary_format_junit(&c->schedule, &out, why));
    return file_replace(c->options.junit, buf_slice(&out), 0644, why);
}

static enum errc print_json(const struct call *c, int exit_code, struct errc_why *why)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, OUTPUT_BYTES_MAX);
    if (!c->options.json)
        return ERRC_OK;
    TRY(summary_format_json(&c->schedule, exit_code, c->shared.seed, c->wall_ms, &out, why));
    return file_write_fd(STDOUT_FILENO, buf_slice(&out), "standard output", why);
}

static int exit_code_of(const struct schedule *s)
{
    enum verdict verdicts[LIBRARY_MAX];
    for (size_t i = 0; i < s->count; i++)
        verdicts[i] = s->items[i].verdict;
    return verdict_exit_of_all(verdicts, s->count);
}

/* Runs what was prepared; *exit_code is that of the verdicts. */
static enum errc run_all(struct call *c, int *exit_code, struct errc_why *why)
{
    const struct clock clock = clock_os();
    struct ui ui;
    const struct options *o = &c->options;
    enum ui_level level = o->json      ? UI_SILENT
                          : o->quiet   ? UI_QUIET
                          : o->verbose ? UI_VERBOSE
                                       : UI_NORMAL;
    ui_open(&ui, stdout, level, name_width(&c->schedule));
    c->schedule.ui = &ui;
    ui_head(&ui, left_to_run(&c->schedule), (int)o->at_a_time, c->shared.seed);
    int64_t started_ns = clock.now(clock.context).mono_ns;
    TRY(schedule_run(&c->schedule, why));
    c->wall_ms = (clock.now(clock.context).mono_ns - started_ns) / NS_PER_MS;
    show_total(c, &ui);
    *exit_code = exit_code_of(&c->schedule);
    TRY(write_junit(c, why));
    return print_json(c, *exit_code, why);
}

static enum errc prepare(struct call *c, int argc, char *const argv[], struct errc_why *why)
{
    size_t count = 0;
    const char **paths = calloc((size_t)argc + 1, sizeof *paths);
    if (paths == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    enum errc code = read_options(c, argc, argv, paths, &count, why);
    if (code == ERRC_OK)
        code = library_load(&c->library, paths, count, why);
    free(paths);
    return code;
}

static bool is_new(const struct library *library, size_t entry, size_t tag)
{
    const char *name = library->entries[entry]->scenario.tags[tag];
    for (size_t i = 0; i < entry; i++)
        if (scenario_tagged(&library->entries[i]->scenario, name))
            return false;
    return true;
}

/* No scenario has any of the tags: a misspelt one must not look like an empty selection. */
static void tell_tags(const struct library *library, const char *tags)
{
    const char *between = "; they have: ";
    (void)fprintf(stderr, "chaos: no scenario has a tag of \"%s\"", printable_line(tags).text);
    for (size_t i = 0; i < library->count; i++)
        for (size_t t = 0; t < library->entries[i]->scenario.tag_count; t++)
            if (is_new(library, i, t)) {
                (void)fprintf(stderr, "%s%s", between,
                              printable_line(library->entries[i]->scenario.tags[t]).text);
                between = ", ";
            }
    (void)fputc('\n', stderr);
}

static int complain(enum errc code, const struct errc_why *why)
{
    (void)fprintf(stderr, "chaos: %s\n", printable_line(why->text).text);
    return errc_class(code) == ERRC_CLASS_FATAL ? VERDICT_EXIT_INTERNAL : VERDICT_EXIT_USAGE;
}

int cmd_run(int argc, char *const argv[])
{
    struct call c CLEANUP(call_done) = {0};
    struct errc_why why = {""};
    int exit_code = VERDICT_EXIT_INTERNAL;
    library_init(&c.library);
    enum errc code = prepare(&c, argc, argv, &why);
    if (code != ERRC_OK)
        return complain(code, &why);
    if (c.library.unsound > 0) {
        library_tell_findings(&c.library);
        (void)fprintf(stderr, "chaos: nothing was started\n");
        return VERDICT_EXIT_SCENARIO;
    }
    code = find_programs(&c, &why);
    if (code == ERRC_OK)
        code = fill_schedule(&c, &why);
    if (code == ERRC_OK && left_to_run(&c.schedule) == 0)
        tell_tags(&c.library, c.options.tags);
    if (code == ERRC_OK)
        code = run_all(&c, &exit_code, &why);
    return code == ERRC_OK ? exit_code : complain(code, &why);
}
