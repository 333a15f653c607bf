/*
 * hold: the requests that wait, and the watch over their clients.
 *
 * microhttpd does not look at a suspended connection, so a thread here does. A held request ends
 * its wait once, for one reason: it is let go (and will be executed), or its client is gone (and it
 * will not be: a client that has hung up has been told nothing, and executing its request later
 * would sign what nobody asked for any more).
 *
 * Thread-safe. No callback is made under its lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"

struct hold;

/* How a wait ended. */
enum hold_end {
    HOLD_RELEASED,
    HOLD_CLIENT_GONE, /* closed or reset, by either side */
    HOLD_STOPPED,     /* the server stops */
};

/* Called once per request that was put, from any thread. */
typedef void hold_wake(void *context, void *item, enum hold_end end);

MUST_USE enum errc hold_start(hold_wake *wake, void *context, struct hold **out,
                              struct errc_why *why);

/* Ends all waits with HOLD_STOPPED; nothing can be put from now on. */
void hold_stop(struct hold *hold);

/* Ends the thread. Requires that nothing is held. NULL allowed. */
void hold_free(struct hold *hold);

/* Adds a request whose connection is fd; owner is the identity of the rule that holds it, 0 for the
 * general hold. ERRC_NOMEM, ERRC_STATE once stopped: it is not held then. */
MUST_USE enum errc hold_put(struct hold *hold, void *item, int fd, uint64_t owner);

/* Ends the wait of those for which keep(context, owner) is false. Returns how many are let go;
 * those whose client has hung up by now are not, even if the watch has not seen it yet. */
size_t hold_release(struct hold *hold, bool (*keep)(void *context, uint64_t owner), void *context);

size_t hold_count(struct hold *hold);
