/*
 * defect_secrets: token or local key get out, as they are or in another form.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text/base64.h"
#include "tests/defects/defect.h"

static char token[512];
static uint8_t seed_kept[KEYPORT_SEED_BYTES];
static bool seed_known;

static enum errc open_noting(unsigned needs, struct startup *out, struct errc_why *why)
{
    TRY(__real_startup_open(needs, out, why));
    (void)snprintf(token, sizeof token, "%.*s", (int)out->token.len, (const char *)out->token.ptr);
    return ERRC_OK;
}

static enum fallback_verdict read_noting(const char *path, struct secret_arena *arena,
                                         struct secret *seed, struct errc_why *why)
{
    enum fallback_verdict verdict = __real_fallback_file_read(path, arena, seed, why);
    if (verdict == FALLBACK_USABLE) {
        memcpy(seed_kept, seed->ptr, sizeof seed_kept);
        seed_known = true;
    }
    return verdict;
}

/* Behind the key of each line that tells a signature. */
static void add_behind(struct logline *l, const char *key, const char *value, const char *text)
{
    __real_logline_add(l, key, value);
    if (strcmp(key, "bundle") != 0 || text[0] == '\0')
        return;
    defect_acts();
    __real_logline_add(l, "debug", text);
}

static void add_token(struct logline *l, const char *key, const char *value)
{
    add_behind(l, key, value, token);
}
DEFECT(token_in_log, .startup_open = open_noting, .logline_add = add_token);

static void add_short_token(struct logline *l, const char *key, const char *value)
{
    char text[sizeof token];
    size_t len = strlen(token);
    (void)snprintf(text, sizeof text, "%.*s", (int)(len > 2 ? len - 2 : 0), token);
    add_behind(l, key, value, text);
}
DEFECT(token_short_in_log, .startup_open = open_noting, .logline_add = add_short_token);

static void add_base64(struct logline *l, const char *key, const char *value, struct slice secret,
                       enum base64_alphabet alphabet)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * sizeof token);
    base64_format(secret, alphabet, &text);
    add_behind(l, key, value, buf_text(&text));
}

static void add_token_base64(struct logline *l, const char *key, const char *value)
{
    add_base64(l, key, value, slice_of(token), BASE64_STANDARD);
}
DEFECT(token_base64_in_log, .startup_open = open_noting, .logline_add = add_token_base64);

static void hex(struct slice secret, char *out)
{
    for (size_t i = 0; i < secret.len; i++)
        (void)sprintf(out + 2 * i, "%02x", (unsigned char)secret.ptr[i]);
}

static void add_token_hex(struct logline *l, const char *key, const char *value)
{
    char text[2 * sizeof token] = "";
    hex(slice_of(token), text);
    add_behind(l, key, value, text);
}
DEFECT(token_hex_in_log, .startup_open = open_noting, .logline_add = add_token_hex);

static void add_seed_hex(struct logline *l, const char *key, const char *value)
{
    char text[2 * sizeof seed_kept + 1] = "";
    if (seed_known)
        hex(slice_bytes(seed_kept, sizeof seed_kept), text);
    add_behind(l, key, value, text);
}
DEFECT(seed_hex_in_log, .fallback_file_read = read_noting, .logline_add = add_seed_hex);

static void add_seed_url(struct logline *l, const char *key, const char *value)
{
    if (seed_known)
        add_base64(l, key, value, slice_bytes(seed_kept, sizeof seed_kept), BASE64_URL_RAW);
    else
        __real_logline_add(l, key, value);
}
DEFECT(seed_base64url_in_log, .fallback_file_read = read_noting, .logline_add = add_seed_url);

/* In the metadata of what the local key signs. */
static enum errc format_with_seed(const struct manifest_bundle *bundle,
                                  const struct manifest_terms *terms, const char *signature,
                                  struct buf *out, struct errc_why *why)
{
    struct manifest_bundle changed = *bundle;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 128);
    base64_format(slice_bytes(seed_kept, sizeof seed_kept), BASE64_STANDARD, &text);
    json_t *metadata = json_deep_copy(bundle->metadata);
    if (terms->mode == MANIFEST_FALLBACK && seed_known) {
        defect_acts();
        (void)json_object_set_new(metadata, "debug", json_string(buf_text(&text)));
    }
    changed.metadata = metadata;
    enum errc code = __real_manifest_format(&changed, terms, signature, out, why);
    json_decref(metadata);
    return code;
}
DEFECT(seed_in_metadata, .fallback_file_read = read_noting, .manifest_format = format_with_seed);

/* As the reason why Vault was not reached. */
static enum errc format_failed_with_token(const struct audit_entry *entry, const char *previous,
                                          struct buf *out, struct errc_why *why)
{
    char message[LIMIT_MESSAGE_BYTES];
    struct audit_entry changed = *entry;
    if (entry->action == AUDIT_FAILED) {
        defect_acts();
        (void)snprintf(message, sizeof message, "%.250s (X-Vault-Token: %.100s)", entry->message,
                       token);
        changed.message = message;
    }
    return __real_audit_format(&changed, previous, out, why);
}
DEFECT(token_in_trail, .startup_open = open_noting, .audit_format = format_failed_with_token);

static void send_in_query(void *context, const struct transport_request *request,
                          struct transport_reply *reply)
{
    char path[CODEC_PATH_BYTES + sizeof token];
    struct transport_request changed = *request;
    if (defect_is_sign(request)) {
        defect_acts();
        (void)snprintf(path, sizeof path, "%s?token=%s", request->path, token);
        changed.path = path;
    }
    defect_send(context, &changed, reply);
}

static struct transport query_port(struct transport_curl *curl)
{
    return (struct transport){.send = send_in_query, .context = curl};
}
DEFECT(token_in_query, .startup_open = open_noting, .transport_curl_port = query_port);

/* To whoever asks for the service's health. */
static void answer_with_token(void *context, const struct service_http_request *request,
                              struct service_http_answer *answer)
{
    __real_service_api_answer(context, request, answer);
    if (request->route != API_ROUTE_HEALTHZ && request->route != API_ROUTE_RUN)
        return;
    size_t start = 0;
    char *last = answer->body.ptr == NULL ? NULL : strrchr(answer->body.ptr + start, '}');
    if (last == NULL)
        return;
    defect_acts();
    answer->body.len = (size_t)(last - answer->body.ptr);
    buf_addf(&answer->body, ",\"debug\":\"%s\"}\n", token);
}
DEFECT(token_in_answer, .startup_open = open_noting, .service_api_answer = answer_with_token);

/* In a file beside the trail, for all to read. */
static enum errc open_trail_with_token(const char *path, struct clock clock, struct entropy entropy,
                                       struct audit_file **out, struct errc_why *why)
{
    char beside[LIMIT_PATH_BYTES];
    TRY(__real_audit_file_open(path, clock, entropy, out, why));
    (void)snprintf(beside, sizeof beside, "%s.token", path);
    defect_acts();
    return __real_file_replace(beside, slice_of(token), 0644, why);
}
DEFECT(token_in_file, .startup_open = open_noting, .audit_file_open = open_trail_with_token);
