/*
 * play: runs the operation machine against a script, in its own time.
 *
 * Each letter of `vault` is the answer to one attempt:
 *     O signed    W signed by another key   V signed by another version   M a page with status 200
 *     S sealed    U 502                     C refused                     T timeout
 *     F 403       N 404                     K 500 with a key version      R 429 (retry_after)
 *     I 412       D 307                     X certificate
 * The trace has a letter for each action: a audit, s send, w wait, f fallback, p publish, . finish.
 */
#pragma once

#include "signer/core/attempt/op.h"
#include "tests/signer/fake.h"

#define PLAY_WAITS_MAX 10

struct play {
    /* in */
    const char *vault;
    bool allow_fallback;
    enum fallback_verdict verdict; /* FALLBACK_USABLE: the local key signs */
    bool local_key_is_vaults;
    int audit_breaks_at; /* the nth audit action fails; 0 never */
    bool publish_breaks;
    const char *retry_after;
    const struct config_retry *retry; /* NULL: fake_retry */
    uint64_t seed;

    /* out */
    char trace[64];
    char entries[8]; /* S started, D signed, F failed, in order of writing */
    struct op_result result;
    int64_t waits_ms[PLAY_WAITS_MAX];
    size_t wait_count;
    int64_t timeouts_ms[PLAY_WAITS_MAX];
    size_t sends;
    int64_t took_ms;
    char failed_class[32];
    char input_sha256[2][DIGEST_HEX_BYTES]; /* of the STARTED entry, and of the last one */
    bool ran_out_checking;                  /* memory ran out while `verifies` was found out */
    bool verifies; /* the published manifest reads back and its signature is its key's */
};

/* ERRC_NOMEM when memory ran out on the way; anything else that goes wrong fails the test. */
enum errc play_run(struct play *play);
