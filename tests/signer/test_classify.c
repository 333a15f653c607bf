#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "signer/core/attempt/classify.h"

static enum classify_class classify(enum transport_outcome outcome, int status, const char *body)
{
    struct transport_reply reply CLEANUP(transport_reply_done) = {.outcome = outcome,
                                                                  .status = status};
    buf_init(&reply.body, 10000);
    buf_add_text(&reply.body, body);
    return classify_reply(&reply);
}

#define M(text) "{\"errors\":[\"1 error occurred:\\n\\t* " text "\\n\\n\"]}\n"
#define P(text) "{\"errors\":[\"" text "\"]}\n"

/* failures.md, row by row: what stands on the wire, and the class. */
static const struct {
    const char *row;
    enum transport_outcome outcome;
    int status;
    const char *body;
    enum classify_class class;
} rows[] = {
    {"1.0 sealed", TRANSPORT_COMPLETE, 503, P("Vault is sealed"), CLASSIFY_SEALED},
    {"1.0 sealed, m", TRANSPORT_COMPLETE, 503, M("Vault is sealed"), CLASSIFY_SEALED},
    {"1.0 sealed, with a token", TRANSPORT_COMPLETE, 503,
     P("error performing token check: Vault is sealed"), CLASSIFY_SEALED},
    {"1.0 namespace sealed", TRANSPORT_COMPLETE, 503, P("namespace is sealed"), CLASSIFY_SEALED},
    {"1.0 namespace locked", TRANSPORT_COMPLETE, 503,
     P("API access to this namespace has been locked by an administrator - \\\"ns/\\\" must be "
       "unlocked to gain access."),
     CLASSIFY_DENIED},
    {"1.0 namespace unknown", TRANSPORT_COMPLETE, 404, P("namespace not found"),
     CLASSIFY_NOT_FOUND},
    {"1.0 no token", TRANSPORT_COMPLETE, 403, P("permission denied"), CLASSIFY_DENIED},
    {"1.0 invalid token", TRANSPORT_COMPLETE, 403,
     P("2 errors occurred:\\n\\t* permission denied\\n\\t* invalid token\\n\\n"), CLASSIFY_DENIED},
    {"1.0 ACL deny", TRANSPORT_COMPLETE, 403, M("permission denied"), CLASSIFY_DENIED},
    {"1.0 mount absent", TRANSPORT_COMPLETE, 404,
     P("no handler for route \\\"transit/sign/k\\\". route entry not found."), CLASSIFY_NOT_FOUND},
    {"1.0 key absent", TRANSPORT_COMPLETE, 400, P("signing key not found"), CLASSIFY_BAD_REQUEST},
    {"1.0 cannot sign", TRANSPORT_COMPLETE, 400,
     P("key type aes256-gcm96 does not support signing"), CLASSIFY_BAD_REQUEST},
    {"1.0 version too high", TRANSPORT_COMPLETE, 500,
     M("requested version for signing is higher than the latest key version"), CLASSIFY_KEY_STATE},
    {"1.0 version too low", TRANSPORT_COMPLETE, 500,
     M("requested version for signing is less than the minimum encryption key version"),
     CLASSIFY_KEY_STATE},
    {"1.0 version negative", TRANSPORT_COMPLETE, 500,
     M("requested version for signing is negative"), CLASSIFY_KEY_STATE},
    {"4.13 version unknown", TRANSPORT_COMPLETE, 500, M("no such key version"), CLASSIFY_KEY_STATE},
    {"4.13 public only", TRANSPORT_COMPLETE, 500,
     M("requested version for signing does not contain a private part"), CLASSIFY_KEY_STATE},
    {"1.0 soft-deleted", TRANSPORT_COMPLETE, 500, M("refusing to use soft-deleted key"),
     CLASSIFY_KEY_STATE},
    {"1.0 rate limit", TRANSPORT_COMPLETE, 429,
     P("request path \\\"transit/sign/k\\\": rate limit quota exceeded"), CLASSIFY_RATE_LIMITED},
    {"1.0 lease count", TRANSPORT_COMPLETE, 429, P("lease count quota exceeded"),
     CLASSIFY_RATE_LIMITED},
    {"1.0 no leader, forwarding", TRANSPORT_COMPLETE, 500,
     P("local node not active but active cluster node not found"), CLASSIFY_UNAVAILABLE},
    {"1.0 no leader", TRANSPORT_COMPLETE, 503, P("no active Vault instance found"),
     CLASSIFY_UNAVAILABLE},
    {"1.0 not active", TRANSPORT_COMPLETE, 503, P("node is not active"), CLASSIFY_UNAVAILABLE},
    {"1.0 forward", TRANSPORT_COMPLETE, 500, P("please forward to the active node"),
     CLASSIFY_UNAVAILABLE},
    {"1.0 read only", TRANSPORT_COMPLETE, 500, P("cannot write to readonly storage"),
     CLASSIFY_UNAVAILABLE},
    {"1.0 audit failure before", TRANSPORT_COMPLETE, 500, M("internal error"),
     CLASSIFY_UNAVAILABLE},
    {"1.0 audit failure after", TRANSPORT_COMPLETE, 500, P("internal error"), CLASSIFY_UNAVAILABLE},
    {"1.0 deadline", TRANSPORT_COMPLETE, 500, P("context deadline exceeded"), CLASSIFY_UNAVAILABLE},
    {"1.0 body too large", TRANSPORT_COMPLETE, 413, P("http: request body too large"),
     CLASSIFY_BAD_REQUEST},
    {"1.0 wrong verb", TRANSPORT_COMPLETE, 405, M("unsupported operation"), CLASSIFY_BAD_REQUEST},
    {"1.0 wrong verb, sys", TRANSPORT_COMPLETE, 405, "{\"errors\":[]}", CLASSIFY_BAD_REQUEST},
    {"1.0 throttled third party", TRANSPORT_COMPLETE, 502, P("upstream rate limited"),
     CLASSIFY_UNAVAILABLE},
    {"1.0 412", TRANSPORT_COMPLETE, 412, P("required index state not present"), CLASSIFY_STALE},
    {"1.0 recovery mode", TRANSPORT_COMPLETE, 404, "404 page not found\n", CLASSIFY_NOT_FOUND},
    {"1.0 standby redirect", TRANSPORT_COMPLETE, 307, "", CLASSIFY_REDIRECT},
    {"4.13 RSA algorithm", TRANSPORT_COMPLETE, 500, M("unsupported rsa signature algorithm foo"),
     CLASSIFY_BAD_REQUEST},
    {"A1 port closed", TRANSPORT_REFUSED, 0, "", CLASSIFY_REFUSED},
    {"A2 killed in a request", TRANSPORT_UNREACHABLE, 0, "", CLASSIFY_UNREACHABLE},
    {"A10 frozen", TRANSPORT_TIMED_OUT, 0, "", CLASSIFY_TIMEOUT},
    {"A15 reset in the reply", TRANSPORT_TRUNCATED, 200, "{\"data\":{\"sig", CLASSIFY_MALFORMED},
    {"A16 short of Content-Length", TRANSPORT_TRUNCATED, 200, "{\"data\":", CLASSIFY_MALFORMED},
    {"A17 cut in the headers", TRANSPORT_COMPLETE, 200, "", CLASSIFY_OK},
    {"A20 slow drip", TRANSPORT_TIMED_OUT, 200, "{\"da", CLASSIFY_TIMEOUT},
    {"A23 only 100", TRANSPORT_TIMED_OUT, 100, "", CLASSIFY_TIMEOUT},
    {"A25 no HTTP", TRANSPORT_NOT_HTTP, 0, "", CLASSIFY_MALFORMED},
    {"B1-B4 certificate", TRANSPORT_CERTIFICATE, 0, "", CLASSIFY_CERTIFICATE},
    {"B6 http to https", TRANSPORT_COMPLETE, 400,
     "Client sent an HTTP request to an HTTPS server.\n", CLASSIFY_BAD_REQUEST},
    {"B8 client certificate", TRANSPORT_COMPLETE, 500, P("failed to verify client's certificate"),
     CLASSIFY_CERTIFICATE},
    {"C8 472", TRANSPORT_COMPLETE, 472, "", CLASSIFY_UNAVAILABLE},
    {"C8 473", TRANSPORT_COMPLETE, 473, "", CLASSIFY_UNAVAILABLE},
    {"C8 474", TRANSPORT_COMPLETE, 474, "", CLASSIFY_UNAVAILABLE},
    {"C8 530", TRANSPORT_COMPLETE, 530, "", CLASSIFY_UNAVAILABLE},
    {"C2 501", TRANSPORT_COMPLETE, 501, P("x"), CLASSIFY_BAD_REQUEST},
    {"D2 missing token", TRANSPORT_COMPLETE, 400, P("missing client token"), CLASSIFY_BAD_REQUEST},
    {"401", TRANSPORT_COMPLETE, 401, "", CLASSIFY_DENIED},
    {"E1 502 page", TRANSPORT_COMPLETE, 502, "<html>awselb</html>", CLASSIFY_UNAVAILABLE},
    {"E2 mesh 503", TRANSPORT_COMPLETE, 503, "upstream connect error or disconnect/reset",
     CLASSIFY_UNAVAILABLE},
    {"E2 a page that quotes", TRANSPORT_COMPLETE, 503, "<p>Vault is sealed</p>",
     CLASSIFY_UNAVAILABLE},
    {"E3 504", TRANSPORT_COMPLETE, 504, "<html>", CLASSIFY_UNAVAILABLE},
    {"E5 WAF", TRANSPORT_COMPLETE, 403, "<html>blocked</html>", CLASSIFY_DENIED},
    {"E7 301", TRANSPORT_COMPLETE, 301, "", CLASSIFY_REDIRECT},
    {"204", TRANSPORT_COMPLETE, 204, "", CLASSIFY_MALFORMED},
    {"408", TRANSPORT_COMPLETE, 408, "", CLASSIFY_UNAVAILABLE},
    {"418", TRANSPORT_COMPLETE, 418, "", CLASSIFY_BAD_REQUEST},
    {"no such status", TRANSPORT_COMPLETE, 999, "", CLASSIFY_MALFORMED},
    {"errors that are no texts", TRANSPORT_COMPLETE, 503, "{\"errors\":[1]}", CLASSIFY_UNAVAILABLE},
    {"a refusal that was cut", TRANSPORT_TRUNCATED, 403, "{\"err", CLASSIFY_DENIED},
    {"a redirect that was cut", TRANSPORT_TRUNCATED, 307, "", CLASSIFY_REDIRECT},
    {"a 429 that was cut", TRANSPORT_TRUNCATED, 429, "{", CLASSIFY_RATE_LIMITED},
    {"a 503 that was cut", TRANSPORT_TRUNCATED, 503, "{\"errors\":[\"Vault is", CLASSIFY_MALFORMED},
    {"cut before the status", TRANSPORT_TRUNCATED, 0, "", CLASSIFY_MALFORMED},
    {"our own trouble", TRANSPORT_INTERNAL, 0, "", CLASSIFY_INTERNAL},
    {"our own trouble in an answer", TRANSPORT_INTERNAL, 503, P("Vault is sealed"),
     CLASSIFY_INTERNAL},
    {"a refusal whose body never ends", TRANSPORT_TIMED_OUT, 403, "{", CLASSIFY_DENIED},
};

static void test_classify__follows_the_table_of_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum classify_class got = classify(rows[i].outcome, rows[i].status, rows[i].body);
        if (got != rows[i].class)
            fail_msg("%s: %s, want %s", rows[i].row, classify_text(got),
                     classify_text(rows[i].class));
    }
}

static void test_classify__only_availability_leads_to_the_local_key(void **state)
{
    (void)state;
    static const enum classify_class eligible[] = {CLASSIFY_REFUSED,     CLASSIFY_UNREACHABLE,
                                                   CLASSIFY_TIMEOUT,     CLASSIFY_SEALED,
                                                   CLASSIFY_UNAVAILABLE, CLASSIFY_MALFORMED};
    size_t seen = 0;
    for (int c = 0; c < CLASSIFY_COUNT; c++) {
        const struct classify_policy *p = classify_policy((enum classify_class)c);
        bool listed = false;
        for (size_t i = 0; i < COUNT(eligible); i++)
            listed = listed || (int)eligible[i] == c;
        assert_int_equal(p->fallback_eligible, listed);
        if (c != CLASSIFY_OK)
            assert_true(p->retry != p->fail_closed);
        if (p->fallback_eligible)
            assert_true(p->retry);
        seen += listed;
    }
    assert_int_equal(seen, 6);
    assert_true(classify_policy(CLASSIFY_STALE)->retry);
    assert_true(classify_policy(CLASSIFY_RATE_LIMITED)->respects_retry_after);
}

static void test_classify__every_class_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < CLASSIFY_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(classify_text((enum classify_class)a),
                                    classify_text((enum classify_class)b));
    assert_string_equal(classify_text(CLASSIFY_KEY_MISMATCH), "key_mismatch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classify__follows_the_table_of_failures),
        cmocka_unit_test(test_classify__only_availability_leads_to_the_local_key),
        cmocka_unit_test(test_classify__every_class_has_a_word_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
