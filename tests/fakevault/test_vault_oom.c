/* The whole life of a vault with every single allocation failing once. */
#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/text/jsonread.h"
#include "fakevault/core/store/store_memory.h"
#include "fakevault/shell/ports/crypto_openssl.h"
#include "tests/fakevault/vault_world.h"
#include "tests/support/oom.h"

/* Of a key "oom" of type aes128-gcm96, as Vault 1.14.9 wrote it. */
#define BACKUP                                                                                     \
    "eyJwb2xpY3kiOnsibmFtZSI6Im9vbSIsImtleXMiOnsiMSI6eyJrZXkiOiJzUGZjTEd6RG5CWkpVZGlzdEov"         \
    "MmVnPT0iLCJobWFjX2tleSI6Im1kYTlSQnJwZDJJNFpPUjdRV1lJeXVUbXhidjBObW1tMnZreXlna2RkYkU9"         \
    "IiwidGltZSI6IjIwMjYtMTEtMjRUMTY6MTM6MDEuMjI4ODAxMTI3WiIsImVjX3giOm51bGwsImVjX3kiOm51"         \
    "bGwsImVjX2QiOm51bGwsInJzYV9rZXkiOm51bGwsInJzYV9wdWJsaWNfa2V5IjpudWxsLCJwdWJsaWNfa2V5"         \
    "IjoiIiwiY29udmVyZ2VudF92ZXJzaW9uIjowLCJjcmVhdGlvbl90aW1lIjoxNzk1NTM2NzgxfX0sImRlcml2"         \
    "ZWQiOmZhbHNlLCJrZGYiOjAsImNvbnZlcmdlbnRfZW5jcnlwdGlvbiI6ZmFsc2UsImV4cG9ydGFibGUiOnRy"         \
    "dWUsIm1pbl9kZWNyeXB0aW9uX3ZlcnNpb24iOjEsIm1pbl9lbmNyeXB0aW9uX3ZlcnNpb24iOjAsImxhdGVz"         \
    "dF92ZXJzaW9uIjoxLCJhcmNoaXZlX3ZlcnNpb24iOjEsImFyY2hpdmVfbWluX3ZlcnNpb24iOjAsIm1pbl9h"         \
    "dmFpbGFibGVfdmVyc2lvbiI6MCwiZGVsZXRpb25fYWxsb3dlZCI6ZmFsc2UsImNvbnZlcmdlbnRfdmVyc2lv"         \
    "biI6MCwidHlwZSI6OCwiYmFja3VwX2luZm8iOnsidGltZSI6IjIwMjYtMTEtMjRUMTY6MTM6MDEuMjMwMjI1"         \
    "ODkzWiIsInZlcnNpb24iOjF9LCJyZXN0b3JlX2luZm8iOm51bGwsImFsbG93X3BsYWludGV4dF9iYWNrdXAi"         \
    "OnRydWUsInZlcnNpb25fdGVtcGxhdGUiOiIiLCJzdG9yYWdlX3ByZWZpeCI6IiIsImF1dG9fcm90YXRlX3Bl"         \
    "cmlvZCI6MCwiSW1wb3J0ZWQiOmZhbHNlLCJBbGxvd0ltcG9ydGVkS2V5Um90YXRpb24iOmZhbHNlfSwiYXJj"         \
    "aGl2ZWRfa2V5cyI6eyJrZXlzIjpbeyJrZXkiOm51bGwsImhtYWNfa2V5IjpudWxsLCJ0aW1lIjoiMDAwMS0w"         \
    "MS0wMVQwMDowMDowMFoiLCJlY194IjpudWxsLCJlY195IjpudWxsLCJlY19kIjpudWxsLCJyc2Ffa2V5Ijpu"         \
    "dWxsLCJyc2FfcHVibGljX2tleSI6bnVsbCwicHVibGljX2tleSI6IiIsImNvbnZlcmdlbnRfdmVyc2lvbiI6"         \
    "MCwiY3JlYXRpb25fdGltZSI6MH0seyJrZXkiOiJzUGZjTEd6RG5CWkpVZGlzdEovMmVnPT0iLCJobWFjX2tl"         \
    "eSI6Im1kYTlSQnJwZDJJNFpPUjdRV1lJeXVUbXhidjBObW1tMnZreXlna2RkYkU9IiwidGltZSI6IjIwMjYt"         \
    "MTEtMjRUMTY6MTM6MDEuMjI4ODAxMTI3WiIsImVjX3giOm51bGwsImVjX3kiOm51bGwsImVjX2QiOm51bGws"         \
    "InJzYV9rZXkiOm51bGwsInJzYV9wdWJsaWNfa2V5IjpudWxsLCJwdWJsaWNfa2V5IjoiIiwiY29udmVyZ2Vu"         \
    "dF92ZXJzaW9uIjowLCJjcmVhdGlvbl90aW1lIjoxNzk1NTM2NzgxfV19fQo="

static const struct step {
    const char *what; /* NULL ends */
    const char *body;
    int status;
} whole_life[] = {
    {"GET sys/health", NULL, 200},
    {"GET sys/seal-status", NULL, 200},
    {"POST sys/mounts/transit", "{\"type\":\"transit\"}", 204},
    {"GET sys/mounts", NULL, 200},
    {"POST transit/keys/k", "{\"type\":\"ecdsa-p256\",\"exportable\":\"true\",\"x\":1}", 200},
    {"POST transit/sign/k", "{\"input\":\"aGVsbG8=\"}", 200},
    {"POST transit/sign/k", "{\"batch_input\":[{\"input\":\"YQ==\"},{\"input\":\"@\"}]}", 200},
    {"POST transit/verify/k", "{\"input\":\"YQ==\",\"signature\":\"vault:v1:YQ==\"}", 400},
    {"POST transit/keys/k/rotate", NULL, 200},
    {"POST transit/keys/k/config", "{\"deletion_allowed\":true}", 200},
    {"LIST transit/keys", NULL, 200},
    {"DELETE transit/keys/k", NULL, 204},
    {"POST secret/data/a/b", "{\"data\":{\"x\":[1,2.5,null,\"y\"]}}", 200},
    {"GET secret/data/a/b?version=1", NULL, 200},
    {"POST secret/metadata/a/b", "{\"custom_metadata\":{\"a\":\"b\"},\"max_versions\":1}", 204},
    {"PATCH secret/metadata/a/b", "{\"custom_metadata\":{\"a\":null,\"c\":\"d\"}}", 204},
    {"PATCH secret/data/a/b", "{\"data\":{\"x\":{\"y\":null},\"z\":1.50}}", 200},
    {"GET secret/metadata/a/b", NULL, 200},
    {"GET secret/subkeys/a/b", NULL, 200},
    {"POST secret/config", "{\"max_versions\":3}", 204},
    {"POST secret/destroy/a/b", "{\"versions\":\"2\"}", 204},
    {"LIST secret/metadata/a", NULL, 200},
    {"POST sys/tools/hash", "{\"input\":\"YQ==\"}", 200},
    {"POST sys/tools/random/9", NULL, 200},
    {"POST sys/mounts/one", "{\"type\":\"kv\"}", 204},
    {"POST one/a", "{\"ttl\":60}", 204},
    {"GET one/a", NULL, 200},
    {"LIST one", NULL, 200},
    {"DELETE secret/metadata/a/b", NULL, 204},
    {"PUT sys/policies/acl/p",
     "{\"policy\":\"path \\\"a/+\\\" { capabilities = [\\\"read\\\"] allowed_parameters = { "
     "\\\"x\\\" "
     "= [\\\"y\\\", 1] } } # c\"}",
     204},
    {"POST sys/capabilities-self", "{\"paths\":\"a/b, c\"}", 200},
    {"GET sys/policy/p?help=1", NULL, 200},
    {"PUT sys/rotate", NULL, 204},
    {"GET auth/token/lookup-self", NULL, 200},
    {"DELETE sys/mounts/transit", NULL, 204},
    {"PUT sys/seal", NULL, 204},
    {0},
};

static const struct step life_of_mounts[] = {
    {"POST sys/mounts/a/b",
     "{\"type\":\"kv-v2\",\"options\":[\"x=y\"],\"config\":{\"max_lease_ttl\":\"2h\","
     "\"listing_visibility\":\"unauth\",\"audit_non_hmac_request_keys\":\"a,b\"}}",
     204},
    {"POST sys/mounts/a/b/tune", "{\"options\":{\"x\":\"\"},\"allowed_response_headers\":\"h\"}",
     204},
    {"GET sys/mounts/a/b/tune", NULL, 200},
    {"POST sys/remount", "{\"from\":\"a/b\",\"to\":\"c\"}", 200},
    {"GET sys/auth", NULL, 200},
    {"GET sys/internal/ui/mounts", NULL, 200},
    {"GET sys/internal/ui/mounts/c/x", NULL, 200},
    {"PUT sys/seal", NULL, 204},
    {0},
};

static const struct step life_of_settings[] = {
    {"POST sys/config/cors", "{\"allowed_origins\":\"a\"}", 204},
    {"GET sys/config/cors", NULL, 200},
    {"POST sys/config/ui/headers/x-a", "{\"values\":[\"b\"]}", 200},
    {"LIST sys/config/ui/headers", NULL, 200},
    {"POST sys/config/auditing/request-headers/X-B", NULL, 204},
    {"GET sys/config/auditing/request-headers/X-B", NULL, 200},
    {"POST sys/rotate/config", "{\"interval\":\"30h\"}", 204},
    {"POST sys/quotas/config", "{\"rate_limit_exempt_paths\":[\"a\"]}", 204},
    {"GET sys/quotas/config", NULL, 200},
    {"POST sys/quotas/rate-limit/r", "{\"rate\":\"5\"}", 204},
    {"LIST sys/quotas/rate-limit", NULL, 200},
    {"DELETE sys/quotas/rate-limit/r", NULL, 204},
    {"PUT sys/leases/tidy", NULL, 202},
    {"GET sys/host-info", NULL, 200},
    {"GET sys/in-flight-req", NULL, 200},
    {"LIST sys/version-history", NULL, 200},
    {"GET sys/internal/counters/activity", NULL, 200},
    {"GET sys/config/state/sanitized", NULL, 200},
    {"PUT sys/seal", NULL, 204},
    {0},
};

static const struct step life_of_keys[] = {
    {"POST sys/mounts/transit", "{\"type\":\"transit\"}", 204},
    {"POST transit/keys/e", "{\"type\":\"ed25519\",\"derived\":true}", 200},
    {"GET transit/keys/e?context=YQ==", NULL, 200},
    {"POST transit/restore", "{\"backup\":\"" BACKUP "\"}", 204},
    {"POST transit/keys/oom/rotate", NULL, 200},
    {"POST transit/keys/oom/config", "{\"min_decryption_version\":2,\"min_encryption_version\":2}",
     200},
    {"POST transit/keys/oom/trim", "{\"min_available_version\":2}", 200},
    {"GET transit/export/encryption-key/oom", NULL, 200},
    {"GET transit/backup/oom", NULL, 200},
    {"POST transit/keys/p/import",
     "{\"type\":\"ed25519\",\"public_key\":\"-----BEGIN PUBLIC KEY-----\\n"
     "MCowBQYDK2VwAyEAJoy0tHYEheo387bQ8VqMDej/YG5oqBBwpxz4gdjsJ0s=\\n-----END PUBLIC KEY-----\"}",
     204},
    {"POST transit/cache-config", "{\"size\":10}", 200},
    {"GET transit/config/keys", NULL, 200},
    {"PUT sys/seal", NULL, 204},
    {0},
};

static const struct step life_of_tokens[] = {
    {"POST auth/token/create",
     "{\"id\":\"a\",\"policies\":[\"default\",\"x\"],\"meta\":{\"k\":\"v\"},\"ttl\":\"1h\","
     "\"display_name\":\"d\"}",
     200},
    {"POST auth/token/create", "{\"policies\":[\"default\"]}", 200},
    {"POST auth/token/create", "{\"policies\":[\"default\"],\"type\":\"batch\"}", 200},
    {"POST auth/token/lookup", "{\"token\":\"a\"}", 200},
    {"POST auth/token/renew", "{\"token\":\"a\",\"increment\":\"9999h\"}", 200},
    {"LIST auth/token/accessors", NULL, 200},
    {"POST auth/token/roles/r",
     "{\"allowed_policies\":\"p,q\",\"token_bound_cidrs\":\"10.0.0.0/8\",\"path_suffix\":\"abc\","
     "\"token_period\":60,\"period\":5,\"disallowed_policies_glob\":\"z*\"}",
     200},
    {"GET auth/token/roles/r", NULL, 200},
    {"LIST auth/token/roles", NULL, 200},
    {"POST auth/token/create/r", "{\"id\":\"b\",\"policies\":\"p\"}", 200},
    {"POST auth/token/create/r", "{\"policies\":\"o\"}", 400},
    {"POST auth/token/renew", "{\"token\":\"b\"}", 200},
    {"POST auth/token/revoke-orphan", "{\"token\":\"a\"}", 204},
    {"POST auth/token/revoke", "{\"token\":\"b\"}", 204},
    {"POST cubbyhole/x", "{\"v\":1}", 204},
    {"GET cubbyhole/x", NULL, 200},
    {"LIST cubbyhole", NULL, 200},
    {"POST auth/token/tidy", NULL, 202},
    {"DELETE auth/token/roles/r", NULL, 204},
    {"PUT sys/seal", NULL, 204},
    {0},
};

static const struct step *steps; /* what `live` does */

static const struct step life_of_transit[] = {
    {"POST sys/mounts/transit", "{\"type\":\"transit\"}", 204},
    {"POST transit/keys/d", "{\"type\":\"ed25519\",\"derived\":true}", 200},
    {"POST transit/sign/d", "{\"input\":\"YQ==\",\"context\":\"Yw==\"}", 200},
    {"POST transit/sign/d", "{\"batch_input\":[{\"input\":5},{\"input\":\"YQ==\"},{}]}", 200},
    {"POST transit/verify/d",
     "{\"input\":\"YQ==\",\"context\":\"Yw==\",\"signature\":\"vault:v1:YQ==\"}", 200},
    {"POST transit/encrypt/k",
     "{\"plaintext\":\"YQ==\",\"context\":\"Yw==\",\"convergent_encryption\":true}", 200},
    {"POST transit/encrypt/k",
     "{\"batch_input\":[{\"plaintext\":\"YQ==\",\"context\":\"Yw==\",\"associated_data\":\"YQ==\"},"
     "{\"plaintext\":\"@\",\"context\":\"Yw==\"}],\"partial_failure_response_code\":600}",
     400},
    {"POST transit/decrypt/k",
     "{\"batch_input\":[{\"ciphertext\":\"vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
     "\"context\":\"Yw==\"}]}",
     400},
    {"POST transit/rewrap/k", "{\"batch_input\":[{\"Ciphertext\":1},null]}", 200},
    {"POST transit/datakey/plaintext/k", "{\"context\":\"Yw==\"}", 200},
    {"POST transit/hmac/k", "{\"batch_input\":[{\"input\":\"YQ==\"},{\"input\":\"@\"}]}", 200},
    {"POST transit/verify/k", "{\"input\":\"YQ==\",\"hmac\":\"vault:v1:YQ==\"}", 200},
    {0},
};

/* One request; what memory ran out on is a 500, never another answer. */
static enum errc ask_as(struct world *w, const char *what, const char *body, const char *token,
                        int want, struct vault_reply *reply)
{
    struct vault_request request = {.token = slice_of(token), .body = slice_of(body)};
    char text[128] = "/v1/";
    struct slice rest = slice_of(what);
    request.method = slice_cut(&rest, ' ');
    if (slice_equal_text(request.method, "PATCH"))
        request.content_type = SLICE_LITERAL("application/merge-patch+json");
    struct slice path = slice_cut(&rest, '?');
    request.query = rest;
    (void)snprintf(text, sizeof text, "/v1/%.*s", SLICE_FMT(path));
    request.path = slice_of(text);
    vault_handle(w->vault, &request, w->now, reply);
    if (reply->status == want)
        return ERRC_OK;
    if (reply->status == 500)
        return ERRC_NOMEM;
    print_error("%s: %d %s\n", what, reply->status, buf_text(&reply->body));
    return ERRC_INTERNAL;
}

static enum errc ask(struct world *w, const char *what, const char *body, int want)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    return ask_as(w, what, body, "root", want, &reply);
}

static enum errc live(struct world *w)
{
    struct buf key CLEANUP(buf_done), token CLEANUP(buf_done);
    buf_init(&key, 100);
    buf_init(&token, 100);
    TRY(vault_dev_init(w->vault, SLICE_LITERAL("root"), w->now, &key, &token, NULL));
    for (const struct step *s = steps; s->what != NULL; s++)
        TRY(ask(w, s->what, s->body, s->status));
    TRY(vault_unseal_share(w->vault, buf_slice(&key), w->now, NULL));
    return ask(w, "GET secret/config", NULL, 200);
}

static enum errc life(void *context)
{
    struct world *w = context;
    TRY(store_memory_new(&w->store, NULL));
    enum errc code = vault_new(&w->ports, NULL, &w->vault, NULL);
    if (code == ERRC_OK) {
        code = live(w);
        vault_free(w->vault);
    }
    store_close(&w->store);
    assert_int_equal(secret_arena_used(w->arena), 0);
    return code;
}

static void survive(const struct step *life_steps)
{
    static struct world w;
    steps = life_steps;
    json_t *none = NULL;
    assert_int_equal(jsonread_parse(SLICE_LITERAL("{}"), &none, NULL), ERRC_OK);
    json_decref(none);
    world_init(&w);
    vault_free(w.vault);
    store_close(&w.store);
    assert_true(oom_each(life, &w) > 300);
    secret_arena_free(w.arena);
}

static void test_vault__survives_every_failed_allocation(void **state)
{
    (void)state;
    survive(whole_life);
}

static void test_vault__mounts_survive_every_failed_allocation(void **state)
{
    (void)state;
    survive(life_of_mounts);
}

static void test_vault__transit_survives_every_failed_allocation(void **state)
{
    (void)state;
    survive(life_of_transit);
}

static void test_vault__settings_survive_every_failed_allocation(void **state)
{
    (void)state;
    survive(life_of_settings);
}

static void test_vault__keys_survive_every_failed_allocation(void **state)
{
    (void)state;
    survive(life_of_keys);
}

static void test_vault__tokens_survive_every_failed_allocation(void **state)
{
    (void)state;
    survive(life_of_tokens);
}

/* Copies the string behind `before` out of the reply to a request without a token. */
static enum errc told(struct world *w, const char *what, const char *body, const char *before,
                      char *out, size_t size)
{
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    TRY(ask_as(w, what, body, NULL, 200, &reply));
    const char *at = strstr(buf_text(&reply.body), before);
    if (at == NULL)
        return ERRC_INTERNAL;
    struct slice rest = slice_of(at + strlen(before)), text = slice_cut(&rest, '"');
    (void)snprintf(out, size, "%.*s", SLICE_FMT(text));
    return ERRC_OK;
}

#define NONCE "\"nonce\":\""

/* A rekey with its verification, and a root token by the new share. */
static enum errc change_keys(struct world *w, const char *key)
{
    char nonce[64], new[128], body[256];
    TRY(told(w, "PUT sys/rekey/init",
             "{\"secret_shares\":1,\"secret_threshold\":1,\"require_verification\":true}", NONCE,
             nonce, sizeof nonce));
    (void)snprintf(body, sizeof body, "{\"key\":\"%s\",\"nonce\":\"%s\"}", key, nonce);
    TRY(told(w, "PUT sys/rekey/update", body, "\"keys\":[\"", new, sizeof new));
    TRY(told(w, "GET sys/rekey/verify", NULL, NONCE, nonce, sizeof nonce));
    (void)snprintf(body, sizeof body, "{\"key\":\"%s\",\"nonce\":\"%s\"}", new, nonce);
    TRY(told(w, "PUT sys/rekey/verify", body, NONCE, nonce, sizeof nonce));
    TRY(told(w, "PUT sys/generate-root/attempt", "{}", NONCE, nonce, sizeof nonce));
    (void)snprintf(body, sizeof body, "{\"key\":\"%s\",\"nonce\":\"%s\"}", new, nonce);
    return told(w, "PUT sys/generate-root/update", body, "\"encoded_token\":\"", nonce,
                sizeof nonce);
}

static enum errc rekey_once(void *context)
{
    struct world *w = context;
    struct buf key CLEANUP(buf_done), token CLEANUP(buf_done);
    buf_init(&key, 100);
    buf_init(&token, 100);
    TRY(store_memory_new(&w->store, NULL));
    enum errc code = vault_new(&w->ports, NULL, &w->vault, NULL);
    if (code == ERRC_OK) {
        code = vault_dev_init(w->vault, SLICE_LITERAL("root"), w->now, &key, &token, NULL);
        if (code == ERRC_OK)
            code = change_keys(w, buf_text(&key));
        vault_free(w->vault);
    }
    store_close(&w->store);
    assert_int_equal(secret_arena_used(w->arena), 0);
    return code;
}

static void test_vault__a_rekey_survives_every_failed_allocation(void **state)
{
    (void)state;
    static struct world w;
    world_init(&w);
    vault_free(w.vault);
    store_close(&w.store);
    assert_true(oom_each(rekey_once, &w) > 50);
    secret_arena_free(w.arena);
}

/* Wraps an answer and fetches it. */
static enum errc wrap(struct world *w)
{
    struct buf key CLEANUP(buf_done), token CLEANUP(buf_done);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    struct vault_request request = {.method = SLICE_LITERAL("GET"),
                                    .path = SLICE_LITERAL("/v1/secret/config"),
                                    .token = SLICE_LITERAL("root"),
                                    .wrap_ttl = SLICE_LITERAL("60")};
    buf_init(&key, 100);
    buf_init(&token, 100);
    TRY(vault_dev_init(w->vault, SLICE_LITERAL("root"), w->now, &key, &token, NULL));
    vault_handle(w->vault, &request, w->now, &reply);
    if (reply.status != 200)
        return reply.status == 500 ? ERRC_NOMEM : ERRC_INTERNAL;
    const char *id = strstr(buf_text(&reply.body), "\"token\":\"");
    char body[200];
    assert_non_null(id);
    (void)snprintf(body, sizeof body, "{%.105s}", id); /* "token":"<95 characters>" */
    TRY(ask(w, "POST sys/wrapping/lookup", body, 200));
    return ask(w, "POST sys/wrapping/unwrap", body, 200);
}

static enum errc wrap_once(void *context)
{
    struct world *w = context;
    TRY(store_memory_new(&w->store, NULL));
    enum errc code = vault_new(&w->ports, NULL, &w->vault, NULL);
    if (code == ERRC_OK) {
        code = wrap(w);
        vault_free(w->vault);
    }
    store_close(&w->store);
    assert_int_equal(secret_arena_used(w->arena), 0);
    return code;
}

static void test_vault__wrapping_survives_every_failed_allocation(void **state)
{
    (void)state;
    static struct world w;
    world_init(&w);
    vault_free(w.vault);
    store_close(&w.store);
    assert_true(oom_each(wrap_once, &w) > 60);
    secret_arena_free(w.arena);
}

/* An init, by the API, fails or works as a whole. */
static enum errc init_once(void *context)
{
    struct world *w = context;
    TRY(store_memory_new(&w->store, NULL));
    enum errc code = vault_new(&w->ports, NULL, &w->vault, NULL);
    if (code == ERRC_OK) {
        code = ask(w, "PUT sys/init", "{\"secret_shares\":5,\"secret_threshold\":3}", 200);
        vault_free(w->vault);
    }
    store_close(&w->store);
    assert_int_equal(secret_arena_used(w->arena), 0);
    return code;
}

static void test_vault__an_init_survives_every_failed_allocation(void **state)
{
    (void)state;
    static struct world w;
    world_init(&w);
    vault_free(w.vault);
    store_close(&w.store);
    assert_true(oom_each(init_once, &w) > 30);
    secret_arena_free(w.arena);
}

int main(void)
{
    /* OpenSSL's allocations are not ours to fail: this settles that it keeps its own allocator. */
    OPENSSL_free(OPENSSL_malloc(1));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vault__survives_every_failed_allocation),
        cmocka_unit_test(test_vault__mounts_survive_every_failed_allocation),
        cmocka_unit_test(test_vault__settings_survive_every_failed_allocation),
        cmocka_unit_test(test_vault__transit_survives_every_failed_allocation),
        cmocka_unit_test(test_vault__a_rekey_survives_every_failed_allocation),
        cmocka_unit_test(test_vault__keys_survive_every_failed_allocation),
        cmocka_unit_test(test_vault__tokens_survive_every_failed_allocation),
        cmocka_unit_test(test_vault__wrapping_survives_every_failed_allocation),
        cmocka_unit_test(test_vault__an_init_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("vault_oom", tests, NULL, NULL);
}
