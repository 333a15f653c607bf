#include "chaos/shell/run/schedule.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "chaos/shell/run/results.h"

#define FINDINGS_BYTES_MAX (1u << 20)

struct loop {
    struct schedule *schedule;
    int signals;
    int interrupts;
    size_t next;    /* item to be started */
    size_t running; /* items */
    size_t shown;   /* items whose row stands in the table; rows keep the order of the items */
};

static void show_progress(const struct loop *l)
{
    struct ui_running running[SCHEDULE_AT_A_TIME_MAX];
    size_t count = 0;
    for (size_t i = 0; i < l->schedule->count && count < l->schedule->at_a_time; i++) {
        const struct schedule_item *item = &l->schedule->items[i];
        if (item->started && !item->over)
            running[count++] =
                (struct ui_running){.name = item->job.scenario->name, .last = item->step};
    }
    ui_progress(l->schedule->ui, running, count);
}

static void show_row(const struct loop *l, const struct schedule_item *item)
{
    struct buf findings CLEANUP(buf_done);
    buf_init(&findings, FINDINGS_BYTES_MAX);
    if (item->trouble.text[0] != '\0')
        buf_addf(&findings, "%s\n", item->trouble.text);
    if (item->told)
        (void)!results_read(item->job.folder.text, "findings.txt", &findings, NULL);
    ui_row(l->schedule->ui,
           &(struct ui_row){.name = item->job.scenario->name,
                            .purpose = item->job.scenario->purpose,
                            .verdict = item->verdict,
                            .wall_ms = item->result.wall_ms,
                            .wait_ms = item->result.wait_ms,
                            .findings = buf_slice(&findings),
                            .folder = item->started ? item->job.folder.text : NULL});
}

static void show_rows(struct loop *l)
{
    const struct schedule *s = l->schedule;
    for (; l->shown < s->count && s->items[l->shown].over; l->shown++)
        if (s->items[l->shown].verdict != VERDICT_SKIPPED)
            show_row(l, &s->items[l->shown]);
}

static void start_item(struct loop *l, struct schedule_item *item)
{
    if (runjob_start(&item->job, &item->trouble) == ERRC_OK) {
        item->started = true;
        l->running++;
        return;
    }
    item->over = true;
    item->verdict = VERDICT_INTERNAL;
}

static void start_some(struct loop *l)
{
    struct schedule *s = l->schedule;
    while (l->interrupts == 0 && l->next < s->count && l->running < s->at_a_time) {
        struct schedule_item *item = &s->items[l->next++];
        if (!item->over)
            start_item(l, item);
    }
}

static void take_news(const struct loop *l, struct schedule_item *item,
                      const struct runjob_message *message)
{
    switch (message->kind) {
    case RUNJOB_STEP:
        item->step = *message;
        ui_step(l->schedule->ui, item->job.scenario->name, message);
        break;
    case RUNJOB_RESULT:
        item->result = *message;
        item->told = true;
        break;
    }
}

/* Reads what is there; the end of file is the end of the run. */
static void take_message(struct loop *l, struct schedule_item *item)
{
    struct runjob_message message;
    if (runjob_read(&item->job, &message)) {
        take_news(l, item, &message);
        return;
    }
    int code = runjob_finish(&item->job);
    item->over = true;
    l->running--;
    if (item->told) {
        item->verdict = item->result.verdict;
        (void)snprintf(item->trouble.text, sizeof item->trouble.text, "%s", item->result.text);
        return;
    }
    item->verdict = code == GUARD_EXIT_KILLED ? VERDICT_INTERRUPTED : VERDICT_INTERNAL;
    if (item->verdict == VERDICT_INTERNAL)
        (void)errc_fail(&item->trouble, ERRC_INTERNAL,
                        "the process that ran the scenario ended with code %d before its result",
                        code);
}

static void take_signal(struct loop *l)
{
    struct signalfd_siginfo info;
    if (read(l->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    l->interrupts++;
    for (size_t i = 0; i < l->schedule->count; i++) {
        const struct schedule_item *item = &l->schedule->items[i];
        if (!item->started || item->over)
            continue;
        if (l->interrupts == 1)
            guard_interrupt(&item->job.guard);
        else
            guard_kill(&item->job.guard);
    }
    if (l->running > 0)
        ui_say(l->schedule->ui, l->interrupts == 1
                                    ? "interrupted: rolling back (once more ends it at once)"
                                    : "interrupted again: ending everything");
}

/* Waits for one event and deals with it. */
static enum errc turn(struct loop *l, struct errc_why *why)
{
    struct pollfd fds[SCHEDULE_AT_A_TIME_MAX + 1] = {{.fd = l->signals, .events = POLLIN}};
    struct schedule_item *items[SCHEDULE_AT_A_TIME_MAX + 1] = {NULL};
    nfds_t n = 1;
    for (size_t i = 0; i < l->schedule->count; i++) {
        struct schedule_item *item = &l->schedule->items[i];
        if (!item->started || item->over)
            continue;
        items[n] = item;
        fds[n++] = (struct pollfd){.fd = item->job.message_fd, .events = POLLIN};
    }
    show_progress(l);
    if (poll(fds, n, -1) < 0 && errno != EINTR)
        return errc_fail(why, ERRC_IO, "cannot wait for the scenarios: %s", strerror(errno));
    for (nfds_t i = 1; i < n; i++)
        if (fds[i].revents != 0)
            take_message(l, items[i]);
    if (fds[0].revents != 0)
        take_signal(l);
    return ERRC_OK;
}

/* What an interrupt kept from being started. */
static void end_rest(const struct loop *l)
{
    for (size_t i = 0; i < l->schedule->count; i++) {
        struct schedule_item *item = &l->schedule->items[i];
        if (item->over)
            continue;
        item->over = true;
        item->verdict = VERDICT_INTERRUPTED;
    }
}

enum errc schedule_run(struct schedule *schedule, struct errc_why *why)
{
    struct loop l = {.schedule = schedule};
    sigset_t set;
    sigset_t before;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    l.signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (l.signals < 0)
        return errc_fail(why, ERRC_IO, "cannot watch for signals: %s", strerror(errno));
    enum errc code = ERRC_OK;
    start_some(&l);
    while (code == ERRC_OK && l.running > 0) {
        code = turn(&l, why);
        start_some(&l);
        show_rows(&l);
    }
    end_rest(&l);
    show_rows(&l);
    show_progress(&l);
    (void)close(l.signals);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return code;
}
