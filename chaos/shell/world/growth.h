/*
 * growth: watches the two ledgers grow, so that it can be told which of two
 * records was there first, whatever stamps they carry.
 *
 * A thread waits for changes in the folder of the ledgers, and at each looks at
 * the size of the journal, then at that of the trail. A look that finds a
 * request in the journal and its announcement not yet in the trail is proof; a
 * look that came too late proves nothing. The thread takes no memory and no
 * signal, so that processes may be started beside it.
 *
 *     journal 4096, trail 812    the request that ends at byte 4096 was there, the entry
 *                                that begins at byte 812 was not
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "chaos/core/world.h"
#include "chaos/shell/stack/stack.h"

#define GROWTH_LOOKS_MAX 100000u /* those that saw a change; later ones are dropped */

struct growth {
    bool running;
    pthread_t thread;
    int watch_fd, end_fd;
    struct folder_path journal, trail;
    struct world_growth *looks; /* the thread's until it has ended */
    _Atomic size_t count;
};

/* Begins to watch; the folder of the ledgers exists. When that cannot be, there are no looks. */
void growth_begin(struct growth *growth, struct stack *stack);

/* Ends the thread; looks and count may be read then. Fine when it does not run. */
void growth_end(struct growth *growth);

/* Ends it and frees. A zeroed one is fine. */
void growth_close(struct growth *growth);
