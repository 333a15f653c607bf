#include "signer/shell/service/service_vault.h"

#include <stdlib.h>

#include "signer/shell/service/health_poll.h"
#include "signer/shell/service/service_log.h"
#include "signer/shell/service/service_stats.h"
#include "signer/shell/signing.h"
#include "signer/shell/transport_curl.h"

struct service_vault {
    const struct startup *startup;
    struct service_stats *stats;
    struct stderrlog log;
    struct transport_curl *curl;
    struct health_poll *poll;
    bool told; /* the poll's thread only */
};

static bool ask(void *context, struct errc_why *why)
{
    struct service_vault *v = context;
    const struct transport transport = transport_curl_port(v->curl);
    enum classify_class class;
    int64_t ms = v->startup->config.retry.attempt_timeout_ms;
    ms = ms < SERVICE_VAULT_ASK_MS ? ms : SERVICE_VAULT_ASK_MS;
    return signing_probe(&transport, ms, &class, why) == ERRC_OK;
}

static void told(void *context, bool up, const struct errc_why *why)
{
    struct service_vault *v = context;
    bool changed = service_stats_vault(v->stats, up, why);
    if (changed || !v->told)
        service_log_vault(&v->log, up, why);
    v->told = true;
}

static enum errc open_in(struct service_vault *v, struct errc_why *why)
{
    const struct config *config = &v->startup->config;
    const struct health_poll_ports ports = {.ask = ask, .told = told, .context = v};
    TRY(transport_curl_open(config, NULL, &v->curl, why));
    return health_poll_start(&ports, config->health_interval_ms, &v->poll, why);
}

enum errc service_vault_start(const struct startup *startup, struct service_stats *stats,
                              struct stderrlog log, struct service_vault **out,
                              struct errc_why *why)
{
    struct service_vault *v = calloc(1, sizeof *v);
    if (v == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    *v = (struct service_vault){.startup = startup, .stats = stats, .log = log};
    enum errc code = open_in(v, why);
    if (code != ERRC_OK) {
        service_vault_stop(v);
        return code;
    }
    *out = v;
    return ERRC_OK;
}

void service_vault_wait_first(struct service_vault *vault, int64_t timeout_ms)
{
    health_poll_wait_first(vault->poll, timeout_ms);
}

void service_vault_quit(struct service_vault *vault)
{
    health_poll_quit(vault->poll);
}

void service_vault_stop(struct service_vault *vault)
{
    if (vault == NULL)
        return;
    health_poll_stop(vault->poll);
    if (vault->curl != NULL)
        transport_curl_close(vault->curl);
    free(vault);
}
