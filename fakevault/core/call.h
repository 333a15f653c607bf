/*
 * call: one request on its way through begin, run and end, and how an endpoint answers it.
 *
 * An endpoint answers exactly once, with one of the functions below; the envelope around it is made
 * in envelope.c. Sentences are Vault's, and stand next to the endpoint that says them.
 */
#pragma once

#include <jansson.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/audit/audit_lines.h"
#include "fakevault/core/http/field.h"
#include "fakevault/core/http/route.h"
#include "fakevault/core/mount.h"
#include "fakevault/core/token/token.h"
#include "fakevault/core/vault_request.h"

#define CALL_SEALED "Vault is sealed"

enum call_phase {
    CALL_READY,   /* begun; holds what prepare took */
    CALL_RUNNING, /* inside vault_job_run */
    CALL_RAN,
    CALL_SEALED_OUT, /* a seal came before the run: references are gone */
};

enum call_shape {
    CALL_UNANSWERED,
    CALL_ERROR,    /* {"errors":[..]} */
    CALL_EMPTY,    /* 204 */
    CALL_DATA,     /* envelope with data */
    CALL_INJECTED, /* the same, and data's members at the top level too (vault-api.md 1.4) */
    CALL_BARE,     /* data alone, without envelope */
    CALL_REDIRECT,
    CALL_PLAIN, /* text, not Vault's but its HTTP server's */
    CALL_PAGE,  /* HTML */
};

/* What an endpoint's prepare leaves for its later steps. */
struct call_state {
    void *ptr;
    void (*done)(void *ptr); /* frees it, under the lock */
};

struct vault_job {
    struct vault *vault;
    struct vault_job *next, *previous; /* vault's list of open jobs */
    _Atomic int phase;                 /* enum call_phase */
    struct vault_request request;
    struct instant now;
    int64_t begun_mono_ns;
    struct vault_facts facts;
    char (*input_sha256)[DIGEST_HEX_BYTES];

    enum route_operation operation;
    bool bare_protocol;  /* an endpoint outside of the logical router: 405 without text */
    struct buf path;     /* decoded, without "/v1/" */
    struct slice below;  /* the path below the mount */
    json_t *data;        /* parameters as sent; an object, or NULL */
    bool list_by_query;  /* the query says list=true */
    int64_t wrap_ttl_ns; /* for how long the answer is to be wrapped; 0: not */
    struct route_match match;
    struct field_set fields;
    struct token *token;          /* a reference; NULL: none, or none that is valid */
    bool token_counts;            /* the request came so far that it is a use of the token */
    const struct builtin *plugin; /* what is mounted at mount_path */
    enum mount_engine engine;
    char mount_path[MOUNT_PATH_BYTES];
    char mount_uuid[ENTROPY_UUID_BYTES];
    bool kv_version_2;
    struct call_state state;
    struct transit_rotate *rotate; /* keys whose turn has come, or NULL */

    enum call_shape shape;
    int status;
    bool with_errors; /* CALL_ERROR: has a text */
    bool foreign;     /* CALL_PLAIN: without Vault's headers */
    struct buf text;  /* the error's text, or where a redirect leads */
    struct buf data_out;
    struct jsonwrite writer;
    char auth_accessor[TOKEN_ACCESSOR_BYTES]; /* of the token in auth_out */
    struct buf auth_out;                      /* what "auth" is, JSON; empty: null */
    struct buf wrap_out; /* what "wrap_info" is; empty: null. Then the data is hidden */
    struct buf warnings; /* what "warnings" holds: JSON texts with commas; empty: null */
    int64_t lease_duration_s;
    const char *content_type;            /* NULL: JSON */
    bool raw;                            /* the body is the endpoint's own: no newline behind it */
    char request_id[ENTROPY_UUID_BYTES]; /* see call_identify */
    bool authorised;                     /* the policies let it through */
    bool denied;                         /* they did not */
    bool leased;                         /* the answer has a lease, if only of no length */
    int64_t uses_before;                 /* of its token, as it came; 0: any number */
    bool audited;                        /* goes to the audit devices */
    bool audit_failed;                   /* none of them took it: it is not executed */
    struct audit_lines audit;            /* the request's, until vault_job_run */
    bool no_memory;                      /* something could not be written: answer 500 */

    bool executed;
    int key_version;
    char (*signature_sha256)[DIGEST_HEX_BYTES];
    size_t signature_count;
};

/* The value of a capture of the endpoint's pattern; it must be there. */
struct slice call_capture(const struct vault_job *job, const char *name);

/* Gives the request its id, once; returns it. */
const char *call_identify(struct vault_job *job);

/* Error answers. call_fail: {"errors":["text"]}; call_fail_bare: {"errors":[]}; call_fault: a Go
 * error that no response goes with: 500 and "1 error occurred:\n\t* text\n\n". */
void call_fail(struct vault_job *job, int status, const char *format, ...) PRINTF_LIKE(3, 4);
void call_fail_bare(struct vault_job *job, int status);
void call_fault(struct vault_job *job, const char *format, ...) PRINTF_LIKE(2, 3);
void call_wrapped(struct vault_job *job, int status, const char *format, ...) PRINTF_LIKE(3, 4);

/* A failure of the store, the memory or the crypto port: a 500 that says what. */
void call_trouble(struct vault_job *job, enum errc code, const struct errc_why *why);

/* Good answers. Each sets `executed`. call_data opens the data object and lends the writer; finish
 * it with call_answer (or call_answer_status for a status other than 200). */
void call_empty(struct vault_job *job);
/* call_empty for ERRC_OK, else call_trouble. */
void call_done(struct vault_job *job, enum errc code, const struct errc_why *why);
struct jsonwrite *call_data(struct vault_job *job);
/* Adds a name to an open array; for the lists of a store, whose context is the writer. */
enum errc call_list_name(void *writer, struct slice name);
void call_answer(struct vault_job *job, enum call_shape shape);
void call_answer_status(struct vault_job *job, enum call_shape shape, int status);

/* Answers with data that is JSON already. */
void call_answer_json(struct vault_job *job, struct slice data);

/* Makes a good answer one whose status and body the endpoint sets by itself, past the framework:
 * it has no warnings of the framework's and no newline at its end. */
void call_make_raw(struct vault_job *job, int status);

/* Answers with a body that was kept, byte for byte. */
void call_answer_stored(struct vault_job *job, int status, struct slice body);

/* Answers so with no body at all. */
void call_bare_status(struct vault_job *job, int status);

/* Answers 200 with a tree as data, its members sorted by name; an object. Takes the reference; NULL
 * is out of memory. */
void call_answer_tree(struct vault_job *job, enum call_shape shape, json_t *data);

/* The envelope with data null, for an answer that is only a warning. */
void call_answer_none(struct vault_job *job, int status);

void call_redirect(struct vault_job *job, int status, struct slice location);

/* The answer of the HTTP server in front of Vault: plain text, or no body at all for "". `api`:
 * with the headers that Vault sets on everything it answers. */
void call_plain(struct vault_job *job, int status, bool api, const char *text);

/* An HTML page. */
void call_page(struct vault_job *job, const char *html);

/* Adds a line to `warnings`. */
void call_warn(struct vault_job *job, const char *format, ...) PRINTF_LIKE(2, 3);

/* True once one of the above was called. */
bool call_answered(const struct vault_job *job);

/* Of this many items of a batch the journal has hashes: a record is a line, and a line has an end
 * (LIMIT_LINE_BYTES). */
#define CALL_NOTES_MAX 8192u

/* Notes the hash of one decoded input for the journal. ERRC_NOMEM. */
MUST_USE enum errc call_note_input(struct vault_job *job, struct slice input);

/* Notes the hash of one signature's text for the journal. ERRC_NOMEM. */
MUST_USE enum errc call_note_signature(struct vault_job *job, struct slice signature);
