#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "signer/core/trail/audit.h"
#include "signer/core/trail/rebuild.h"
#include "tests/signer/fake.h"

static const struct audit_attempt attempts[] = {
    {.n = 1, .class = CLASSIFY_SEALED, .status = 503, .started_wall_ns = NS_PER_MS},
    {.n = 2, .class = CLASSIFY_TIMEOUT, .wait_ms = 200, .started_wall_ns = 2000000, .resends = 1},
};

static struct audit_entry entry_of(enum audit_action action, const char *run_id)
{
    return (struct audit_entry){
        .action = action,
        .id = "6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01",
        .bundle_run_id = run_id,
        .actor = &fake_actor,
        .wall_ns = 3000000,
        .input_sha256 = "aa",
        .manifest_hash = "sha256:bb",
        .attempts = attempts,
        .attempt_count = 2,
        .key_fingerprint = "sha256:cc",
        .mode = MANIFEST_FALLBACK,
        .reason = "timeout",
        .signature = "ed25519:YQ==",
        .manifest_id = "7d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01",
        .created_wall_ns = 4000000,
        .signing_key_id = "fallback",
        .public_key = "PEM",
        .class = "timeout",
        .message = "it's \"over\"",
        .torn_bytes = 17,
    };
}

static void test_audit__writes_the_documented_lines(void **state)
{
    (void)state;
    static const char *const lines[AUDIT_ACTION_COUNT] = {
        [AUDIT_STARTED] =
            "{\"action\":\"MANIFEST_SIGNING_STARTED\",\"actor\":{\"id\":\"api\",\"type\":"
            "\"automation\"},\"bundleRunId\":\"" FAKE_RUN_ID
            "\",\"id\":\"6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01\",\"payload\":{\"input_sha256\":"
            "\"aa\",\"keyFingerprint\":\"sha256:cc\",\"manifestHash\":\"sha256:bb\",\"previous\":"
            "\"pp\"},\"timestamp\":\"1970-01-01T00:00:00.003Z\"}\n",
        [AUDIT_SIGNED] =
            "{\"action\":\"MANIFEST_SIGNED\",\"actor\":{\"id\":\"api\",\"type\":\"automation\"},"
            "\"bundleRunId\":\"" FAKE_RUN_ID
            "\",\"id\":\"6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01\",\"payload\":{\"attempts\":[{"
            "\"class\":\"sealed\",\"n\":1,\"resends\":0,\"started_at\":\"1970-01-01T00:00:00."
            "001Z\","
            "\"status\":503,\"wait_ms\":0},{\"class\":\"timeout\",\"n\":2,\"resends\":1,"
            "\"started_at\":\"1970-01-01T00:00:00.002Z\",\"status\":0,\"wait_ms\":200}],"
            "\"createdAt\":\"1970-01-01T00:00:00.004Z\",\"input_sha256\":\"aa\","
            "\"keyFingerprint\":\"sha256:cc\",\"manifestHash\":\"sha256:bb\",\"manifestId\":"
            "\"7d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01\",\"previous\":\"pp\",\"publicKey\":\"PEM\","
            "\"reason\":\"timeout\",\"signature\":\"ed25519:YQ==\",\"signature_sha256\":"
            "\"5ed37d197309d1ae7af6666a79cad4464c9c5a86a54f28db81080f417d45f455\","
            "\"signing.fallback\":true,\"signingKeyId\":\"fallback\",\"signingMode\":"
            "\"fallback\"},\"timestamp\":\"1970-01-01T00:00:00.003Z\"}\n",
        [AUDIT_FAILED] =
            "{\"action\":\"MANIFEST_SIGNING_FAILED\",\"actor\":{\"id\":\"api\",\"type\":"
            "\"automation\"},\"bundleRunId\":\"" FAKE_RUN_ID
            "\",\"id\":\"6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01\",\"payload\":{\"attempts\":[{"
            "\"class\":\"sealed\",\"n\":1,\"resends\":0,\"started_at\":\"1970-01-01T00:00:00."
            "001Z\","
            "\"status\":503,\"wait_ms\":0},{\"class\":\"timeout\",\"n\":2,\"resends\":1,"
            "\"started_at\":\"1970-01-01T00:00:00.002Z\",\"status\":0,\"wait_ms\":200}],"
            "\"class\":\"timeout\",\"input_sha256\":\"aa\",\"keyFingerprint\":\"sha256:cc\","
            "\"manifestHash\":\"sha256:bb\",\"message\":\"it's \\\"over\\\"\",\"previous\":\"pp\","
            "\"reason\":\"timeout\",\"signing.fallback\":false},\"timestamp\":"
            "\"1970-01-01T00:00:00.003Z\"}\n",
        [AUDIT_TAIL_REPAIRED] =
            "{\"action\":\"AUDIT_TAIL_REPAIRED\",\"actor\":{\"id\":\"api\",\"type\":"
            "\"automation\"},\"bundleRunId\":null,\"id\":\"6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01\","
            "\"payload\":{\"previous\":\"pp\",\"torn_bytes\":17},\"timestamp\":"
            "\"1970-01-01T00:00:00.003Z\"}\n",
    };
    for (int action = 0; action < AUDIT_ACTION_COUNT; action++) {
        struct buf out CLEANUP(buf_done);
        buf_init(&out, LIMIT_AUDIT_LINE_BYTES);
        struct audit_entry entry = entry_of((enum audit_action)action, FAKE_RUN_ID);
        if (action == AUDIT_TAIL_REPAIRED)
            entry.bundle_run_id = NULL;
        assert_int_equal(audit_format(&entry, "pp", &out, NULL), ERRC_OK);
        assert_string_equal(buf_text(&out), lines[action]);
    }
}

/* Feeds an entry and returns its line's length without the newline. */
static size_t feed(struct audit_index *index, enum audit_action action, const char *run_id)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, LIMIT_AUDIT_LINE_BYTES);
    struct audit_entry entry = entry_of(action, run_id);
    assert_int_equal(audit_format(&entry, index->previous, &out, NULL), ERRC_OK);
    struct slice line = slice_bytes(out.ptr, out.len - 1);
    char want[DIGEST_HEX_BYTES];
    int64_t offset = index->offset;
    digest_sha256_hex(line, want);
    assert_int_equal(audit_index_feed(index, line), ERRC_OK);
    assert_string_equal(index->previous, want);
    assert_int_equal(index->offset, offset + (int64_t)out.len);
    return line.len;
}

static enum audit_state state_of(const struct audit_index *index, const char *run_id)
{
    const struct audit_bundle *found = audit_index_find(index, run_id);
    return found == NULL ? AUDIT_UNKNOWN : found->state;
}

static void test_audit__the_index_follows_the_life_of_a_bundle(void **state)
{
    (void)state;
    struct audit_index index CLEANUP(audit_index_done);
    audit_index_init(&index);
    assert_string_equal(index.previous, AUDIT_GENESIS);
    assert_int_equal(strlen(AUDIT_GENESIS), 64);
    assert_int_equal(state_of(&index, FAKE_RUN_ID), AUDIT_UNKNOWN);
    feed(&index, AUDIT_STARTED, FAKE_RUN_ID);
    assert_int_equal(state_of(&index, FAKE_RUN_ID), AUDIT_OPEN);
    feed(&index, AUDIT_FAILED, FAKE_RUN_ID);
    assert_int_equal(state_of(&index, FAKE_RUN_ID), AUDIT_ENDED);
    feed(&index, AUDIT_STARTED, FAKE_RUN_ID);
    int64_t offset = index.offset;
    size_t len = feed(&index, AUDIT_SIGNED, FAKE_RUN_ID);
    const struct audit_bundle *found = audit_index_find(&index, FAKE_RUN_ID);
    assert_int_equal(found->state, AUDIT_DONE);
    assert_int_equal(found->offset, offset);
    assert_int_equal(found->len, len);
    assert_int_equal(found->starts, 2);
    /* Nothing that follows makes it unsigned. */
    feed(&index, AUDIT_FAILED, FAKE_RUN_ID);
    assert_int_equal(state_of(&index, FAKE_RUN_ID), AUDIT_DONE);
    assert_int_equal(audit_index_find(&index, FAKE_RUN_ID)->offset, offset);
}

static void test_audit__the_index_holds_many_bundles(void **state)
{
    (void)state;
    struct audit_index index CLEANUP(audit_index_done);
    audit_index_init(&index);
    char id[IDS_UUID_BYTES];
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(id, sizeof id, "%08x-8fa2-4e75-8d2c-5d7f2a5a3b10", i);
        feed(&index, i % 2 == 0 ? AUDIT_SIGNED : AUDIT_FAILED, id);
    }
    assert_int_equal(index.count, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(id, sizeof id, "%08x-8fa2-4e75-8d2c-5d7f2a5a3b10", i);
        assert_int_equal(state_of(&index, id), i % 2 == 0 ? AUDIT_DONE : AUDIT_ENDED);
    }
}

static void test_audit__foreign_lines_only_move_the_chain(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "{",
        "torn {\"action\":\"MANIFEST_SIGNED\"",
        "[1]",
        "null",
        "{\"action\":\"MANIFEST_SIGNED\",\"bundleRunId\":\"no uuid\"}",
        "{\"action\":\"OTHER\",\"bundleRunId\":\"" FAKE_RUN_ID "\"}"};
    struct audit_index index CLEANUP(audit_index_done);
    audit_index_init(&index);
    for (size_t i = 0; i < COUNT(lines); i++) {
        char want[DIGEST_HEX_BYTES];
        digest_sha256_hex(slice_of(lines[i]), want);
        assert_int_equal(audit_index_feed(&index, slice_of(lines[i])), ERRC_OK);
        assert_string_equal(index.previous, want);
    }
    assert_int_equal(index.count, 0);
}

static void test_audit__only_a_whole_entry_is_a_whole_tail(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, LIMIT_AUDIT_LINE_BYTES);
    struct audit_entry entry = entry_of(AUDIT_SIGNED, FAKE_RUN_ID);
    assert_int_equal(audit_format(&entry, AUDIT_GENESIS, &out, NULL), ERRC_OK);
    assert_true(audit_tail_is_whole(slice_bytes(out.ptr, out.len - 1)));
    for (size_t cut = 0; cut + 1 < out.len; cut++)
        assert_false(audit_tail_is_whole(slice_bytes(out.ptr, cut)));
    assert_false(audit_tail_is_whole(SLICE_LITERAL("{}")));
}

static void test_audit__messages_are_printable(void **state)
{
    (void)state;
    char out[LIMIT_MESSAGE_BYTES], longest[2 * LIMIT_MESSAGE_BYTES];
    audit_message(out, "a\nb\x01\x7f\xc3\xa9");
    assert_string_equal(out, "a b ???");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    audit_message(out, longest);
    assert_int_equal(strlen(out), LIMIT_MESSAGE_BYTES - 1);
}

/* Signs the fake bundle with the fake local key, and writes the entry. */
static void sign(const struct manifest_bundle *bundle, struct buf *manifest, struct buf *line)
{
    struct keyport_public key = fake_key(KEYPORT_ED25519, 9);
    struct manifest parsed CLEANUP(manifest_done) = {0};
    struct buf raw CLEANUP(buf_done), signature CLEANUP(buf_done), pem CLEANUP(buf_done);
    char hash[MANIFEST_CHECKSUM_BYTES];
    struct audit_entry entry = entry_of(AUDIT_SIGNED, FAKE_RUN_ID);
    const struct manifest_terms terms = {.id = entry.manifest_id,
                                         .created_wall_ns = entry.created_wall_ns,
                                         .signing_key_id = "fallback",
                                         .mode = MANIFEST_FALLBACK,
                                         .key_fingerprint = key.fingerprint,
                                         .reason = "timeout"};
    buf_init(&raw, 100);
    buf_init(&signature, 200);
    buf_init(&pem, 1000);
    assert_int_equal(manifest_format(bundle, &terms, "ed25519:YQ==", manifest, NULL), ERRC_OK);
    assert_int_equal(manifest_parse(buf_slice(manifest), &parsed, NULL), ERRC_OK);
    fake_sign(&key, buf_slice(&parsed.pae), &raw);
    keyport_format_signature(KEYPORT_ED25519, 0, buf_slice(&raw), &signature);
    keyport_format_pem(&key, &pem);
    buf_reset(manifest);
    assert_int_equal(manifest_format(bundle, &terms, buf_text(&signature), manifest, NULL),
                     ERRC_OK);
    assert_int_equal(manifest_inputs_hash(bundle, hash, NULL), ERRC_OK);
    entry.manifest_hash = hash;
    entry.key_fingerprint = key.fingerprint;
    entry.signature = buf_text(&signature);
    entry.public_key = buf_text(&pem);
    assert_int_equal(audit_format(&entry, AUDIT_GENESIS, line, NULL), ERRC_OK);
}

static void test_rebuild__gives_the_same_manifest_or_none(void **state)
{
    (void)state;
    const struct keyport port = fake_keyport();
    const struct trust nobody = {0};
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct buf manifest CLEANUP(buf_done), line CLEANUP(buf_done), again CLEANUP(buf_done);
    struct audit_signed entry, changed;
    struct errc_why why = {0};
    buf_init(&manifest, LIMIT_MANIFEST_BYTES);
    buf_init(&line, LIMIT_AUDIT_LINE_BYTES);
    buf_init(&again, LIMIT_MANIFEST_BYTES);
    assert_int_equal(fake_bundle(&bundle), ERRC_OK);
    sign(&bundle, &manifest, &line);
    assert_int_equal(audit_signed_parse(slice_trim(buf_slice(&line)), &entry, NULL), ERRC_OK);
    assert_int_equal(entry.attempts, 2);
    assert_int_equal(rebuild_manifest(&bundle, &entry, &nobody, &port, &again, &why), ERRC_OK);
    assert_string_equal(buf_text(&again), buf_text(&manifest));

    changed = entry, changed.manifest_hash[10] ^= 1;
    assert_int_equal(rebuild_manifest(&bundle, &changed, &nobody, &port, &again, &why),
                     ERRC_EXISTS);
    assert_non_null(strstr(why.text, "was signed at 1970-01-01T00:00:00.003Z with other content"));
    changed = entry, changed.created_wall_ns += NS_PER_MS;
    assert_int_equal(rebuild_manifest(&bundle, &changed, &nobody, &port, &again, &why),
                     ERRC_CRYPTO);
    changed = entry, strcpy(changed.reason, "sealed");
    assert_int_equal(rebuild_manifest(&bundle, &changed, &nobody, &port, &again, &why),
                     ERRC_CRYPTO);
    changed = entry, changed.public_key[0] = '\0';
    assert_int_equal(rebuild_manifest(&bundle, &changed, &nobody, &port, &again, &why),
                     ERRC_NOT_FOUND);
    changed = entry, changed.key_fingerprint[20] ^= 1;
    assert_int_equal(rebuild_manifest(&bundle, &changed, &nobody, &port, &again, &why),
                     ERRC_CRYPTO);
}

static void test_audit__an_entry_that_does_not_fit_is_not_read_back(void **state)
{
    (void)state;
    struct audit_signed entry;
    struct audit_open start;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, LIMIT_AUDIT_LINE_BYTES);
    struct audit_entry failed = entry_of(AUDIT_FAILED, FAKE_RUN_ID);
    assert_int_equal(audit_format(&failed, AUDIT_GENESIS, &line, NULL), ERRC_OK);
    assert_int_equal(audit_signed_parse(slice_trim(buf_slice(&line)), &entry, NULL), ERRC_SCHEMA);
    assert_int_equal(audit_open_parse(slice_trim(buf_slice(&line)), &start, NULL), ERRC_SCHEMA);
    assert_int_equal(audit_signed_parse(SLICE_LITERAL("{"), &entry, NULL), ERRC_SYNTAX);
    struct audit_entry begun = entry_of(AUDIT_STARTED, FAKE_RUN_ID);
    buf_reset(&line);
    assert_int_equal(audit_format(&begun, AUDIT_GENESIS, &line, NULL), ERRC_OK);
    assert_int_equal(audit_open_parse(slice_trim(buf_slice(&line)), &start, NULL), ERRC_OK);
    assert_string_equal(start.input_sha256, "aa");
    assert_string_equal(start.timestamp, "1970-01-01T00:00:00.003Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit__writes_the_documented_lines),
        cmocka_unit_test(test_audit__the_index_follows_the_life_of_a_bundle),
        cmocka_unit_test(test_audit__the_index_holds_many_bundles),
        cmocka_unit_test(test_audit__foreign_lines_only_move_the_chain),
        cmocka_unit_test(test_audit__only_a_whole_entry_is_a_whole_tail),
        cmocka_unit_test(test_audit__messages_are_printable),
        cmocka_unit_test(test_audit__an_entry_that_does_not_fit_is_not_read_back),
        cmocka_unit_test(test_rebuild__gives_the_same_manifest_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
