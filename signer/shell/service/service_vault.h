/*
 * service_vault: the service's own look at Vault: health_poll over a transport of its own, without
 * a token, so that it takes no connection from signing and shows no secret to whoever answers.
 */
#pragma once

#include "signer/shell/startup.h"
#include "signer/shell/stderrlog.h"

struct service_stats;
struct service_vault;

/* startup and stats are borrowed until stopped. */
MUST_USE enum errc service_vault_start(const struct startup *startup, struct service_stats *stats,
                                       struct stderrlog log, struct service_vault **out,
                                       struct errc_why *why);
void service_vault_wait_first(struct service_vault *vault, int64_t timeout_ms);
/* NULL allowed. */
void service_vault_stop(struct service_vault *vault);
