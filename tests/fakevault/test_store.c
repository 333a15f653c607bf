/* One contract for both stores, then what only the file has: its lock, its mode, its damage. */
#include "base/count.h"
#include "tests/fakevault/cmocka_first.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fakevault/core/store/store_memory.h"
#include "fakevault/shell/ports/store_sqlite.h"

struct folder {
    char path[64];
    char file[96];
};

static int make_folder(void **state)
{
    static struct folder f;
    (void)snprintf(f.path, sizeof f.path, "/tmp/fakevault-store-XXXXXX");
    assert_non_null(mkdtemp(f.path));
    (void)snprintf(f.file, sizeof f.file, "%s/vault.db", f.path);
    *state = &f;
    return 0;
}

static int remove_folder(void **state)
{
    const struct folder *f = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[128];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s%s", f->file, suffixes[i]);
        (void)unlink(name);
    }
    return rmdir(f->path);
}

static enum errc open_memory(const struct folder *f, struct store *out)
{
    (void)f;
    return store_memory_new(out, NULL);
}

static enum errc open_file(const struct folder *f, struct store *out)
{
    return store_sqlite_open(f->file, out, NULL);
}

static void expect_stored(const struct store *s, const char *name, const char *value)
{
    struct buf got CLEANUP(buf_done);
    buf_init(&got, 1 << 20);
    assert_int_equal(store_get(s, slice_of(name), &got, NULL), ERRC_OK);
    assert_string_equal(buf_text(&got), value);
}

static void expect_missing(const struct store *s, const char *name)
{
    struct buf got CLEANUP(buf_done);
    struct errc_why why;
    buf_init(&got, 1 << 20);
    assert_int_equal(store_get(s, slice_of(name), &got, &why), ERRC_NOT_FOUND);
    assert_non_null(strstr(why.text, name));
}

static void put(const struct store *s, const char *name, const char *value)
{
    assert_int_equal(store_put(s, slice_of(name), slice_of(value), NULL), ERRC_OK);
}

static void keeps_what_it_is_given(const struct store *s)
{
    expect_missing(s, "a");
    put(s, "a", "1");
    expect_stored(s, "a", "1");
    put(s, "a", "two");
    expect_stored(s, "a", "two");
    put(s, "a", "");
    expect_stored(s, "a", "");
    assert_int_equal(store_erase(s, slice_of("a"), NULL), ERRC_OK);
    expect_missing(s, "a");
    assert_int_equal(store_erase(s, slice_of("a"), NULL), ERRC_OK);
}

struct listed {
    struct buf names;
    size_t stop_at;
    size_t count;
};

static enum errc add(void *context, struct slice rest)
{
    struct listed *l = context;
    buf_addf(&l->names, "%.*s ", SLICE_FMT(rest));
    return ++l->count == l->stop_at ? ERRC_STATE : ERRC_OK;
}

static void lists_by_prefix(const struct store *s)
{
    struct listed l = {.stop_at = 0}, stopped = {.stop_at = 2};
    buf_init(&l.names, 1000);
    buf_init(&stopped.names, 1000);
    static const char *const names[] = {"l/b", "l/a", "l/a/x", "l/", "m/a", "k", "l"};
    for (size_t i = 0; i < COUNT(names); i++)
        put(s, names[i], "v");
    assert_int_equal(store_list(s, slice_of("l/"), add, &l, NULL), ERRC_OK);
    assert_string_equal(buf_text(&l.names), " a a/x b ");
    assert_int_equal(store_list(s, slice_of("l/"), add, &stopped, NULL), ERRC_STATE);
    assert_int_equal(stopped.count, 2);
    buf_done(&l.names);
    buf_done(&stopped.names);
}

static void writes_all_or_nothing(const struct store *s)
{
    put(s, "old", "1");
    struct store_change good[] = {{SLICE_LITERAL("x"), SLICE_LITERAL("1"), false},
                                  {SLICE_LITERAL("old"), {0}, true},
                                  {SLICE_LITERAL("y"), SLICE_LITERAL("2"), false}};
    assert_int_equal(store_write(s, good, 3, NULL), ERRC_OK);
    expect_stored(s, "x", "1");
    expect_stored(s, "y", "2");
    expect_missing(s, "old");
    struct store_change bad[] = {{SLICE_LITERAL("z"), SLICE_LITERAL("1"), false},
                                 {SLICE_LITERAL(""), SLICE_LITERAL("2"), false}};
    assert_int_equal(store_write(s, bad, 2, NULL), ERRC_TOO_BIG);
    expect_missing(s, "z");
}

static void holds_any_bytes(const struct store *s)
{
    struct buf got CLEANUP(buf_done);
    buf_init(&got, 100);
    struct slice name = {"a\0b", 3}, value = {"\0\xff\n", 3};
    assert_int_equal(store_put(s, name, value, NULL), ERRC_OK);
    assert_int_equal(store_get(s, name, &got, NULL), ERRC_OK);
    assert_true(slice_equal(buf_slice(&got), value));
    expect_missing(s, "a");
}

static void check_contract(enum errc (*opener)(const struct folder *f, struct store *out),
                           const struct folder *f, const char *kind)
{
    struct store s CLEANUP(store_close) = {0};
    assert_int_equal(opener(f, &s), ERRC_OK);
    assert_string_equal(s.kind, kind);
    keeps_what_it_is_given(&s);
    lists_by_prefix(&s);
    writes_all_or_nothing(&s);
    holds_any_bytes(&s);
}

static void test_store__memory_keeps_the_contract(void **state)
{
    check_contract(open_memory, *state, "inmem");
}

static void test_store__sqlite_keeps_the_contract(void **state)
{
    check_contract(open_file, *state, "file");
}

static void test_store__sqlite_survives_a_process_that_is_killed(void **state)
{
    const struct folder *f = *state;
    pid_t child = fork();
    if (child == 0) {
        struct store s;
        if (store_sqlite_open(f->file, &s, NULL) == ERRC_OK &&
            store_put(&s, SLICE_LITERAL("a"), SLICE_LITERAL("acknowledged"), NULL) == ERRC_OK)
            (void)kill(getpid(), SIGKILL);
        _exit(1);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    struct store s CLEANUP(store_close) = {0};
    assert_int_equal(open_file(f, &s), ERRC_OK);
    expect_stored(&s, "a", "acknowledged");
}

static void test_store__sqlite_makes_a_private_file(void **state)
{
    const struct folder *f = *state;
    struct store s CLEANUP(store_close) = {0};
    struct stat info;
    mode_t before = umask(0);
    assert_int_equal(open_file(f, &s), ERRC_OK);
    (void)umask(before);
    put(&s, "a", "1");
    assert_int_equal(stat(f->file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    char wal[128];
    (void)snprintf(wal, sizeof wal, "%s-wal", f->file);
    assert_int_equal(stat(wal, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void expect_refusal(const struct folder *f, enum errc want, const char *text)
{
    struct store s = {0};
    struct errc_why why = {{0}};
    assert_int_equal(store_sqlite_open(f->file, &s, &why), want);
    if (strstr(why.text, text) == NULL || strstr(why.text, f->file) == NULL)
        fail_msg("\"%s\" does not say \"%s\" of \"%s\"", why.text, text, f->file);
}

static void test_store__sqlite_is_open_once(void **state)
{
    const struct folder *f = *state;
    struct store s CLEANUP(store_close) = {0};
    assert_int_equal(open_file(f, &s), ERRC_OK);
    expect_refusal(f, ERRC_UNAVAILABLE, "open in another process");
    put(&s, "a", "still works");
}

static void write_file(const struct folder *f, const char *bytes, size_t len, long at)
{
    FILE *out = fopen(f->file, at == 0 ? "w" : "r+");
    assert_non_null(out);
    assert_int_equal(fseek(out, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static void test_store__sqlite_refuses_what_is_no_database(void **state)
{
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    write_file(*state, noise, sizeof noise, 0);
    expect_refusal(*state, ERRC_SCHEMA, "no database");
}

static void test_store__sqlite_refuses_another_programs_database(void **state)
{
    const struct folder *f = *state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    expect_refusal(f, ERRC_SCHEMA, "another program");
}

static void test_store__sqlite_refuses_a_format_of_the_future(void **state)
{
    const struct folder *f = *state;
    struct store s = {0};
    sqlite3 *db = NULL;
    assert_int_equal(open_file(f, &s), ERRC_OK);
    store_close(&s);
    assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=9", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    expect_refusal(f, ERRC_SCHEMA, "format 9");
}

static void test_store__sqlite_notices_damage(void **state)
{
    const struct folder *f = *state;
    struct store s = {0};
    char noise[2000], name[32];
    assert_int_equal(open_file(f, &s), ERRC_OK);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "name/%d", i);
        put(&s, name, "a value that fills some pages of the file");
    }
    store_close(&s);
    memset(noise, 0xee, sizeof noise);
    write_file(f, noise, sizeof noise, 4096 + 8);
    expect_refusal(f, ERRC_IO, "damaged");
}

static void test_store__sqlite_names_a_folder_that_is_not_there(void **state)
{
    struct folder f = *(const struct folder *)*state;
    (void)snprintf(f.file, sizeof f.file, "%s/none/vault.db", f.path);
    expect_refusal(&f, ERRC_IO, "No such file");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_store__memory_keeps_the_contract),
        IN_FOLDER(test_store__sqlite_keeps_the_contract),
        IN_FOLDER(test_store__sqlite_survives_a_process_that_is_killed),
        IN_FOLDER(test_store__sqlite_makes_a_private_file),
        IN_FOLDER(test_store__sqlite_is_open_once),
        IN_FOLDER(test_store__sqlite_refuses_what_is_no_database),
        IN_FOLDER(test_store__sqlite_refuses_another_programs_database),
        IN_FOLDER(test_store__sqlite_refuses_a_format_of_the_future),
        IN_FOLDER(test_store__sqlite_notices_damage),
        IN_FOLDER(test_store__sqlite_names_a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
