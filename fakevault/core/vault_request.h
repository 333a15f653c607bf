/*
 * vault_request: what goes into a vault, and what is known of it before it is executed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/text/slice.h"

/* A request as it stood on the wire. Everything is borrowed until vault_end or vault_cancel. Header
 * values are empty when the header is missing. */
struct vault_request {
    struct slice method;
    struct slice path;            /* raw: percent-encoded, without the query: "/v1/sys/health" */
    struct slice query;           /* raw, without '?' */
    struct slice token;           /* X-Vault-Token */
    struct slice authorization;   /* Authorization */
    struct slice wrap_ttl;        /* X-Vault-Wrap-TTL */
    struct slice content_type;    /* Content-Type */
    struct slice namespace;       /* X-Vault-Namespace; comes back in the reply */
    struct slice policy_override; /* X-Vault-Policy-Override */
    struct slice forward;         /* X-Vault-Forward */
    struct slice inconsistent;    /* X-Vault-Inconsistent */
    struct slice accept;          /* Accept */
    /* Any other header by its name, NULL for none. May be NULL; called until vault_end. */
    const char *(*header)(const void *context, const char *name);
    const void *header_context;
    struct slice body;
    struct slice remote_address; /* who sent it: "127.0.0.1"; empty: not known */
    int remote_port;             /* 0: not known */
    bool body_too_large;         /* the body went over LIMIT_REQUEST_BODY_BYTES and is not here */
};

/* What a request is about, known before it is executed; for fault rules and the journal. Lives as
 * long as the job. Slices are empty where a request has no such thing. */
struct vault_facts {
    struct slice method;
    struct slice path;     /* decoded, without "/v1/": "transit/sign/docugen-manifest" */
    const char *operation; /* "create", "read", "update", "delete", "list", "header", "" unknown */
    struct slice mount;    /* "transit/" */
    struct slice key;      /* name of the transit key */
    struct slice accessor; /* of a valid token */
    const char (*input_sha256)[DIGEST_HEX_BYTES]; /* per batch item, over the decoded input */
    size_t input_count;
};
