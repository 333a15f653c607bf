#include "chaos/shell/world/world_live.h"

#include "base/os/clock_os.h"
#include "chaos/shell/process/guard.h"
#include "chaos/shell/stack/stack_start.h"

static struct instant world_now(void *context)
{
    (void)context;
    const struct clock clock = clock_os();
    return clock.now(clock.context);
}

static int world_interrupted(void *context)
{
    struct world_live *live = context;
    live->interrupts = guard_interrupts(live->options.interrupt_fd, live->interrupts);
    return live->interrupts;
}

static enum errc world_start(void *context, const struct scenario *scenario, struct errc_why *why)
{
    struct world_live *live = context;
    live->open = true;
    TRY(stack_open(&live->stack, &live->options, &scenario->stack, why));
    TRY(signcall_open(&live->calls, &live->stack, why));
    survey_open(&live->survey, &live->stack, &live->calls);
    gather_watch_open(&live->watch, &live->stack);
    growth_begin(&live->growth, &live->stack);
    return stack_start(&live->stack, why);
}

static enum errc world_act(void *context, const struct world_step *step, struct world_outcome *out,
                           struct errc_why *why)
{
    struct world_live *live = context;
    return exec_verbs_run(&live->exec, step, out, why);
}

static void world_wait_change(void *context, int64_t deadline_mono_ns)
{
    struct world_live *live = context;
    (void)gather_watch_wait(&live->watch, &live->stack.await, deadline_mono_ns);
}

static enum errc world_read(void *context, enum world_evidence kind, const char *name,
                            uint64_t from, struct buf *out, struct errc_why *why)
{
    struct world_live *live = context;
    if (kind == WORLD_ASKED)
        return signcall_asked(&live->calls, name, out, why);
    return gather_read(&live->stack, kind, name, from, out, why);
}

static const struct scenario_pair *world_environment(void *context, const char *name, size_t *count)
{
    struct world_live *live = context;
    *count = gather_environment(&live->stack, name, live->environment);
    return live->environment;
}

/* Nothing while the thread runs: the looks are its own. */
static size_t world_growth(void *context, const struct world_growth **out)
{
    const struct world_live *live = context;
    *out = live->growth.looks;
    return live->growth.running || live->growth.looks == NULL ? 0 : live->growth.count;
}

static const char *world_mark(void *context)
{
    const struct world_live *live = context;
    return live->stack.client.mark;
}

static void world_survey(void *context, enum world_moment moment)
{
    struct world_live *live = context;
    survey_ask(&live->survey, moment);
}

static size_t world_samples(void *context, const struct world_sample **out)
{
    const struct world_live *live = context;
    *out = live->survey.items;
    return live->survey.count;
}

static size_t world_keys(void *context, const struct world_key **out)
{
    const struct world_live *live = context;
    *out = live->stack.known.keys;
    return live->stack.known.key_count;
}

static size_t world_canaries(void *context, const struct world_canary **out)
{
    const struct world_live *live = context;
    *out = live->stack.known.secrets;
    return live->stack.known.secret_count;
}

static enum errc world_files(void *context, const struct world_file **out, size_t *count,
                             struct errc_why *why)
{
    struct world_live *live = context;
    TRY(runfiles_list(&live->files, live->options.run_folder, why));
    *out = live->files.items;
    *count = live->files.count;
    return ERRC_OK;
}

static void world_progress(void *context, const struct world_progress *progress)
{
    struct world_live *live = context;
    if (live->progress != NULL)
        live->progress(live->progress_context, progress);
}

/* An interrupt must not cut short what ends the processes; their waits are limited anyway. */
static void world_stop(void *context)
{
    struct world_live *live = context;
    live->stack.await.interrupt_fd = -1;
    stack_stop(&live->stack);
    growth_end(&live->growth);
    survey_finish(&live->survey);
    survey_write(&live->survey);
}

void world_live_init(struct world_live *live, const struct stack_options *options,
                     struct world *port)
{
    *live = (struct world_live){.options = *options, .watch = {.fd = -1}};
    live->exec =
        (struct exec_verbs){.stack = &live->stack, .calls = &live->calls, .watch = &live->watch};
    *port = (struct world){
        .context = live,
        .now = world_now,
        .interrupted = world_interrupted,
        .start = world_start,
        .act = world_act,
        .wait_change = world_wait_change,
        .read = world_read,
        .environment = world_environment,
        .growth = world_growth,
        .mark = world_mark,
        .survey = world_survey,
        .samples = world_samples,
        .keys = world_keys,
        .canaries = world_canaries,
        .files = world_files,
        .progress = world_progress,
        .stop = world_stop,
    };
}

void world_live_close(struct world_live *live)
{
    if (!live->open)
        return;
    signcall_close(&live->calls);
    gather_watch_close(&live->watch);
    growth_close(&live->growth);
    runfiles_done(&live->files);
    survey_close(&live->survey);
    stack_close(&live->stack);
    live->open = false;
}
