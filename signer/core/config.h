/*
 * config: what the environment says, read once at the start.
 *
 *   variable                   default                   meaning
 *   VAULT_ADDR                 https://127.0.0.1:8200    http(s)://host[:port], nothing behind it
 *   VAULT_TOKEN                                          the token; wins over the file
 *   VAULT_TOKEN_FILE                                     file whose first line is the token
 *   VAULT_CACERT               the system's              PEM file of the authority to trust
 *   VAULT_NAMESPACE                                      sent as X-Vault-Namespace
 *   SIGNING_KEY                docugen-manifest          name of the transit key (mount transit/)
 *   ALLOW_FALLBACK_SIGNING     false                     exactly "true" or "false"
 *   FALLBACK_KEY_FILE                                    needed when fallback is allowed
 *   TRUST_FILE                                           the pin; needed to sign, verify, trust
 *   AUDIT_LOG                                            the audit trail; needed to sign
 *   SIGNER_ATTEMPTS            3        1..10            requests per operation
 *   SIGNER_BACKOFF_BASE_MS     250      1..60000
 *   SIGNER_BACKOFF_MAX_MS      2000     base..600000
 *   SIGNER_ATTEMPT_TIMEOUT_MS  2000     1..600000
 *   SIGNER_TOTAL_TIMEOUT_MS    10000    1..3600000
 *   SIGNER_HEALTH_INTERVAL_MS  1000     10..3600000   how often a service asks sys/health
 *   FAKEVAULT_TEST                                       sent as X-Fakevault-Test, for rehearsals
 *
 * What goes into a header has a limit: the token 8192 bytes, the namespace 1024, the test's name
 * 256; VAULT_ADDR 512, SIGNING_KEY 128, a path 4095. A longer value is refused at the start: no
 * request could be made with it.
 *
 * A variable that is set and empty is refused like any other bad value: an empty switch in an
 * env file is a mistake that must not pass for a default (failures.md S4).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"

enum config_need {
    CONFIG_NEED_TOKEN = 1 << 0,
    CONFIG_NEED_TRUST = 1 << 1,
    CONFIG_NEED_AUDIT = 1 << 2,
};

struct config_retry {
    int64_t attempts;
    int64_t backoff_base_ms;
    int64_t backoff_max_ms;
    int64_t attempt_timeout_ms;
    int64_t total_timeout_ms;
};

/* All strings are borrowed from the source, NULL when the variable is not set and has no
 * default. */
struct config {
    const char *vault_addr;
    const char *vault_token; /* secret: to be moved into locked memory by the shell */
    const char *vault_token_file;
    const char *vault_cacert;
    const char *vault_namespace;
    const char *signing_key;
    bool allow_fallback;
    const char *fallback_key_file;
    const char *trust_file;
    const char *audit_log;
    struct config_retry retry;
    int64_t health_interval_ms; /* of a service's own poll of sys/health */
    const char *test;
};

/* Where values come from: getenv in the shell, a table in tests. */
struct config_source {
    const char *(*get)(void *context, const char *name); /* NULL when it is not set */
    void *context;
};

/*
 * Reads every variable. `needs` is a set of enum config_need: what the command cannot do
 * without. ERRC_USAGE with one line that names the variable and quotes its value (never that of
 * VAULT_TOKEN).
 */
MUST_USE enum errc config_read(const struct config_source *source, unsigned needs,
                               struct config *out, struct errc_why *why);

/* Appends a line for each variable: name, meaning, default. */
void config_help(struct buf *out);
