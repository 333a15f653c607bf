/*
 * gather: what a run leaves behind, read as it lies there now.
 *
 * Files are read whole; a program that is gone leaves its files, but no longer
 * answers for its metrics or its state. Nothing is interpreted here: that is
 * the core's.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/world.h"
#include "chaos/shell/stack/stack.h"

/* Appends the evidence (world.h says which names go with which kind). ERRC_NOT_FOUND: there is
 * none; ERRC_UNAVAILABLE, ERRC_TIMEOUT: its program does not answer. */
MUST_USE enum errc gather_read(struct stack *stack, enum world_evidence kind, const char *name,
                               uint64_t from, struct buf *out, struct errc_why *why);

/* Fills pairs with what a service, or the last run of the command, was started with, without its
 * token; 0: it was never started. */
size_t gather_environment(struct stack *stack, const char *name,
                          struct scenario_pair pairs[static ENVMAP_MAX]);

/* Watches the files that evidence is read from. */
struct gather_watch {
    int fd; /* inotify; -1: none, and then a wait is a short one */
};
void gather_watch_open(struct gather_watch *watch, const struct stack *stack);
void gather_watch_close(struct gather_watch *watch);

/* Blocks until a file has changed since the last call, an interrupt comes (ERRC_UNAVAILABLE), or
 * the deadline is over. What has no file (metrics, state) may change unseen: after
 * GATHER_ASK_AGAIN_MS it returns in any case. */
#define GATHER_ASK_AGAIN_MS 20
enum errc gather_watch_wait(struct gather_watch *watch, const struct await *await,
                            int64_t deadline_ns);
