#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "signer/shell/files/trust_file.h"
#include "signer/shell/signing.h"
#include "signer/shell/transport_curl.h"
#include "tests/signer/fake.h"
#include "tests/signer/wire_server.h"
#include "tests/support/patience.h"

#define THREADS 4
#define BUNDLES 12

static char folder[64];

static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test-signing-XXXXXX");
    return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return chdir("/") != 0 ? -1 : system(command);
}

/* What a process has: configuration, ports, and a pin made of the vectors' key. */
struct desk {
    char addr[64];
    struct startup startup;
    struct signing *signing;
};

static void write_trust(void)
{
    struct trust trust CLEANUP(trust_done);
    struct trust_key pin = fake_pin(1);
    json_t *document CLEANUP(jsonread_done) = NULL;
    char *text = fake_fixture("vectors/manifest.json");
    bool changed = false;
    assert_int_equal(jsonread_parse(slice_of(text), &document, NULL), ERRC_OK);
    free(text);
    const json_t *vault = json_object_get(json_object_get(document, "keys"), "vault");
    const char *pem = json_string_value(json_object_get(vault, "publicKey"));
    trust_init(&trust);
    const struct keyport fake = fake_keyport();
    assert_int_equal(fake.read_pem(NULL, slice_of(pem), &pin.key, NULL), ERRC_OK);
    assert_int_equal(
        trust_pin_key(&trust, "docugen-manifest", 1, &pin.key, 5000000, &changed, NULL), ERRC_OK);
    assert_int_equal(trust_file_write("trust.json", &trust, NULL), ERRC_OK);
}

static void open_desk(struct desk *d, uint16_t port)
{
    static const char key[] = "{\"signingKey\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}\n";
    *d = (struct desk){0};
    (void)snprintf(d->addr, sizeof d->addr, "http://127.0.0.1:%u", port);
    d->startup.clock = clock_os();
    d->startup.entropy = entropy_os();
    d->startup.config = (struct config){.vault_addr = d->addr,
                                        .signing_key = "docugen-manifest",
                                        .allow_fallback = true,
                                        .fallback_key_file = "key.json",
                                        .trust_file = "trust.json",
                                        .audit_log = "audit.ndjson",
                                        .retry = {.attempts = 2,
                                                  .backoff_base_ms = 1,
                                                  .backoff_max_ms = 2,
                                                  .attempt_timeout_ms = PATIENCE_MS,
                                                  .total_timeout_ms = 2 * PATIENCE_MS}};
    assert_int_equal(secret_arena_new(65536, &d->startup.arena, NULL, NULL), ERRC_OK);
    assert_int_equal(file_replace("key.json", slice_of(key), 0600, NULL), ERRC_OK);
    write_trust();
    assert_int_equal(signing_open(&d->startup, "test", &d->signing, NULL), ERRC_OK);
}

static void close_desk(struct desk *d)
{
    signing_close(d->signing);
    assert_int_equal(secret_arena_used(d->startup.arena), 0);
    startup_done(&d->startup);
}

static uint16_t closed_port(void)
{
    struct wire_server *server = wire_server_start(NULL, 0);
    uint16_t port = wire_server_port(server);
    wire_server_stop(server);
    return port;
}

static void run_one(struct signing *signing, unsigned number, struct signing_result *result)
{
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    char path[64];
    assert_int_equal(fake_bundle(&bundle), ERRC_OK);
    (void)snprintf(bundle.bundle_run_id, sizeof bundle.bundle_run_id,
                   "%08x-8fa2-4e75-8d2c-5d7f2a5a3b10", number);
    (void)snprintf(path, sizeof path, "%u.json", number);
    const struct signing_request request = {
        .bundle = &bundle, .actor = &fake_actor, .manifest_path = path};
    signing_run(signing, &request, result);
}

static size_t count_entries(const char *action)
{
    struct buf text CLEANUP(buf_done);
    char previous[DIGEST_HEX_BYTES] = AUDIT_GENESIS;
    size_t count = 0;
    buf_init(&text, 16u << 20);
    assert_int_equal(file_read("audit.ndjson", &text, NULL), ERRC_OK);
    for (struct slice rest = buf_slice(&text); rest.len > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        json_t *entry CLEANUP(jsonread_done) = NULL;
        assert_int_equal(jsonread_parse(line, &entry, NULL), ERRC_OK);
        const json_t *payload = json_object_get(entry, "payload");
        assert_string_equal(jsonread_string_or(payload, "previous", ""), previous);
        digest_sha256_hex(line, previous);
        count += strcmp(jsonread_string_or(entry, "action", ""), action) == 0;
    }
    return count;
}

static void *sign_many(void *context)
{
    struct signing_result result;
    for (unsigned i = 0; i < BUNDLES; i++) {
        run_one(context, i, &result);
        assert_true(result.op.status == OP_COMPLETED || result.op.error == OP_ERROR_BUSY);
        if (result.op.status == OP_COMPLETED)
            assert_int_equal(result.op.mode, MANIFEST_FALLBACK);
    }
    return NULL;
}

/* All threads want the same bundles: each is signed by one of them. */
static void test_signing__threads_sign_each_bundle_once(void **state)
{
    (void)state;
    struct desk d;
    pthread_t threads[THREADS];
    open_desk(&d, closed_port());
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_many, d.signing), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(count_entries("MANIFEST_SIGNED"), BUNDLES);
    assert_int_equal(count_entries("MANIFEST_SIGNING_STARTED"), BUNDLES);
    close_desk(&d);
}

static void test_signing__a_bundle_that_is_signed_says_so(void **state)
{
    (void)state;
    struct desk d;
    struct signing_result first, again;
    open_desk(&d, closed_port());
    run_one(d.signing, 7, &first);
    run_one(d.signing, 7, &again);
    assert_false(first.already);
    assert_true(again.already);
    assert_int_equal(again.op.status, OP_COMPLETED);
    assert_int_equal(again.attempts, 2);
    assert_string_equal(again.reason, "refused");
    assert_string_equal(again.op.key_fingerprint, first.op.key_fingerprint);
    assert_int_equal(unlink("7.json"), 0);
    run_one(d.signing, 7, &again);
    assert_true(again.already);
    assert_int_equal(access("7.json", F_OK), 0);
    close_desk(&d);
}

static void test_signing__the_pin_is_read_anew(void **state)
{
    (void)state;
    struct desk d;
    struct signing_result result;
    open_desk(&d, closed_port());
    assert_int_equal(rename("trust.json", "away.json"), 0);
    run_one(d.signing, 1, &result);
    assert_int_equal(result.op.error, OP_ERROR_TRUST);
    assert_true(result.retryable);
    assert_int_equal(rename("away.json", "trust.json"), 0);
    run_one(d.signing, 1, &result);
    assert_int_equal(result.op.status, OP_COMPLETED);
    d.startup.config.signing_key = "another";
    run_one(d.signing, 2, &result);
    assert_int_equal(result.op.error, OP_ERROR_TRUST);
    assert_string_equal(result.op.message,
                        "TRUST_FILE pins the key \"docugen-manifest\" but SIGNING_KEY is "
                        "\"another\"");
    close_desk(&d);
}

static void test_signing__the_probe_reads_every_health_status(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        enum errc code;
        enum classify_class class;
        const char *why;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ERRC_OK, CLASSIFY_OK, ""},
        {"HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n", ERRC_OK, CLASSIFY_OK, ""},
        {"HTTP/1.1 473 X\r\nContent-Length: 0\r\n\r\n", ERRC_OK, CLASSIFY_OK, ""},
        {"HTTP/1.1 472 X\r\nContent-Length: 0\r\n\r\n", ERRC_UNAVAILABLE, CLASSIFY_UNAVAILABLE,
         "disaster recovery secondary"},
        {"HTTP/1.1 501 X\r\nContent-Length: 0\r\n\r\n", ERRC_UNAVAILABLE, CLASSIFY_UNAVAILABLE,
         "not initialised"},
        {"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", ERRC_UNAVAILABLE, CLASSIFY_SEALED,
         "sealed"},
        {"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", ERRC_UNAVAILABLE, CLASSIFY_UNAVAILABLE,
         "unavailable: status 500"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct wire_server_act act = {cases[i].reply, 0, WIRE_SERVER_FIN};
        struct wire_server *server = wire_server_start(&act, 1);
        enum classify_class class = CLASSIFY_COUNT;
        struct errc_why why = {0};
        struct desk d;
        open_desk(&d, wire_server_port(server));
        struct transport_curl *curl = NULL;
        assert_int_equal(transport_curl_open(&d.startup.config, NULL, &curl, NULL), ERRC_OK);
        const struct transport transport = transport_curl_port(curl);
        assert_int_equal(signing_probe(&transport, 2000, &class, &why), cases[i].code);
        transport_curl_close(curl);
        assert_int_equal(class, cases[i].class);
        assert_string_equal(why.text, cases[i].why);
        close_desk(&d);
        wire_server_stop(server);
    }
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_signing__threads_sign_each_bundle_once),
        IN_FOLDER(test_signing__a_bundle_that_is_signed_says_so),
        IN_FOLDER(test_signing__the_pin_is_read_anew),
        IN_FOLDER(test_signing__the_probe_reads_every_health_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
