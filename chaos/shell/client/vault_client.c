#include "chaos/shell/client/vault_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "chaos/shell/client/httpcall.h"

#define ANSWER_BYTES_MAX (4u << 20)
#define URL_BYTES 512
#define BODY_BYTES 4096

static void reply_done(struct httpcall_reply *reply)
{
    buf_done(&reply->body);
}

/* Puts the server's own words into the sentence; both APIs have their form of errors. */
static enum errc refused(const struct httpcall_reply *reply, const char *method, const char *path,
                         struct errc_why *why)
{
    json_t *answer CLEANUP(jsonread_done) = NULL;
    const char *words = "";
    if (jsonread_parse(buf_slice(&reply->body), &answer, NULL) == ERRC_OK) {
        const json_t *first = json_array_get(json_object_get(answer, "errors"), 0);
        const json_t *error = json_object_get(answer, "error");
        words =
            first != NULL ? json_string_value(first) : jsonread_string_or(error, "message", words);
    }
    return errc_fail(why, ERRC_STATE, "%s %s answered %d: %s", method, path, reply->status,
                     words != NULL ? words : "");
}

static enum errc answer_parse(const struct httpcall_reply *reply, const char *path, json_t **out,
                              struct errc_why *why)
{
    if (out == NULL)
        return ERRC_OK;
    enum errc code = jsonread_parse(buf_slice(&reply->body), out, why);
    if (code != ERRC_OK)
        errc_prefix(why, "the answer of %s", path);
    return code;
}

static enum errc control_send(const struct vault_client *client, const char *method,
                              const char *path, struct slice body, struct httpcall_reply *reply,
                              struct errc_why *why)
{
    char url[URL_BYTES];
    (void)snprintf(url, sizeof url, "http://fakevault%s", path);
    const struct httpcall call = {
        .socket_path = client->admin, .method = method, .url = url, .body = body};
    TRY(httpcall_send(&call, client->await, await_deadline_ns(client->patience_ms), reply, why));
    return reply->status >= 300 ? refused(reply, method, path, why) : ERRC_OK;
}

enum errc vault_client_control(const struct vault_client *client, const char *method,
                               const char *path, struct slice body, json_t **out,
                               struct errc_why *why)
{
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    buf_init(&reply.body, ANSWER_BYTES_MAX);
    TRY(control_send(client, method, path, body, &reply, why));
    return answer_parse(&reply, path, out, why);
}

enum errc vault_client_control_text(const struct vault_client *client, const char *path,
                                    struct buf *out, struct errc_why *why)
{
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    buf_init(&reply.body, ANSWER_BYTES_MAX);
    TRY(control_send(client, "GET", path, slice_of(NULL), &reply, why));
    buf_add_slice(out, buf_slice(&reply.body));
    return buf_status(out, why);
}

/* One call of Vault's API below /v1/. *status (may be NULL) is set whenever there was an answer,
 * also with ERRC_STATE. */
static enum errc call(const struct vault_client *client, const char *method, const char *path,
                      struct slice body, int *status, json_t **out, struct errc_why *why)
{
    char url[URL_BYTES];
    char token[VAULT_CLIENT_TOKEN_BYTES + 32];
    char mark[VAULT_CLIENT_MARK_BYTES + 32];
    struct httpcall_reply reply CLEANUP(reply_done) = {0};
    buf_init(&reply.body, ANSWER_BYTES_MAX);
    (void)snprintf(url, sizeof url, "%s/v1/%s", client->address, path);
    (void)snprintf(token, sizeof token, "X-Vault-Token: %s", client->token);
    const char *headers[3] = {NULL};
    size_t count = 0;
    (void)snprintf(mark, sizeof mark, "X-Fakevault-Test: %s", client->mark);
    if (client->mark[0] != '\0')
        headers[count++] = mark;
    if (client->token[0] != '\0')
        headers[count++] = token;
    const struct httpcall call = {.method = method,
                                  .url = url,
                                  .authority = client->authority,
                                  .headers = headers,
                                  .body = body};
    TRY(httpcall_send(&call, client->await, await_deadline_ns(client->patience_ms), &reply, why));
    if (status != NULL)
        *status = reply.status;
    if (reply.status >= 300)
        return refused(&reply, method, path, why);
    return reply.status == 204 ? ERRC_OK : answer_parse(&reply, path, out, why);
}

enum errc vault_client_init(struct vault_client *client, int shares, int threshold,
                            json_t **shares_out, struct errc_why *why)
{
    char body[128];
    json_t *answer CLEANUP(jsonread_done) = NULL;
    json_t *keys = NULL;
    const char *token = NULL;
    (void)snprintf(body, sizeof body, "{\"secret_shares\":%d,\"secret_threshold\":%d}", shares,
                   threshold);
    TRY(call(client, "PUT", "sys/init", slice_of(body), NULL, &answer, why));
    TRY(jsonread_array(answer, "keys_base64", &keys, why));
    TRY(jsonread_string(answer, "root_token", &token, why));
    if (strlen(token) >= sizeof client->token)
        return errc_fail(why, ERRC_TOO_BIG, "the root token is too long");
    (void)snprintf(client->token, sizeof client->token, "%s", token);
    *shares_out = json_incref(keys);
    return ERRC_OK;
}

static enum errc unseal_one(const struct vault_client *client, const char *share, bool *sealed,
                            int64_t *progress, struct errc_why *why)
{
    struct buf body CLEANUP(buf_done);
    json_t *answer CLEANUP(jsonread_done) = NULL;
    struct jsonwrite w;
    buf_init(&body, BODY_BYTES);
    jsonwrite_init(&w, &body, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "key", share);
    jsonwrite_end(&w);
    TRY(call(client, "PUT", "sys/unseal", buf_slice(&body), NULL, &answer, why));
    TRY(jsonread_bool(answer, "sealed", sealed, why));
    return jsonread_int(answer, "progress", 0, 255, progress, why);
}

/* How many keys of the unsealing under way have been entered. */
static enum errc read_progress(const struct vault_client *client, bool *sealed, int64_t *progress,
                               struct errc_why *why)
{
    json_t *answer CLEANUP(jsonread_done) = NULL;
    TRY(call(client, "GET", "sys/seal-status", slice_of(NULL), NULL, &answer, why));
    TRY(jsonread_bool(answer, "sealed", sealed, why));
    return jsonread_int(answer, "progress", 0, 255, progress, why);
}

enum errc vault_client_unseal(const struct vault_client *client, const json_t *shares, size_t count,
                              bool *sealed, int64_t *progress, struct errc_why *why)
{
    if (count > json_array_size(shares))
        return errc_fail(why, ERRC_STATE, "there are only %zu unseal keys",
                         json_array_size(shares));
    TRY(read_progress(client, sealed, progress, why));
    size_t from = (size_t)*progress;
    for (size_t i = 0; *sealed && i < count; i++) {
        const char *share = json_string_value(json_array_get(shares, from + i));
        if (share == NULL)
            return errc_fail(why, ERRC_STATE, "there are no more unseal keys");
        TRY(unseal_one(client, share, sealed, progress, why));
    }
    return ERRC_OK;
}

static enum errc mount_transit(const struct vault_client *client, struct errc_why *why)
{
    json_t *mounts CLEANUP(jsonread_done) = NULL;
    TRY(call(client, "GET", "sys/mounts", slice_of(NULL), NULL, &mounts, why));
    if (json_object_get(mounts, "transit/") != NULL)
        return ERRC_OK;
    return call(client, "POST", "sys/mounts/transit", SLICE_LITERAL("{\"type\":\"transit\"}"), NULL,
                NULL, why);
}

enum errc vault_client_bootstrap(const struct vault_client *client, const char *key,
                                 struct errc_why *why)
{
    char path[URL_BYTES];
    TRY(mount_transit(client, why));
    (void)snprintf(path, sizeof path, "transit/keys/%s", key);
    return call(client, "POST", path,
                SLICE_LITERAL("{\"type\":\"ecdsa-p256\",\"exportable\":true}"), NULL, NULL, why);
}

enum errc vault_client_rotate_key(const struct vault_client *client, const char *key,
                                  struct errc_why *why)
{
    char path[URL_BYTES];
    (void)snprintf(path, sizeof path, "transit/keys/%s/rotate", key);
    return call(client, "POST", path, slice_of(NULL), NULL, NULL, why);
}

enum errc vault_client_delete_key(const struct vault_client *client, const char *key,
                                  struct errc_why *why)
{
    char path[URL_BYTES];
    (void)snprintf(path, sizeof path, "transit/keys/%s/config", key);
    TRY(call(client, "POST", path, SLICE_LITERAL("{\"deletion_allowed\":true}"), NULL, NULL, why));
    (void)snprintf(path, sizeof path, "transit/keys/%s", key);
    return call(client, "DELETE", path, slice_of(NULL), NULL, NULL, why);
}

enum errc vault_client_each_key(const struct vault_client *client, const char *key,
                                enum errc (*take)(void *context, int version, const char *pem,
                                                  struct errc_why *why),
                                void *context, struct errc_why *why)
{
    char path[URL_BYTES];
    json_t *answer CLEANUP(jsonread_done) = NULL;
    json_t *data = NULL;
    json_t *keys = NULL;
    json_t *entry = NULL;
    const char *version = NULL;
    (void)snprintf(path, sizeof path, "transit/keys/%s", key);
    TRY(call(client, "GET", path, slice_of(NULL), NULL, &answer, why));
    TRY(jsonread_object(answer, "data", &data, why));
    TRY(jsonread_object(data, "keys", &keys, why));
    json_object_foreach(keys, version, entry)
    {
        const char *pem = NULL;
        uint64_t number = 0;
        TRY(jsonread_string(entry, "public_key", &pem, why));
        if (!slice_to_u64(slice_of(version), &number) || number > INT32_MAX)
            return errc_fail(why, ERRC_SCHEMA, "key version \"%s\" is no number", version);
        TRY(take(context, (int)number, pem, why));
    }
    return ERRC_OK;
}
