/*
 * schedule: runs scenarios, several at a time, and shows how they get on.
 *
 * The first interrupt (Ctrl-C, SIGTERM, SIGHUP) starts nothing new and lets
 * what runs roll back and write its results; the second ends everything at
 * once. However it ends, no process is left.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "chaos/shell/run/runjob.h"
#include "chaos/shell/run/ui.h"

struct schedule_item {
    struct runjob job;
    bool started, over;
    struct runjob_message step;   /* the last one that was told */
    struct runjob_message result; /* when told */
    bool told;
    enum verdict verdict;    /* once it is over */
    struct errc_why trouble; /* of chaos' own; "" for none */
};

struct schedule {
    struct schedule_item *items;
    size_t count;
    size_t at_a_time; /* 1..SCHEDULE_AT_A_TIME_MAX */
    struct ui *ui;
};

#define SCHEDULE_AT_A_TIME_MAX 64u

/* Runs all items that are not over yet. Trouble with one item is its verdict; ERRC_IO when nothing
 * can be waited for. */
MUST_USE enum errc schedule_run(struct schedule *schedule, struct errc_why *why);
