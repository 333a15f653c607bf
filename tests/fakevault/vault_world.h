/*
 * vault_world: what a core test stands a vault on: memory store, live crypto, a clock that the test
 * turns, and entropy of the system's or of a seed.
 */
#pragma once

#include <jansson.h>

#include "base/prng.h"
#include "fakevault/core/vault.h"

struct world {
    struct vault *vault;
    struct store store;
    struct vault_ports ports;
    struct secret_arena *arena;
    struct instant now;
    struct prng prng;
    const uint8_t *arena_memory; /* what the arena's secrets lie in */
    size_t arena_bytes;
    char root[128];       /* a token, after world_boot */
    char unseal_key[128]; /* hex, after world_boot */
};

/* Makes an uninitialised vault on a memory store; fails the test when it cannot. */
void world_init(struct world *w);
void world_done(struct world *w);

/* Closes the vault and opens another on the same store, as a restart does. */
void world_restart(struct world *w);

/* The same, and unseals with the key of world_boot. */
void world_reopen(struct world *w);

/* How many records the store has below a name. */
size_t world_stored(struct world *w, const char *prefix);

/* Initialises with one share, unseals, mounts transit/ and secret/. */
void world_boot(struct world *w);

/* Sends one request: "POST transit/keys/k?x=y", a JSON body (NULL for none), a token (NULL for
 * none). The caller ends the reply. Returns the status. */
int world_call(struct world *w, const char *what, const char *body, const char *token,
               struct vault_reply *reply);

/* The same, parsed; the caller owns *out (NULL when the body is empty). */
int world_ask(struct world *w, const char *what, const char *body, const char *token, json_t **out);

/* Splits "METHOD path?query" into a request; borrows from what and path. */
void world_request(const char *what, struct buf *path, struct vault_request *out);

/* For cmocka: a fresh vault, a booted one, and their end. *state is the world. */
int world_set_up(void **state);
int world_set_up_booted(void **state);
int world_tear_down(void **state);

/* Asks and forgets the answer's body. */
int world_status(struct world *w, const char *what, const char *body, const char *token);

/* Fails the test unless the answer has this status and this first error. */
void world_expect_error(struct world *w, const char *what, const char *body, const char *token,
                        int status, const char *text);

/* Begins a request with the root token; `path` and `body` must outlive the job. */
struct vault_job *world_begin(struct world *w, const char *what, const char *body,
                              struct buf *path);
