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
#include <unistd.h>

#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "signer/shell/files/audit_file.h"
#include "signer/shell/files/publish.h"
#include "tests/signer/fake.h"

static char folder[64];

static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-audit-XXXXXX");
    return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return chdir("/") != 0 ? -1 : system(command);
}

static struct audit_file *open_file(void)
{
    struct audit_file *file = NULL;
    assert_int_equal(audit_file_open("audit.ndjson", clock_os(), entropy_os(), &file, NULL),
                     ERRC_OK);
    return file;
}

static struct audit_entry entry_of(enum audit_action action, const char *run_id)
{
    return (struct audit_entry){.action = action,
                                .id = "6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01",
                                .bundle_run_id = run_id,
                                .actor = &fake_actor,
                                .wall_ns = 3000000,
                                .input_sha256 = "aa",
                                .manifest_hash = "sha256:bb",
                                .key_fingerprint = "sha256:cc",
                                .class = "sealed",
                                .reason = "fallback_off",
                                .message = "m"};
}

static enum errc append(struct audit_file *file, enum audit_action action, struct errc_why *why)
{
    struct audit_entry entry = entry_of(action, FAKE_RUN_ID);
    return audit_file_append(file, &entry, why);
}

static enum audit_state look_up(struct audit_file *file, struct buf *line)
{
    struct audit_bundle found;
    assert_int_equal(audit_file_lookup(file, FAKE_RUN_ID, &found, line, NULL), ERRC_OK);
    return found.state;
}

static void write_tail(const char *text)
{
    int fd = open("audit.ndjson", O_WRONLY | O_APPEND | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

/* Walks the chain; returns the number of lines. A line that is no entry must be followed by
 * AUDIT_TAIL_REPAIRED. */
static size_t check_chain(void)
{
    struct buf text CLEANUP(buf_done);
    char previous[DIGEST_HEX_BYTES] = AUDIT_GENESIS;
    size_t lines = 0;
    bool torn = false;
    buf_init(&text, 16u << 20);
    assert_int_equal(file_read("audit.ndjson", &text, NULL), ERRC_OK);
    assert_true(text.len > 0 && text.ptr[text.len - 1] == '\n');
    for (struct slice rest = buf_slice(&text); rest.len > 0; lines++) {
        struct slice line = slice_cut(&rest, '\n');
        json_t *entry CLEANUP(jsonread_done) = NULL;
        bool good = jsonread_parse(line, &entry, NULL) == ERRC_OK;
        if (good) {
            const json_t *payload = json_object_get(entry, "payload");
            assert_string_equal(jsonread_string_or(payload, "previous", ""), previous);
            bool repair =
                strcmp(jsonread_string_or(entry, "action", ""), "AUDIT_TAIL_REPAIRED") == 0;
            assert_int_equal(repair, torn);
        }
        torn = !good;
        digest_sha256_hex(line, previous);
    }
    return lines;
}

static void test_audit_file__chains_entries_over_reopening(void **state)
{
    (void)state;
    struct stat st;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, LIMIT_AUDIT_LINE_BYTES);
    struct audit_file *file = open_file();
    assert_int_equal(look_up(file, NULL), AUDIT_UNKNOWN);
    assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    assert_int_equal(look_up(file, &line), AUDIT_OPEN);
    struct audit_open start;
    assert_int_equal(audit_open_parse(buf_slice(&line), &start, NULL), ERRC_OK);
    audit_file_close(file);
    file = open_file();
    assert_int_equal(look_up(file, NULL), AUDIT_OPEN);
    assert_int_equal(append(file, AUDIT_FAILED, NULL), ERRC_OK);
    assert_int_equal(look_up(file, NULL), AUDIT_ENDED);
    audit_file_close(file);
    assert_int_equal(check_chain(), 2);
    assert_int_equal(stat("audit.ndjson", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_audit_file__sees_what_other_openers_write(void **state)
{
    (void)state;
    struct audit_file *one = open_file(), *two = open_file();
    assert_int_equal(append(one, AUDIT_STARTED, NULL), ERRC_OK);
    assert_int_equal(look_up(two, NULL), AUDIT_OPEN);
    assert_int_equal(append(two, AUDIT_FAILED, NULL), ERRC_OK);
    assert_int_equal(append(one, AUDIT_STARTED, NULL), ERRC_OK);
    assert_int_equal(look_up(two, NULL), AUDIT_OPEN);
    audit_file_close(one);
    audit_file_close(two);
    assert_int_equal(check_chain(), 3);
}

static void test_audit_file__a_torn_tail_is_closed_by_the_next_writer(void **state)
{
    (void)state;
    struct audit_file *file = open_file();
    assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    write_tail("{\"action\":\"MANIFEST_SIG");
    /* What is torn is not believed, and reading repairs nothing. */
    assert_int_equal(look_up(file, NULL), AUDIT_OPEN);
    assert_int_equal(append(file, AUDIT_FAILED, NULL), ERRC_OK);
    assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    audit_file_close(file);
    assert_int_equal(check_chain(), 5);
}

static void test_audit_file__a_whole_tail_only_lacks_its_newline(void **state)
{
    (void)state;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, LIMIT_AUDIT_LINE_BYTES);
    struct audit_entry entry = entry_of(AUDIT_STARTED, FAKE_RUN_ID);
    assert_int_equal(audit_format(&entry, AUDIT_GENESIS, &line, NULL), ERRC_OK);
    line.ptr[line.len - 1] = '\0';
    write_tail(line.ptr);
    struct audit_file *file = open_file();
    assert_int_equal(append(file, AUDIT_FAILED, NULL), ERRC_OK);
    assert_int_equal(look_up(file, NULL), AUDIT_ENDED);
    audit_file_close(file);
    assert_int_equal(check_chain(), 2);
}

static void test_audit_file__every_cut_of_the_last_line_is_mended(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1u << 20);
    struct audit_file *file = open_file();
    assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    struct stat st;
    assert_int_equal(stat("audit.ndjson", &st), 0);
    assert_int_equal(append(file, AUDIT_FAILED, NULL), ERRC_OK);
    audit_file_close(file);
    assert_int_equal(file_read("audit.ndjson", &text, NULL), ERRC_OK);
    for (size_t cut = (size_t)st.st_size; cut <= text.len; cut += 7) {
        assert_int_equal(file_replace("audit.ndjson", slice_bytes(text.ptr, cut), 0600, NULL),
                         ERRC_OK);
        file = open_file();
        assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
        assert_int_equal(look_up(file, NULL), AUDIT_OPEN);
        audit_file_close(file);
        (void)check_chain();
    }
}

/* A limit on the file's size stands for a full disk. */
static void test_audit_file__a_full_disk_leaves_the_trail_as_it_was(void **state)
{
    (void)state;
    struct errc_why why = {0};
    struct rlimit old, tight;
    struct audit_file *file = open_file();
    assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct stat before, after;
    assert_int_equal(stat("audit.ndjson", &before), 0);
    tight = (struct rlimit){.rlim_cur = (rlim_t)before.st_size + 100, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum errc code = append(file, AUDIT_FAILED, &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(code, ERRC_IO);
    assert_non_null(strstr(why.text, "audit.ndjson"));
    assert_int_equal(stat("audit.ndjson", &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(look_up(file, NULL), AUDIT_OPEN);
    assert_int_equal(append(file, AUDIT_FAILED, NULL), ERRC_OK);
    audit_file_close(file);
    assert_int_equal(check_chain(), 2);
}

static void test_audit_file__a_replaced_file_starts_a_new_chain(void **state)
{
    (void)state;
    struct audit_file *file = open_file();
    assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    assert_int_equal(rename("audit.ndjson", "audit.1"), 0);
    assert_int_equal(look_up(file, NULL), AUDIT_UNKNOWN);
    assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    audit_file_close(file);
    assert_int_equal(check_chain(), 1);
}

static void test_audit_file__what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct audit_file *file = NULL;
    struct errc_why why = {0};
    assert_int_equal(audit_file_open("/dev/null", clock_os(), entropy_os(), &file, &why), ERRC_IO);
    assert_string_equal(why.text, "the audit trail \"/dev/null\" is not a regular file");
    assert_int_equal(audit_file_open("no/audit", clock_os(), entropy_os(), &file, &why), ERRC_IO);
    assert_non_null(strstr(why.text, "\"no/audit\": No such file or directory"));
}

#define WRITERS 4
#define ENTRIES 40

static void *write_many(void *context)
{
    struct audit_file *file = context;
    for (int i = 0; i < ENTRIES; i++)
        assert_int_equal(append(file, AUDIT_STARTED, NULL), ERRC_OK);
    return NULL;
}

/* Two openers with two threads each, as two services have them. */
static void test_audit_file__writers_do_not_mix(void **state)
{
    (void)state;
    struct audit_file *files[2] = {open_file(), open_file()};
    pthread_t threads[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, files[i % 2]), 0);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    audit_file_close(files[0]);
    audit_file_close(files[1]);
    assert_int_equal(check_chain(), WRITERS * ENTRIES);
}

static void test_audit_file__a_bundle_is_claimed_once(void **state)
{
    (void)state;
    struct audit_file *one = open_file(), *two = open_file();
    int first = -1, second = -1, other = -1;
    struct errc_why why = {0};
    assert_int_equal(audit_file_claim(one, FAKE_RUN_ID, &first, NULL), ERRC_OK);
    assert_int_equal(audit_file_claim(two, FAKE_RUN_ID, &second, &why), ERRC_STATE);
    assert_string_equal(why.text, "bundle " FAKE_RUN_ID " is being signed by another process");
    assert_int_equal(audit_file_claim(one, FAKE_RUN_ID, &second, NULL), ERRC_STATE);
    assert_int_equal(audit_file_claim(two, "another", &other, NULL), ERRC_OK);
    (void)close(first);
    assert_int_equal(audit_file_claim(two, FAKE_RUN_ID, &second, NULL), ERRC_OK);
    (void)close(second);
    (void)close(other);
    audit_file_close(one);
    audit_file_close(two);
}

static void expect_file(const char *path, const char *text)
{
    struct buf content CLEANUP(buf_done);
    buf_init(&content, 1000);
    assert_int_equal(file_read(path, &content, NULL), ERRC_OK);
    assert_string_equal(buf_text(&content), text);
}

static void test_publish__is_whole_or_not_at_all(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(file_replace("m.json.backup", SLICE_LITERAL("kept"), 0600, NULL), ERRC_OK);
    assert_int_equal(publish_file("m.json", SLICE_LITERAL("one"), NULL), ERRC_OK);
    expect_file("m.json", "one");
    assert_int_equal(stat("m.json", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_not_equal(access(".m.json.signing", F_OK), 0);

    /* What a killed process left is written over, and nobody's file is taken for it. */
    assert_int_equal(file_replace(".m.json.signing", SLICE_LITERAL("torn torn"), 0600, NULL),
                     ERRC_OK);
    assert_int_equal(publish_file("m.json", SLICE_LITERAL("two"), NULL), ERRC_OK);
    expect_file("m.json", "two");
    expect_file("m.json.backup", "kept");
    assert_int_equal(file_replace(".m.json.signing", SLICE_LITERAL("torn"), 0600, NULL), ERRC_OK);
    publish_discard("m.json");
    assert_int_not_equal(access(".m.json.signing", F_OK), 0);
    expect_file("m.json", "two");
}

static void test_publish__does_not_write_through_a_link(void **state)
{
    (void)state;
    struct errc_why why = {0};
    assert_int_equal(file_replace("target", SLICE_LITERAL("kept"), 0600, NULL), ERRC_OK);
    assert_int_equal(symlink("target", ".m.json.signing"), 0);
    assert_int_equal(publish_file("m.json", SLICE_LITERAL("x"), &why), ERRC_IO);
    assert_non_null(strstr(why.text, "cannot create \".m.json.signing\""));
    expect_file("target", "kept");
    assert_int_equal(publish_file("no/m.json", SLICE_LITERAL("x"), &why), ERRC_IO);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_audit_file__chains_entries_over_reopening),
        IN_FOLDER(test_audit_file__sees_what_other_openers_write),
        IN_FOLDER(test_audit_file__a_torn_tail_is_closed_by_the_next_writer),
        IN_FOLDER(test_audit_file__a_whole_tail_only_lacks_its_newline),
        IN_FOLDER(test_audit_file__every_cut_of_the_last_line_is_mended),
        IN_FOLDER(test_audit_file__a_full_disk_leaves_the_trail_as_it_was),
        IN_FOLDER(test_audit_file__a_replaced_file_starts_a_new_chain),
        IN_FOLDER(test_audit_file__what_is_no_file_is_refused),
        IN_FOLDER(test_audit_file__writers_do_not_mix),
        IN_FOLDER(test_audit_file__a_bundle_is_claimed_once),
        IN_FOLDER(test_publish__is_whole_or_not_at_all),
        IN_FOLDER(test_publish__does_not_write_through_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
