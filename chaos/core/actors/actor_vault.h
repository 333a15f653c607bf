/*
 * actor_vault: what other actors' checks want to know of Vault's verbs.
 */
#pragma once

#include "chaos/core/scenario/check/check.h"

#define ACTOR_VAULT_DECOY "${DECOY}" /* in the headers of respond: the decoy's address */

/* Complains when there certainly is no signing key at this step: it was deleted, or Vault came back
 * without its data, and bootstrap was not run since. */
void actor_vault_check_key(struct check *c, const struct scenario_step *step);
