/*
 * evidence_leaks: which of the texts that a run left behind have a secret in them. The texts are
 * read one after the other and not kept.
 */
#pragma once

#include "chaos/core/ledger/evidence.h"

/* After evidence_collect. Looks through every file that the world lists, or, when it lists none,
 * through ledgers, logs and manifests. A file that cannot be read is a problem. ERRC_NOMEM,
 * ERRC_TOO_BIG, or what the world's files says. */
MUST_USE enum errc evidence_leaks_collect(struct evidence *evidence, const struct world *world,
                                          struct errc_why *why);
