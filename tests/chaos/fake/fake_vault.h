/*
 * fake_vault: a Vault for the fake world that understands every verb (vault_machine.h): a signer
 * meets it dead, frozen, closed, holding, sealed or with rules, as the scenario left it.
 */
#pragma once

#include "chaos/core/world.h"
#include "tests/chaos/fake/vault_machine.h"

/* Returns the machine's verb for a step, or NULL: it does nothing to Vault. */
const struct vault_machine_verb *fake_vault_verb(const struct scenario_step *step);

/* Carries out a step. ERRC_STATE when it cannot be where it stands. */
enum errc fake_vault_act(struct vault_machine *m, const struct world_step *step,
                         struct errc_why *why);

/* The answer to a sign request; 0: there is none. *rule: the id of the rule that took it, valid
 * until the next one, or NULL. */
int fake_vault_answer(struct vault_machine *m, const char **rule);
