/*
 * server_config: what Vault's configuration files say, as far as it means something here: HCL or
 * JSON, files or folders of them, a later file wins.
 *
 *     storage "file" { path = "/vault/file" }
 *     listener "tcp" { address = "127.0.0.1:8200" tls_cert_file = "c.pem" tls_key_file = "k.pem" }
 *
 * Keys that Vault knows and that change nothing here are accepted. Keys that nobody knows are
 * noted, as Vault does; what cannot be had (a seal by a cloud's keys, another storage) is an error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"
#include "base/text/slice.h"
#include "fakevault/shell/data/tls.h"

#define SERVER_CONFIG_NOTES_MAX 32u

struct server_config {
    const char *storage; /* "inmem" or "file"; NULL: none was given */
    const char *path;    /* of "file" */
    bool has_listener;
    const char *address; /* "127.0.0.1:8200" unless given */
    bool tls_disable;
    bool verify_clients;                        /* tls_require_and_verify_client_cert */
    bool no_client_certs;                       /* tls_disable_client_certs */
    struct tls_options tls;                     /* texts of the listener */
    const char *api_address;                    /* NULL: none */
    const char *pid_file;                       /* NULL: none */
    const char *log_level;                      /* NULL: none */
    const char *log_format;                     /* NULL: none */
    const char *notes[SERVER_CONFIG_NOTES_MAX]; /* for the log, NULL behind the last */

    struct server_config_text *texts; /* memory of all the above */
};

/* Adds one file's text to config; name is the file's, for sentences. ERRC_SYNTAX, ERRC_SCHEMA with
 * the line and column, ERRC_NOMEM. */
MUST_USE enum errc server_config_parse(struct slice text, const char *name,
                                       struct server_config *config, struct errc_why *why);

/* Adds a file, or the *.hcl and *.json of a folder in the order of their names. What
 * server_config_parse and file_read say. */
MUST_USE enum errc server_config_load(const char *path, struct server_config *config,
                                      struct errc_why *why);

/* ERRC_USAGE when the parts do not fit together; fills tls for a listener that has it. */
MUST_USE enum errc server_config_check(struct server_config *config, struct errc_why *why);

/* Frees the texts; a zeroed config is fine. */
void server_config_done(struct server_config *config);
