/*
 * settings: what is configured of the whole vault (CORS, headers, rotation, ...), as one tree with
 * a member per topic. It is one small record, "core/settings", and is read at unseal.
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"
#include "fakevault/core/seal/barrier.h"

struct settings {
    json_t *tree; /* an object; NULL for nothing; never changed in place */
};

void settings_done(struct settings *s);

/* Reads the record through an open barrier; there may be none. Errors as barrier_get. */
MUST_USE enum errc settings_load(struct settings *s, struct barrier *b, struct errc_why *why);

/* The topic's value; lent. NULL when it was never set. */
const json_t *settings_get(const struct settings *s, const char *topic);

/* Stores a topic's value, then takes it over. Takes the reference; a NULL value is out of memory.
 * After a failure nothing has changed. Errors as barrier_commit. */
MUST_USE enum errc settings_set(struct settings *s, struct barrier *b, const char *topic,
                                json_t *value, struct errc_why *why);
