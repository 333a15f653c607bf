/*
 * server_options: the command line and environment of `fakevault server`, read once and checked
 * before anything starts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/flags.h"
#include "base/limits.h"
#include "fakevault/shell/data/tls.h"
#include "fakevault/shell/server_config.h"

struct server_options {
    bool as_vault; /* started under the name `vault`: its defaults, its greeting */
    bool dev;
    bool help;
    bool no_store_token;             /* dev, under the name `vault`: leave ~/.vault-token alone */
    struct flags_texts config_paths; /* files and folders */
    struct server_config config;     /* what they say; flags win */
    const char *dev_root_token_id;   /* NULL: VAULT_DEV_ROOT_TOKEN_ID, else one is made up */
    const char *dev_listen_address;
    const char *listen;
    const char *storage; /* "inmem" or "file" */
    const char *path;    /* folder of the durable storage */
    const char *admin;
    const char *admin_token_file;
    const char *port_file;
    const char *journal;
    const char *report_version;
    struct tls_options tls; /* without a certificate file: no TLS */
    int64_t seed;           /* -1: pick one */
    int64_t ready_fd;       /* -1: none */
    bool durable;           /* storage is "file" */
    bool ignored_switch;    /* flags that Vault has and that mean nothing here */
    const char *ignored_text;
    const char *log_level; /* what vault_log_set reads; NULL: its default */
    const char *log_format;
    char journal_default[LIMIT_PATH_BYTES];
};

/* ERRC_USAGE with one sentence that names the flag, and what server_config_load says. Texts are
 * lent by argv, the environment and the configuration. server_options_done is due whatever it
 * returns. */
MUST_USE enum errc server_options_parse(int argc, char *const argv[], bool as_vault,
                                        struct server_options *out, struct errc_why *why);
void server_options_done(struct server_options *options);

void server_options_print_help(void);
