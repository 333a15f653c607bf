/*
 * mount: which secrets engine or auth method answers below which path; auth methods stand below
 * "auth/".
 *
 * The table is one record, "core/mounts". Each mount keeps its data below "logical/<uuid>/", so
 * that a path that is mounted anew never sees old data.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/builtin.h"
#include "fakevault/core/seal/barrier.h"

#define MOUNT_AUTH "auth/"
#define MOUNT_PATH_BYTES 257u         /* with '/' at the end and NUL */
#define MOUNT_DESCRIPTION_BYTES 1025u /* with NUL */
#define MOUNT_MAX 256u
#define MOUNT_TTL_DEFAULT 2764800 /* seconds: 32 days */

/* The trees are shared between copies and never changed in place. */
struct mount {
    char path[MOUNT_PATH_BYTES];
    const struct builtin *plugin; /* what is mounted; NULL: that of the engine (mount_identify) */
    enum mount_engine engine;
    char uuid[ENTROPY_UUID_BYTES];
    char accessor[48]; /* "transit_5fd0c1a2", "auth_token_5fd0c1a2" */
    char description[MOUNT_DESCRIPTION_BYTES];
    int64_t default_ttl_s; /* 0: the system's */
    int64_t max_ttl_s;     /* 0: the system's */
    bool force_no_cache;
    bool local;
    bool seal_wrap;
    bool external_entropy;
    bool kv_version_2; /* as `options` say */
    json_t *options;   /* strings by name, or NULL: the API shows null */
    json_t *tuned;     /* what else is configured, by the API's names: lists of strings
                          (audit_non_hmac_request_keys, passthrough_request_headers, ...) and
                          strings (listing_visibility, plugin_version); NULL for nothing */
};

struct mount_table {
    struct mount *items; /* sorted by path */
    size_t count;
};

void mount_table_init(struct mount_table *t);
void mount_table_done(struct mount_table *t);

/* Reads the record through an open barrier. Errors as barrier_get. */
MUST_USE enum errc mount_table_load(struct mount_table *t, struct barrier *b, struct errc_why *why);

/* Fills the table of a new vault: sys/, identity/, cubbyhole/, auth/token/. ERRC_NOMEM. */
MUST_USE enum errc mount_table_defaults(struct mount_table *t, const struct entropy *entropy);

/* Copies a table; `to` is empty before. ERRC_NOMEM. */
MUST_USE enum errc mount_table_copy(const struct mount_table *from, struct mount_table *to);

/* Adds the table's record to a batch. */
void mount_table_batch(const struct mount_table *t, struct barrier *b, struct barrier_batch *batch);

/* Fills uuid and accessor, and plugin when there is none. */
void mount_identify(struct mount *m, const struct entropy *entropy);

/* Drops the trees; fits CLEANUP. A zeroed mount is fine. */
void mount_done(struct mount *m);

/* A copy of an object to be changed, empty for NULL; NULL when out of memory (json_copy drops
 * members then). */
json_t *mount_tree_copy(const json_t *tree);

/* Sets what is tuned under a name; an empty list or string takes it away. Takes the reference to
 * value, also on failure. ERRC_NOMEM, also for a NULL value. */
MUST_USE enum errc mount_tune(struct mount *m, const char *name, json_t *value);

/* Sets the options and what follows from them; takes the reference. NULL is ERRC_NOMEM. */
MUST_USE enum errc mount_set_options(struct mount *m, json_t *options);

/* True for an auth method. */
bool mount_is_auth(const struct mount *m);

/* Returns the path as the API shows it: an auth method's without "auth/". Lent. */
const char *mount_api_path(const struct mount *m);

/* Adds or removes, in memory only. Adding copies. ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc mount_table_add(struct mount_table *t, const struct mount *m);
void mount_table_remove(struct mount_table *t, const char *path);

/* Returns the mount whose path is the longest prefix of `path`, or NULL; lent. */
struct mount *mount_find(const struct mount_table *t, struct slice path);

/* Returns the mount at exactly this path ("transit/"), or NULL; lent. */
struct mount *mount_at(const struct mount_table *t, struct slice path);

/* Returns a mount that a new one at `path` would cover or lie below, or NULL. */
struct mount *mount_conflict(const struct mount_table *t, struct slice path);
