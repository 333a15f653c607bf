/*
 * ledger_client: what the client audited: the audit trail, read back line by
 * line as it grows (docs/architecture.md, "The audit trail").
 *
 * As in ledger_server.h, what cannot be read is a problem with its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "chaos/core/ledger/ledger_lines.h"
#include "chaos/core/ledger/textmap.h"

#define LEDGER_ATTEMPTS_MAX 1000u

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

/* "vault", "fallback", "none", or "something else". */
const char *ledger_client_mode_text(enum ledger_mode mode);

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
    uint64_t offset; /* in the trail, where it begins */
    enum ledger_action action;
    int64_t wall_ns;
    const char *id;
    const char *bundle; /* or NULL */
    const char *actor, *actor_type;
    enum ledger_mode mode;
    int fallback_flag; /* signing.fallback: 1, 0; -1: absent */
    const char *input_sha256;
    const char *manifest_hash;
    const char *fingerprint;
    const char *reason;
    const char *class;
    const char *message;
    const char *signature_sha256;
    /* What a manifest can be built from again; of a signature. */
    const char *signature, *manifest_id, *created_at, *signing_key_id, *public_key;
    struct ledger_attempt *attempts;
    size_t attempt_count;
    const char *previous;            /* as written, or NULL */
    char expected[DIGEST_HEX_BYTES]; /* what `previous` must be */
    size_t same_input;               /* the next entry of this input_sha256, or TEXTMAP_NONE */
};

struct ledger_client {
    bool found;
    struct ledger_entry *entries; /* in the order of the file */
    size_t entry_count;
    struct textmap by_input; /* input_sha256 -> its first entry, from which same_input leads on */

    struct ledger_lines lines; /* of the reading */
    size_t entry_room;
    char expected[DIGEST_HEX_BYTES]; /* what `previous` of the next entry must be */
};

/* Starts with an empty one; texts live in pool. */
void ledger_client_init(struct ledger_client *client, struct pool *pool,
                        struct ledger_problems *problems);
void ledger_client_done(struct ledger_client *client); /* a zeroed one is fine */

/* Takes what the trail has grown by; pointers to entries become invalid. ERRC_NOMEM,
 * ERRC_TOO_BIG. */
MUST_USE enum errc ledger_client_feed(struct ledger_client *client, struct slice bytes);

/* Returns the first entry that names an input, or TEXTMAP_NONE; may be NULL. */
size_t ledger_client_input(const struct ledger_client *client, const char *input_sha256);

/* Nothing comes any more: a last line without its end is torn, and a file that was never there is a
 * problem. */
MUST_USE enum errc ledger_client_end(struct ledger_client *client);

/* True when the entry ends an intent: signed or failed. */
bool ledger_client_ends(const struct ledger_entry *entry);

/* Returns the last entry that ends an intent of the bundle, or NULL. For probes over a trail that
 * grows; judges have join.h. */
const struct ledger_entry *ledger_client_result(const struct ledger_client *client,
                                                const char *bundle);
