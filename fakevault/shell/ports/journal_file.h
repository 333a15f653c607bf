/*
 * journal_file: the ledger on disk.
 *
 * A record is numbered and queued (`put`), then written (`flush`) with one write(2) to an O_APPEND
 * descriptor, together with what other threads have queued by then: lines never interleave and lie
 * in the order of their numbers, and a caller that holds a lock of its own can number its record
 * under it and write behind it. Once flush returns, the line is in the page cache and outlives
 * SIGKILL; nobody may act on a record before. (A shared mapping would save the call, but
 * nobody who watches the file would be woken: neither tail -f nor inotify sees it grow.) It is not
 * synced: a power cut may tear the tail, and the next start closes a torn last line by cutting it
 * off. Nothing is dropped: when a line cannot be written whole, the process says so and ends with
 * exit code 74 (EX_IOERR), for a server without its ledger proves nothing.
 *
 * Thread-safe.
 */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "fakevault/core/journal.h"

struct journal_file;

/*
 * Opens path for appending (mode 0600, made when missing) and takes a lock on it; NULL is an
 * unnamed temporary file, so that the journal can be read over the control API all the same.
 * ERRC_STATE when another process writes it, ERRC_IO. *cut is how many bytes of a torn tail were
 * removed.
 */
MUST_USE enum errc journal_file_open(const char *path, struct clock clock,
                                     struct journal_file **out, uint64_t *cut,
                                     struct errc_why *why);

/* NULL allowed. */
void journal_file_close(struct journal_file *journal);

/* Numbers, stamps and queues one record; returns its seq (from 1 on within a boot). */
uint64_t journal_file_put(struct journal_file *journal, const struct journal_record *record);

/* Returns when all records up to seq are in the file. Requires that seq was put. */
void journal_file_flush(struct journal_file *journal, uint64_t seq);

/* Returns when all records that were put so far are in the file. */
void journal_file_flush_all(struct journal_file *journal);

/* put and flush: the record is in the file when it returns. */
uint64_t journal_file_add(struct journal_file *journal, const struct journal_record *record);

/* Returns the seq of the newest record in the file, 0 before the first. */
uint64_t journal_file_newest(struct journal_file *journal);

/*
 * Appends to out the whole lines of this boot with seq > *since, as many as fit into `room` bytes
 * (at least one when there is any), and moves *since to the last one. ERRC_IO, ERRC_NOMEM.
 */
MUST_USE enum errc journal_file_read(struct journal_file *journal, uint64_t *since, size_t room,
                                     struct buf *out, struct errc_why *why);

/* Waits until there is a record newer than `since`, for timeout_ms at most. False when there is
 * none. */
bool journal_file_wait(struct journal_file *journal, uint64_t since, int64_t timeout_ms);
