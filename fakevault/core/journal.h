/*
 * journal: the records of fakevault's ledger as lines of JSON (docs/architecture.md, "The
 * journal").
 *
 * Formatting only: numbering is outage/numbering.h, time and the file are the shell's. A field that
 * is not there (empty slice, count 0, -1) is left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text/buf.h"

#define JOURNAL_TEXT_MAX                                                                           \
    1024u /* bytes kept of a text that a client chose (path, test, attempt); the rest is cut */

enum journal_kind {
    JOURNAL_PROCESS,
    JOURNAL_CONN,
    JOURNAL_REQUEST,
    JOURNAL_REPLY,
    JOURNAL_CONTROL,
};

enum journal_how {
    JOURNAL_ACCEPTED,      /* the connection is open */
    JOURNAL_HANDSHAKE,     /* its TLS handshake is done */
    JOURNAL_CLOSED_CLIENT, /* the client closed first */
    JOURNAL_CLOSED_SERVER, /* we closed: idle too long, malformed request, stop */
    JOURNAL_CLOSED_RESET,  /* we reset it (refuse) */
    JOURNAL_CLOSED_DRAIN,  /* we closed it behind its last reply (refuse -drain) */
};

enum journal_end {
    JOURNAL_SENT,    /* all of the reply was handed to the kernel */
    JOURNAL_RESET,   /* we reset the connection before that */
    JOURNAL_DROPPED, /* the client went away before that */
};

struct journal_process {
    bool start; /* else stop */
    const char *boot_id;
    int64_t pid;
    uint64_t seed;
    uint16_t port;
    const char *storage; /* "inmem", "file" */
};

struct journal_conn {
    uint64_t conn; /* from 1 on within a boot */
    enum journal_how how;
};

/* SHA-256 of one batch item, as hex. An item that could not be decoded is the empty text. */
struct journal_hash {
    char hex[DIGEST_HEX_BYTES];
};

struct journal_request {
    uint64_t conn;
    struct slice method;
    struct slice path;      /* as on the wire, without the query */
    struct slice query;     /* raw; only the names of its parameters are written */
    struct slice operation; /* what Vault calls it: read, list, update, delete, ... */
    struct slice mount;     /* "transit/" */
    struct slice key;
    struct slice accessor;
    const struct journal_hash *inputs; /* over the decoded input */
    size_t input_count;
    struct slice test;    /* X-Fakevault-Test */
    struct slice attempt; /* X-Signer-Attempt; written as a number when it is one */
    struct slice rule;    /* id of the rule that took the request */
    int64_t roll;         /* -1 for none */
};

struct journal_reply {
    uint64_t request; /* its seq */
    int status;       /* 0: none was sent */
    uint64_t bytes;   /* of the body; 0 unless sent */
    enum journal_end end;
    bool executed;       /* whether the operation happened, whatever the client was told */
    int64_t key_version; /* -1 for none */
    const struct journal_hash *signatures; /* over each signature's text */
    size_t signature_count;
};

struct journal_control {
    const char *verb;
    uint64_t generation;
    struct slice detail; /* JSON; empty for none */
};

struct journal_record {
    enum journal_kind kind;
    union {
        struct journal_process process;
        struct journal_conn conn;
        struct journal_request request;
        struct journal_reply reply;
        struct journal_control control;
    };
};

/* Appends one line with its newline. A full or failed `out` shows in its status. */
void journal_format(const struct journal_record *record, uint64_t seq, struct instant at,
                    struct buf *out);
