#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/count.h"
#include "base/text/jsonread.h"
#include "signer/core/attempt/codec.h"
#include "signer/core/trail/audit.h"
#include "signer/core/trail/rebuild.h"
#include "tests/signer/fake.h"
#include "tests/signer/play.h"
#include "tests/support/oom.h"

static enum errc read_bundle(void *context)
{
    (void)context;
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    return fake_bundle(&bundle);
}

static enum errc read_manifest(void *context)
{
    struct manifest manifest CLEANUP(manifest_done) = {0};
    return manifest_parse(slice_of(context), &manifest, NULL);
}

static enum errc read_reply(void *context)
{
    struct buf text CLEANUP(buf_done), raw CLEANUP(buf_done);
    buf_init(&text, 512);
    buf_init(&raw, 512);
    return codec_sign_reply(slice_of(context), 1, &text, &raw, NULL);
}

static enum errc read_trust(void *context)
{
    const struct keyport port = fake_keyport();
    struct trust trust CLEANUP(trust_done) = {0};
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_TRUST_FILE_BYTES);
    TRY(trust_parse(slice_of(context), &port, &trust, NULL));
    return trust_format(&trust, &text, NULL);
}

static enum errc index_lines(void *context)
{
    struct audit_index index CLEANUP(audit_index_done);
    audit_index_init(&index);
    for (int i = 0; i < 3; i++)
        TRY(audit_index_feed(&index, slice_of(context)));
    return ERRC_OK;
}

static void test_oom__the_parsers_survive_every_failed_allocation(void **state)
{
    (void)state;
    char reply[] = "{\"data\":{\"signature\":\"vault:v1:MEUC\",\"key_version\":1}}";
    char line[] = "{\"action\":\"MANIFEST_SIGNING_STARTED\",\"bundleRunId\":\"" FAKE_RUN_ID "\"}";
    assert_true(oom_each(read_bundle, NULL) > 20);
    assert_true(oom_each(read_reply, reply) > 5);
    assert_true(oom_each(index_lines, line) > 5);
}

static void test_oom__trust_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct trust trust CLEANUP(trust_done);
    struct keyport_public one = fake_key(KEYPORT_ECDSA_P256, 1),
                          local = fake_key(KEYPORT_ED25519, 3);
    struct buf text CLEANUP(buf_done);
    bool changed = false;
    buf_init(&text, LIMIT_TRUST_FILE_BYTES);
    trust_init(&trust);
    assert_int_equal(trust_pin_key(&trust, "k", 1, &one, 5, &changed, NULL), ERRC_OK);
    assert_int_equal(trust_add_fallback(&trust, &local, 5, &changed, NULL), ERRC_OK);
    assert_int_equal(trust_format(&trust, &text, NULL), ERRC_OK);
    assert_true(oom_each(read_trust, text.ptr) > 10);
}

static void test_oom__a_manifest_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct buf text CLEANUP(buf_done);
    const struct manifest_terms terms = {.id = FAKE_RUN_ID,
                                         .signing_key_id = "k:v1",
                                         .mode = MANIFEST_VAULT,
                                         .key_fingerprint = "sha256:00"};
    buf_init(&text, LIMIT_MANIFEST_BYTES);
    assert_int_equal(fake_bundle(&bundle), ERRC_OK);
    assert_int_equal(manifest_format(&bundle, &terms, "vault:v1:YQ==", &text, NULL), ERRC_OK);
    assert_true(oom_each(read_manifest, text.ptr) > 20);
}

/* An operation may come out in any way when memory fails, but it comes out: nothing crashes,
 * leaks, is published without its entry or is signed other than it is published. */
static size_t run_each(const struct play *script)
{
    for (size_t n = 1;; n++) {
        struct play play = *script;
        size_t before = oom_outstanding();
        oom_arm(n);
        enum errc code = play_run(&play);
        bool came = oom_disarm();
        assert_int_equal(oom_outstanding(), before);
        assert_true(code == ERRC_OK || came);
        if (code == ERRC_OK && play.result.status == OP_COMPLETED)
            assert_string_equal(play.entries, "SD");
        if (!came) {
            assert_true(play.verifies);
            return n - 1;
        }
        /* The check itself needs memory; what it got to see is whole. */
        if (code == ERRC_OK && strchr(play.trace, 'p') != NULL)
            assert_true(play.verifies || play.ran_out_checking);
    }
}

/* No memory is no outage: whatever allocation fails, the local key does not take over what Vault
 * would have signed, or refused. */
static void test_oom__no_memory_never_leads_to_the_local_key(void **state)
{
    (void)state;
    static const char *const answers[] = {"O", "L", "F", "K"};
    struct config_retry once = fake_retry;
    once.attempts = 1;
    for (size_t i = 0; i < COUNT(answers); i++)
        for (size_t n = 1, came = 1; came != 0; n++) {
            struct play play = {.vault = answers[i], .allow_fallback = true, .retry = &once};
            oom_arm(n);
            enum errc code = play_run(&play);
            came = oom_disarm();
            if (code == ERRC_OK && strchr(play.trace, 'f') != NULL)
                fail_msg("%s: the local key signed when allocation %zu failed: %s", answers[i], n,
                         classify_text(play.result.last));
        }
}

static void test_oom__an_operation_survives_every_failed_allocation(void **state)
{
    (void)state;
    const struct play by_vault = {.vault = "OOOO"},
                      by_local = {.vault = "SSS", .allow_fallback = true};
    assert_true(run_each(&by_vault) > 100);
    assert_true(run_each(&by_local) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oom__the_parsers_survive_every_failed_allocation),
        cmocka_unit_test(test_oom__trust_survives_every_failed_allocation),
        cmocka_unit_test(test_oom__a_manifest_survives_every_failed_allocation),
        cmocka_unit_test(test_oom__an_operation_survives_every_failed_allocation),
        cmocka_unit_test(test_oom__no_memory_never_leads_to_the_local_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
