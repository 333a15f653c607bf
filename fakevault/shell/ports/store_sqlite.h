/*
 * store_sqlite: the durable store: one SQLite file, one table of names and bytes, every write a
 * transaction that is on the disk before it is acknowledged (write-ahead log, synchronous=FULL).
 *
 * The file is made with mode 0600 and is locked by the process that has it open.
 */
#pragma once

#include "fakevault/core/store/store.h"

/*
 * Opens or makes the file; the caller closes *out with store_close. ERRC_UNAVAILABLE: another
 * process has it open; ERRC_SCHEMA: a database of something else, or no database; ERRC_IO: damaged,
 * or the folder cannot be written. The sentence names the file.
 */
MUST_USE enum errc store_sqlite_open(const char *path, struct store *out, struct errc_why *why);
