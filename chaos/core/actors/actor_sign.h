/*
 * actor_sign: what a sign step asks for, beside the table of the actor (actors.h).
 */
#pragma once

#include "chaos/core/scenario/scenario.h"
#include "chaos/core/subject/subject_bundle.h"

/* True when the step asks for another content under an id that was asked for before; when it gives
 * a checksum that does not fit. Either must be refused. Requires a step of the actor `sign`. */
bool actor_sign_is_other(const struct scenario_step *step);
bool actor_sign_is_wrong(const struct scenario_step *step);

/* The bundle that a step asks for; its metadata is lent. Requires a step without `retry`. */
struct subject_bundle actor_sign_bundle(const struct scenario_step *step);
