/*
 * fake_survey: the surfaces of the fake world's signer: what it counts, and what it answers when it
 * is asked, truly unless the test changes an answer (fake_world.h).
 */
#pragma once

#include "tests/chaos/fake/fake_world.h"

/* Counts an attempt; wait_ms -1: nothing was waited before it. */
void fake_survey_attempt(struct fake_world *f, const char *class, int wait_ms);

/* Counts what came of a call, and keeps what was told. */
void fake_survey_told(struct fake_world *f, const struct world_call *told);

/* The port (world.h). */
void fake_survey(void *context, enum world_moment moment);
size_t fake_survey_samples(void *context, const struct world_sample **out);
