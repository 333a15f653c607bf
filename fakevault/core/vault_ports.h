/*
 * vault_ports: what a vault stands on, and what it is told to be.
 */
#pragma once

#include <stdbool.h>

#include "base/entropy.h"
#include "base/secret.h"
#include "fakevault/core/audit/audit_lines.h"
#include "fakevault/core/crypto.h"
#include "fakevault/core/store/store.h"

/* What the vault stands on; all must outlive it. The store is written by this vault alone. */
struct vault_ports {
    const struct crypto *crypto;
    const struct store *store;
    struct entropy entropy;
    const struct audit_port *audit; /* NULL: audit devices cannot be enabled */
    struct secret_arena *arena; /* for this vault alone, so that "empty" can be seen after a seal */
};

struct vault_options {
    const char *report_version; /* what `version` says; NULL is "1.14.9". Borrowed */
    bool ui;                    /* a page at /ui/, and redirects to it, as Vault's dev mode has */
    bool prometheus;            /* sys/metrics has Prometheus' format */
    bool open_metrics;          /* sys/metrics asks for no token */
};
