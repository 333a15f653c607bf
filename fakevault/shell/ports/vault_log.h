/*
 * vault_log: the server's log on stderr, in Vault's words, levels and formats.
 *
 *     2026-11-23T18:11:46.081Z [INFO]  core: vault is sealed
 *     {"@level":"info","@message":"vault is sealed","@module":"core","@timestamp":"2026-…Z"}
 *
 * What Vault has no words for (its listener never closes by itself) is told by the module
 * "fakevault".
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/errc.h"

enum vault_log_level {
    VAULT_LOG_TRACE,
    VAULT_LOG_DEBUG,
    VAULT_LOG_INFO,
    VAULT_LOG_WARN,
    VAULT_LOG_ERROR,
    VAULT_LOG_LEVEL_COUNT
};

struct vault_log {
    struct clock clock;
    enum vault_log_level least; /* what is below is left out */
    bool json;
};

struct vault_log_pair {
    const char *key;
    const char *value;
};

/* Reads Vault's names ("trace" to "error", "err", any case) and formats ("standard", "json"); NULL
 * is the default, info and standard. ERRC_USAGE in Vault's words. */
MUST_USE enum errc vault_log_set(struct vault_log *log, const char *level, const char *format,
                                 struct errc_why *why);

/* Writes a line in one write; pairs end with a NULL key, NULL for none. Any thread; a NULL log
 * writes nothing. */
void vault_log_write(const struct vault_log *log, enum vault_log_level level, const char *module,
                     const char *message, const struct vault_log_pair *pairs);
