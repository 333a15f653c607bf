#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "signer/core/service/api_error.h"
#include "signer/core/service/metrics.h"
#include "signer/core/service/run_json.h"
#include "tests/support/oom.h"

#define ID "0b9c2d8e-1f3a-4c5b-8d7e-9f0a1b2c3d4e"

static enum errc live(struct run *run, struct errc_why *why)
{
    const struct run_signing signing = {.mode = "vault", .attempts = 1};
    TRY(run_init(run, ID, "api", SLICE_LITERAL("{\"a\":[\"b\"]}"), 1, why));
    TRY(run_start(run, 2, why));
    return run_complete(run, &signing, 3, why);
}

static enum errc keep_and_read(void *context)
{
    struct run run CLEANUP(run_done) = {0};
    struct run back CLEANUP(run_done) = {0};
    struct buf text CLEANUP(buf_done);
    struct errc_why why;
    (void)context;
    buf_init(&text, LIMIT_FILE_BYTES);
    TRY(live(&run, &why));
    run_json_store(&run, &text);
    TRY(buf_status(&text, &why));
    return run_json_parse(buf_slice(&text), &back, &why);
}

static void test_run_json__survives_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(keep_and_read, NULL) > 10);
}

static enum errc tell(void *context)
{
    struct buf text CLEANUP(buf_done);
    struct metrics metrics;
    struct errc_why why;
    (void)context;
    buf_init(&text, LIMIT_FILE_BYTES);
    metrics_init(&metrics);
    api_error_format(API_ERROR_BUSY, "words", "r1", &text);
    metrics_format(&metrics, 0, &text);
    return buf_status(&text, &why);
}

static void test_answers__survive_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(tell, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_json__survives_every_failed_allocation),
        cmocka_unit_test(test_answers__survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
