#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/os/ready.h"

/* Tests run in a folder of their own, which they leave empty. */
static char folder[] = "/tmp/test-file-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") != 0 ? -1 : rmdir(folder);
}

static void expect_content(const char *path, const char *text)
{
    struct buf content CLEANUP(buf_done);
    buf_init(&content, 1000);
    assert_int_equal(file_read(path, &content, NULL), ERRC_OK);
    assert_string_equal(buf_text(&content), text);
}

static void test_file_replace__writes_bytes_and_mode(void **state)
{
    (void)state;
    assert_int_equal(file_replace("f", SLICE_LITERAL("one"), 0600, NULL), ERRC_OK);
    assert_int_equal(file_replace("f", SLICE_LITERAL("two"), 0640, NULL), ERRC_OK);
    expect_content("f", "two");
    struct stat st;
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(unlink("f"), 0);
}

static void test_file_put__replaces_and_leaves_nothing_beside(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(file_put("f", SLICE_LITERAL("one"), 0600, NULL), ERRC_OK);
    assert_int_equal(file_put("f", SLICE_LITERAL("two"), 0640, NULL), ERRC_OK);
    expect_content("f", "two");
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(file_put("missing/f", SLICE_LITERAL("x"), 0600, NULL), ERRC_NOT_FOUND);
    assert_int_equal(unlink("f"), 0); /* leave_folder finds it empty */
}

static void test_file_replace__writes_into_a_pipe_and_leaves_it_there(void **state)
{
    (void)state;
    char got[8] = "";
    struct stat st;
    assert_int_equal(mkfifo("p", 0600), 0);
    int reader = open("p", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(file_check_replace("p", NULL), ERRC_OK);
    assert_int_equal(file_replace("p", SLICE_LITERAL("one"), 0600, NULL), ERRC_OK);
    assert_int_equal(read(reader, got, sizeof got), 3);
    assert_string_equal(got, "one");
    file_remove("p");
    assert_int_equal(stat("p", &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    (void)close(reader);
    assert_int_equal(unlink("p"), 0);
}

static void test_file_remove__removes_a_regular_file(void **state)
{
    (void)state;
    assert_int_equal(file_replace("f", SLICE_LITERAL("one"), 0600, NULL), ERRC_OK);
    file_remove("f");
    assert_int_equal(access("f", F_OK), -1);
}

static void test_file_replace__gives_a_new_inode_so_a_reader_keeps_the_old(void **state)
{
    (void)state;
    assert_int_equal(file_replace("f", SLICE_LITERAL("old"), 0600, NULL), ERRC_OK);
    int fd = open("f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_replace("f", SLICE_LITERAL("new"), 0600, NULL), ERRC_OK);
    struct buf held CLEANUP(buf_done);
    buf_init(&held, 100);
    assert_int_equal(file_read_fd(fd, "held", &held, NULL), ERRC_OK);
    assert_string_equal(buf_text(&held), "old");
    assert_int_equal(close(fd), 0);
    expect_content("f", "new");
    assert_int_equal(unlink("f"), 0);
}

static void test_file_replace__a_failure_leaves_no_file_beside(void **state)
{
    (void)state;
    struct errc_why why;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/inner", 0700), 0);
    assert_int_not_equal(file_replace("d", SLICE_LITERAL("x"), 0600, &why), ERRC_OK);
    assert_memory_equal(why.text, "cannot replace \"d\": ", 20);
    assert_int_equal(rmdir("d/inner"), 0);
    assert_int_equal(rmdir("d"), 0);
    assert_int_equal(file_replace("missing/f", SLICE_LITERAL("x"), 0600, &why), ERRC_NOT_FOUND);
    assert_string_equal(why.text,
                        "cannot create a file beside \"missing/f\": No such file or directory");
}

static void test_file_publish__never_replaces(void **state)
{
    (void)state;
    struct errc_why why;
    assert_int_equal(file_publish("f", SLICE_LITERAL("first"), 0600, &why), ERRC_OK);
    assert_int_equal(file_publish("f", SLICE_LITERAL("second"), 0600, &why), ERRC_EXISTS);
    assert_string_equal(why.text, "cannot publish \"f\": File exists");
    expect_content("f", "first");
    assert_int_equal(unlink("f"), 0);
}

static void test_file_read__explains_what_it_cannot_read(void **state)
{
    (void)state;
    struct errc_why why;
    struct buf content CLEANUP(buf_done);
    buf_init(&content, 3);
    assert_int_equal(file_read("missing", &content, &why), ERRC_NOT_FOUND);
    assert_string_equal(why.text, "cannot open \"missing\": No such file or directory");
    assert_int_equal(file_read(".", &content, &why), ERRC_IO);
    assert_string_equal(why.text, "\".\" is not a regular file");
    assert_int_equal(file_replace("f", SLICE_LITERAL("four"), 0600, NULL), ERRC_OK);
    assert_int_equal(file_read("f", &content, &why), ERRC_TOO_BIG);
    assert_string_equal(why.text, "\"f\" is larger than 3 bytes");
    assert_int_equal(unlink("f"), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(file_read("pipe", &content, &why), ERRC_IO);
    assert_int_equal(unlink("pipe"), 0);
}

static void test_file_write_fd__reports_a_closed_reader(void **state)
{
    (void)state;
    struct errc_why why;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(file_write_fd(full, SLICE_LITERAL("x"), "the pipe", &why), ERRC_IO);
    assert_string_equal(why.text, "cannot write \"the pipe\": No space left on device");
    assert_int_equal(close(full), 0);
}

static void test_file_make_folder__makes_parents_and_takes_what_is_there(void **state)
{
    (void)state;
    struct errc_why why;
    assert_int_equal(file_make_folder("a/b/c", 0700, NULL), ERRC_OK);
    assert_int_equal(file_make_folder("a/b/c", 0700, NULL), ERRC_OK);
    assert_int_equal(file_replace("a/b/c/f", SLICE_LITERAL(""), 0600, NULL), ERRC_OK);
    assert_int_not_equal(file_make_folder("a/b/c/f", 0700, &why), ERRC_OK);
    assert_memory_equal(why.text, "cannot make the folder \"a/b/c/f\"", 32);
    assert_int_equal(unlink("a/b/c/f"), 0);
    assert_int_equal(rmdir("a/b/c"), 0);
    assert_int_equal(rmdir("a/b"), 0);
    assert_int_equal(rmdir("a"), 0);
}

static void test_file__a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char path[5000];
    memset(path, 'x', sizeof path - 1);
    struct errc_why why;
    assert_int_equal(file_replace(path, SLICE_LITERAL(""), 0600, &why), ERRC_TOO_BIG);
    assert_int_equal(file_make_folder(path, 0700, &why), ERRC_TOO_BIG);
    assert_int_equal(file_sync_folder_of(path, &why), ERRC_TOO_BIG);
    assert_memory_equal(why.text, "path \"xxx", 9);
}

static void test_ready__writes_the_port_file_before_the_line(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct ready ready = {
        .fd = ends[1], .port_file = "port", .port = 8200, .admin = "a.sock", .boot_id = "b"};
    assert_int_equal(ready_announce(&ready, NULL), ERRC_OK);
    expect_content("port", "8200\n");
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 1000);
    assert_int_equal(file_read_fd(ends[0], "ready", &line, NULL), ERRC_OK);
    char expected[200];
    (void)snprintf(expected, sizeof expected,
                   "{\"ready\":true,\"pid\":%d,\"port\":8200,\"admin\":\"a.sock\","
                   "\"boot_id\":\"b\"}\n",
                   getpid());
    assert_string_equal(buf_text(&line), expected);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(unlink("port"), 0);
}

static void test_ready__says_nothing_when_the_port_file_fails(void **state)
{
    (void)state;
    struct ready ready = {.fd = -1, .port_file = "missing/port", .port = 1};
    struct errc_why why;
    assert_int_equal(ready_announce(&ready, &why), ERRC_NOT_FOUND);
    ready.port_file = NULL;
    assert_int_equal(ready_announce(&ready, &why), ERRC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_file_replace__writes_bytes_and_mode, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(test_file_put__replaces_and_leaves_nothing_beside,
                                        enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_file_replace__writes_into_a_pipe_and_leaves_it_there,
                                        enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_file_remove__removes_a_regular_file, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(
            test_file_replace__gives_a_new_inode_so_a_reader_keeps_the_old, enter_folder,
            leave_folder),
        cmocka_unit_test_setup_teardown(test_file_replace__a_failure_leaves_no_file_beside,
                                        enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_file_publish__never_replaces, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(test_file_read__explains_what_it_cannot_read, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(test_file_write_fd__reports_a_closed_reader, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(
            test_file_make_folder__makes_parents_and_takes_what_is_there, enter_folder,
            leave_folder),
        cmocka_unit_test_setup_teardown(test_file__a_path_that_is_too_long_is_refused, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(test_ready__writes_the_port_file_before_the_line,
                                        enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_ready__says_nothing_when_the_port_file_fails,
                                        enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
