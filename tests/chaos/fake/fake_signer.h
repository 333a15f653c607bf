/*
 * fake_signer: the signer of a fake world: it attempts, falls back, audits and publishes, and
 * misbehaves as the world's switches say.
 */
#pragma once

#include "tests/chaos/fake/fake_world.h"

/* Signs a new bundle for a sign step; *call is what the caller is told. */
void fake_signer_sign(struct fake_world *f, const struct scenario_step *step,
                      struct world_call *call);

/* Appends what somebody asked to be signed for a bundle. */
void fake_signer_asked(const char *bundle, struct buf *out);
