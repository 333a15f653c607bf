/*
 * transport_curl: HTTP by libcurl, the only file that sees it.
 *
 * Connections are kept and used again, one per request at a time, at most
 * LIMIT_IDLE_CONNECTIONS idle ones. No proxy, no redirect, no `Expect`. libcurl sends a POST again
 * by itself when a kept connection turns out to be dead; each of those is counted (`resends`).
 */
#pragma once

#include "base/errc.h"
#include "base/limits.h"
#include "base/secret.h"
#include "signer/core/attempt/transport.h"
#include "signer/core/config.h"

struct transport_curl;

/* config and token are borrowed until closed; token may be NULL or empty. ERRC_IO when VAULT_CACERT
 * cannot be read, ERRC_NOMEM. */
MUST_USE enum errc transport_curl_open(const struct config *config, const struct secret *token,
                                       struct transport_curl **out, struct errc_why *why);
void transport_curl_close(struct transport_curl *transport);

/* The port; valid until closed. Its send may be called from any thread. */
struct transport transport_curl_port(struct transport_curl *transport);
