/*
 * Several threads sign while one seals and unseals. What each gets is a signature or "sealed", and
 * under ThreadSanitizer nothing is touched twice at once.
 */
#include "tests/fakevault/cmocka_first.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/fakevault/vault_world.h"

#define SIGNERS 3
#define SIGNATURES_EACH 200
#define SEALS 40

struct shared {
    struct world *world;
    pthread_mutex_t lock;
    atomic_int signatures;
    atomic_int sealed;
    atomic_int odd;
};

static void count(struct shared *s, const struct vault_reply *reply)
{
    bool sealed = reply->status == 503 && !reply->executed;
    bool made = reply->status == 200 && reply->executed && reply->signature_count == 1;
    atomic_fetch_add(made ? &s->signatures : sealed ? &s->sealed : &s->odd, 1);
}

static void *sign(void *context)
{
    struct shared *s = context;
    struct world *w = s->world;
    struct vault_request request = {.method = SLICE_LITERAL("POST"),
                                    .path = SLICE_LITERAL("/v1/transit/sign/k"),
                                    .token = slice_of(w->root),
                                    .body = SLICE_LITERAL("{\"input\":\"YQ==\"}")};
    for (int i = 0; i < SIGNATURES_EACH; i++) {
        struct vault_reply reply = {0};
        struct vault_job *job = vault_receive(w->vault, &request);
        (void)pthread_mutex_lock(&s->lock);
        vault_begin(w->vault, job, w->now);
        (void)pthread_mutex_unlock(&s->lock);
        vault_job_run(job);
        (void)pthread_mutex_lock(&s->lock);
        vault_end(w->vault, job, w->now, &reply);
        (void)pthread_mutex_unlock(&s->lock);
        count(s, &reply);
        vault_reply_done(&reply);
    }
    return NULL;
}

static void *seal(void *context)
{
    struct shared *s = context;
    struct world *w = s->world;
    for (int i = 0; i < SEALS; i++) {
        (void)pthread_mutex_lock(&s->lock);
        vault_seal(w->vault);
        (void)pthread_mutex_unlock(&s->lock);
        (void)pthread_mutex_lock(&s->lock);
        enum errc code = vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL);
        (void)pthread_mutex_unlock(&s->lock);
        atomic_fetch_add(&s->odd, code != ERRC_OK);
    }
    return NULL;
}

static void test_vault__threads_sign_while_it_is_sealed(void **state)
{
    struct shared s = {.world = *state, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[SIGNERS + 1];
    assert_int_equal(
        world_status(s.world, "POST transit/keys/k", "{\"type\":\"ed25519\"}", s.world->root), 200);
    for (int i = 0; i <= SIGNERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i == SIGNERS ? seal : sign, &s), 0);
    for (int i = 0; i <= SIGNERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(s.odd, 0);
    assert_int_equal(s.signatures + s.sealed, SIGNERS * SIGNATURES_EACH);
    assert_true(s.signatures > 0);
    vault_seal(s.world->vault);
    assert_int_equal(secret_arena_used(s.world->arena), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_vault__threads_sign_while_it_is_sealed,
                                        world_set_up_booted, world_tear_down),
    };
    return cmocka_run_group_tests_name("vault_threads", tests, NULL, NULL);
}
