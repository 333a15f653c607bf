#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/file.h"
#include "signer/shell/files/bundle_folder.h"
#include "signer/shell/files/fallback_file.h"
#include "signer/shell/files/trust_file.h"
#include "signer/shell/keyport_openssl.h"
#include "tests/signer/fake.h"

#define KEY "{\"signingKey\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}\n"

static char folder[64];

static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-files-XXXXXX");
    return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return chdir("/") != 0 ? -1 : system(command);
}

/* The linker's --wrap: reads of the signer end with these errors first, one by one. */
static int read_errors[4];

ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
    int error = read_errors[0];
    if (error == 0)
        return __real_read(fd, bytes, len);
    memmove(read_errors, read_errors + 1, sizeof read_errors - sizeof *read_errors);
    errno = error;
    return -1;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_replace(path, slice_of(text), mode, NULL), ERRC_OK);
}

static enum fallback_verdict read_key(const char *path, struct errc_why *why)
{
    struct secret_arena *arena = NULL;
    struct secret seed = {0};
    assert_int_equal(secret_arena_new(65536, &arena, NULL, NULL), ERRC_OK);
    enum fallback_verdict verdict = fallback_file_read(path, arena, &seed, why);
    assert_int_equal(verdict == FALLBACK_USABLE, seed.len == KEYPORT_SEED_BYTES);
    secret_done(&seed);
    assert_int_equal(secret_arena_used(arena), 0);
    secret_arena_free(arena);
    return verdict;
}

static void test_fallback_file__a_private_file_is_used(void **state)
{
    (void)state;
    write_file("k", KEY, 0600);
    assert_int_equal(read_key("k", NULL), FALLBACK_USABLE);
    assert_int_equal(chmod("k", 0400), 0);
    assert_int_equal(read_key("k", NULL), FALLBACK_USABLE);
}

/* A signal is not a damaged key. */
static void test_fallback_file__an_interrupted_read_goes_on(void **state)
{
    (void)state;
    struct errc_why why = {0};
    write_file("k", KEY, 0600);
    memcpy(read_errors, (int[]){EINTR, EINTR}, 2 * sizeof(int));
    assert_int_equal(read_key("k", NULL), FALLBACK_USABLE);
    read_errors[0] = EIO;
    assert_int_equal(read_key("k", &why), FALLBACK_KEY_UNSAFE);
    assert_string_equal(why.text, "FALLBACK_KEY_FILE \"k\": Input/output error");
}

static void expect_verdict(const char *path, enum fallback_verdict verdict, const char *part)
{
    struct errc_why why = {0};
    enum fallback_verdict got = read_key(path, &why);
    if (got != verdict || strstr(why.text, part) == NULL)
        fail_msg("%s: verdict %d, \"%s\", want \"%s\"", path, (int)got, why.text, part);
}

static void test_fallback_file__anything_else_is_refused(void **state)
{
    (void)state;
    expect_verdict("none", FALLBACK_KEY_MISSING, "No such file");
    expect_verdict("none/k", FALLBACK_KEY_MISSING, "No such file");
    write_file("k", KEY, 0644);
    expect_verdict("k", FALLBACK_KEY_UNSAFE, "open to other users");
    assert_int_equal(chmod("k", 0600), 0);
    assert_int_equal(symlink("k", "link"), 0);
    expect_verdict("link", FALLBACK_KEY_UNSAFE, "symbolic link");
    assert_int_equal(link("k", "twin"), 0);
    expect_verdict("k", FALLBACK_KEY_UNSAFE, "hard links");
    assert_int_equal(unlink("twin"), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    expect_verdict("pipe", FALLBACK_KEY_UNSAFE, "not a regular file");
    assert_int_equal(mkdir("open", 0700), 0);
    assert_int_equal(chmod("open", 0777), 0);
    write_file("open/k", KEY, 0600);
    expect_verdict("open/k", FALLBACK_KEY_UNSAFE, "others can write");
    write_file("bad", "{\"signingKey\":\"c2hvcnQ=\"}", 0600);
    expect_verdict("bad", FALLBACK_KEY_UNSAFE, "is not the base64 of 32 bytes");
    if (geteuid() == 0) {
        assert_int_equal(chown("k", 65534, 65534), 0);
        expect_verdict("k", FALLBACK_KEY_UNSAFE, "another user");
    }
}

static void test_trust_file__must_be_our_own_to_write(void **state)
{
    (void)state;
    const struct keyport keyport = keyport_openssl();
    struct trust trust CLEANUP(trust_done), back CLEANUP(trust_done);
    struct errc_why why = {0};
    trust_init(&trust);
    assert_int_equal(trust_file_read("t", &keyport, &back, &why), ERRC_NOT_FOUND);
    assert_non_null(strstr(why.text, "run `signer trust accept`"));
    assert_int_equal(trust_file_write("t", &trust, NULL), ERRC_OK);
    assert_int_equal(trust_file_read("t", &keyport, &back, NULL), ERRC_OK);
    assert_null(trust_pin(&back));
    assert_int_equal(chmod("t", 0666), 0);
    assert_int_equal(trust_file_read("t", &keyport, &back, &why), ERRC_DENIED);
    write_file("t", "{", 0600);
    assert_int_equal(trust_file_read("t", &keyport, &back, &why), ERRC_SYNTAX);
    assert_non_null(strstr(why.text, "TRUST_FILE \"t\": line 1"));
}

#define BUNDLE(path)                                                                               \
    "{\"bundleRunId\":\"" FAKE_RUN_ID "\",\"operatorId\":\"op\",\"artefacts\":[{\"id\":\"x\","     \
    "\"type\":\"t\",\"path\":\"" path "\",\"storageKey\":\"k\",\"renderVersion\":\"1\"}]}"

static void expect_bundle(enum errc want, const char *part)
{
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct errc_why why = {0};
    enum errc code = bundle_folder_read("b", &bundle, &why);
    if (code != want || strstr(why.text, part) == NULL)
        fail_msg("%d \"%s\", want %d \"%s\"", (int)code, why.text, (int)want, part);
    assert_int_equal(code == ERRC_OK, bundle.document != NULL);
}

static void test_bundle_folder__hashes_the_files_beside(void **state)
{
    (void)state;
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    assert_int_equal(mkdir("b", 0700), 0);
    assert_int_equal(mkdir("b/d", 0700), 0);
    write_file("b/d/x", "hello", 0600);
    write_file("b/bundle.json", BUNDLE("d/x"), 0600);
    assert_int_equal(bundle_folder_read("b", &bundle, NULL), ERRC_OK);
    assert_string_equal(bundle.artefacts[0].checksum,
                        "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

static void test_bundle_folder__nothing_leads_out_of_it(void **state)
{
    (void)state;
    expect_bundle(ERRC_NOT_FOUND, "cannot open the folder \"b\"");
    assert_int_equal(mkdir("b", 0700), 0);
    expect_bundle(ERRC_NOT_FOUND, "cannot open \"b/bundle.json\"");
    write_file("outside", "secret", 0600);
    write_file("b/bundle.json", BUNDLE("x"), 0600);
    expect_bundle(ERRC_NOT_FOUND, "artefacts[0]: cannot open \"x\": No such file");
    assert_int_equal(symlink("../outside", "b/x"), 0);
    expect_bundle(ERRC_NOT_FOUND, "it is a symbolic link");
    write_file("b/bundle.json", BUNDLE("up/outside"), 0600);
    assert_int_equal(symlink("..", "b/up"), 0);
    expect_bundle(ERRC_NOT_FOUND, "artefacts[0]: cannot open \"up/outside\"");
    assert_int_equal(mkdir("b/folder", 0700), 0);
    write_file("b/bundle.json", BUNDLE("folder"), 0600);
    expect_bundle(ERRC_SCHEMA, "b/bundle.json: artefacts[0]: \"folder\" is not a regular file");
    write_file("b/bundle.json", "{\"a\":", 0600);
    expect_bundle(ERRC_SYNTAX, "b/bundle.json: line 1 column");
}

/* Each of these would never end, or not within a day. */
static void test_bundle_folder__reads_no_file_for_ever(void **state)
{
    (void)state;
    assert_int_equal(mkdir("b", 0700), 0);
    write_file("b/bundle.json", BUNDLE("x"), 0600);
    int fd = open("b/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)4 << 40), 0);
    assert_int_equal(close(fd), 0);
    expect_bundle(ERRC_TOO_BIG,
                  "b/bundle.json: artefacts[0]: \"x\" has 4398046511104 bytes, at most "
                  "2147483648 are taken");
    assert_int_equal(unlink("b/x"), 0);
    assert_int_equal(mkfifo("b/x", 0600), 0);
    expect_bundle(ERRC_SCHEMA, "artefacts[0]: \"x\" is not a regular file");
    assert_int_equal(unlink("b/x"), 0);
    assert_int_equal(symlink("/dev/zero", "b/x"), 0);
    expect_bundle(ERRC_NOT_FOUND, "artefacts[0]: cannot open \"x\": it is a symbolic link");
    assert_int_equal(unlink("b/bundle.json"), 0);
    assert_int_equal(mkfifo("b/bundle.json", 0600), 0);
    expect_bundle(ERRC_SCHEMA, "b/bundle.json: it is not a regular file");
}

static void test_bundle_folder__its_limits_are_kept_to_the_byte(void **state)
{
    (void)state;
    static const struct {
        struct bundle_folder_limits limits;
        enum errc code;
        const char *line;
    } cases[] = {
        {{5, 60000}, ERRC_OK, ""},
        {{4, 60000},
         ERRC_TOO_BIG,
         "b/bundle.json: artefacts[0]: \"x\" has 5 bytes, at most 4 are taken"},
        {{5, 0},
         ERRC_TIMEOUT,
         "b/bundle.json: artefacts[0]: \"x\" was not read in time: all artefacts together have 0 "
         "ms"},
    };
    assert_int_equal(mkdir("b", 0700), 0);
    write_file("b/x", "hello", 0600);
    write_file("b/bundle.json", BUNDLE("x"), 0600);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
        struct errc_why why = {0};
        assert_int_equal(bundle_folder_read_within("b", &cases[i].limits, &bundle, &why),
                         cases[i].code);
        assert_string_equal(why.text, cases[i].line);
    }
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_fallback_file__a_private_file_is_used),
        IN_FOLDER(test_fallback_file__an_interrupted_read_goes_on),
        IN_FOLDER(test_fallback_file__anything_else_is_refused),
        IN_FOLDER(test_trust_file__must_be_our_own_to_write),
        IN_FOLDER(test_bundle_folder__hashes_the_files_beside),
        IN_FOLDER(test_bundle_folder__nothing_leads_out_of_it),
        IN_FOLDER(test_bundle_folder__reads_no_file_for_ever),
        IN_FOLDER(test_bundle_folder__its_limits_are_kept_to_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
