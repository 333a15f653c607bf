#include "chaos/core/language/verb_stack.h"

#include "chaos/core/language/fields.h"

static const char *const storage_words[] = {"file", "inmem", NULL};

static const struct verb_field vault_fields[] = {
    {.name = "storage",
     .type = VERB_WORD,
     .words = storage_words,
     .standard = "file",
     .doc = "file survives a restart and then is sealed; inmem loses everything"},
    {.name = "shares",
     .type = VERB_INT,
     .min = 1,
     .max = 255,
     .standard = "5",
     .doc = "how many unseal keys there are"},
    {.name = "threshold",
     .type = VERB_INT,
     .min = 1,
     .max = 255,
     .standard = "3",
     .doc = "how many of them unseal"},
    {.name = "dev",
     .type = VERB_BOOL,
     .standard = "false",
     .doc = "a dev server: in memory, one unseal key, unsealed at start"},
    {.name = "tls",
     .type = VERB_BOOL,
     .standard = "false",
     .doc = "serves https, with a certificate of an authority that every signer trusts"},
    FIELDS_END};

static const struct verb_field stack_fields[] = {
    {.name = "vault", .type = VERB_FIELDS, .fields = vault_fields, .doc = "the Vault to start"},
    {.name = "services",
     .type = VERB_WORDS,
     .words = fields_services,
     .max = 2,
     .doc = "the signing services to start; both when left out"},
    {.name = "environment",
     .type = VERB_MAP,
     .format = VERB_FORMAT_VARIABLE,
     .max = 32,
     .doc = "variables of every signer, on top of what the stack needs; those that no signer reads "
            "begin with X_"},
    FIELDS_END};

static const struct verb_field scenario_fields[] = {
    {.name = "version",
     .type = VERB_INT,
     .required = true,
     .min = 1,
     .max = 1,
     .doc = "version of this language"},
    {.name = "purpose",
     .type = VERB_TEXT,
     .min = 1,
     .required = true,
     .max = 300,
     .doc = "one line: what the scenario shows"},
    {.name = "tags",
     .type = VERB_TEXTS,
     .format = VERB_FORMAT_NAME,
     .max = 20,
     .doc = "words to select scenarios by"},
    {.name = "stack", .type = VERB_FIELDS, .fields = stack_fields, .doc = "what is started"},
    {.name = "steady_state",
     .type = VERB_STEPS,
     .required = true,
     .max = 500,
     .doc = "what holds in a healthy system; checked before the method and again behind the "
            "rollback"},
    {.name = "method", .type = VERB_STEPS, .required = true, .max = 500, .doc = "the outage"},
    {.name = "rollback",
     .type = VERB_STEPS,
     .max = 500,
     .doc = "how the system is brought back; runs whatever happened before"},
    {.name = "expect",
     .type = VERB_STEPS,
     .max = 500,
     .doc = "what the evidence of the whole run must show"},
    FIELDS_END};

const struct verb_field *verb_scenario_fields(void)
{
    return scenario_fields;
}
