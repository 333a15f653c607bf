#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "signer/shell/service/run_store.h"

#define ID "0b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"
#define ID2 "1b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"
#define ID3 "2b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"

static int make_folder(void **state)
{
    char *folder = strdup("/tmp/run-store-XXXXXX");
    assert_non_null(folder);
    assert_non_null(mkdtemp(folder));
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    char command[200];
    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", (char *)*state);
    int code = system(command);
    free(*state);
    return code;
}

static struct run_store *store_for(const char *folder, const char *name)
{
    struct run_store *store = NULL;
    struct errc_why why = {0};
    if (run_store_open(folder, name, &store, &why) != ERRC_OK)
        fail_msg("%s", why.text);
    return store;
}

static struct run run_of(const char *id, const char *service, int64_t created_ns)
{
    struct run run;
    assert_int_equal(run_init(&run, id, service, SLICE_LITERAL("{}"), created_ns, NULL), ERRC_OK);
    return run;
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static bool is_there(const char *folder, const char *name)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void test_run_store__a_run_comes_back_as_it_was_saved(void **state)
{
    struct run_store *store = store_for(*state, "api");
    struct run run CLEANUP(run_done) = run_of(ID, "api", 1);
    struct run back CLEANUP(run_done) = {0};
    assert_int_equal(run_store_create(store, &run, NULL), ERRC_OK);
    assert_int_equal(run_start(&run, 2, NULL), ERRC_OK);
    assert_int_equal(run_store_save(store, &run, NULL), ERRC_OK);
    run_store_close(store);
    store = store_for(*state, "api");
    assert_int_equal(run_store_load(store, ID, &back, NULL), ERRC_OK);
    assert_int_equal(back.status, RUN_RUNNING);
    assert_int_equal(back.event_count, 1);
    run_store_close(store);
}

static void test_run_store__a_run_is_created_once(void **state)
{
    struct run_store *api = store_for(*state, "api");
    struct run_store *worker = store_for(*state, "worker");
    struct run run CLEANUP(run_done) = run_of(ID, "api", 1);
    struct run other CLEANUP(run_done) = run_of(ID, "worker", 2);
    struct run back CLEANUP(run_done) = {0};
    assert_int_equal(run_store_create(api, &run, NULL), ERRC_OK);
    assert_int_equal(run_store_create(api, &run, NULL), ERRC_EXISTS);
    assert_int_equal(run_store_create(worker, &other, NULL), ERRC_EXISTS);
    assert_int_equal(run_store_load(worker, ID, &back, NULL), ERRC_OK);
    assert_string_equal(back.service, "api");
    run_store_close(api);
    run_store_close(worker);
}

static void test_run_store__one_service_serves_a_folder_once(void **state)
{
    struct run_store *store = store_for(*state, "api");
    struct run_store *again = NULL;
    struct errc_why why = {0};
    assert_int_equal(run_store_open(*state, "api", &again, &why), ERRC_STATE);
    assert_non_null(strstr(why.text, "api.lock\": another process serves there"));
    run_store_close(store);
    run_store_close(store_for(*state, "api"));
}

static void test_run_store__what_is_missing_is_not_found(void **state)
{
    struct run_store *store = store_for(*state, "api");
    struct run back;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 100);
    assert_int_equal(run_store_load(store, ID, &back, NULL), ERRC_NOT_FOUND);
    assert_int_equal(run_store_manifest(store, ID, &out, NULL), ERRC_NOT_FOUND);
    run_store_close(store);
}

static void test_run_store__names_the_file_that_is_no_run(void **state)
{
    struct run_store *store = store_for(*state, "api");
    struct run run CLEANUP(run_done) = run_of(ID, "api", 1);
    struct run back;
    struct errc_why why = {0};
    put_file(*state, "runs/" ID2 ".json", "{\"version\":1");
    assert_int_equal(run_store_load(store, ID2, &back, &why), ERRC_SYNTAX);
    assert_non_null(strstr(why.text, "runs/" ID2 ".json\": line 1"));
    assert_int_equal(run_store_create(store, &run, NULL), ERRC_OK);
    char from[300], to[300];
    (void)snprintf(from, sizeof from, "%s/runs/" ID ".json", (char *)*state);
    (void)snprintf(to, sizeof to, "%s/runs/" ID3 ".json", (char *)*state);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(run_store_load(store, ID3, &back, &why), ERRC_SCHEMA);
    assert_non_null(strstr(why.text, "the run inside is \"" ID "\""));
    run_store_close(store);
}

struct seen {
    char ids[8][ENTROPY_UUID_BYTES];
    size_t count;
    size_t bad;
};

static enum errc see(void *context, const char *id, struct errc_why *why)
{
    struct seen *seen = context;
    (void)why;
    strcpy(seen->ids[seen->count++], id);
    return ERRC_OK;
}

static void see_bad(void *context, const char *file, const struct errc_why *why)
{
    struct seen *seen = context;
    assert_non_null(strstr(why->text, file));
    seen->bad++;
}

static void test_run_store__finds_its_own_open_runs_oldest_first(void **state)
{
    struct run_store *store = store_for(*state, "api");
    static const struct {
        const char *id, *service;
        int64_t created_ns;
        enum run_status status;
    } runs[] = {
        {"00000000-0000-4000-8000-000000000001", "api", 30, RUN_PENDING},
        {"00000000-0000-4000-8000-000000000002", "api", 10, RUN_BLOCKED},
        {"00000000-0000-4000-8000-000000000003", "api", 20, RUN_RUNNING},
        {"00000000-0000-4000-8000-000000000004", "api", 5, RUN_COMPLETED},
        {"00000000-0000-4000-8000-000000000005", "api", 6, RUN_FAILED},
        {"00000000-0000-4000-8000-000000000006", "worker", 7, RUN_PENDING},
    };
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct run run CLEANUP(run_done) = run_of(runs[i].id, runs[i].service, runs[i].created_ns);
        run.status = runs[i].status;
        assert_int_equal(run_store_create(store, &run, NULL), ERRC_OK);
    }
    put_file(*state, "runs/" ID ".json", "garbage");
    put_file(*state, "runs/notes.txt", "not ours");
    struct seen seen = {0};
    const struct run_store_visitor visitor = {.visit = see, .bad = see_bad, .context = &seen};
    assert_int_equal(run_store_each_open(store, &visitor, NULL), ERRC_OK);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.bad, 1);
    assert_string_equal(seen.ids[0], runs[1].id);
    assert_string_equal(seen.ids[1], runs[2].id);
    assert_string_equal(seen.ids[2], runs[0].id);
    run_store_close(store);
}

static void test_run_store__only_who_is_alone_sweeps_what_a_crash_left(void **state)
{
    struct run_store *api = store_for(*state, "api");
    put_file(*state, "runs/" ID ".json.aB3dEf", "half");
    put_file(*state, "manifests/" ID ".json.aB3dEf", "half");
    put_file(*state, "runs/" ID ".json.bak", "somebody's copy");
    struct run_store *worker = store_for(*state, "worker");
    assert_true(is_there(*state, "runs/" ID ".json.aB3dEf"));
    run_store_close(api);
    run_store_close(worker);
    run_store_close(store_for(*state, "worker"));
    assert_false(is_there(*state, "runs/" ID ".json.aB3dEf"));
    assert_false(is_there(*state, "manifests/" ID ".json.aB3dEf"));
    assert_true(is_there(*state, "runs/" ID ".json.bak"));
}

/* Saves the run in turn as running and pending until it is killed; says on the pipe which save has
 * returned. */
static void save_for_ever(const char *folder, int told)
{
    struct run_store *store = store_for(folder, "api");
    struct run run = run_of(ID, "api", 1);
    (void)!run_store_create(store, &run, NULL);
    for (uint32_t n = 1;; n++) {
        enum errc code =
            run.status == RUN_PENDING ? run_start(&run, n, NULL) : run_resume(&run, n, NULL);
        if (code != ERRC_OK || run_store_save(store, &run, NULL) != ERRC_OK ||
            write(told, &n, sizeof n) != sizeof n)
            _exit(1);
    }
}

static uint32_t kill_while_saving(const char *folder, uint32_t saves)
{
    int fds[2];
    uint32_t last = 0, n = 0;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        save_for_ever(folder, fds[1]);
    (void)close(fds[1]);
    while (n < saves && read(fds[0], &n, sizeof n) == sizeof n)
        last = n;
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(fds[0], &n, sizeof n) == sizeof n)
        last = n;
    (void)close(fds[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return last;
}

static void test_run_store__a_kill_takes_back_nothing_that_was_saved(void **state)
{
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t last = kill_while_saving(*state, round % 5 + 1);
        struct run_store *store = store_for(*state, "api");
        struct run back CLEANUP(run_done) = {0};
        struct errc_why why = {0};
        if (run_store_load(store, ID, &back, &why) != ERRC_OK)
            fail_msg("round %u: %s", round, why.text);
        /* the save that was under way may have arrived as well */
        assert_in_range(back.updated_ns, last, (uint64_t)last + 1);
        run_store_close(store);
    }
}

static void test_run_store__a_folder_that_cannot_be_written_keeps_the_old_run(void **state)
{
    struct run_store *store = store_for(*state, "api");
    struct run run CLEANUP(run_done) = run_of(ID, "api", 1);
    struct run back CLEANUP(run_done) = {0};
    struct errc_why why = {0};
    char runs[300], away[300];
    (void)snprintf(runs, sizeof runs, "%s/runs", (char *)*state);
    (void)snprintf(away, sizeof away, "%s/away", (char *)*state);
    assert_int_equal(run_store_create(store, &run, NULL), ERRC_OK);
    assert_int_equal(rename(runs, away), 0);
    assert_int_equal(run_start(&run, 2, NULL), ERRC_OK);
    assert_int_not_equal(run_store_save(store, &run, &why), ERRC_OK);
    assert_non_null(strstr(why.text, ID ".json"));
    assert_int_equal(rename(away, runs), 0);
    assert_int_equal(run_store_load(store, ID, &back, NULL), ERRC_OK);
    assert_int_equal(back.status, RUN_PENDING);
    run_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run_store__a_run_comes_back_as_it_was_saved),
        TEST(test_run_store__a_run_is_created_once),
        TEST(test_run_store__one_service_serves_a_folder_once),
        TEST(test_run_store__what_is_missing_is_not_found),
        TEST(test_run_store__names_the_file_that_is_no_run),
        TEST(test_run_store__finds_its_own_open_runs_oldest_first),
        TEST(test_run_store__only_who_is_alone_sweeps_what_a_crash_left),
        TEST(test_run_store__a_kill_takes_back_nothing_that_was_saved),
        TEST(test_run_store__a_folder_that_cannot_be_written_keeps_the_old_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
