/*
 * ids: the identifiers that come from outside.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"
#include "base/text/slice.h"

#define IDS_UUID_BYTES 37   /* with the NUL */
#define IDS_ACTOR_BYTES 129 /* an actor's id with its NUL */

enum ids_actor_type { IDS_CLI_USER, IDS_ADMIN_USER, IDS_AUTOMATION, IDS_ACTOR_TYPE_COUNT };

/* Who asked for a signature (docugen.md). */
struct ids_actor {
    enum ids_actor_type type;
    char id[IDS_ACTOR_BYTES]; /* 1..128 printable ASCII characters without blank */
};

/* True for a UUID in lower case, 8-4-4-4-12: it becomes a file name, so nothing else may pass. */
bool ids_is_uuid(struct slice text);

/* Reads "TYPE:ID" with TYPE cli-user, admin-user or automation. ERRC_USAGE. */
MUST_USE enum errc ids_actor_parse(const char *text, struct ids_actor *out, struct errc_why *why);

/* Makes an actor; ERRC_USAGE for an id that does not fit. */
MUST_USE enum errc ids_actor_make(enum ids_actor_type type, const char *id, struct ids_actor *out,
                                  struct errc_why *why);

/* Returns e.g. "cli-user"; static. */
const char *ids_actor_text(enum ids_actor_type type);
