#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The names that --wrap gives: calls of malloc become __wrap_malloc, and __real_malloc is the
 * library's own. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *ptr);

/* Atomic, because servers under test allocate on several threads. */
static atomic_size_t countdown;
static atomic_bool came;
static atomic_size_t allocated;
static atomic_size_t freed;

static bool fails_now(void)
{
    size_t left = atomic_load(&countdown);
    while (left != 0 && !atomic_compare_exchange_weak(&countdown, &left, left - 1)) {
    }
    if (left == 1)
        atomic_store(&came, true);
    return left == 1;
}

static void *counted(void *ptr)
{
    if (ptr != NULL)
        atomic_fetch_add(&allocated, 1);
    return ptr;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *ptr, size_t size)
{
    if (fails_now())
        return NULL;
    void *moved = __real_realloc(ptr, size);
    return ptr == NULL ? counted(moved) : moved;
}

char *__wrap_strndup(const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    char *copy = __wrap_malloc(len + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX);
}

void __wrap_free(void *ptr)
{
    if (ptr != NULL)
        atomic_fetch_add(&freed, 1);
    __real_free(ptr);
}

void oom_arm(size_t nth)
{
    atomic_store(&came, false);
    atomic_store(&countdown, nth);
}

bool oom_disarm(void)
{
    atomic_store(&countdown, 0);
    return atomic_load(&came);
}

size_t oom_outstanding(void)
{
    return atomic_load(&allocated) - atomic_load(&freed);
}

static void expect_nothing_left(size_t before, size_t nth)
{
    size_t after = oom_outstanding();
    if (after != before)
        fail_msg("%zu allocations are left behind when allocation %zu fails", after - before, nth);
}

size_t oom_each(enum errc (*run)(void *context), void *context)
{
    (void)run(context); /* what libraries allocate once and keep is kept from here on */
    size_t before = oom_outstanding();
    enum errc undisturbed = run(context);
    if (undisturbed != ERRC_OK)
        fail_msg("the undisturbed run failed: %s", errc_text(undisturbed));
    expect_nothing_left(before, 0);
    for (size_t nth = 1; nth <= OOM_RUNS_MAX; nth++) {
        oom_arm(nth);
        enum errc code = run(context);
        if (!oom_disarm())
            return nth - 1;
        if (code != ERRC_NOMEM && code != ERRC_TOO_BIG && code != ERRC_IO)
            fail_msg("allocation %zu failed and the run returned \"%s\"", nth, errc_text(code));
        expect_nothing_left(before, nth);
    }
    fail_msg("more than %u allocations in one run", OOM_RUNS_MAX);
    return 0;
}
