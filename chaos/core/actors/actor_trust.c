#include "base/count.h"
#include "chaos/core/actors/actor_vault.h"
#include "chaos/core/actors/actors.h"

static const char *const accept_words[] = {"vault_key", NULL};

static const struct verb verbs[] = {
    {.name = "accept",
     .doc = "pins the key that Vault has now (signer trust accept)",
     .main = {.type = VERB_WORD,
              .words = accept_words,
              .standard = "vault_key",
              .doc = "whose key; there is only Vault's"},
     .check = actor_vault_check_key,
     .effect = {.clears = CONDITION_KEY},
     .excludes = CONDITION_UNANSWERED},
};

const struct actor actor_trust = {
    .name = "trust", .of_subject = true, .verbs = verbs, .verb_count = COUNT(verbs)};
