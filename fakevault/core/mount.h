/*
 * mount: which secrets engine answers below which path.
 *
 * The table is one record, "core/mounts". Each mount keeps its data below "logical/<uuid>/", so
 * that a path that is mounted anew never sees old data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/seal/barrier.h"

#define MOUNT_PATH_BYTES 257u         /* with '/' at the end and NUL */
#define MOUNT_DESCRIPTION_BYTES 1025u /* with NUL */
#define MOUNT_MAX 256u
#define MOUNT_TTL_DEFAULT 2764800 /* seconds: 32 days */

enum mount_engine {
    MOUNT_SYSTEM,
    MOUNT_IDENTITY,
    MOUNT_CUBBYHOLE,
    MOUNT_TOKEN, /* auth/token/ */
    MOUNT_TRANSIT,
    MOUNT_KV,
    MOUNT_ENGINE_COUNT,
};

/* What is true for every mount of an engine. */
struct mount_traits {
    const char *type;           /* as the API names it */
    const char *plugin_version; /* running_plugin_version */
    const char *passthrough;    /* a request header, or NULL */
    bool mountable;             /* by sys/mounts; else it is there from the start */
};

struct mount {
    char path[MOUNT_PATH_BYTES];
    enum mount_engine engine;
    char uuid[ENTROPY_UUID_BYTES];
    char accessor[48]; /* "transit_5fd0c1a2" */
    char description[MOUNT_DESCRIPTION_BYTES];
    int64_t default_ttl_s; /* 0: the system's */
    int64_t max_ttl_s;     /* 0: the system's */
    bool force_no_cache;
    bool local;
    bool seal_wrap;
    bool external_entropy;
    bool kv_version_2;
};

struct mount_table {
    struct mount *items; /* sorted by path */
    size_t count;
};

const struct mount_traits *mount_traits(enum mount_engine engine);

/* Returns the engine of an API type name, or MOUNT_ENGINE_COUNT. */
enum mount_engine mount_engine_named(struct slice type);

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

/* Fills uuid and accessor. */
void mount_identify(struct mount *m, const struct entropy *entropy);

/* Adds or removes, in memory only. ERRC_NOMEM, ERRC_TOO_BIG. */
MUST_USE enum errc mount_table_add(struct mount_table *t, const struct mount *m);
void mount_table_remove(struct mount_table *t, const char *path);

/* Returns the mount whose path is the longest prefix of `path`, or NULL; lent. */
struct mount *mount_find(const struct mount_table *t, struct slice path);

/* Returns the mount at exactly this path ("transit/"), or NULL; lent. */
struct mount *mount_at(const struct mount_table *t, struct slice path);

/* Returns a mount that a new one at `path` would cover or lie below, or NULL. */
struct mount *mount_conflict(const struct mount_table *t, struct slice path);
