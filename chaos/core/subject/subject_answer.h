/*
 * subject_answer: what a subject answers, understood.
 */
#pragma once

#include "base/text/slice.h"
#include "chaos/core/subject/subject.h"
#include "chaos/core/world.h"

/* Takes the words of an answer; what it does not say becomes "" or -1. One that is no JSON says
 * nothing. */
void subject_answer_take(const struct subject_door *door, struct slice answer,
                         struct world_call *told);

/* True when a service has taken what it was asked for: there is a run to wait for. */
bool subject_answer_accepted(int http_status);

/* True when this answer to a question for a run is its last one: it ended, or there is none. */
bool subject_answer_is_last(const struct subject *subject, const struct world_call *told);
