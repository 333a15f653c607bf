/* The small parts of chaos' shell: ports, folders, environments, keys, the table of verbs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"
#include "chaos/core/actors/actors.h"
#include "chaos/shell/stack/certificates.h"
#include "chaos/shell/stack/decoy.h"
#include "chaos/shell/stack/envmap.h"
#include "chaos/shell/stack/fallbackkey.h"
#include "chaos/shell/stack/folder.h"
#include "chaos/shell/stack/knownkeys.h"
#include "chaos/shell/stack/portkeep.h"
#include "chaos/shell/stack/publishfault.h"
#include "chaos/shell/stack/trailfault.h"
#include "chaos/shell/world/exec_verbs.h"

static int socket_on(uint16_t port, bool reuse, int (*use)(int, const struct sockaddr *, socklen_t))
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (reuse)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    if (use(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int e = errno;
    (void)close(fd);
    errno = e;
    return -1;
}

static void test_portkeep__refuses_strangers_and_lets_the_server_in(void **state)
{
    (void)state;
    struct portkeep keep = PORTKEEP_NONE;
    assert_int_equal(portkeep_open(&keep, NULL), ERRC_OK);
    assert_int_equal(socket_on(keep.port, false, connect), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(socket_on(keep.port, false, bind), -1);
    assert_int_equal(errno, EADDRINUSE);
    for (int restart = 0; restart < 3; restart++) {
        int server = socket_on(keep.port, true, bind);
        assert_true(server >= 0);
        assert_int_equal(listen(server, 8), 0);
        int client = socket_on(keep.port, false, connect);
        assert_true(client >= 0);
        (void)close(server);
        (void)close(client);
        assert_int_equal(socket_on(keep.port, false, connect), -1);
    }
    portkeep_close(&keep);
    assert_int_equal(keep.fd, -1);
}

static void test_portkeep__numbers_are_given_once(void **state)
{
    (void)state;
    enum { MANY = 200 };
    struct portkeep keeps[MANY];
    for (int i = 0; i < MANY; i++) {
        keeps[i] = PORTKEEP_NONE;
        assert_int_equal(portkeep_open(&keeps[i], NULL), ERRC_OK);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(keeps[k].port, keeps[i].port);
    }
    for (int i = 0; i < MANY; i++)
        portkeep_close(&keeps[i]);
}

static void test_folder__removes_a_tree_and_follows_no_link(void **state)
{
    (void)state;
    struct folder_path top;
    struct folder_path other;
    struct folder_path inside;
    struct folder_path link;
    assert_int_equal(folder_make_temporary(&top, NULL), ERRC_OK);
    assert_int_equal(folder_make_temporary(&other, NULL), ERRC_OK);
    assert_int_equal(folder_format(&inside, NULL, "%s/a/b", top.text), ERRC_OK);
    assert_int_equal(file_make_folder(inside.text, 0700, NULL), ERRC_OK);
    assert_int_equal(folder_format(&link, NULL, "%s/a/link", top.text), ERRC_OK);
    assert_int_equal(folder_link(link.text, other.text, NULL), ERRC_OK);
    assert_int_equal(folder_link(link.text, other.text, NULL), ERRC_OK);
    assert_int_equal(folder_remove(top.text, NULL), ERRC_OK);
    assert_int_equal(access(top.text, F_OK), -1);
    assert_int_equal(access(other.text, F_OK), 0);
    assert_int_equal(folder_remove(other.text, NULL), ERRC_OK);
    assert_int_equal(folder_remove(other.text, NULL), ERRC_OK);
}

static void test_folder__a_temporary_is_private_and_leaves_room_for_a_socket(void **state)
{
    (void)state;
    struct folder_path path;
    struct stat st;
    char *before = getenv("XDG_RUNTIME_DIR") != NULL ? strdup(getenv("XDG_RUNTIME_DIR")) : NULL;
    char deep[200];
    memset(deep, 'x', sizeof deep);
    deep[0] = '/';
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(setenv("XDG_RUNTIME_DIR", deep, 1), 0);
    assert_int_equal(folder_make_temporary(&path, NULL), ERRC_OK);
    assert_true(strlen(path.text) < 100);
    assert_int_equal(stat(path.text, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(folder_remove(path.text, NULL), ERRC_OK);
    if (before != NULL)
        (void)setenv("XDG_RUNTIME_DIR", before, 1);
    else
        (void)unsetenv("XDG_RUNTIME_DIR");
    free(before);
}

static void test_envmap__sets_replaces_and_takes_out(void **state)
{
    (void)state;
    struct envmap map CLEANUP(envmap_done) = {0};
    struct envmap copy CLEANUP(envmap_done) = {0};
    struct scenario_pair pairs[ENVMAP_MAX];
    assert_int_equal(envmap_set(&map, "A", "1", NULL), ERRC_OK);
    assert_int_equal(envmap_set(&map, "AB", "2", NULL), ERRC_OK);
    assert_int_equal(envmap_set(&map, "VAULT_TOKEN", "secret", NULL), ERRC_OK);
    assert_int_equal(envmap_set(&map, "A", "x=y", NULL), ERRC_OK);
    assert_string_equal(envmap_get(&map, "A"), "x=y");
    assert_int_equal(envmap_copy(&map, &copy, NULL), ERRC_OK);
    envmap_unset(&map, "AB");
    envmap_unset(&map, "AB");
    assert_null(envmap_get(&map, "AB"));
    assert_null(envmap_items(&map)[map.count]);
    assert_int_equal(envmap_pairs(&copy, "VAULT_TOKEN", pairs), 2);
    assert_string_equal(pairs[0].name, "A");
    assert_string_equal(pairs[0].value, "x=y");
    assert_string_equal(pairs[1].value, "2");
    assert_int_equal(envmap_pairs(&copy, NULL, pairs), 3);
}

static void test_envmap__has_a_limit(void **state)
{
    (void)state;
    struct envmap map CLEANUP(envmap_done) = {0};
    char name[16];
    for (unsigned i = 0; i < ENVMAP_MAX; i++) {
        (void)snprintf(name, sizeof name, "V%u", i);
        assert_int_equal(envmap_set(&map, name, "", NULL), ERRC_OK);
    }
    assert_int_equal(envmap_set(&map, "ONE_MORE", "", NULL), ERRC_TOO_BIG);
    assert_int_equal(envmap_set(&map, "V0", "changed", NULL), ERRC_OK);
}

static void test_fallbackkey__is_a_private_file_of_docugens_form(void **state)
{
    (void)state;
    const struct entropy entropy = entropy_os();
    struct folder_path folder;
    struct folder_path path;
    struct fallbackkey key;
    struct fallbackkey other;
    struct stat st;
    struct buf text CLEANUP(buf_done);
    struct buf pem CLEANUP(buf_done);
    buf_init(&text, 1000);
    buf_init(&pem, 1000);
    assert_int_equal(folder_make_temporary(&folder, NULL), ERRC_OK);
    assert_int_equal(folder_format(&path, NULL, "%s/fallback.json", folder.text), ERRC_OK);
    assert_int_equal(fallbackkey_write(path.text, &entropy, &key, NULL), ERRC_OK);
    assert_int_equal(stat(path.text, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_read(path.text, &text, NULL), ERRC_OK);
    assert_true(slice_starts_with(buf_slice(&text), "{\"signingKey\": \""));
    assert_non_null(strstr(buf_text(&text), key.text));
    assert_int_equal(strlen(key.text), 44);
    assert_int_equal(fallbackkey_write(path.text, &entropy, &other, NULL), ERRC_OK);
    assert_string_not_equal(key.text, other.text);
    assert_int_equal(fallbackkey_put(path.text, &key, NULL), ERRC_OK);
    buf_reset(&text);
    assert_int_equal(file_read(path.text, &text, NULL), ERRC_OK);
    assert_non_null(strstr(buf_text(&text), key.text));
    assert_int_equal(fallbackkey_public(&key, &pem, NULL), ERRC_OK);
    assert_true(slice_starts_with(buf_slice(&pem), "-----BEGIN PUBLIC KEY-----\n"));
    assert_int_equal(folder_remove(folder.text, NULL), ERRC_OK);
}

static void test_knownkeys__keeps_every_key_once(void **state)
{
    (void)state;
    static struct knownkeys known;
    knownkeys_init(&known);
    assert_int_equal(knownkeys_add(&known, false, 1, "pem a", NULL), ERRC_OK);
    assert_int_equal(knownkeys_add(&known, false, 1, "pem a", NULL), ERRC_OK);
    assert_int_equal(knownkeys_add(&known, false, 1, "pem b", NULL), ERRC_OK);
    assert_int_equal(knownkeys_add(&known, true, 0, "pem a", NULL), ERRC_OK);
    assert_int_equal(known.key_count, 3);
    assert_int_equal(known.keys[0].since_wall_ns, 0);
    assert_int_equal(knownkeys_add_secret(&known, "root token", SLICE_LITERAL("s.1"), NULL),
                     ERRC_OK);
    assert_true(slice_equal_text(known.secrets[0].bytes, "s.1"));
    knownkeys_done(&known);
    assert_int_equal(known.key_count, 0);
}

static void assert_lawful(const struct world_key *key, const char *pem, int64_t since,
                          int64_t until)
{
    assert_string_equal(key->pem, pem);
    assert_int_equal(key->since_wall_ns, since);
    assert_int_equal(key->until_wall_ns, until);
}

static void test_knownkeys__one_of_a_kind_is_lawful_at_a_time(void **state)
{
    (void)state;
    static struct knownkeys known;
    knownkeys_init(&known);
    assert_int_equal(knownkeys_add(&known, false, 1, "pem a", NULL), ERRC_OK);
    assert_int_equal(knownkeys_begin(&known, false, 1, "pem a", 10, NULL), ERRC_OK);
    assert_int_equal(knownkeys_begin(&known, true, 0, "local", 11, NULL), ERRC_OK);
    assert_int_equal(knownkeys_add(&known, false, 2, "pem b", NULL), ERRC_OK);
    knownkeys_end(&known, false, 1, "pem a", 15); /* accepted again */
    assert_int_equal(knownkeys_begin(&known, false, 1, "pem a", 14, NULL), ERRC_OK);
    knownkeys_end(&known, false, 2, "pem b", 21);
    assert_int_equal(knownkeys_begin(&known, false, 2, "pem b", 20, NULL), ERRC_OK);
    knownkeys_end(&known, true, 0, NULL, 30);
    assert_int_equal(knownkeys_begin(&known, true, 0, "local", 40, NULL), ERRC_OK);
    assert_int_equal(known.key_count, 4);
    assert_lawful(&known.keys[0], "pem a", 10, 21);
    assert_lawful(&known.keys[1], "local", 11, 30);
    assert_lawful(&known.keys[2], "pem b", 20, 0);
    assert_lawful(&known.keys[3], "local", 40, 0);
    knownkeys_done(&known);
}

static size_t executors(const char *actor, const char *verb)
{
    size_t count = 0;
    for (size_t i = 0; exec_verbs_actor(i) != NULL; i++) {
        const struct exec_actor *a = exec_verbs_actor(i);
        for (size_t k = 0; strcmp(a->name, actor) == 0 && k < a->verb_count; k++)
            count += verb == NULL || a->verbs[k].name == NULL ? verb == a->verbs[k].name
                                                              : strcmp(a->verbs[k].name, verb) == 0;
    }
    return count;
}

/* A verb without a function would be found out only by the first scenario that uses it. */
static void expect_text_of(const struct folder_path *path, const char *want)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4096);
    assert_int_equal(file_read(path->text, &text, NULL), ERRC_OK);
    assert_string_equal(buf_text(&text), want);
}

/* --- a place where nobody has any business --- */

static void test_decoy__tells_who_came_and_answers_nobody(void **state)
{
    (void)state;
    static const char request[] =
        "POST /v1/x HTTP/1.1\r\nHost: h\r\nx-vault-token: s.secret\r\n\r\n{}";
    struct decoy d = DECOY_NONE;
    struct folder_path folder, ledger;
    assert_int_equal(folder_make_temporary(&folder, NULL), ERRC_OK);
    assert_int_equal(folder_format(&ledger, NULL, "%s/decoy.ndjson", folder.text), ERRC_OK);
    assert_int_equal(decoy_open(&d, NULL), ERRC_OK);
    assert_int_equal(decoy_drain(&d, ledger.text, NULL), ERRC_OK);
    assert_int_equal(access(ledger.text, F_OK), -1); /* nobody came */
    int with_token = socket_on(d.port, false, connect), silent = socket_on(d.port, false, connect);
    assert_true(with_token >= 0 && silent >= 0);
    assert_int_equal(send(with_token, request, sizeof request - 1, 0), sizeof request - 1);
    (void)close(with_token);
    assert_int_equal(decoy_drain(&d, ledger.text, NULL), ERRC_OK);
    expect_text_of(&ledger, "{\"method\":\"POST\",\"path\":\"/v1/x\",\"headers\":[\"Host\","
                            "\"x-vault-token\"],\"token\":true}\n"
                            "{\"method\":\"\",\"path\":\"\",\"headers\":[],\"token\":false}\n");
    (void)close(silent);
    decoy_close(&d);
    decoy_close(&d);
    assert_int_equal(folder_remove(folder.text, NULL), ERRC_OK);
}

/* --- a folder that nothing can be published into --- */

static void test_publishfault__keeps_a_file_from_appearing(void **state)
{
    (void)state;
    struct publishfault p = {0};
    struct folder_path folder, inner, file;
    assert_int_equal(folder_make_temporary(&folder, NULL), ERRC_OK);
    assert_int_equal(folder_format(&inner, NULL, "%s/manifests", folder.text), ERRC_OK);
    assert_int_equal(folder_format(&file, NULL, "%s/m.json", inner.text), ERRC_OK);
    assert_int_equal(file_make_folder(inner.text, 0700, NULL), ERRC_OK);
    assert_int_equal(publishfault_restore(&p, NULL), ERRC_OK);
    assert_int_equal(publishfault_deny(&p, file.text, NULL), ERRC_OK);
    assert_int_equal(publishfault_deny(&p, file.text, NULL), ERRC_STATE);
    assert_int_not_equal(file_put(file.text, slice_of("x"), 0600, NULL), ERRC_OK);
    assert_int_equal(mkdir(inner.text, 0700), -1);
    assert_int_equal(publishfault_restore(&p, NULL), ERRC_OK);
    assert_int_equal(file_put(file.text, slice_of("x"), 0600, NULL), ERRC_OK);
    assert_int_equal(folder_remove(folder.text, NULL), ERRC_OK);
    assert_int_equal(publishfault_deny(&p, file.text, NULL), ERRC_IO);
}

/* --- certificates --- */

/* What OpenSSL says of the certificate that is served, by name; "ok". */
static const char *verdict_on(const char *folder)
{
    struct folder_path served, authority;
    assert_int_equal(folder_format(&served, NULL, "%s/" CERTIFICATES_SERVED, folder), ERRC_OK);
    assert_int_equal(folder_format(&authority, NULL, "%s/" CERTIFICATES_AUTHORITY, folder),
                     ERRC_OK);
    FILE *file = fopen(served.text, "re");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_load_file(store, authority.text), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    assert_int_equal(X509_VERIFY_PARAM_set1_ip_asc(param, "127.0.0.1"), 1);
    (void)X509_verify_cert(context);
    const char *text = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(certificate);
    return text;
}

static void test_certificates__are_good_or_bad_as_they_are_called(void **state)
{
    (void)state;
    static const char *const kinds[][2] = {
        {"expired", "certificate has expired"},
        {"wrong_name", "IP address mismatch"},
        {"unknown_ca", "unable to get local issuer certificate"},
        {"good", "ok"},
    };
    struct folder_path folder;
    assert_int_equal(folder_make_temporary(&folder, NULL), ERRC_OK);
    assert_int_equal(certificates_make(folder.text, NULL), ERRC_OK);
    assert_string_equal(verdict_on(folder.text), "ok");
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(certificates_serve(folder.text, kinds[i][0], NULL), ERRC_OK);
        assert_string_equal(verdict_on(folder.text), kinds[i][1]);
    }
    assert_int_equal(certificates_serve(folder.text, "none", NULL), ERRC_NOT_FOUND);
    assert_int_equal(folder_remove(folder.text, NULL), ERRC_OK);
}

/* --- a trail that cannot be written, or is torn --- */

#define LINE "{\"action\":\"A\"}\n"

static void trail_make(struct folder_path *folder, struct folder_path *trail)
{
    assert_int_equal(folder_make_temporary(folder, NULL), ERRC_OK);
    assert_int_equal(folder_format(trail, NULL, "%s/audit.ndjson", folder->text), ERRC_OK);
    assert_int_equal(file_put(trail->text, slice_of(LINE), 0600, NULL), ERRC_OK);
}

/* Returns errno of an append, 0 when it is good. */
static int append(const struct folder_path *trail)
{
    int fd = open(trail->text, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    int e = write(fd, "x", 1) == 1 ? 0 : errno;
    (void)close(fd);
    return e;
}

static void test_trailfault__is_read_and_not_written_by_anybody(void **state)
{
    (void)state;
    struct trailfault t = {0};
    struct folder_path folder, trail;
    struct stat st;
    trail_make(&folder, &trail);
    assert_int_equal(trailfault_deny(&t, trail.text, NULL), ERRC_OK);
    assert_int_equal(trailfault_deny(&t, trail.text, NULL), ERRC_STATE);
    assert_int_equal(append(&trail), EPERM); /* root as well */
    assert_int_equal(truncate(trail.text, 0), -1);
    assert_int_equal(stat(trail.text, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    expect_text_of(&trail, LINE);
    assert_int_equal(trailfault_restore(&t, NULL), ERRC_OK);
    assert_int_equal(trailfault_restore(&t, NULL), ERRC_OK);
    assert_int_equal(append(&trail), 0);
    expect_text_of(&trail, LINE "x");
    assert_int_equal(folder_remove(folder.text, NULL), ERRC_OK);
}

static void test_trailfault__tears_half_a_line(void **state)
{
    (void)state;
    struct trailfault t = {0};
    struct folder_path folder, trail;
    trail_make(&folder, &trail);
    assert_int_equal(trailfault_tear(trail.text, NULL), ERRC_OK);
    expect_text_of(&trail, LINE "{\"actio");
    assert_int_equal(file_put(trail.text, slice_of(""), 0600, NULL), ERRC_OK);
    assert_int_equal(trailfault_tear(trail.text, NULL), ERRC_STATE);
    assert_int_equal(unlink(trail.text), 0);
    assert_int_equal(trailfault_tear(trail.text, NULL), ERRC_STATE);
    assert_int_equal(trailfault_deny(&t, trail.text, NULL), ERRC_STATE);
    assert_int_equal(folder_remove(folder.text, NULL), ERRC_OK);
}

static void test_exec_verbs__carries_out_every_verb_that_acts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ACTORS_COUNT; i++)
        for (size_t k = 0; k < actors_at(i)->verb_count; k++) {
            const struct verb *verb = &actors_at(i)->verbs[k];
            size_t wanted = verb->role != VERB_OBSERVES || verb->asks ? 1 : 0;
            size_t found = executors(actors_at(i)->name, verb->name);
            if (found != wanted)
                fail_msg("verb %s %s: has %zu functions, want %zu", actors_at(i)->name,
                         verb->name != NULL ? verb->name : "", found, wanted);
        }
}

static void test_exec_verbs__carries_out_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; exec_verbs_actor(i) != NULL; i++) {
        const struct exec_actor *a = exec_verbs_actor(i);
        const struct actor *actor = actors_find(a->name);
        assert_non_null(actor);
        for (size_t k = 0; k < a->verb_count; k++)
            if (actors_verb(actor, a->verbs[k].name) == NULL)
                fail_msg("%s %s is no verb", a->name,
                         a->verbs[k].name != NULL ? a->verbs[k].name : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portkeep__refuses_strangers_and_lets_the_server_in),
        cmocka_unit_test(test_portkeep__numbers_are_given_once),
        cmocka_unit_test(test_folder__removes_a_tree_and_follows_no_link),
        cmocka_unit_test(test_folder__a_temporary_is_private_and_leaves_room_for_a_socket),
        cmocka_unit_test(test_envmap__sets_replaces_and_takes_out),
        cmocka_unit_test(test_envmap__has_a_limit),
        cmocka_unit_test(test_fallbackkey__is_a_private_file_of_docugens_form),
        cmocka_unit_test(test_knownkeys__keeps_every_key_once),
        cmocka_unit_test(test_knownkeys__one_of_a_kind_is_lawful_at_a_time),
        cmocka_unit_test(test_decoy__tells_who_came_and_answers_nobody),
        cmocka_unit_test(test_certificates__are_good_or_bad_as_they_are_called),
        cmocka_unit_test(test_publishfault__keeps_a_file_from_appearing),
        cmocka_unit_test(test_trailfault__is_read_and_not_written_by_anybody),
        cmocka_unit_test(test_trailfault__tears_half_a_line),
        cmocka_unit_test(test_exec_verbs__carries_out_every_verb_that_acts),
        cmocka_unit_test(test_exec_verbs__carries_out_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
