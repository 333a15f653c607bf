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

#include "chaos/core/ledger/evidence.h"
#include "chaos/core/runner.h"

/* Fills hits and evidence of every fault of the run, and adds a finding for each one that was not
 * met. Requires ledgers without the problems that evidence->problems would tell. */
void exercise_judge(struct runner *run, const struct evidence *evidence);
