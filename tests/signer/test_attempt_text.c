#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/count.h"
#include "signer/core/attempt/attempt_text.h"

static const struct {
    struct transport_reply reply;
    const char *body;
    enum classify_class class;
    const char *text;
} rows[] = {
    {{.outcome = TRANSPORT_REFUSED, .detail = "Failed to connect to 127.0.0.1 port 1"},
     "",
     CLASSIFY_REFUSED,
     "connection refused: Failed to connect to 127.0.0.1 port 1"},
    {{.outcome = TRANSPORT_REFUSED}, "", CLASSIFY_REFUSED, "connection refused"},
    {{.outcome = TRANSPORT_UNREACHABLE, .detail = "Could not resolve host: vault"},
     "",
     CLASSIFY_UNREACHABLE,
     "unreachable: Could not resolve host: vault"},
    {{.status = 503},
     "{\"errors\":[\"Vault is sealed\"]}",
     CLASSIFY_SEALED,
     "status 503: Vault is sealed"},
    {{.status = 502}, "<html>bad gateway</html>", CLASSIFY_UNAVAILABLE, "status 502"},
    {{.status = 403},
     "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n\"]}",
     CLASSIFY_DENIED,
     "status 403: 1 error occurred: * permission denied"},
    {{.status = 200}, "<html>", CLASSIFY_MALFORMED, "status 200: malformed answer"},
    {{.status = 200},
     "{}",
     CLASSIFY_KEY_MISMATCH,
     "status 200: signature that is not by the pinned key"},
    {{.outcome = TRANSPORT_TIMED_OUT}, "", CLASSIFY_TIMEOUT, "timed out after 2000 ms"},
    {{.outcome = TRANSPORT_TIMED_OUT, .gave_up_ms = 1001},
     "",
     CLASSIFY_TIMEOUT,
     "timed out after 1001 ms"},
    {{.outcome = TRANSPORT_TIMED_OUT, .status = 200},
     "{",
     CLASSIFY_TIMEOUT,
     "timed out after 2000 ms, in an answer of status 200"},
    {{.outcome = TRANSPORT_CERTIFICATE, .detail = "SSL certificate problem"},
     "",
     CLASSIFY_CERTIFICATE,
     "certificate not accepted: SSL certificate problem"},
    {{.outcome = TRANSPORT_INTERNAL, .detail = "out of memory"},
     "",
     CLASSIFY_INTERNAL,
     "trouble of our own: out of memory"},
    {{.outcome = TRANSPORT_UNREACHABLE, .detail = "a\x1b[2Jb"},
     "",
     CLASSIFY_UNREACHABLE,
     "unreachable: a [2Jb"},
};

static void test_attempt_text__has_the_words_that_people_look_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct transport_reply reply CLEANUP(transport_reply_done) = rows[i].reply;
        char text[LIMIT_MESSAGE_BYTES];
        buf_init(&reply.body, 1024);
        buf_add_text(&reply.body, rows[i].body);
        attempt_text_format(&reply, rows[i].class, 2000, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_attempt_text__every_class_has_words(void **state)
{
    (void)state;
    for (int class = CLASSIFY_OK + 1; class < CLASSIFY_COUNT; class ++) {
        struct transport_reply reply = {.outcome = TRANSPORT_COMPLETE};
        char text[LIMIT_MESSAGE_BYTES];
        attempt_text_format(&reply, (enum classify_class) class, 5, text);
        assert_true(strlen(text) > 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempt_text__has_the_words_that_people_look_for),
        cmocka_unit_test(test_attempt_text__every_class_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
