#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "signer/core/service/api_error.h"
#include "signer/core/service/api_guard.h"
#include "signer/core/service/api_prefer.h"
#include "signer/core/service/api_route.h"

static void test_api_prefer__reads_wait_as_rfc_7240_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int wait; /* -1: none */
    } cases[] = {
        {"wait=10", 10},
        {"Wait = \"10\"", 10},
        {"respond-async, wait=5", 5},
        {"wait=5, wait=9", 5},
        {"wait=5; x=y, foo", 5},
        {"foo=\"a, wait=3\", wait=4", 4},
        {"foo=\"\\\", wait=3\", wait=4", 4},
        {"foo; wait=3", -1},
        {"wait=999999", 60},
        {"wait=0", 0},
        {"", -1},
        {",,,", -1},
        {"wait", -1},
        {"wait=", -1},
        {"wait=soon", -1},
        {"wait=-1", -1},
        {"waiting=3", -1},
        {"wait=1.5", -1},
        {"wait=\"3", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t seconds = 0;
        bool found = api_prefer_wait(slice_of(cases[i].header), 60, &seconds);
        int got = found ? (int)seconds : -1;
        if (got != cases[i].wait)
            fail_msg("\"%s\": %d, want %d", cases[i].header, got, cases[i].wait);
    }
}

static void test_api_route__finds_each_call(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        enum api_route route;
        const char *id;
    } cases[] = {
        {"POST", "/api/v1/bundles", API_ROUTE_CREATE, ""},
        {"GET", "/api/v1/bundles/x", API_ROUTE_RUN, "x"},
        {"HEAD", "/api/v1/bundles/x", API_ROUTE_RUN, "x"},
        {"GET", "/api/v1/bundles/x/manifest", API_ROUTE_MANIFEST, "x"},
        {"POST", "/api/v1/bundles/x/retry", API_ROUTE_RETRY, "x"},
        {"GET", "/healthz", API_ROUTE_HEALTHZ, ""},
        {"GET", "/metrics", API_ROUTE_METRICS, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_route_result r =
            api_route_find(slice_of(cases[i].method), slice_of(cases[i].path));
        assert_int_equal(r.match, API_ROUTE_FOUND);
        assert_int_equal(r.route, cases[i].route);
        assert_true(slice_equal_text(r.id, cases[i].id));
    }
}

static void test_api_route__tells_a_wrong_method_from_an_unknown_path(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *allow; /* NULL: unknown path */
    } cases[] = {
        {"GET", "/api/v1/bundles", "POST"},
        {"DELETE", "/api/v1/bundles/x", "GET, HEAD"},
        {"GET", "/api/v1/bundles/x/retry", "POST"},
        {"post", "/api/v1/bundles", "POST"},
        {"POST", "/metrics", "GET, HEAD"},
        {"GET", "/", NULL},
        {"GET", "", NULL},
        {"POST", "/api/v1/bundles/", NULL},
        {"GET", "/api/v1/bundles//manifest", NULL},
        {"GET", "/api/v1/bundles/x/y", NULL},
        {"GET", "/api/v1/bundles/x/manifest/", NULL},
        {"GET", "/api/v1", NULL},
        {"GET", "//healthz", NULL},
        {"GET", "/healthz2", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_route_result r =
            api_route_find(slice_of(cases[i].method), slice_of(cases[i].path));
        if (r.match != (cases[i].allow == NULL ? API_ROUTE_UNKNOWN : API_ROUTE_WRONG_METHOD))
            fail_msg("%s %s: match %d", cases[i].method, cases[i].path, (int)r.match);
        if (cases[i].allow != NULL)
            assert_string_equal(r.allow, cases[i].allow);
    }
}

static void test_api_error__has_the_shape_of_the_contract(void **state)
{
    (void)state;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1000);
    api_error_format(API_ERROR_CONFLICT, "a \"b\"", "r1", &out);
    assert_string_equal(buf_text(&out), "{\"error\":{\"code\":\"conflict\",\"message\":\"a "
                                        "\\\"b\\\"\",\"requestId\":\"r1\"}}\n");
    assert_int_equal(api_error_status(API_ERROR_CONFLICT), 409);
}

static void test_api_error__each_kind_of_failure_has_a_status(void **state)
{
    (void)state;
    static const struct {
        enum errc code;
        unsigned status;
    } cases[] = {
        {ERRC_SCHEMA, 400}, {ERRC_SYNTAX, 400},      {ERRC_TOO_BIG, 413}, {ERRC_NOT_FOUND, 404},
        {ERRC_STATE, 409},  {ERRC_UNAVAILABLE, 503}, {ERRC_IO, 500},      {ERRC_CRYPTO, 500},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(api_error_status(api_error_of(cases[i].code)), cases[i].status);
}

static void test_api_guard__knows_its_own_addresses(void **state)
{
    (void)state;
    static const struct {
        struct api_guard guard;
        const char *host;
        bool ours;
    } cases[] = {
        {{NULL, NULL}, "localhost", true},
        {{NULL, NULL}, "LocalHost:8080", true},
        {{NULL, NULL}, "127.0.0.1", true},
        {{NULL, NULL}, "127.8.9.10:1", true},
        {{NULL, NULL}, "[::1]:8080", true},
        {{NULL, NULL}, " localhost ", true},
        {{NULL, NULL}, "", false},
        {{NULL, NULL}, ":8080", false},
        {{NULL, NULL}, "evil.example", false},
        {{NULL, NULL}, "localhost.evil.example", false},
        {{NULL, NULL}, "127.0.0.1.evil.example", false},
        {{NULL, NULL}, "127.evil", false},
        {{NULL, NULL}, "127.0.0.256", false},
        {{NULL, NULL}, "localhost:x", false},
        {{NULL, NULL}, "localhost:80@evil.example", false},
        {{NULL, NULL}, "[::1", false},
        {{NULL, NULL}, "[::1]x", false},
        {{"10.1.2.3:8080", NULL}, "10.1.2.3:8080", true},
        {{"10.1.2.3:8080", NULL}, "10.1.2.4:8080", false},
        {{":8080", NULL}, "10.1.2.3", false},
        {{"[fe80::1]:8080", NULL}, "[FE80::1]", true},
        {{"0.0.0.0:8080", NULL}, "10.1.2.3", true},
        {{"0.0.0.0:8080", NULL}, "[fe80::1]:8080", true},
        {{"[::]:0", NULL}, "192.168.0.9:1", true},
        {{"[::]:0", NULL}, "evil.example", false},
        {{"0.0.0.0:8080", NULL}, "[evil.example]", false},
        {{NULL, "a.internal, B"}, "b:8080", true},
        {{NULL, "a.internal, B"}, "a.internal", true},
        {{NULL, "a.internal, B"}, "internal", false},
        {{NULL, ","}, "", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (api_guard_host(&cases[i].guard, slice_of(cases[i].host)) != cases[i].ours)
            fail_msg("case %zu: \"%s\"", i, cases[i].host);
}

static void test_api_guard__an_origin_is_the_address_itself(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *host;
        bool ours;
    } cases[] = {
        {"http://localhost:8080", "localhost:8080", true},
        {"http://LOCALHOST:8080", "localhost:8080", true},
        {"http://localhost", "localhost:8080", false},
        {"http://localhost:3000", "localhost:8080", false},
        {"https://localhost:8080", "localhost:8080", false},
        {"null", "localhost:8080", false},
        {"", "localhost:8080", false},
        {"http://", "", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (api_guard_origin(slice_of(cases[i].origin), slice_of(cases[i].host)) != cases[i].ours)
            fail_msg("case %zu: \"%s\"", i, cases[i].origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_prefer__reads_wait_as_rfc_7240_has_it),
        cmocka_unit_test(test_api_route__finds_each_call),
        cmocka_unit_test(test_api_route__tells_a_wrong_method_from_an_unknown_path),
        cmocka_unit_test(test_api_error__has_the_shape_of_the_contract),
        cmocka_unit_test(test_api_error__each_kind_of_failure_has_a_status),
        cmocka_unit_test(test_api_guard__knows_its_own_addresses),
        cmocka_unit_test(test_api_guard__an_origin_is_the_address_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
