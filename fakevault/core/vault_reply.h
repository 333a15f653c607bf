/*
 * vault_reply: what comes out of a vault.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/text/buf.h"
#include "fakevault/core/audit/audit_lines.h"

struct vault_reply_header {
    const char *name;
    const char *value;
};

#define VAULT_REPLY_HEADERS_MAX 8u

struct vault_reply {
    int status;
    struct vault_reply_header headers[VAULT_REPLY_HEADERS_MAX]; /* all but Date, Content-Length and
                                                                   connection handling */
    size_t header_count;
    struct buf body;
    struct buf location; /* holds the text of a Location header */
    struct buf echo;     /* holds the text of X-Vault-Namespace */
    bool executed;       /* the operation happened (a read was answered, a signature made) */
    int key_version;     /* that signed; 0 for none */
    char (*signature_sha256)[DIGEST_HEX_BYTES]; /* over each signature's text, in order; owned */
    size_t signature_count;
    struct audit_lines audit; /* to be written before the reply goes out */
    bool audit_failed;        /* they could not be made */
};

/* Frees what a reply owns; fits CLEANUP. */
void vault_reply_done(struct vault_reply *reply);
