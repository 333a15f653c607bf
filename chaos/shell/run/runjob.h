/*
 * runjob: one scenario in a process of its own (guard.h), and what it tells the
 * controller through a pipe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "chaos/core/judge/verdict.h"
#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/scenario.h"
#include "chaos/shell/process/guard.h"
#include "chaos/shell/stack/folder.h"

#define RUNJOB_TEXT_BYTES 200u

/* What all scenarios of one call share. Absolute paths. */
struct runjob_options {
    const char *program;
    const char *signer;
    const char *fakevault;
    const char *runs; /* the folder of all results */
    uint64_t seed;
    bool keep; /* leave the private part of the run's folder */
};

enum runjob_kind {
    RUNJOB_STEP,   /* a step begins or has ended */
    RUNJOB_RESULT, /* the last message: the files are written */
};

/* One message; smaller than PIPE_BUF, so a write is whole or not at all. */
struct runjob_message {
    enum runjob_kind kind;
    size_t number, total;         /* of the step */
    const char *phase;            /* a literal: both ends are the same program */
    bool finished, met;           /* of the step */
    char text[RUNJOB_TEXT_BYTES]; /* the step; with RUNJOB_RESULT the trouble of writing, or "" */
    enum verdict verdict;
    int64_t wall_ms;
    int64_t wait_ms; /* waits by design within */
};

struct runjob {
    const struct scenario *scenario;
    const struct plan *plan;
    const struct runjob_options *options;
    struct folder_path file;          /* the scenario's, absolute */
    struct slice text;                /* of it */
    struct folder_path folder;        /* of the run */
    struct folder_path socket_folder; /* "" once removed */
    struct guard guard;
    int message_fd; /* -1 when closed */
    int write_fd;   /* the runner's end */
};

/* Makes the folders and starts it. ERRC_IO. Messages come on message_fd; its end of file, or that
 * of the guard, is the end of the run. */
MUST_USE enum errc runjob_start(struct runjob *job, struct errc_why *why);

/* Reads one message; false at the end of file. */
bool runjob_read(struct runjob *job, struct runjob_message *out);

/* Reaps it and closes what is open; returns the guard's exit code. */
int runjob_finish(struct runjob *job);
