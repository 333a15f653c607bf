/* What chaos sees of the folder of a run: how the ledgers grow, and what lies there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "chaos/core/subject/subjects.h"
#include "chaos/shell/run/runfiles.h"
#include "chaos/shell/world/growth.h"

static struct folder_path folder;
static struct scenario_stack spec;
static struct stack stack;

static int set_up(void **state)
{
    (void)state;
    spec.subject = subjects_default();
    assert_int_equal(folder_make_temporary(&folder, NULL), ERRC_OK);
    stack = (struct stack){.options = {.run_folder = folder.text}, .spec = &spec};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(folder.text, NULL) == ERRC_OK ? 0 : -1;
}

static const char *in_folder(const char *relative)
{
    static struct folder_path path;
    assert_int_equal(stack_path(&stack, relative, &path, NULL), ERRC_OK);
    return path.text;
}

static void make_folder(const char *relative)
{
    assert_int_equal(mkdir(in_folder(relative), 0700), 0);
}

static void append(const char *relative, const char *text)
{
    int fd = open(in_folder(relative), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

static void await_looks(struct growth *growth, size_t count)
{
    while (growth->count < count)
        (void)sched_yield();
}

static void test_growth__sees_which_ledger_grew_first(void **state)
{
    (void)state;
    struct growth growth;
    make_folder("ledgers");
    growth_begin(&growth, &stack);
    assert_true(growth.running);
    append("ledgers/journal.ndjson", "12345\n");
    await_looks(&growth, 1);
    append("ledgers/audit.ndjson", "1\n");
    await_looks(&growth, 2);
    append("ledgers/audit.ndjson.lock", "changes nothing");
    append("ledgers/journal.ndjson", "6\n");
    await_looks(&growth, 3);
    growth_end(&growth);
    assert_int_equal(growth.count, 3);
    assert_int_equal(growth.looks[0].journal, 6);
    assert_int_equal(growth.looks[0].trail, 0);
    assert_int_equal(growth.looks[1].journal, 6);
    assert_int_equal(growth.looks[1].trail, 2);
    assert_int_equal(growth.looks[2].journal, 8);
    growth_close(&growth);
    assert_null(growth.looks);
}

/* As `trail: deny` does for a moment. */
static void test_growth__a_trail_that_is_set_aside_proves_nothing(void **state)
{
    (void)state;
    struct growth growth;
    struct folder_path trail, aside;
    make_folder("ledgers");
    append("ledgers/audit.ndjson", "1\n");
    assert_int_equal(stack_path(&stack, "ledgers/audit.ndjson", &trail, NULL), ERRC_OK);
    assert_int_equal(stack_path(&stack, "ledgers/aside", &aside, NULL), ERRC_OK);
    growth_begin(&growth, &stack);
    append("ledgers/journal.ndjson", "12345\n");
    await_looks(&growth, 1);
    assert_int_equal(rename(trail.text, aside.text), 0);
    append("ledgers/journal.ndjson", "6\n");
    assert_int_equal(rename(aside.text, trail.text), 0);
    append("ledgers/journal.ndjson", "7\n");
    while (growth.looks[growth.count - 1].journal < 10)
        (void)sched_yield();
    growth_end(&growth);
    for (size_t i = 0; i < growth.count; i++)
        assert_int_equal(growth.looks[i].trail, 2);
    growth_close(&growth);
}

static void test_growth__without_a_folder_there_is_none(void **state)
{
    (void)state;
    struct growth growth;
    growth_begin(&growth, &stack);
    assert_false(growth.running);
    assert_int_equal(growth.count, 0);
    growth_end(&growth);
    growth_close(&growth);
}

static void test_runfiles__lists_all_but_what_is_private_and_follows_no_link(void **state)
{
    (void)state;
    struct runfiles list = {0};
    make_folder("private");
    append("private/root-token", "secret");
    make_folder("api");
    make_folder("api/private"); /* only chaos' own is left out */
    append("api/private/x", "");
    assert_int_equal(chmod(in_folder("api/private/x"), 0666), 0);
    assert_int_equal(symlink("../private", in_folder("api/link")), 0);
    assert_int_equal(runfiles_list(&list, folder.text, NULL), ERRC_OK);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[0].name, "api");
    assert_int_equal(list.items[0].kind, WORLD_FILE_FOLDER);
    assert_int_equal(list.items[0].mode, 0700);
    assert_string_equal(list.items[1].name, "api/link");
    assert_int_equal(list.items[1].kind, WORLD_FILE_LINK);
    assert_string_equal(list.items[3].name, "api/private/x");
    assert_int_equal(list.items[3].mode, 0666);
    assert_int_equal(runfiles_list(&list, folder.text, NULL), ERRC_OK);
    assert_int_equal(list.count, 4);
    runfiles_done(&list);
    assert_int_not_equal(runfiles_list(&list, "/proc/self/no-such-folder", NULL), ERRC_OK);
    runfiles_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_growth__sees_which_ledger_grew_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_growth__a_trail_that_is_set_aside_proves_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_growth__without_a_folder_there_is_none, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_runfiles__lists_all_but_what_is_private_and_follows_no_link, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
