/*
 * survey: asks the subject's surfaces that no step of a scenario asks, and keeps what they answer
 * (world.h, survey): health and metrics of each service behind each call; at the end also the runs
 * and manifests over HTTP, and the command that verifies manifests.
 *
 * A service that does not run, or is frozen, is not asked; one that does not answer in
 * SURVEY_PATIENCE_MS is not waited for. Nothing of it may change what the scenario rehearses.
 */
#pragma once

#include "chaos/core/scenario/pool.h"
#include "chaos/core/world.h"
#include "chaos/shell/stack/stack.h"
#include "chaos/shell/world/signcall.h"

#define SURVEY_PATIENCE_MS 300        /* for one answer */
#define SURVEY_COMMAND_MS 10000       /* for a command to end */
#define SURVEY_BUNDLES_MAX 32u        /* that are asked for at the end; the last ones */
#define SURVEY_MANIFESTS_MAX 3u       /* that are verified, each of another key */
#define SURVEY_FILE "surfaces.ndjson" /* in the run's folder */

/* A command under way; several run at once. */
struct survey_question {
    struct proc proc;
    struct world_sample sample;
    struct folder_path output;
    bool asked;
};

struct survey {
    struct stack *stack;
    const struct signcalls *calls;
    struct pool pool; /* owns the texts */
    struct world_sample *items;
    size_t count, room;
    struct survey_question questions[SURVEY_MANIFESTS_MAX + 2]; /* the manifests, one that was
                                                                   changed, the pin */
    size_t question_count;
};

/* Starts with none; from now on the answers to calls are kept, too. */
void survey_open(struct survey *survey, struct stack *stack, struct signcalls *calls);
void survey_close(struct survey *survey); /* a zeroed one is fine */

void survey_ask(struct survey *survey, enum world_moment moment);

/* Takes the answers of the commands, which run while everything else ends. */
void survey_finish(struct survey *survey);

/* Writes what came to SURVEY_FILE; a text with a secret is left out. */
void survey_write(const struct survey *survey);
