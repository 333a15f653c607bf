#include "tests/fakevault/vault_world.h"

#include "base/units.h"
#include "tests/fakevault/cmocka_first.h"

#include <stdio.h>
#include <string.h>

#include "fakevault/core/store/store_memory.h"
#include "fakevault/shell/ports/crypto_openssl.h"

#define ARENA_BYTES (1u << 20)

static void fill(void *context, void *out, size_t len)
{
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(prng_next(context) >> 24);
}

static void open_vault(struct world *w)
{
    struct errc_why why = {{0}};
    if (vault_new(&w->ports, NULL, &w->vault, &why) != ERRC_OK)
        fail_msg("vault_new: %s", why.text);
}

void world_init(struct world *w)
{
    *w = (struct world){.now = {.mono_ns = 1, .wall_ns = 1795458581000000000}};
    prng_init(&w->prng, 4711);
    assert_int_equal(store_memory_new(&w->store, NULL), ERRC_OK);
    assert_int_equal(secret_arena_new(ARENA_BYTES, &w->arena, NULL, NULL), ERRC_OK);
    /* The first secret of an arena lies at its begin, behind a small header. */
    struct secret first = {0};
    assert_int_equal(secret_new(w->arena, 16, &first), ERRC_OK);
    w->arena_memory = first.ptr;
    w->arena_bytes = ARENA_BYTES - 64;
    secret_done(&first);
    w->ports = (struct vault_ports){.crypto = crypto_openssl(),
                                    .store = &w->store,
                                    .entropy = {fill, &w->prng},
                                    .arena = w->arena};
    open_vault(w);
}

void world_done(struct world *w)
{
    vault_free(w->vault);
    store_close(&w->store);
    secret_arena_free(w->arena);
}

void world_restart(struct world *w)
{
    vault_free(w->vault);
    open_vault(w);
}

void world_request(const char *what, struct buf *path, struct vault_request *out)
{
    struct slice rest = slice_of(what);
    out->method = slice_cut(&rest, ' ');
    struct slice below = slice_cut(&rest, '?');
    out->query = rest;
    buf_addf(path, "%s%.*s", slice_starts_with(below, "/") ? "" : "/v1/", SLICE_FMT(below));
    out->path = buf_slice(path);
}

int world_call(struct world *w, const char *what, const char *body, const char *token,
               struct vault_reply *reply)
{
    struct vault_request request = {.token = slice_of(token), .body = slice_of(body)};
    struct buf path CLEANUP(buf_done);
    buf_init(&path, 1 << 16);
    world_request(what, &path, &request);
    if (slice_equal_text(request.method, "PATCH"))
        request.content_type = SLICE_LITERAL("application/merge-patch+json");
    w->now.mono_ns += NS_PER_MS;
    w->now.wall_ns += NS_PER_MS;
    vault_handle(w->vault, &request, w->now, reply);
    return reply->status;
}

int world_ask(struct world *w, const char *what, const char *body, const char *token, json_t **out)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    int status = world_call(w, what, body, token, &reply);
    *out = json_loadb(reply.body.ptr == NULL ? "" : reply.body.ptr, reply.body.len, 0, NULL);
    return status;
}

void world_reopen(struct world *w)
{
    world_restart(w);
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, NULL), ERRC_OK);
}

static enum errc count_one(void *context, struct slice rest)
{
    (void)rest;
    ++*(size_t *)context;
    return ERRC_OK;
}

size_t world_stored(struct world *w, const char *prefix)
{
    size_t count = 0;
    assert_int_equal(store_list(&w->store, slice_of(prefix), count_one, &count, NULL), ERRC_OK);
    return count;
}

void world_boot(struct world *w)
{
    json_t *init = NULL, *empty = NULL;
    assert_int_equal(
        world_ask(w, "PUT sys/init", "{\"secret_shares\":1,\"secret_threshold\":1}", NULL, &init),
        200);
    (void)snprintf(w->root, sizeof w->root, "%s",
                   json_string_value(json_object_get(init, "root_token")));
    (void)snprintf(w->unseal_key, sizeof w->unseal_key, "%s",
                   json_string_value(json_array_get(json_object_get(init, "keys"), 0)));
    json_decref(init);
    struct errc_why why = {{0}};
    assert_int_equal(vault_unseal_share(w->vault, slice_of(w->unseal_key), w->now, &why), ERRC_OK);
    assert_int_equal(
        world_ask(w, "POST sys/mounts/transit", "{\"type\":\"transit\"}", w->root, &empty), 204);
    assert_int_equal(world_ask(w, "POST sys/mounts/secret",
                               "{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}", w->root,
                               &empty),
                     204);
}

int world_set_up(void **state)
{
    static struct world w;
    world_init(&w);
    *state = &w;
    return 0;
}

int world_set_up_booted(void **state)
{
    (void)world_set_up(state);
    world_boot(*state);
    return 0;
}

int world_tear_down(void **state)
{
    world_done(*state);
    return 0;
}

int world_status(struct world *w, const char *what, const char *body, const char *token)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    return world_call(w, what, body, token, &reply);
}

void world_expect_error(struct world *w, const char *what, const char *body, const char *token,
                        int status, const char *text)
{
    json_t *answer = NULL;
    assert_int_equal(world_ask(w, what, body, token, &answer), status);
    const char *got = json_string_value(json_array_get(json_object_get(answer, "errors"), 0));
    assert_string_equal(got == NULL ? "" : got, text);
    json_decref(answer);
}

struct vault_job *world_begin(struct world *w, const char *what, const char *body, struct buf *path)
{
    struct vault_request request = {.token = slice_of(w->root), .body = slice_of(body)};
    buf_init(path, 1024);
    world_request(what, path, &request);
    struct vault_job *job = vault_receive(w->vault, &request);
    vault_begin(w->vault, job, w->now);
    return job;
}
