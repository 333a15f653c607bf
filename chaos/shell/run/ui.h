/*
 * ui: what `chaos run` shows: a table that grows by one row per scenario, and,
 * on a terminal, one line of progress for each that runs.
 *
 * Without a terminal there are only rows. NO_COLOR and TERM=dumb are honoured;
 * a terminal that is not UTF-8 gets ASCII.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text/slice.h"
#include "chaos/core/judge/verdict.h"
#include "chaos/shell/run/runjob.h"

enum ui_level { UI_SILENT, UI_QUIET, UI_NORMAL, UI_VERBOSE };

struct ui {
    FILE *out;
    enum ui_level level;
    bool live; /* progress lines are drawn */
    bool colour;
    bool utf8;
    int width;      /* columns of the terminal */
    int name_width; /* of the longest scenario name */
    int drawn;      /* progress lines on the screen */
};

/* A scenario that runs. */
struct ui_running {
    const char *name;
    struct runjob_message last; /* total 0: no step yet */
};

/* A scenario that is over. */
struct ui_row {
    const char *name;
    const char *purpose;
    enum verdict verdict;
    int64_t wall_ms, wait_ms;
    struct slice findings; /* text, one per line; "" */
    const char *folder;    /* of the run; NULL: none */
};

struct ui_total {
    size_t counts[VERDICT_COUNT];
    int64_t wall_ms;
    int64_t wait_ms;
    const char *runs;
};

/* Looks at out (a terminal or not) and at the environment. UI_SILENT shows nothing at all. */
void ui_open(struct ui *ui, FILE *out, enum ui_level level, int name_width);

void ui_head(struct ui *ui, size_t scenarios, int at_a_time, uint64_t seed);
void ui_step(struct ui *ui, const char *name, const struct runjob_message *step);
void ui_row(struct ui *ui, const struct ui_row *row);

/* Draws the progress lines anew, or none when nothing runs. */
void ui_progress(struct ui *ui, const struct ui_running *running, size_t count);

/* One line between the rows, e.g. that an interrupt was heard. */
void ui_say(struct ui *ui, const char *text);

void ui_total(struct ui *ui, const struct ui_total *total);
