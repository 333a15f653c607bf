/*
 * server_options: the command line and environment of `fakevault server`, read once and checked
 * before anything starts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/limits.h"
#include "fakevault/shell/data/tls.h"

struct server_options {
    bool dev;
    bool help;
    const char *dev_root_token_id; /* NULL: VAULT_DEV_ROOT_TOKEN_ID, else one is made up */
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
    char journal_default[LIMIT_PATH_BYTES];
};

/* ERRC_USAGE with one sentence that names the flag. Texts are lent by argv and the environment. */
MUST_USE enum errc server_options_parse(int argc, char *const argv[], struct server_options *out,
                                        struct errc_why *why);

void server_options_print_help(void);
