/*
 * ledger_server: what the server executed: fakevault's journal, read back line
 * by line as it grows (docs/architecture.md, "The journal").
 *
 * Unknown fields are ignored. A known field of the wrong type, a torn tail, a
 * gap in the numbering or a missing file is a problem: evidence is missing,
 * with what and where. What could be read is still there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chaos/core/ledger/ledger_lines.h"

struct ledger_boot {
    size_t line;
    const char *id;
    int64_t wall_ns;
};

/* One connection of a client. */
struct ledger_connection {
    size_t boot; /* index */
    int64_t conn;
    int64_t closed_ns;   /* 0: not closed */
    bool closed_by_peer; /* the client gave it up; any other end is Vault's doing */
};

struct ledger_request {
    size_t line, boot;   /* boot: index */
    uint64_t end_offset; /* in the journal, behind its record */
    uint64_t seq;
    int64_t wall_ns;
    int64_t conn;       /* number of its connection in this boot; 0: not told */
    bool sign;          /* its path is that of a signature */
    const char *method; /* "" when not told */
    const char *path;   /* as on the wire, without the query */
    const char **query; /* the names of the query's parameters */
    size_t query_count;
    const char *test;    /* X-Fakevault-Test, or NULL */
    const char *key;     /* or NULL */
    const char *rule;    /* that took it, or NULL */
    const char **inputs; /* input_sha256 */
    size_t input_count;
    int64_t attempt;   /* that the client said it is; 0: it did not say */
    size_t reply_line; /* 0: no reply, the process ended */
    bool sent;         /* the reply went out whole, as far as Vault can tell */
    int64_t reply_wall_ns;
    int status;
    bool executed;
    int64_t key_version;     /* 0: none */
    const char **signatures; /* signature_sha256 */
    size_t signature_count;
};

struct ledger_server {
    bool found;
    struct ledger_boot *boots;
    size_t boot_count;
    struct ledger_request *requests;
    size_t request_count;
    struct ledger_connection *connections;
    size_t connection_count;
    uint64_t cut_connections; /* accepted, and not closed by their client */

    struct ledger_lines lines; /* of the reading */
    size_t boot_room, request_room, connection_room;
    uint64_t next_seq; /* that the next record of this boot must have */
};

/* Starts with an empty one; texts live in pool. */
void ledger_server_init(struct ledger_server *server, struct pool *pool,
                        struct ledger_problems *problems);
void ledger_server_done(struct ledger_server *server); /* a zeroed one is fine */

/* Takes what the journal has grown by; pointers to boots and requests become invalid. ERRC_NOMEM,
 * ERRC_TOO_BIG. */
MUST_USE enum errc ledger_server_feed(struct ledger_server *server, struct slice bytes);

/* Nothing comes any more: a line without its end is a problem, and so is a file that was never
 * there. */
void ledger_server_end(struct ledger_server *server);
