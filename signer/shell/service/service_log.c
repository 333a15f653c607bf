#include "signer/shell/service/service_log.h"

#include <stdio.h>

#include "signer/shell/files/trust_file.h"
#include "signer/shell/keyport_openssl.h"

void service_log_word(const struct stderrlog *log, const char *level, const char *event)
{
    struct stderrlog_line line;
    stderrlog_begin(log, &line, level, event);
    stderrlog_end(&line);
}

static void warn(const struct stderrlog *log, const char *event, const char *message)
{
    struct stderrlog_line line;
    stderrlog_begin(log, &line, "warn", event);
    logline_add(&line.line, "message", message);
    stderrlog_end(&line);
}

/* Adds the pin as it is now; a missing one is told by a warning, signing refuses by itself. */
static bool add_pin(const struct startup *startup, struct logline *line, struct errc_why *why)
{
    const struct keyport keyport = keyport_openssl();
    struct trust trust CLEANUP(trust_done);
    trust_init(&trust);
    if (trust_file_read(startup->config.trust_file, &keyport, &trust, why) != ERRC_OK)
        return false;
    const struct trust_key *pin = trust_pin(&trust);
    if (pin == NULL) {
        (void)errc_fail(why, ERRC_NOT_FOUND, "\"%s\" pins no key", startup->config.trust_file);
        return false;
    }
    logline_add(line, "key", pin->key.fingerprint);
    logline_add_int(line, "key_version", pin->version);
    return true;
}

void service_log_start(const struct stderrlog *log, const struct service_options *options,
                       const struct startup *startup, const struct service_listen *socket)
{
    const struct config *config = &startup->config;
    struct stderrlog_line line;
    struct errc_why why = {0};
    stderrlog_begin(log, &line, "info", "started");
    logline_add(&line.line, "version", PROJECT_VERSION);
    logline_add(&line.line, "listen", options->listen);
    logline_add_int(&line.line, "port", socket->port);
    logline_add(&line.line, "data", options->data);
    logline_add(&line.line, "vault_addr", config->vault_addr);
    logline_add(&line.line, "signing_key", config->signing_key);
    logline_add(&line.line, "ALLOW_FALLBACK_SIGNING", config->allow_fallback ? "true" : "false");
    logline_add_int(&line.line, "attempts", config->retry.attempts);
    logline_add_int(&line.line, "threads", options->threads);
    logline_add_int(&line.line, "queue", options->queue);
    bool pinned = add_pin(startup, &line.line, &why);
    stderrlog_end(&line);
    if (!pinned)
        warn(log, "no_pin", why.text);
    if (config->allow_fallback)
        warn(log, "fallback_on",
             "ALLOW_FALLBACK_SIGNING=true: while Vault is not available, manifests are signed with "
             "the local key; this holds until the service is started again without it");
    if (!socket->loopback)
        warn(log, "open_to_network", "whoever reaches this port can have bundles signed");
}

void service_log_run(const struct stderrlog *log, const struct run *run)
{
    char event[40];
    struct stderrlog_line line;
    (void)snprintf(event, sizeof event, "run_%s", run_status_name(run->status));
    stderrlog_begin(log, &line, run->status == RUN_COMPLETED ? "info" : "error", event);
    logline_add(&line.line, "bundle", run->id);
    if (run->error.code[0] != '\0') {
        logline_add(&line.line, "code", run->error.code);
        logline_add(&line.line, "message", run->error.message);
    }
    stderrlog_end(&line);
}

void service_log_taken_up(const struct stderrlog *log, const struct run *run)
{
    struct stderrlog_line line;
    stderrlog_begin(log, &line, "info", "run_taken_up");
    logline_add(&line.line, "bundle", run->id);
    logline_add(&line.line, "was", run_status_name(run->status));
    stderrlog_end(&line);
}

void service_log_trouble(const struct stderrlog *log, const char *what, const struct errc_why *why)
{
    struct stderrlog_line line;
    stderrlog_begin(log, &line, "error", "store_trouble");
    logline_add(&line.line, "bundle", what);
    logline_add(&line.line, "message", why->text);
    stderrlog_end(&line);
}

void service_log_vault(const struct stderrlog *log, bool up, const struct errc_why *why)
{
    struct stderrlog_line line;
    stderrlog_begin(log, &line, up ? "info" : "warn", up ? "vault_up" : "vault_down");
    if (!up)
        logline_add(&line.line, "reason", why->text);
    stderrlog_end(&line);
}

void service_log_stopped(const struct stderrlog *log, unsigned unfinished)
{
    struct stderrlog_line line;
    stderrlog_begin(log, &line, unfinished > 0 ? "warn" : "info", "stopped");
    logline_add_int(&line.line, "unfinished", unfinished);
    stderrlog_end(&line);
}
