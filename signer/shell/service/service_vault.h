/*
 * service_vault: the service's own look at Vault: health_poll over a transport of its own, without
 * a token, so that it takes no connection from signing and shows no secret to whoever answers.
 */
#pragma once

#include "signer/shell/startup.h"
#include "signer/shell/stderrlog.h"

/* Longest ask: a stop may have to wait for it, however long an attempt at signing may take. */
#define SERVICE_VAULT_ASK_MS 5000

struct service_stats;
struct service_vault;

/* startup and stats are borrowed until stopped. */
MUST_USE enum errc service_vault_start(const struct startup *startup, struct service_stats *stats,
                                       struct stderrlog log, struct service_vault **out,
                                       struct errc_why *why);
void service_vault_wait_first(struct service_vault *vault, int64_t timeout_ms);
/* Asks no more; an ask under way ends by itself. */
void service_vault_quit(struct service_vault *vault);

/* Takes at most the time of one ask, SERVICE_VAULT_ASK_MS. NULL allowed. */
void service_vault_stop(struct service_vault *vault);
