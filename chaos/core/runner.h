/*
 * runner: carries out one scenario over a world, writes down what was done, and
 * has it judged.
 *
 * steady state -> method -> rollback, always -> steady state again -> collect
 * -> judge. It reads no clock and starts nothing itself: all of that is the
 * world's (world.h). The steady state failing before the method ends the run
 * (not started); failing behind the rollback it is dirty. A stop asked for by
 * the user skips what is left of the method, and still rolls back.
 */
#pragma once

#include "chaos/core/judge/judgement.h"
#include "chaos/core/record.h"

#define RUNNER_DEADLINE_MS                                                                         \
    (30 * 60 *                                                                                     \
     1000) /* of a whole run; afterwards it is only rolled back                          \
                      */

/*
 * Runs the scenario. Both are to be ended whatever happens (record_done, judgement_done); they
 * borrow scenario and plan, and the judgement the record. There is no error: trouble is a verdict.
 */
void runner_run(const struct scenario *scenario, const struct plan *plan, const struct world *world,
                uint64_t seed, struct record *record, struct judgement *judged);
