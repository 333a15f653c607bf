#include "fakevault/shell/ports/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os/file.h"

#define APPLICATION_ID 0x46564c54 /* "FVLT" */
#define FORMAT 1

struct database {
    sqlite3 *db;
    sqlite3_stmt *get;
    sqlite3_stmt *put;
    sqlite3_stmt *erase;
};

/* Says what went wrong, in terms of what the user can do about it. */
static enum errc failed(sqlite3 *db, struct errc_why *why)
{
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db) & 0xff;
    switch (code) {
    case SQLITE_NOMEM:
        return errc_fail(why, ERRC_NOMEM, "out of memory in the store");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return errc_fail(why, ERRC_UNAVAILABLE,
                         "the store is open in another process; stop that one first");
    case SQLITE_NOTADB:
        return errc_fail(why, ERRC_SCHEMA, "the file is no database; choose another -path");
    case SQLITE_CORRUPT:
        return errc_fail(why, ERRC_IO, "the database is damaged; restore it from a copy");
    case SQLITE_TOOBIG:
        return errc_fail(why, ERRC_TOO_BIG, "the value is too large for the store");
    default:
        return errc_fail(why, ERRC_IO, "the store failed: %s", sqlite3_errmsg(db));
    }
}

static enum errc run(sqlite3 *db, const char *sql, struct errc_why *why)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERRC_OK : failed(db, why);
}

static void bind(sqlite3_stmt *statement, int at, struct slice bytes)
{
    /* A blob of no bytes needs a pointer, or it would be NULL. */
    (void)sqlite3_bind_blob64(statement, at, bytes.len == 0 ? "" : bytes.ptr, bytes.len,
                              SQLITE_STATIC);
}

static void rewind_statement(sqlite3_stmt *statement)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
}

static enum errc get(void *context, struct slice name, struct buf *out, struct errc_why *why)
{
    struct database *d = context;
    enum errc code = ERRC_OK;
    bind(d->get, 1, name);
    int step = sqlite3_step(d->get);
    if (step == SQLITE_ROW) {
        buf_add(out, sqlite3_column_blob(d->get, 0), (size_t)sqlite3_column_bytes(d->get, 0));
        code = buf_status(out, why);
    } else if (step == SQLITE_DONE) {
        code = errc_fail(why, ERRC_NOT_FOUND, "the store has no \"%.*s\"", SLICE_FMT(name));
    } else {
        code = failed(d->db, why);
    }
    rewind_statement(d->get);
    return code;
}

static enum errc apply(struct database *d, const struct store_change *change, struct errc_why *why)
{
    sqlite3_stmt *statement = change->erase ? d->erase : d->put;
    bind(statement, 1, change->name);
    if (!change->erase)
        bind(statement, 2, change->value);
    enum errc code = sqlite3_step(statement) == SQLITE_DONE ? ERRC_OK : failed(d->db, why);
    rewind_statement(statement);
    return code;
}

static enum errc write_batch(void *context, const struct store_change *changes, size_t count,
                             struct errc_why *why)
{
    struct database *d = context;
    TRY(run(d->db, "BEGIN IMMEDIATE", why));
    enum errc code = ERRC_OK;
    for (size_t i = 0; code == ERRC_OK && i < count; i++)
        code = apply(d, &changes[i], why);
    if (code == ERRC_OK)
        code = run(d->db, "COMMIT", why);
    if (code != ERRC_OK)
        (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* A statement of its own: `each` may read the store. */
static enum errc list(void *context, struct slice prefix,
                      enum errc (*each)(void *each_context, struct slice rest), void *each_context,
                      struct errc_why *why)
{
    struct database *d = context;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(d->db, "SELECT name FROM entries WHERE name >= ?1 ORDER BY name", -1,
                           &statement, NULL) != SQLITE_OK)
        return failed(d->db, why);
    bind(statement, 1, prefix);
    enum errc code = ERRC_OK;
    int step = SQLITE_DONE;
    while (code == ERRC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct slice name = slice_bytes(sqlite3_column_blob(statement, 0),
                                        (size_t)sqlite3_column_bytes(statement, 0));
        if (name.len < prefix.len || memcmp(name.ptr, prefix.ptr, prefix.len) != 0)
            break;
        code = each(each_context, slice_from(name, prefix.len));
    }
    if (code == ERRC_OK && step != SQLITE_DONE && step != SQLITE_ROW)
        code = failed(d->db, why);
    (void)sqlite3_finalize(statement);
    return code;
}

static void close_database(void *context)
{
    struct database *d = context;
    (void)sqlite3_finalize(d->get);
    (void)sqlite3_finalize(d->put);
    (void)sqlite3_finalize(d->erase);
    (void)sqlite3_close(d->db);
    free(d);
}

static int first_int(void *out, int columns, char **values, char **names)
{
    (void)names;
    if (columns > 0 && values[0] != NULL)
        *(long *)out = strtol(values[0], NULL, 10);
    return 0;
}

static enum errc query_int(sqlite3 *db, const char *sql, long *out, struct errc_why *why)
{
    *out = 0;
    return sqlite3_exec(db, sql, first_int, out, NULL) == SQLITE_OK ? ERRC_OK : failed(db, why);
}

static int first_text(void *out, int columns, char **values, char **names)
{
    (void)names;
    char *text = out;
    if (text[0] == '\0' && columns > 0 && values[0] != NULL)
        (void)snprintf(text, 64, "%s", values[0]);
    return 0;
}

static enum errc check_whole(sqlite3 *db, struct errc_why *why)
{
    char verdict[64] = "";
    if (sqlite3_exec(db, "PRAGMA quick_check(1)", first_text, verdict, NULL) != SQLITE_OK)
        return failed(db, why);
    if (strcmp(verdict, "ok") != 0)
        return errc_fail(why, ERRC_IO, "the database is damaged (%s); restore it from a copy",
                         verdict);
    return ERRC_OK;
}

/* Makes the table in an empty file, or checks that the file is ours. */
static enum errc check_schema(sqlite3 *db, struct errc_why *why)
{
    long application, format, tables;
    TRY(query_int(db, "PRAGMA application_id", &application, why));
    TRY(query_int(db, "PRAGMA user_version", &format, why));
    TRY(query_int(db, "SELECT count(*) FROM sqlite_master", &tables, why));
    if (application == 0 && tables == 0)
        return run(db,
                   "BEGIN;"
                   "CREATE TABLE entries(name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
                   "PRAGMA application_id=1180060756;"
                   "PRAGMA user_version=1;"
                   "COMMIT",
                   why);
    if (application != APPLICATION_ID)
        return errc_fail(why, ERRC_SCHEMA,
                         "the database belongs to another program; choose another -path");
    if (format != FORMAT)
        return errc_fail(why, ERRC_SCHEMA, "the database has format %ld, this program reads %d",
                         format, FORMAT);
    return check_whole(db, why);
}

_Static_assert(APPLICATION_ID == 1180060756, "the id in the SQL text is this one");

/* The lock is taken with the first transaction and kept until the file is closed. */
static enum errc set_up(sqlite3 *db, struct errc_why *why)
{
    TRY(run(db, "PRAGMA locking_mode=EXCLUSIVE", why));
    TRY(run(db, "PRAGMA journal_mode=WAL", why));
    TRY(run(db, "PRAGMA synchronous=FULL", why));
    TRY(run(db, "PRAGMA secure_delete=ON", why));
    TRY(run(db, "BEGIN EXCLUSIVE; COMMIT", why));
    return check_schema(db, why);
}

static enum errc prepare(struct database *d, struct errc_why *why)
{
    if (sqlite3_prepare_v3(d->db, "SELECT value FROM entries WHERE name = ?1", -1,
                           SQLITE_PREPARE_PERSISTENT, &d->get, NULL) == SQLITE_OK &&
        sqlite3_prepare_v3(d->db, "INSERT OR REPLACE INTO entries(name, value) VALUES(?1, ?2)", -1,
                           SQLITE_PREPARE_PERSISTENT, &d->put, NULL) == SQLITE_OK &&
        sqlite3_prepare_v3(d->db, "DELETE FROM entries WHERE name = ?1", -1,
                           SQLITE_PREPARE_PERSISTENT, &d->erase, NULL) == SQLITE_OK)
        return ERRC_OK;
    return failed(d->db, why);
}

/* SQLite would make the file with the umask's mode, and would not make its name durable; the
 * journal beside it takes the file's mode and is synced with its folder by SQLite. */
static enum errc make_private(const char *path, struct errc_why *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return errc_fail(why, ERRC_IO, "cannot open or make the file: %s", strerror(errno));
    (void)close(fd);
    return file_sync_folder_of(path, why);
}

static enum errc open_database(const char *path, struct database *d, struct errc_why *why)
{
    TRY(make_private(path, why));
    if (sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return failed(d->db, why);
    TRY(set_up(d->db, why));
    return prepare(d, why);
}

enum errc store_sqlite_open(const char *path, struct store *out, struct errc_why *why)
{
    struct database *d = calloc(1, sizeof *d);
    if (d == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory for the store");
    enum errc code = open_database(path, d, why);
    if (code != ERRC_OK) {
        close_database(d);
        errc_prefix(why, "store \"%s\"", path);
        return code;
    }
    *out = (struct store){.kind = "file",
                          .get = get,
                          .write = write_batch,
                          .list = list,
                          .close = close_database,
                          .context = d};
    return ERRC_OK;
}
