#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/file.h"

/* The linker's --wrap sends these calls of file.c here. */
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);

static struct {
    char calls[200];  /* in order, e.g. "write fsync-file rename fsync-folder " */
    const char *fail; /* the call that fails */
} record;

static bool fails(const char *call)
{
    strncat(record.calls, call, sizeof record.calls - strlen(record.calls) - 1);
    strncat(record.calls, " ", sizeof record.calls - strlen(record.calls) - 1);
    if (record.fail == NULL || strcmp(record.fail, call) != 0)
        return false;
    errno = EIO;
    return true;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    /* A short write, to be continued. */
    return fails("write") ? -1 : __real_write(fd, bytes, len > 4 ? 4 : len);
}

int __wrap_fsync(int fd)
{
    struct stat st;
    bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    return fails(folder ? "fsync-folder" : "fsync-file") ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return fails("rename") ? -1 : __real_rename(from, to);
}

int __wrap_link(const char *from, const char *to)
{
    return fails("link") ? -1 : __real_link(from, to);
}

static char folder[] = "/tmp/test-file-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    memset(&record, 0, sizeof record);
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") != 0 ? -1 : rmdir(folder);
}

static size_t entries(void)
{
    size_t count = 0;
    DIR *here = opendir(".");
    for (struct dirent *e = readdir(here); e != NULL; e = readdir(here))
        count += e->d_name[0] != '.';
    (void)closedir(here);
    return count;
}

static void expect_content(const char *text)
{
    struct buf content CLEANUP(buf_done);
    buf_init(&content, 1000);
    assert_int_equal(file_read("f", &content, NULL), ERRC_OK);
    assert_string_equal(buf_text(&content), text);
}

static void test_file_replace__is_durable_before_it_is_visible(void **state)
{
    (void)state;
    assert_int_equal(file_replace("f", SLICE_LITERAL("123456"), 0600, NULL), ERRC_OK);
    assert_string_equal(record.calls, "write write fsync-file rename fsync-folder ");
    expect_content("123456");
    assert_int_equal(unlink("f"), 0);
}

static void test_file_publish__is_durable_before_it_is_visible(void **state)
{
    (void)state;
    assert_int_equal(file_publish("f", SLICE_LITERAL("1"), 0600, NULL), ERRC_OK);
    assert_string_equal(record.calls, "write fsync-file link fsync-folder ");
    assert_int_equal(unlink("f"), 0);
}

static void test_file_replace__any_failure_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *call, *sentence;
    } cases[] = {{"write", "cannot write \"f."},
                 {"fsync-file", "cannot sync \"f."},
                 {"rename", "cannot replace \"f\": Input/output error"}};
    assert_int_equal(file_replace("f", SLICE_LITERAL("old"), 0600, NULL), ERRC_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct errc_why why;
        record.fail = cases[i].call;
        assert_int_equal(file_replace("f", SLICE_LITERAL("new"), 0600, &why), ERRC_IO);
        assert_memory_equal(why.text, cases[i].sentence, strlen(cases[i].sentence));
        expect_content("old");
        assert_int_equal(entries(), 1);
    }
    assert_int_equal(unlink("f"), 0);
}

static void test_file_replace__an_unsynced_folder_is_no_success(void **state)
{
    (void)state;
    record.fail = "fsync-folder";
    struct errc_why why;
    assert_int_equal(file_replace("f", SLICE_LITERAL("new"), 0600, &why), ERRC_IO);
    assert_string_equal(why.text, "cannot sync the folder \".\": Input/output error");
    assert_int_equal(unlink("f"), 0);
}

static void test_file_publish__a_failure_publishes_nothing(void **state)
{
    (void)state;
    static const char *const calls[] = {"write", "fsync-file", "link"};
    for (size_t i = 0; i < COUNT(calls); i++) {
        record.fail = calls[i];
        assert_int_equal(file_publish("f", SLICE_LITERAL("new"), 0600, NULL), ERRC_IO);
        assert_int_equal(entries(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_file_replace__is_durable_before_it_is_visible,
                                        enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_file_publish__is_durable_before_it_is_visible,
                                        enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(
            test_file_replace__any_failure_leaves_the_old_file_and_nothing_else, enter_folder,
            leave_folder),
        cmocka_unit_test_setup_teardown(test_file_replace__an_unsynced_folder_is_no_success,
                                        enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_file_publish__a_failure_publishes_nothing,
                                        enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
