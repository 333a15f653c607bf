/*
 * invariants: what must hold in every run, whatever its scenario says, as far as it can be
 * observed.
 *
 * Each violation is a finding that names what was expected, what was found, and
 * the ledger lines. An invariant whose evidence is missing is not judged: the
 * missing evidence is a finding by itself.
 */
#pragma once

#include <stddef.h>

#include "chaos/core/judge/judgement.h"
#include "chaos/core/ledger/evidence.h"

/* Judges all of them; stamps of a clock that is off are set right in the evidence. Adds findings
 * and fills the counts of orphans and resends. */
void invariants_judge(struct judgement *out, struct evidence *evidence);

/* Name and meaning of invariant i, for reports and the page about scenarios; NULL behind the
 * last. */
const char *invariants_name(size_t i);
const char *invariants_meaning(size_t i);
