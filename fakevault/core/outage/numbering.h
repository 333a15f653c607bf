/*
 * numbering: the order of the journal: each record's number, its line, and where in the file that
 * line stands.
 *
 * Numbers grow by one from 1 on within a boot; a line's place follows from the lines before it, so
 * that it is known before anybody has written one. The place of every NUMBERING_STEPth line is
 * remembered, so that reading from a number does not start at the beginning.
 *
 *     STEP 64, lines of 100 bytes behind 500 that were there: numbering_place of 130 gives line 129
 *     at byte 500 + 128 * 100
 *
 * No I/O and no clock; the caller holds a lock over everything.
 */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "fakevault/core/journal.h"

#define NUMBERING_STEP 64u

struct numbering {
    uint64_t newest; /* number of the newest record */
    uint64_t end;    /* where its line ends, or will */
    uint64_t *places;
    size_t room;
};

/* `end` is where the first line will begin. */
void numbering_init(struct numbering *numbering, uint64_t end);

/* Fits CLEANUP. */
void numbering_done(struct numbering *numbering);

/* Numbers one record and appends its line to `out`; *seq is its number. ERRC_NOMEM, and what the
 * status of `out` says: the record is lost then. */
MUST_USE enum errc numbering_add(struct numbering *numbering, const struct journal_record *record,
                                 struct instant at, struct buf *out, uint64_t *seq,
                                 struct errc_why *why);

struct numbering_place {
    uint64_t seq;
    uint64_t at; /* where its line begins */
};

/* Returns a line at or before the one behind `since`. Requires that a newer record was added. */
struct numbering_place numbering_place(const struct numbering *numbering, uint64_t since);
