#include "chaos/shell/world/growth.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* The order matters: what is in the journal now, and what is in the trail later than that. */
static void look(struct growth *g)
{
    const struct world_growth *last = g->count > 0 ? &g->looks[g->count - 1] : NULL;
    struct world_growth now = {.journal = size_of(g->journal.text)};
    now.trail = size_of(g->trail.text);
    if (last != NULL && last->journal == now.journal && last->trail == now.trail)
        return;
    if (last != NULL && now.trail < last->trail)
        return; /* a fault has set it aside for a moment: that proves nothing */
    if (g->count < GROWTH_LOOKS_MAX)
        g->looks[g->count++] = now;
}

static void *watch(void *context)
{
    struct growth *g = context;
    struct pollfd fds[] = {{.fd = g->watch_fd, .events = POLLIN},
                           {.fd = g->end_fd, .events = POLLIN}};
    char events[4096];
    for (;;) {
        int ready = poll(fds, 2, -1);
        if (ready < 0 && errno == EINTR) /* stopped and continued */
            continue;
        if (ready < 0 || fds[1].revents != 0 || read(g->watch_fd, events, sizeof events) == 0)
            return NULL;
        look(g);
    }
}

static bool open_watch(struct growth *g, struct stack *stack)
{
    struct stack_values v;
    struct folder_path folder;
    if (stack_path(stack, STACK_LEDGERS, &folder, NULL) != ERRC_OK ||
        stack_path(stack, STACK_JOURNAL, &g->journal, NULL) != ERRC_OK ||
        stack_fill_values(stack, NULL, NULL, &v, NULL) != ERRC_OK ||
        stack_subject_path(stack->spec->subject->audit, &v.values, &g->trail, NULL) != ERRC_OK)
        return false;
    g->looks = calloc(GROWTH_LOOKS_MAX, sizeof *g->looks);
    g->end_fd = eventfd(0, EFD_CLOEXEC);
    g->watch_fd = inotify_init1(IN_CLOEXEC);
    return g->looks != NULL && g->end_fd >= 0 && g->watch_fd >= 0 &&
           inotify_add_watch(g->watch_fd, folder.text, IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0;
}

static bool start_thread(struct growth *g)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    g->running = pthread_create(&g->thread, NULL, watch, g) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return g->running;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void give_back(struct growth *g)
{
    close_fd(&g->watch_fd);
    close_fd(&g->end_fd);
    free(g->looks);
    g->looks = NULL;
    g->count = 0;
}

void growth_begin(struct growth *growth, struct stack *stack)
{
    *growth = (struct growth){.watch_fd = -1, .end_fd = -1};
    if (!open_watch(growth, stack) || !start_thread(growth))
        give_back(growth);
}

void growth_end(struct growth *growth)
{
    if (!growth->running)
        return;
    (void)eventfd_write(growth->end_fd, 1);
    (void)pthread_join(growth->thread, NULL);
    growth->running = false;
}

void growth_close(struct growth *growth)
{
    if (growth->looks == NULL)
        return;
    growth_end(growth);
    give_back(growth);
}
