/*
 * vault_client: what chaos asks of fakevault: Vault's own API as an operator
 * uses it, and the control API.
 *
 * Every call has one connection and one deadline (httpcall.h). An answer that
 * is an error of the server becomes ERRC_STATE with the server's words; the
 * caller decides what it means.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/shell/process/await.h"

#define VAULT_CLIENT_TOKEN_BYTES 128u
#define VAULT_CLIENT_MARK_BYTES 64u

struct vault_client {
    const struct await *await;
    int64_t patience_ms;                  /* for each call */
    char address[64];                     /* "http://127.0.0.1:8200" */
    const char *authority;                /* PEM file, of https; NULL: none */
    char admin[112];                      /* path of the control socket */
    char token[VAULT_CLIENT_TOKEN_BYTES]; /* secret */
    char mark[VAULT_CLIENT_MARK_BYTES];   /* sent along with each call of Vault's API, so that the
                                             journal tells it from those of the client; "": none */
};

/* One call of the control API; body NULL: none. *out (may be NULL) is the
 * caller's. ERRC_UNAVAILABLE, ERRC_TIMEOUT, ERRC_STATE, ERRC_SYNTAX. */
MUST_USE enum errc vault_client_control(const struct vault_client *client, const char *method,
                                        const char *path, struct slice body, json_t **out,
                                        struct errc_why *why);

/* Appends the answer of GET `path` of the control API as it came. */
MUST_USE enum errc vault_client_control_text(const struct vault_client *client, const char *path,
                                             struct buf *out, struct errc_why *why);

/* Initialises; *shares is an array of base64 texts (the caller's), and the root
 * token becomes the client's. */
MUST_USE enum errc vault_client_init(struct vault_client *client, int shares, int threshold,
                                     json_t **shares_out, struct errc_why *why);

/* Gives the next `count` shares, one request each as an operator would: those behind the ones that
 * were entered already; none when it is not sealed any more. *sealed and *progress tell where that
 * led. */
MUST_USE enum errc vault_client_unseal(const struct vault_client *client, const json_t *shares,
                                       size_t count, bool *sealed, int64_t *progress,
                                       struct errc_why *why);

/* What DocuGen's bootstrap-vault.sh does on the server: transit is mounted
 * unless it is, and the key (ecdsa-p256, exportable) is there. */
MUST_USE enum errc vault_client_bootstrap(const struct vault_client *client, const char *key,
                                          struct errc_why *why);

MUST_USE enum errc vault_client_rotate_key(const struct vault_client *client, const char *key,
                                           struct errc_why *why);
/* Allows deletion, then deletes. */
MUST_USE enum errc vault_client_delete_key(const struct vault_client *client, const char *key,
                                           struct errc_why *why);

/* Calls take(context, version, pem) for every version of the key. */
MUST_USE enum errc vault_client_each_key(const struct vault_client *client, const char *key,
                                         enum errc (*take)(void *context, int version,
                                                           const char *pem, struct errc_why *why),
                                         void *context, struct errc_why *why);
