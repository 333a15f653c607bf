/*
 * secretscan: looks for secrets in texts, in whatever form they got out.
 *
 * A form is what a secret becomes when it is written: as it is, in hex, base64
 * and base64url at any of the three alignments, URL-encoded, or with every byte
 * percent-encoded. A part of one counts, if it is so long that chance cannot
 * have made it: twelve characters of a token behind its public beginning, more
 * of a form that says less per character.
 *
 *     hvs.CAESIJ4kqFz1wT9s  ->  "x=SIJ4kqFz1wT9s"         without its first 7 characters
 *                               "6876732e43414553494a…"   in hex
 *
 * Each text is gone through once, however many secrets there are: one window of
 * eight bytes in every few is looked up among those of all forms, and what is
 * found there is followed in both directions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/errc.h"
#include "base/text/slice.h"
#include "chaos/core/world.h"

struct secretscan;

struct secretscan_hit {
    size_t secret;        /* index of the canary */
    const char *form;     /* "in hex"; "" when as it is */
    size_t line;          /* from 1 */
    size_t before, after; /* bytes of the secret that are missing ahead of it and behind */
};

/* Prepares the search; the names are lent, the bytes copied. Secrets of fewer than eight bytes are
 * left out. ERRC_NOMEM. */
MUST_USE enum errc secretscan_new(const struct world_canary *canaries, size_t count,
                                  struct secretscan **out, struct errc_why *why);

/* Wipes and frees; NULL allowed. */
void secretscan_free(struct secretscan *scan);

/* Calls found for each secret that the text has, once for each. */
void secretscan_text(struct secretscan *scan, struct slice text,
                     void (*found)(void *context, const struct secretscan_hit *hit), void *context);
