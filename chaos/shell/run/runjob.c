#include "chaos/shell/run/runjob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/os/clock_os.h"
#include "base/text/printable.h"
#include "base/units.h"
#include "chaos/core/runner.h"
#include "chaos/shell/client/httpcall.h"
#include "chaos/shell/run/results.h"
#include "chaos/shell/world/world_live.h"

_Static_assert(sizeof(struct runjob_message) <= PIPE_BUF, "a message is written whole");

static void send_message(const struct runjob *job, const struct runjob_message *message)
{
    ssize_t n = 0;
    do {
        n = write(job->write_fd, message, sizeof *message);
    } while (n < 0 && errno == EINTR);
    /* a controller that is gone takes no message; the guard ends us in a moment */
}

static void tell_progress(void *context, const struct world_progress *progress)
{
    const struct runjob *job = context;
    struct runjob_message message = {.kind = RUNJOB_STEP,
                                     .number = progress->number,
                                     .total = progress->total,
                                     .phase = verb_phase_name(progress->phase),
                                     .finished = progress->finished,
                                     .met = progress->met};
    (void)snprintf(message.text, sizeof message.text, "%s", progress->text);
    if (progress->again)
        message.phase = "steady_state again";
    send_message(job, &message);
}

/* Trouble of our own programs outweighs whatever was judged. */
static void note_trouble(struct judgement *judged, const struct errc_why *trouble)
{
    if (trouble->text[0] == '\0')
        return;
    judgement_add(judged, VERDICT_INTERNAL, "program", 0, "%s", trouble->text);
    judged->verdict = verdict_worst(&judged->findings);
}

/* unwritten: why the results could not be written; NULL when they were. */
static void tell_result(const struct runjob *job, const struct judgement *run,
                        const struct errc_why *unwritten)
{
    struct runjob_message message = {
        .kind = RUNJOB_RESULT,
        .verdict = unwritten == NULL ? run->verdict : VERDICT_INTERNAL,
        .wall_ms = (run->record->ended.mono_ns - run->record->started.mono_ns) / NS_PER_MS,
        .wait_ms = results_designed_wait_ms(job->folder.text, run->record)};
    if (unwritten != NULL)
        (void)snprintf(message.text, sizeof message.text, "%.*s", (int)sizeof message.text - 1,
                       unwritten->text);
    send_message(job, &message);
}

/* In the runner. */
static int run_scenario(void *context, int interrupt_fd)
{
    const struct runjob *job = context;
    struct errc_why why = {""};
    struct world_live live;
    struct world world;
    struct record record CLEANUP(record_done) = {0};
    struct judgement judged CLEANUP(judgement_done) = {0};
    const struct stack_options stack = {.signer = job->options->signer,
                                        .fakevault = job->options->fakevault,
                                        .run_folder = job->folder.text,
                                        .socket_folder = job->socket_folder.text,
                                        .seed = job->options->seed,
                                        .interrupt_fd = interrupt_fd};
    const struct results_recipe recipe = {.program = job->options->program,
                                          .file = job->file.text,
                                          .text = job->text,
                                          .signer = job->options->signer,
                                          .fakevault = job->options->fakevault,
                                          .seed = job->options->seed};
    if (httpcall_open(&why) != ERRC_OK)
        return VERDICT_EXIT_INTERNAL;
    world_live_init(&live, &stack, &world);
    live.progress = tell_progress;
    live.progress_context = context;
    runner_run(job->scenario, job->plan, &world, job->options->seed, &record, &judged);
    note_trouble(&judged, &live.stack.trouble);
    world_live_close(&live);
    enum errc code = results_write(job->folder.text, &judged, &recipe, &why);
    tell_result(job, &judged, code == ERRC_OK ? NULL : &why);
    httpcall_close();
    return code == ERRC_OK ? verdict_exit_code(judged.verdict) : VERDICT_EXIT_INTERNAL;
}

static void remove_folder(const char *path)
{
    struct errc_why why;
    if (folder_remove(path, &why) != ERRC_OK)
        (void)fprintf(stderr, "chaos: %s\n", printable_line(why.text).text);
}

/* In the guard, when nothing of the run lives any more: also behind a kill -9 no secret and no
 * socket stays. */
static void tidy(void *context)
{
    const struct runjob *job = context;
    struct folder_path private;
    remove_folder(job->socket_folder.text);
    if (!job->options->keep &&
        folder_format(&private, NULL, "%s/private", job->folder.text) == ERRC_OK)
        remove_folder(private.text);
}

enum errc runjob_start(struct runjob *job, struct errc_why *why)
{
    const struct clock clock = clock_os();
    const struct guard_work work = {.run = run_scenario, .tidy = tidy, .context = job};
    int ends[2];
    TRY(results_open(job->options->runs, job->scenario->name, clock.now(clock.context).wall_ns,
                     job->options->seed, &job->folder, why));
    TRY(folder_make_temporary(&job->socket_folder, why));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errc_fail(why, ERRC_IO, "cannot make a pipe: %s", strerror(errno));
    job->message_fd = ends[0];
    job->write_fd = ends[1];
    enum errc code = guard_start(&job->guard, &work, why);
    (void)close(job->write_fd);
    job->write_fd = -1;
    if (code == ERRC_OK)
        return ERRC_OK;
    (void)close(job->message_fd);
    job->message_fd = -1;
    remove_folder(job->socket_folder.text);
    return code;
}

bool runjob_read(struct runjob *job, struct runjob_message *out)
{
    ssize_t n = 0;
    do {
        n = read(job->message_fd, out, sizeof *out);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *out;
}

int runjob_finish(struct runjob *job)
{
    if (job->message_fd >= 0)
        (void)close(job->message_fd);
    job->message_fd = -1;
    return guard_reap(&job->guard);
}
