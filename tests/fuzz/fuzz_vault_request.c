/*
 * fuzz_vault_request: any request to a vault is answered, and API answers are JSON; none changes
 * what is sealed.
 *
 * The input is a line "METHOD path?query", a line with the content type, and the body. It is sent
 * twice: to a vault that is unsealed and holds a key, and to a sealed one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/store/store_memory.h"
#include "fakevault/core/vault.h"
#include "fakevault/shell/ports/crypto_openssl.h"

#define ARENA_BYTES (1u << 16) /* small: it is wiped for every input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct stand {
    struct prng dice;
    struct store store;
    struct secret_arena *arena;
    struct vault *vault;
};

static const struct instant now = {.mono_ns = 1, .wall_ns = 1795458581000000000};

static void fill(void *context, void *out, size_t len)
{
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)prng_next(context);
}

static void demand(bool condition)
{
    if (!condition)
        abort();
}

/* Pages and the HTTP server's own words are none. */
static bool is_json(const struct vault_reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, "Content-Type") == 0)
            return strcmp(reply->headers[i].value, "application/json") == 0;
    return false;
}

static void send(struct stand *s, const struct vault_request *request)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    json_t *body = NULL;
    vault_handle(s->vault, request, now, &reply);
    demand(reply.status >= 100 && reply.status <= 999);
    if (reply.body.len > 0 && is_json(&reply)) {
        demand(gojson_parse(buf_slice(&reply.body), &body, NULL) == ERRC_OK);
        demand(json_is_object(body));
        json_decref(body);
    }
}

static void set_up(struct stand *s)
{
    struct buf key CLEANUP(buf_done), token CLEANUP(buf_done);
    buf_init(&key, 100);
    buf_init(&token, 100);
    prng_init(&s->dice, 1);
    demand(store_memory_new(&s->store, NULL) == ERRC_OK);
    demand(secret_arena_new(ARENA_BYTES, &s->arena, NULL, NULL) == ERRC_OK);
    struct vault_ports ports = {crypto_openssl(), &s->store, {fill, &s->dice}, NULL, s->arena};
    demand(vault_new(&ports, NULL, &s->vault, NULL) == ERRC_OK);
    demand(vault_dev_init(s->vault, SLICE_LITERAL("root"), now, &key, &token, NULL) == ERRC_OK);
    struct vault_request mount = {.method = SLICE_LITERAL("POST"),
                                  .path = SLICE_LITERAL("/v1/sys/mounts/transit"),
                                  .token = SLICE_LITERAL("root"),
                                  .body = SLICE_LITERAL("{\"type\":\"transit\"}")};
    send(s, &mount);
    struct vault_request create = {.method = SLICE_LITERAL("POST"),
                                   .path = SLICE_LITERAL("/v1/transit/keys/k"),
                                   .token = SLICE_LITERAL("root"),
                                   .body = SLICE_LITERAL("{\"type\":\"ed25519\"}")};
    send(s, &create);
}

static void tear_down(struct stand *s)
{
    vault_free(s->vault);
    demand(secret_arena_used(s->arena) == 0);
    store_close(&s->store);
    secret_arena_free(s->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_bytes(data, size);
    struct slice line = slice_cut(&rest, '\n');
    struct vault_request request = {.token = SLICE_LITERAL("root")};
    request.content_type = slice_cut(&rest, '\n');
    request.body = rest;
    request.method = slice_cut(&line, ' ');
    request.path = slice_cut(&line, '?');
    request.query = line;
    struct stand s;
    struct vault_state state;
    set_up(&s);
    send(&s, &request);
    request.token = (struct slice){0};
    send(&s, &request);
    vault_seal(s.vault);
    demand(secret_arena_used(s.arena) == 0);
    request.token = SLICE_LITERAL("root");
    send(&s, &request);
    vault_state(s.vault, &state);
    demand(state.sealed && state.initialized);
    tear_down(&s);
    return 0;
}
