/*
 * ledger: what the server executed and what the client audited, read back line
 * by line (docs/architecture.md, "The journal", "The audit trail").
 *
 * The third ledger, what the caller was told, is written by the runner itself.
 * The three are joined by input_sha256, the hash of the bytes to be signed: an
 * audit entry has it, and so has the request in the journal.
 *
 * Unknown fields are ignored. A known field of the wrong type, a torn tail, a
 * gap in the numbering or a missing file is a problem: evidence is missing,
 * with what and where. What could be read is still there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/scenario/pool.h"

#define LEDGER_JOURNAL "journal.ndjson"
#define LEDGER_AUDIT "audit.ndjson"
#define LEDGER_PROBLEMS_MAX 20u
#define LEDGER_ATTEMPTS_MAX 1000u

struct ledger_problem {
    const char *file; /* LEDGER_JOURNAL, LEDGER_AUDIT */
    size_t line;      /* 0: the file as a whole */
    const char *text;
};

struct ledger_problems {
    struct ledger_problem items[LEDGER_PROBLEMS_MAX];
    size_t count; /* those beyond the maximum are dropped */
};

/* --- the server's --- */

struct ledger_boot {
    size_t line;
    const char *id;
    int64_t wall_ns;
};

struct ledger_request {
    size_t line, boot; /* boot: index */
    uint64_t seq;
    int64_t wall_ns;
    bool sign;           /* its path is that of a signature */
    const char *key;     /* or NULL */
    const char *rule;    /* that took it, or NULL */
    const char **inputs; /* input_sha256 */
    size_t input_count;
    int64_t attempt;   /* that the client said it is; 0: it did not say */
    size_t reply_line; /* 0: no reply, the process ended */
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
    uint64_t cut_connections; /* accepted, and not closed by their client */
};

/* --- the client's --- */

enum ledger_action {
    LEDGER_STARTED,
    LEDGER_SIGNED,
    LEDGER_FAILED,
    LEDGER_REPAIRED,
    LEDGER_TORN,  /* a line that is no entry; lawful only right before LEDGER_REPAIRED */
    LEDGER_OTHER, /* an action that we do not know */
};

enum ledger_mode {
    LEDGER_MODE_NONE,
    LEDGER_MODE_VAULT,
    LEDGER_MODE_FALLBACK,
    LEDGER_MODE_ODD, /* something else was written */
};

struct ledger_attempt {
    int64_t n;
    const char *class;
    int64_t status;
    int64_t wait_ms;
    int64_t started_ns; /* wall clock */
    int64_t resends;    /* by the HTTP library */
};

struct ledger_entry {
    size_t line;
    enum ledger_action action;
    int64_t wall_ns;
    const char *id;
    const char *bundle; /* or NULL */
    const char *actor;
    enum ledger_mode mode;
    int fallback_flag; /* signing.fallback: 1, 0; -1: absent */
    const char *input_sha256;
    const char *manifest_hash;
    const char *fingerprint;
    const char *reason;
    const char *class;
    const char *signature_sha256;
    struct ledger_attempt *attempts;
    size_t attempt_count;
    const char *previous;            /* as written, or NULL */
    char expected[DIGEST_HEX_BYTES]; /* what `previous` must be */
};

struct ledger_client {
    bool found;
    struct ledger_entry *entries; /* in the order of the file */
    size_t entry_count;
};

/* Reads a journal; what it makes lives in pool. text.ptr NULL: there is no file. ERRC_NOMEM,
 * ERRC_TOO_BIG. */
MUST_USE enum errc ledger_read_server(struct slice text, struct pool *pool,
                                      struct ledger_server *out, struct ledger_problems *problems,
                                      struct errc_why *why);

/* The same for an audit trail. */
MUST_USE enum errc ledger_read_client(struct slice text, struct pool *pool,
                                      struct ledger_client *out, struct ledger_problems *problems,
                                      struct errc_why *why);

/* True when the request carries the input. */
bool ledger_has_input(const struct ledger_request *request, const char *input_sha256);

/* Returns the last entry of a bundle that ends an intent (signed or failed), or NULL. */
const struct ledger_entry *ledger_result_of(const struct ledger_client *client, const char *bundle);

/* Returns the first entry behind `after` (NULL: from the start) of the bundle, any action, or NULL.
 */
const struct ledger_entry *ledger_next_of(const struct ledger_client *client, const char *bundle,
                                          const struct ledger_entry *after);

/* Returns the intent that a result ends: its input is what Vault was asked to sign. NULL: there is
 * none. */
const struct ledger_entry *ledger_intent_of(const struct ledger_client *client,
                                            const struct ledger_entry *result);

/* True when a sign request in the journal carries an input that the bundle's entries name. */
bool ledger_belongs_to(const struct ledger_client *client, const struct ledger_request *request,
                       const char *bundle);

/* Adds a problem. */
void ledger_problem(struct ledger_problems *problems, struct pool *pool, const char *file,
                    size_t line, const char *format, ...) PRINTF_LIKE(5, 6);
