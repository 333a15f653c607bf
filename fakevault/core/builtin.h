/*
 * builtin: the plugins that come with Vault, and which engine of ours stands behind each.
 *
 * Most have none: such a mount can be made, listed, tuned, moved and removed like any other, which
 * is all that many a client's tests do with it, and every path below it is unsupported. Versions
 * and states are those of Vault 1.14.9 (recorded from sys/plugins/catalog and sys/mounts).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text/slice.h"

enum mount_engine {
    MOUNT_SYSTEM,
    MOUNT_IDENTITY,
    MOUNT_CUBBYHOLE,
    MOUNT_TOKEN, /* auth/token/ */
    MOUNT_TRANSIT,
    MOUNT_KV,
    MOUNT_EMPTY, /* no endpoints */
    MOUNT_ENGINE_COUNT,
};

enum builtin_status {
    BUILTIN_UNLISTED, /* not in the catalog, or there from the start: no deprecation_status */
    BUILTIN_SUPPORTED,
    BUILTIN_DEPRECATED, /* can be mounted, with a warning */
    BUILTIN_REMOVED,    /* cannot */
};

struct builtin {
    const char *type; /* as the API names it; the same may be a secrets engine and an auth method */
    bool auth;
    const char *version; /* running_plugin_version */
    enum mount_engine engine;
    enum builtin_status status;
    bool single; /* it is there from the start, and cannot be mounted */
};

/* Returns plugin i, auth methods first, each kind by name; NULL behind the last. */
const struct builtin *builtin_at(size_t i);

/* Returns the plugin of a type name, or NULL. */
const struct builtin *builtin_named(struct slice type, bool auth);

/* Returns the plugin of an engine that has endpoints. */
const struct builtin *builtin_of(enum mount_engine engine);

/* "supported", "deprecated", "removed"; NULL for BUILTIN_UNLISTED. */
const char *builtin_status_text(enum builtin_status status);
