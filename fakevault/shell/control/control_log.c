#include "fakevault/shell/control/control_log.h"

#include <stddef.h>

#include "base/count.h"

struct line {
    enum vault_log_level level;
    const char *module;
    const char *message;
};

/* In Vault's words and order (vault/core.go of 1.14). */
static const struct line sealed[] = {
    {VAULT_LOG_INFO, "core", "marked as sealed"},
    {VAULT_LOG_INFO, "core", "pre-seal teardown starting"},
    {VAULT_LOG_INFO, "core", "pre-seal teardown complete"},
    {VAULT_LOG_DEBUG, "core", "sealing barrier"},
    {VAULT_LOG_INFO, "core", "vault is sealed"},
};

static const struct line unsealed[] = {
    {VAULT_LOG_INFO, "core", "vault is unsealed"},
    {VAULT_LOG_INFO, "core", "post-unseal setup starting"},
    {VAULT_LOG_INFO, "core", "post-unseal setup complete"},
};

static void tell(const struct vault_log *log, const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        vault_log_write(log, lines[i].level, lines[i].module, lines[i].message, NULL);
}

void control_log_changes(const struct vault_log *log, const struct control_log_state *before,
                         const struct control_log_state *after, const char *address)
{
    const struct vault_log_pair where[] = {{"address", address}, {NULL, NULL}};
    if (before->sealed != after->sealed) {
        if (after->sealed)
            tell(log, sealed, COUNT(sealed));
        else
            tell(log, unsealed, COUNT(unsealed));
    }
    if (before->closed != after->closed)
        vault_log_write(log, after->closed ? VAULT_LOG_WARN : VAULT_LOG_INFO, "fakevault",
                        after->closed ? "listener is closed, connections are refused"
                                      : "listener is open",
                        where);
    if (before->holding != after->holding)
        vault_log_write(log, after->holding ? VAULT_LOG_WARN : VAULT_LOG_INFO, "fakevault",
                        after->holding ? "requests are held" : "requests go on", NULL);
}

void control_log_crash(const struct vault_log *log)
{
    vault_log_write(log, VAULT_LOG_ERROR, "fakevault", "crash, as it was told: SIGKILL follows",
                    NULL);
}
