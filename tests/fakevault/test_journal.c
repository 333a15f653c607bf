/* The ledger: what a record looks like, and that no line is lost, torn or mixed up with another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/os/clock_os.h"
#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "fakevault/shell/ports/journal_file.h"

static char folder[64];
static char path[96];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/journal-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/journal.ndjson", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static struct journal_file *open_journal(uint64_t *cut)
{
    struct errc_why why = {""};
    struct journal_file *journal = NULL;
    if (journal_file_open(path, clock_os(), &journal, cut, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    return journal;
}

static const struct journal_record control_record = {
    .kind = JOURNAL_CONTROL,
    .control = {.verb = "seal", .generation = 4},
};

static void assert_formats(const struct journal_record *record, const char *rest)
{
    const struct instant at = {.mono_ns = 7, .wall_ns = 1000000001};
    struct buf out CLEANUP(buf_done), want CLEANUP(buf_done);
    buf_init(&out, LIMIT_LINE_BYTES);
    buf_init(&want, LIMIT_LINE_BYTES);
    journal_format(record, 3, at, &out);
    buf_addf(&want, "{\"seq\":3,\"kind\":%s}\n", rest);
    assert_string_equal(buf_text(&out), buf_text(&want));
}

#define STAMPS "\"mono_ns\":7,\"wall\":\"1970-01-01T00:00:01.000000001Z\""

static void test_journal__each_kind_has_its_fields(void **state)
{
    (void)state;
    const struct journal_hash hashes[] = {{"aa"}, {""}};
    const struct journal_record process = {
        .kind = JOURNAL_PROCESS,
        .process = {true, "b", 12, 42, 8200, "file"},
    };
    const struct journal_record closed = {.kind = JOURNAL_CONN, .conn = {9, JOURNAL_CLOSED_RESET}};
    const struct journal_record request = {
        .kind = JOURNAL_REQUEST,
        .request = {.conn = 9,
                    .method = slice_of("POST"),
                    .path = slice_of("/v1/transit/sign/k"),
                    .query = slice_of("token=hvs.x&&list"),
                    .operation = slice_of("update"),
                    .mount = slice_of("transit/"),
                    .key = slice_of("k"),
                    .accessor = slice_of("acc"),
                    .inputs = hashes,
                    .input_count = 2,
                    .test = slice_of("t"),
                    .attempt = slice_of("2"),
                    .rule = slice_of("r1"),
                    .roll = 17},
    };
    const struct journal_record reply = {
        .kind = JOURNAL_REPLY,
        .reply = {2, 200, 31, JOURNAL_SENT, true, 1, hashes, 1},
    };
    assert_formats(&process, "\"process\"," STAMPS ",\"event\":\"start\",\"boot_id\":\"b\","
                             "\"pid\":12,\"seed\":42,\"port\":8200,\"storage\":\"file\"");
    assert_formats(&closed,
                   "\"conn\"," STAMPS ",\"conn\":9,\"event\":\"closed\",\"how\":\"reset\"");
    assert_formats(
        &request,
        "\"request\"," STAMPS ",\"conn\":9,\"method\":\"POST\","
        "\"path\":\"/v1/transit/sign/"
        "k\",\"query\":[\"token\",\"list\"],\"operation\":\"update\",\"mount\":\"transit/\","
        "\"key\":\"k\",\"accessor\":\"acc\",\"input_sha256\":[\"aa\",\"\"],\"test\":\"t\","
        "\"attempt\":2,\"rule\":\"r1\",\"roll\":17");
    assert_formats(&reply, "\"reply\"," STAMPS ",\"request\":2,\"status\":200,\"bytes\":31,"
                           "\"end\":\"sent\",\"executed\":true,\"key_version\":1,"
                           "\"signature_sha256\":[\"aa\"]");
    assert_formats(&control_record, "\"control\"," STAMPS ",\"verb\":\"seal\",\"generation\":4");
}

static void test_journal__what_is_not_there_is_left_out(void **state)
{
    (void)state;
    const struct journal_record request = {
        .kind = JOURNAL_REQUEST,
        .request = {.conn = 1, .attempt = slice_of("-2"), .roll = -1},
    };
    const struct journal_record reply = {
        .kind = JOURNAL_REPLY,
        .reply = {.request = 2, .end = JOURNAL_DROPPED, .key_version = -1},
    };
    assert_formats(&request, "\"request\"," STAMPS ",\"conn\":1,\"attempt\":\"-2\"");
    assert_formats(&reply, "\"reply\"," STAMPS ",\"request\":2,\"status\":0,\"bytes\":0,"
                           "\"end\":\"dropped\",\"executed\":false");
}

static void test_journal__a_hostile_path_stays_one_line_of_json(void **state)
{
    (void)state;
    char hostile[3000];
    memset(hostile, 0xff, sizeof hostile);
    memcpy(hostile, "/a\n\"}\r\0{", 8);
    const struct journal_record record = {
        .kind = JOURNAL_REQUEST,
        .request = {.path = slice_bytes(hostile, sizeof hostile), .roll = -1},
    };
    const struct instant at = {0};
    struct buf out CLEANUP(buf_done);
    buf_init(&out, LIMIT_LINE_BYTES);
    journal_format(&record, 1, at, &out);
    json_t *value CLEANUP(jsonread_done) =
        json_loadb(out.ptr, out.len, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(value);
    assert_int_equal(slice_find(buf_slice(&out), '\n'), out.len - 1);
    assert_in_range(out.len, JOURNAL_TEXT_MAX, 3 * JOURNAL_TEXT_MAX);
}

static void test_journal__a_torn_tail_is_cut_and_nothing_else(void **state)
{
    (void)state;
    uint64_t cut = 0;
    journal_file_close(open_journal(&cut));
    int fd = open(path, O_WRONLY | O_APPEND);
    static const char text[] = "{\"seq\":1}\n{\"seq\":2}\n{\"seq\":3,\"ki";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    (void)close(fd);
    struct journal_file *journal = open_journal(&cut);
    assert_int_equal(cut, strlen("{\"seq\":3,\"ki"));
    (void)journal_file_add(journal, &control_record);
    journal_file_close(journal);
    struct buf all CLEANUP(buf_done);
    buf_init(&all, LIMIT_FILE_BYTES);
    assert_int_equal(file_read(path, &all, NULL), ERRC_OK);
    static const char want[] = "{\"seq\":1}\n{\"seq\":2}\n{\"seq\":1,\"kind\":\"control\"";
    assert_memory_equal(all.ptr, want, sizeof want - 1);
}

static void test_journal__a_tail_longer_than_a_block_is_cut(void **state)
{
    (void)state;
    uint64_t cut = 0;
    journal_file_close(open_journal(&cut));
    char block[5000];
    memset(block, 'x', sizeof block);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "{}\n", 3), 3);
    assert_int_equal(write(fd, block, sizeof block), sizeof block);
    assert_int_equal(write(fd, block, sizeof block), sizeof block);
    (void)close(fd);
    journal_file_close(open_journal(&cut));
    struct stat st;
    assert_int_equal(cut, 2 * sizeof block);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
}

static void test_journal__two_writers_are_refused(void **state)
{
    (void)state;
    uint64_t cut = 0;
    struct errc_why why = {""};
    struct journal_file *second = NULL, *first = open_journal(&cut);
    assert_int_equal(journal_file_open(path, clock_os(), &second, &cut, &why), ERRC_STATE);
    assert_non_null(strstr(why.text, "is written by another process"));
    journal_file_close(first);
}

static void test_journal__reading_goes_on_where_it_stopped(void **state)
{
    (void)state;
    enum { N = 1000 };
    uint64_t cut = 0, since = 0;
    struct journal_file *journal = open_journal(&cut);
    for (int i = 0; i < N; i++)
        assert_int_equal(journal_file_add(journal, &control_record), i + 1);
    for (uint64_t seen = 0; seen < N; seen = since) {
        struct buf lines CLEANUP(buf_done);
        char first[32];
        buf_init(&lines, LIMIT_FILE_BYTES);
        assert_int_equal(journal_file_read(journal, &since, 1000, &lines, NULL), ERRC_OK);
        (void)snprintf(first, sizeof first, "{\"seq\":%llu,", (unsigned long long)seen + 1);
        assert_true(slice_starts_with(buf_slice(&lines), first));
        assert_true(lines.len <= 1000 && since > seen);
    }
    assert_false(journal_file_wait(journal, N, 1));
    assert_true(journal_file_wait(journal, N - 1, 1000));
    journal_file_close(journal);
}

static void *add_many(void *journal)
{
    for (int i = 0; i < 500; i++)
        (void)journal_file_add(journal, &control_record);
    return NULL;
}

static void test_journal__lines_of_many_threads_never_mix(void **state)
{
    (void)state;
    uint64_t cut = 0, expected = 1;
    pthread_t threads[8];
    struct journal_file *journal = open_journal(&cut);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, journal), 0);
    for (size_t i = 0; i < 8; i++)
        (void)pthread_join(threads[i], NULL);
    journal_file_close(journal);
    struct buf all CLEANUP(buf_done);
    buf_init(&all, LIMIT_FILE_BYTES);
    assert_int_equal(file_read(path, &all, NULL), ERRC_OK);
    for (struct slice rest = buf_slice(&all); rest.len > 0; expected++) {
        json_t *record CLEANUP(jsonread_done) = NULL;
        assert_int_equal(jsonread_parse(slice_cut(&rest, '\n'), &record, NULL), ERRC_OK);
        assert_int_equal(json_integer_value(json_object_get(record, "seq")), expected);
    }
    assert_int_equal(expected, 8 * 500 + 1);
}

static void assert_file_is(const char *path_of, uint64_t lines)
{
    struct buf all CLEANUP(buf_done);
    buf_init(&all, LIMIT_FILE_BYTES);
    assert_int_equal(file_read(path_of, &all, NULL), ERRC_OK);
    uint64_t count = 0;
    for (size_t i = 0; i < all.len; i++)
        count += all.ptr[i] == '\n';
    assert_int_equal(count, lines);
}

static void test_journal__what_is_queued_is_written_with_the_next_flush(void **state)
{
    (void)state;
    uint64_t cut = 0;
    struct journal_file *journal = open_journal(&cut);
    assert_int_equal(journal_file_put(journal, &control_record), 1);
    assert_int_equal(journal_file_put(journal, &control_record), 2);
    assert_int_equal(journal_file_newest(journal), 0);
    assert_false(journal_file_wait(journal, 0, 1));
    assert_file_is(path, 0);
    journal_file_flush(journal, 1); /* whoever flushes takes all along */
    assert_int_equal(journal_file_newest(journal), 2);
    assert_file_is(path, 2);
    journal_file_flush(journal, 2);
    assert_file_is(path, 2);
    assert_int_equal(journal_file_add(journal, &control_record), 3);
    assert_file_is(path, 3);
    journal_file_close(journal);
}

static void test_journal__a_full_disk_ends_the_process_loudly(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit small = {300, 300};
        uint64_t cut = 0;
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)freopen("/dev/null", "w", stderr);
        struct journal_file *journal = open_journal(&cut);
        (void)setrlimit(RLIMIT_FSIZE, &small);
        for (int i = 0; i < 10; i++)
            (void)journal_file_add(journal, &control_record);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EX_IOERR);
    uint64_t cut = 0;
    journal_file_close(open_journal(&cut));
    assert_true(cut > 0); /* the line that did not fit is not left half */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_journal__each_kind_has_its_fields),
        TEST(test_journal__what_is_not_there_is_left_out),
        TEST(test_journal__a_hostile_path_stays_one_line_of_json),
        TEST(test_journal__a_torn_tail_is_cut_and_nothing_else),
        TEST(test_journal__a_tail_longer_than_a_block_is_cut),
        TEST(test_journal__two_writers_are_refused),
        TEST(test_journal__reading_goes_on_where_it_stopped),
        TEST(test_journal__lines_of_many_threads_never_mix),
        TEST(test_journal__what_is_queued_is_written_with_the_next_flush),
        TEST(test_journal__a_full_disk_ends_the_process_loudly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
