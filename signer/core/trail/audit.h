/*
 * audit: the lines of the audit trail and what they say about a bundle.
 *
 * The shape is in docs/architecture.md. The life of a bundle in the trail:
 *
 *     MANIFEST_SIGNING_STARTED   before any key is touched
 *     then one of
 *     MANIFEST_SIGNED            the signature counts from here on; its manifest may still have
 *                                to be written, and can be, from `signature`, `manifestId` and
 *                                `createdAt` in the entry
 *     MANIFEST_SIGNING_FAILED    may be started again
 *
 * A start without an end met a crash: the next run ends it as failed with class and reason
 * "interrupted" (Vault may have made a signature that nobody has: an orphan).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/errc.h"
#include "base/limits.h"
#include "base/text/buf.h"
#include "base/text/stamp.h"
#include "signer/core/attempt/classify.h"
#include "signer/core/bundle/manifest.h"
#include "signer/core/ids.h"

#define AUDIT_GENESIS "0000000000000000000000000000000000000000000000000000000000000000"

enum audit_action {
    AUDIT_STARTED,       /* MANIFEST_SIGNING_STARTED */
    AUDIT_SIGNED,        /* MANIFEST_SIGNED */
    AUDIT_FAILED,        /* MANIFEST_SIGNING_FAILED */
    AUDIT_TAIL_REPAIRED, /* AUDIT_TAIL_REPAIRED */
    AUDIT_ACTION_COUNT
};

struct audit_attempt {
    int n; /* from 1 */
    enum classify_class class;
    int status;      /* 0 without one */
    int64_t wait_ms; /* asked for before this attempt */
    int64_t started_wall_ns;
    int resends; /* by the HTTP library, beyond the attempt itself */
};

/* One entry; which fields are written follows from the action. Strings are borrowed. */
struct audit_entry {
    enum audit_action action;
    const char *id;            /* UUID */
    const char *bundle_run_id; /* NULL for AUDIT_TAIL_REPAIRED */
    const struct ids_actor *actor;
    int64_t wall_ns;

    /* STARTED, SIGNED, FAILED */
    const char *input_sha256;             /* hex; of the PAE that was (or was to be) signed */
    const char *manifest_hash;            /* "sha256:..." */
    const struct audit_attempt *attempts; /* SIGNED, FAILED */
    size_t attempt_count;
    const char *key_fingerprint;

    /* SIGNED */
    enum manifest_mode mode;
    const char *reason; /* SIGNED by fallback: class of the last failed attempt; FAILED: see docs */
    const char *signature; /* whole text; its hash goes in as signature_sha256 */
    const char *manifest_id;
    int64_t created_wall_ns;
    const char *signing_key_id;
    const char *public_key; /* PEM of a fallback key, so that the signature outlives the file */

    /* FAILED */
    const char *class;
    const char *message;

    /* TAIL_REPAIRED */
    size_t torn_bytes;
};

/* Copies text as printable ASCII: what a peer sent must not break a line of the trail. */
void audit_message(char out[static LIMIT_MESSAGE_BYTES], const char *text);

/* Appends the entry's line with its newline; previous is the hex hash of the line before. */
MUST_USE enum errc audit_format(const struct audit_entry *entry, const char *previous,
                                struct buf *out, struct errc_why *why);

/* What the trail says about one bundle. */
enum audit_state { AUDIT_UNKNOWN, AUDIT_OPEN, AUDIT_ENDED, AUDIT_DONE };

struct audit_bundle {
    char bundle_run_id[IDS_UUID_BYTES];
    enum audit_state state; /* OPEN: started, no end; ENDED: failed; DONE: signed */
    int64_t offset;         /* of the line that says so */
    size_t len;             /* without its newline */
    int starts;             /* STARTED entries so far */
};

/* The trail's bundles by id, grown line by line; and where the chain stands. */
struct audit_index {
    struct audit_bundle *slots; /* open addressing; capacity is a power of two */
    size_t capacity;
    size_t count;
    int64_t offset;                  /* end of the last whole line that was fed */
    char previous[DIGEST_HEX_BYTES]; /* hash of that line */
};

void audit_index_init(struct audit_index *index);
void audit_index_done(struct audit_index *index);

/* Feeds one line without its newline, at offset index->offset. A line that is no entry only
 * moves the chain on. ERRC_NOMEM. */
MUST_USE enum errc audit_index_feed(struct audit_index *index, struct slice line);

/* Returns what is known, or NULL. Valid until the next feed. */
const struct audit_bundle *audit_index_find(const struct audit_index *index,
                                            const char *bundle_run_id);

/* True when a tail without newline is a whole entry, to which only the newline is missing. */
bool audit_tail_is_whole(struct slice tail);

/* A MANIFEST_SIGNED line read back, to write its manifest again. */
struct audit_signed {
    enum manifest_mode mode;
    char reason[32]; /* "" in mode vault */
    char signature[512];
    char signature_sha256[DIGEST_HEX_BYTES];
    char manifest_id[IDS_UUID_BYTES];
    char manifest_hash[MANIFEST_CHECKSUM_BYTES];
    char key_fingerprint[KEYPORT_FINGERPRINT_BYTES];
    char signing_key_id[192];
    char public_key[512]; /* PEM of a fallback key; "" in mode vault */
    char timestamp[STAMP_BYTES];
    int64_t created_wall_ns;
    int attempts;
};

/* A MANIFEST_SIGNING_STARTED line read back, to end what a crash left open. */
struct audit_open {
    char id[IDS_UUID_BYTES];
    char timestamp[STAMP_BYTES];
    char input_sha256[DIGEST_HEX_BYTES];
    char manifest_hash[MANIFEST_CHECKSUM_BYTES];
    char key_fingerprint[KEYPORT_FINGERPRINT_BYTES];
};

/* Both: ERRC_SYNTAX or ERRC_SCHEMA when the line is not such an entry. */
MUST_USE enum errc audit_open_parse(struct slice line, struct audit_open *out,
                                    struct errc_why *why);
MUST_USE enum errc audit_signed_parse(struct slice line, struct audit_signed *out,
                                      struct errc_why *why);
