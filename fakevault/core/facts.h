/*
 * facts: what a request is about, for fault rules and the journal, whatever will become of it: also
 * while sealed, when the mounts are not known and the first part of the path is taken for one.
 */
#pragma once

#include "fakevault/core/call.h"

/* Hashes the decoded inputs of a request whose path reads as one of transit's, below whatever
 * mount: the long part, which looks at nothing but the request. */
void facts_note_inputs(struct vault_job *job);

/* Fills the rest of job->facts; drops inputs that were none. Never answers, as above. */
void facts_fill(struct vault_job *job);
