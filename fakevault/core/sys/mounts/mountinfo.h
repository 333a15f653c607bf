/*
 * mountinfo: what the API shows of a mount (vault-api.md 2.7), as trees that the caller owns; NULL
 * is out of memory. Go prints maps sorted, and so does the writer of a reply: order is no matter
 * here.
 */
#pragma once

#include <jansson.h>

#include "fakevault/core/mount.h"

/* sys/mounts, sys/auth: all of it. */
json_t *mountinfo_full(const struct mount *m);

/* internal/ui/mounts for who has no token: type, description, options. */
json_t *mountinfo_brief(const struct mount *m);

/* sys/mounts/+path/tune. */
json_t *mountinfo_tuning(const struct mount *m);
