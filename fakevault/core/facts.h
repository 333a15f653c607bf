/*
 * facts: what a request is about, for fault rules and the journal, whatever will become of it: also
 * while sealed, when the mounts are not known and the first part of the path is taken for one.
 */
#pragma once

#include "fakevault/core/call.h"

/* Fills job->facts from what was read of the request. Never answers. */
void facts_fill(struct vault_job *job);
