/*
 * exercise: whether the faults of a scenario were really met.
 *
 * A scenario that passes although nobody ran into its outage proves nothing.
 * What counts as a meeting depends on who can count it:
 *
 *     rule        requests in the journal that carry the rule's id
 *     sealed      sign requests in the journal that were answered 503 meanwhile
 *     held        sign requests in the journal that were not answered before it ended
 *     refused     attempts in the trail that ended in connection refused meanwhile; a closed
 *     dead        listener and a dead process cannot count, so without any it stays unknown
 *     frozen      attempts that timed out meanwhile; else unknown
 *     restarted   sign requests that reached the next process
 *     key         sign requests behind the change
 *     fallback key   refusals in the trail that name it
 */
#pragma once

#include "chaos/core/judge/judgement.h"
#include "chaos/core/ledger/evidence.h"

/* Derives the faults of the run from its changes and the journal, fills their hits and evidence,
 * and adds a finding for each declared one that was not met. */
void exercise_judge(struct judgement *out, const struct evidence *evidence);
