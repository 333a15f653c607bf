#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/secret.h"

static struct secret_arena *arena_of(size_t bytes)
{
    struct secret_arena *arena = NULL;
    bool locked = false;
    assert_int_equal(secret_arena_new(bytes, &arena, &locked, NULL), ERRC_OK);
    return arena;
}

static void test_secret__starts_zeroed_and_is_wiped_when_freed(void **state)
{
    (void)state;
    struct secret_arena *arena = arena_of(4096);
    struct secret s = {0};
    assert_int_equal(secret_new(arena, 33, &s), ERRC_OK);
    for (size_t i = 0; i < 33; i++)
        assert_int_equal(s.ptr[i], 0);
    memset(s.ptr, 0xaa, 33);
    const volatile uint8_t *was = s.ptr;
    secret_done(&s);
    for (size_t i = 0; i < 33; i++)
        assert_int_equal(was[i], 0);
    assert_null(s.ptr);
    assert_int_equal(s.len, 0);
    secret_done(&s);
    secret_done(NULL);
    assert_int_equal(secret_arena_used(arena), 0);
    secret_arena_free(arena);
}

static void test_secret__a_full_arena_says_so_and_recovers(void **state)
{
    (void)state;
    struct secret_arena *arena = arena_of(8192);
    struct secret many[512];
    for (int round = 0; round < 3; round++) {
        size_t count = 0;
        while (count < 512 && secret_new(arena, 64, &many[count]) == ERRC_OK)
            count++;
        assert_in_range(count, 64, 128);
        struct secret one_more = {0};
        assert_int_equal(secret_new(arena, 64, &one_more), ERRC_NOMEM);
        assert_null(one_more.ptr);
        for (size_t i = 0; i < count; i++)
            secret_done(&many[count - 1 - i]);
        assert_int_equal(secret_arena_used(arena), 0);
    }
    secret_arena_free(arena);
}

static void test_secret__freed_neighbours_merge(void **state)
{
    (void)state;
    struct secret_arena *arena = arena_of(4096);
    struct secret parts[16], big = {0};
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(secret_new(arena, 200, &parts[i]), ERRC_OK);
    assert_int_equal(secret_new(arena, 2000, &big), ERRC_NOMEM);
    for (size_t i = 0; i < 16; i += 2)
        secret_done(&parts[i]);
    assert_int_equal(secret_new(arena, 2000, &big), ERRC_NOMEM);
    for (size_t i = 1; i < 16; i += 2)
        secret_done(&parts[i]);
    assert_int_equal(secret_new(arena, 2000, &big), ERRC_OK);
    secret_done(&big);
    secret_arena_free(arena);
}

static void test_secret__allocations_do_not_overlap(void **state)
{
    (void)state;
    struct secret_arena *arena = arena_of(65536);
    struct secret s[40];
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(secret_new(arena, i, &s[i]), ERRC_OK);
        memset(s[i].ptr, (int)i, i);
    }
    for (size_t i = 0; i < 40; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal(s[i].ptr[k], i);
    for (size_t i = 0; i < 40; i++)
        secret_done(&s[i]);
    secret_arena_free(arena);
}

static void test_secret__more_than_the_arena_is_refused(void **state)
{
    (void)state;
    struct secret_arena *arena = arena_of(1);
    struct secret s = {0};
    assert_int_equal(secret_new(arena, SIZE_MAX, &s), ERRC_NOMEM);
    assert_int_equal(secret_new(arena, SIZE_MAX - 20, &s), ERRC_NOMEM);
    assert_int_equal(secret_new(arena, 4097, &s), ERRC_NOMEM);
    assert_int_equal(secret_new(arena, 4096, &s), ERRC_NOMEM);
    assert_int_equal(secret_new(arena, 4080, &s), ERRC_OK);
    secret_done(&s);
    secret_arena_free(arena);
}

static void test_secret_copy__holds_the_bytes(void **state)
{
    (void)state;
    struct secret_arena *arena = arena_of(4096);
    struct secret s CLEANUP(secret_done) = {0};
    assert_int_equal(secret_copy(arena, SLICE_LITERAL("s.token"), &s), ERRC_OK);
    assert_true(slice_equal_text(secret_slice(&s), "s.token"));
    secret_done(&s);
    assert_int_equal(secret_copy(arena, slice_of(NULL), &s), ERRC_OK);
    assert_int_equal(secret_slice(&s).len, 0);
    secret_done(&s);
    secret_arena_free(arena);
    secret_arena_free(NULL);
}

static void test_secret_equal__compares_length_and_bytes(void **state)
{
    (void)state;
    assert_true(secret_equal(SLICE_LITERAL("abc"), SLICE_LITERAL("abc")));
    assert_false(secret_equal(SLICE_LITERAL("abc"), SLICE_LITERAL("abd")));
    assert_false(secret_equal(SLICE_LITERAL("abc"), SLICE_LITERAL("ab")));
    assert_true(secret_equal(slice_of(NULL), SLICE_LITERAL("")));
}

static void test_secret_wipe__overwrites(void **state)
{
    (void)state;
    char key[8] = "secret!";
    secret_wipe(key, sizeof key);
    static const char zeros[8];
    assert_memory_equal(key, zeros, sizeof key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret__starts_zeroed_and_is_wiped_when_freed),
        cmocka_unit_test(test_secret__a_full_arena_says_so_and_recovers),
        cmocka_unit_test(test_secret__freed_neighbours_merge),
        cmocka_unit_test(test_secret__allocations_do_not_overlap),
        cmocka_unit_test(test_secret__more_than_the_arena_is_refused),
        cmocka_unit_test(test_secret_copy__holds_the_bytes),
        cmocka_unit_test(test_secret_equal__compares_length_and_bytes),
        cmocka_unit_test(test_secret_wipe__overwrites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
