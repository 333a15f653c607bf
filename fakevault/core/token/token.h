/*
 * token: who may ask: what is known of one token, in memory and as a record.
 *
 * A token is one block of memory: the struct, its lists, and the record that its texts point into.
 * What a token was made with never changes; only the fields below "what changes" do. The id is kept
 * nowhere: `digest` is a salted hash of it (token_id.h).
 *
 * Whoever keeps a token over an unlock takes a reference; the table (token_table.h) holds one too.
 * A token that was revoked in the meantime is `dead`.
 *
 * Facts: vault-api.md 3.1 and recordings of Vault 1.14.9.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"

#define TOKEN_ACCESSOR_BYTES 25u /* 24 letters and digits, and NUL */
#define TOKEN_SPENT (-1)         /* uses_left of a token in its last request */

enum token_type {
    TOKEN_SERVICE, /* stored, listed, revocable */
    TOKEN_BATCH,   /* lives in its id alone: no accessor, renewal, cubbyhole, no end but expiry */
};

struct token {
    uint8_t digest[DIGEST_BYTES];        /* of a service token; names its record */
    char accessor[TOKEN_ACCESSOR_BYTES]; /* "" of a batch token; names its cubbyhole, too */
    enum token_type type;
    const struct slice *policies; /* lower case, sorted, no two alike */
    size_t policy_count;
    struct slice meta; /* JSON of an object of strings, keys sorted; empty: none, which is not {} */
    const struct slice *bound_cidrs;
    size_t bound_cidr_count;
    struct slice display_name;
    struct slice path; /* the API path that made it */
    struct slice role; /* empty: none */
    int64_t created_s; /* wall time */
    int64_t ttl_ns;    /* at creation; 0: never expires */
    int64_t explicit_max_ttl_ns;
    int64_t period_ns;
    int64_t issued_ns; /* wall time at which it was lent; 0: never was, as the first root token */
    bool renewable;
    int64_t uses_granted; /* at creation; 0: any number */

    /* What changes, stored before it is changed here. */
    uint8_t parent_digest[DIGEST_BYTES];
    bool orphan;        /* has no parent */
    int64_t uses_left;  /* 0: any number; TOKEN_SPENT */
    int64_t lease_ns;   /* how long it was lent for, last time */
    int64_t expires_ns; /* wall time; 0: never */
    int64_t renewed_ns; /* wall time of the last renewal; 0: none */

    /* Memory alone. */
    bool dead; /* no longer in the table */
    size_t references;
    size_t bytes;   /* of the block */
    size_t heap_at; /* token_table.c: place among those that expire */
    struct token *next_by_digest, *next_by_accessor;
    struct token *parent, *child, *next, *previous; /* family; children are linked by next */
};

/* Appends the record of a token; its lists may be anyone's. Sealed by the caller. */
void token_format(const struct token *token, struct buf *out);

/* Reads a record into a new token that is in no table and has one reference. The digest is the
 * caller's to fill. ERRC_SCHEMA when it is damaged, ERRC_NOMEM. */
MUST_USE enum errc token_parse(struct slice record, struct token **out);

/* A copy of its own, as token_parse makes it: for a token that was put together by hand. */
MUST_USE enum errc token_copy(const struct token *from, struct token **out);

/* The draft of the token that an init makes. */
struct token token_root(int64_t wall_ns);

struct token *token_keep(struct token *token);

/* Gives a reference back; the last one wipes and frees. NULL allowed. */
void token_release(struct token *token);

/* "service" or "batch". */
const char *token_type_name(enum token_type type);

/* True when the token may do anything: its only policy is "root". */
bool token_is_root(const struct token *token);

bool token_has_policy(const struct token *token, const char *name);

/* True when its time is over at this wall time. */
bool token_expired(const struct token *token, int64_t wall_ns);

/* True when a request may still come with it: neither it nor what it hangs below is over, and it is
 * not in its last request already. */
bool token_usable(const struct token *token, int64_t wall_ns);

/* When something ends that lives so long from now on. As far as the clock reaches (the year 2262),
 * less a second that rounding may add. */
int64_t token_end(int64_t now_ns, int64_t ttl_ns);
