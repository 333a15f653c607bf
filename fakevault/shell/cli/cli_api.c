#include "fakevault/shell/cli/cli_api.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/limits.h"
#include "base/os/file.h"
#include "base/units.h"
#include "fakevault/core/http/field.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/shell/cli/cli_http.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/cli_text.h"

#define ADDRESS_DEFAULT "https://127.0.0.1:8200"
#define TIMEOUT_S_DEFAULT 60
#define TOKEN_MAX 16384u
#define URL_MAX (64u << 10)
#define HEADERS_MAX 64u
#define RETRY_WAIT_MS 1000
#define RETRIES_MAX 100
#define TLS_PREFIX "https://"
#define UNIX_PREFIX "unix://"

/* ---- what flags and the environment say ---- */

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

/* The flag, else the variable, else NULL. */
static const char *setting(const struct cli *cli, const char *flag, const char *variable)
{
    const struct cli_flag_value *value = cli_flags_find(&cli->flags, flag);
    return value->set && *value->text != '\0' ? value->text : environment(variable);
}

static bool switched(const struct cli *cli, const char *flag, const char *variable)
{
    const struct cli_flag_value *value = cli_flags_find(&cli->flags, flag);
    const char *text = environment(variable);
    bool on = false;
    if (value->set)
        return value->number != 0;
    return text != NULL && field_parse_bool(slice_of(text), &on) && on;
}

static int64_t number_of(const char *variable, int64_t fallback)
{
    const char *text = environment(variable);
    int64_t seconds = 0;
    if (text == NULL || field_parse_seconds(slice_of(text), &seconds, NULL) != ERRC_OK)
        return fallback;
    return seconds;
}

const char *cli_api_address(struct cli *cli)
{
    const char *agent = setting(cli, "agent-address", "VAULT_AGENT_ADDR");
    const char *address = agent != NULL ? agent : setting(cli, "address", "VAULT_ADDR");
    return address == NULL ? ADDRESS_DEFAULT : address;
}

const char *cli_api_token_file(struct cli *cli)
{
    const char *home = environment("HOME");
    return home == NULL ? NULL : cli_pool_text(&cli->pool, "%s/.vault-token", home);
}

static const char *stored_token(struct cli *cli)
{
    const char *path = cli_api_token_file(cli);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TOKEN_MAX);
    if (path == NULL || file_read(path, &text, NULL) != ERRC_OK)
        return "";
    return cli_pool_copy(&cli->pool, slice_trim(buf_slice(&text)));
}

const char *cli_api_token(struct cli *cli)
{
    if (cli->token == NULL)
        cli->token = environment("VAULT_TOKEN");
    if (cli->token == NULL)
        cli->token = stored_token(cli);
    return cli->token;
}

void cli_api_set_token(struct cli *cli, const char *token)
{
    cli->token = token;
}

/* ---- the URL ---- */

static void add_escaped(struct buf *out, const char *text, const char *plain)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (isalnum((unsigned char)*c) || strchr(plain, *c) != NULL)
            buf_add_char(out, *c);
        else
            buf_addf(out, "%%%02X", (unsigned char)*c);
    }
}

/* As Go's path.Join cleans it: no empty parts, no "." and "..", no slash at the end. */
static void add_clean_path(struct cli *cli, struct buf *out, const char *path)
{
    struct slice rest = slice_of(path);
    size_t start = out->len;
    while (rest.len > 0) {
        struct slice part = slice_cut(&rest, '/');
        if (part.len == 0 || slice_equal_text(part, "."))
            continue;
        if (slice_equal_text(part, "..")) {
            while (out->len > start && out->ptr[--out->len] != '/')
                continue;
            continue;
        }
        buf_add_char(out, '/');
        add_escaped(out, cli_pool_copy(&cli->pool, part), "-_.~$&+,:;=@");
    }
}

static void add_pair(struct buf *out, char *separator, const char *key, const char *value)
{
    buf_add_char(out, *separator);
    *separator = '&';
    add_escaped(out, key, "-_.~");
    buf_add_char(out, '=');
    add_escaped(out, value, "-_.~");
}

static void add_query(struct cli *cli, struct buf *out, json_t *query)
{
    char separator = '?';
    const char *key;
    json_t *value, *item;
    size_t i;
    if (query == NULL)
        return;
    query = cli_shape_sorted(&cli->pool, query);
    json_object_foreach(query, key, value)
    {
        if (json_is_string(value))
            add_pair(out, &separator, key, json_string_value(value));
        json_array_foreach(value, i, item) add_pair(out, &separator, key, json_string_value(item));
    }
}

static const char *url_of(struct cli *cli, const struct cli_call *call)
{
    struct buf url CLEANUP(buf_done);
    buf_init(&url, URL_MAX);
    const char *address = cli_api_address(cli);
    if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        address = "http://localhost";
    size_t len = strlen(address);
    while (len > 0 && address[len - 1] == '/')
        len--;
    buf_add(&url, address, len);
    add_clean_path(cli, &url, cli_pool_text(&cli->pool, "v1/%s", call->path));
    add_query(cli, &url, call->query);
    return cli_pool_take(&cli->pool, &url);
}

/* ---- headers ---- */

struct headers {
    struct cli *cli;
    const char *lines[HEADERS_MAX];
    size_t count;
};

static void add_header(struct headers *h, const char *name, const char *value)
{
    if (value != NULL && *value != '\0' && h->count + 1 < HEADERS_MAX)
        h->lines[h->count++] = cli_pool_text(&h->cli->pool, "%s: %s", name, value);
}

static const char *wrap_ttl(struct cli *cli, const struct cli_call *call)
{
    const struct cli_flag_value *flag = cli_flags_find(&cli->flags, "wrap-ttl");
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 64);
    if (call->no_wrapping)
        return NULL;
    if (!flag->set || flag->number == 0) {
        const char *variable = environment("VAULT_WRAP_TTL");
        bool wraps = strcmp(call->path, "sys/wrapping/wrap") == 0;
        return variable != NULL ? variable : wraps ? "5m" : NULL;
    }
    cli_text_go_duration(flag->number, &text);
    return cli_pool_take(&cli->pool, &text);
}

static const char *namespace_of(struct cli *cli)
{
    const char *name = setting(cli, "ns", "VAULT_NAMESPACE");
    const char *flag = setting(cli, "namespace", "VAULT_NAMESPACE");
    name = cli_flags_find(&cli->flags, "ns")->set ? name : flag;
    if (name == NULL)
        return NULL;
    bool slash = name[strlen(name) - 1] == '/';
    return cli_pool_text(&cli->pool, "%s%s", name + (*name == '/'), slash ? "" : "/");
}

static void collect_headers(struct headers *h, const struct cli_call *call)
{
    struct cli *cli = h->cli;
    const char *name;
    json_t *value;
    json_object_foreach(cli_flags_find(&cli->flags, "header")->many, name, value)
        add_header(h, name, json_string_value(value));
    add_header(h, "Content-Type", call->media_type);
    add_header(h, "X-Vault-Request", "true");
    add_header(h, "X-Vault-Token", cli_api_token(cli));
    add_header(h, "X-Vault-Wrap-TTL", wrap_ttl(cli, call));
    if (!call->no_namespace)
        add_header(h, "X-Vault-Namespace", namespace_of(cli));
    h->lines[h->count] = NULL;
}

static bool is_printable(const char *token)
{
    for (; *token != '\0'; token++)
        if (!isprint((unsigned char)*token))
            return false;
    return true;
}

const char *cli_api_refused(struct cli *cli)
{
    const char *name;
    json_t *value;
    json_object_foreach(cli_flags_find(&cli->flags, "header")->many, name, value) if (
        strncasecmp(name, "X-Vault-", 8) ==
        0) return cli_pool_text(&cli->pool,
                                "failed to setup Headers[%s]: Header starting by 'X-Vault-' are "
                                "for internal usage only",
                                name);
    if (is_printable(cli_api_token(cli)))
        return NULL;
    return "configured Vault token contains non-printable characters and cannot be used";
}

/* ---- sending ---- */

static void set_tls(struct cli *cli, struct cli_http_tls *tls)
{
    *tls = (struct cli_http_tls){
        .skip_verify = switched(cli, "tls-skip-verify", "VAULT_SKIP_VERIFY"),
        .ca_file = setting(cli, "ca-cert", "VAULT_CACERT"),
        .ca_folder = setting(cli, "ca-path", "VAULT_CAPATH"),
        .cert_file = setting(cli, "client-cert", "VAULT_CLIENT_CERT"),
        .key_file = setting(cli, "client-key", "VAULT_CLIENT_KEY"),
    };
}

static bool may_retry(enum errc code, int status)
{
    if (code != ERRC_OK)
        return errc_class(code) == ERRC_CLASS_TRANSIENT || code == ERRC_IO;
    return status == 412 || status == 429 || (status >= 500 && status != 501);
}

static void pause_ms(int64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000),
                            .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
    while (nanosleep(&left, &left) != 0)
        continue;
}

static enum errc send_often(const struct cli_http_call *call, struct cli_http_reply *reply,
                            struct errc_why *why)
{
    int64_t left = number_of("VAULT_MAX_RETRIES", 0);
    left = left > RETRIES_MAX ? RETRIES_MAX : left;
    for (;; left--) {
        enum errc code = cli_http_do(call, reply, why);
        if (left <= 0 || !may_retry(code, reply->status))
            return code;
        int64_t wait_ms = reply->retry_after_s > 0 ? reply->retry_after_s * 1000 : RETRY_WAIT_MS;
        buf_done(&reply->body);
        pause_ms(wait_ms);
    }
}

static bool is_redirect(const struct cli_http_reply *reply)
{
    int status = reply->status;
    return (status == 301 || status == 302 || status == 307) && *reply->location != '\0';
}

/* One redirect is followed, but never from TLS to plain text. */
static enum errc send_and_follow(struct cli *cli, struct cli_http_call *call,
                                 struct cli_http_reply *reply, struct errc_why *why)
{
    TRY(send_often(call, reply, why));
    if (!is_redirect(reply) || switched(cli, "disable-redirects", "VAULT_DISABLE_REDIRECTS"))
        return ERRC_OK;
    if (strncmp(call->url, TLS_PREFIX, strlen(TLS_PREFIX)) == 0 &&
        strncmp(reply->location, TLS_PREFIX, strlen(TLS_PREFIX)) != 0)
        return errc_fail(why, ERRC_DENIED, "redirect would cause protocol downgrade");
    call->url = cli_pool_text(&cli->pool, "%s", reply->location);
    buf_done(&reply->body);
    return send_often(call, reply, why);
}

/* ---- what went wrong ---- */

static const char *no_answer(struct cli *cli, const struct cli_http_call *call, enum errc code,
                             const struct errc_why *why)
{
    if (code == ERRC_NOMEM || code == ERRC_DENIED)
        return cli_pool_text(&cli->pool, "%s", why->text);
    char *verb = cli_pool_text(&cli->pool, "%s", call->method);
    for (char *c = verb + 1; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return cli_pool_text(&cli->pool, "%s \"%s\": %s", verb, call->url, why->text);
}

static bool is_fine(int status)
{
    return status >= 200 && status < 400;
}

static const char *refusal(struct cli *cli, const struct cli_http_call *call,
                           const struct cli_http_reply *reply, const struct cli_answer *answer)
{
    struct buf text CLEANUP(buf_done);
    size_t i;
    json_t *item;
    const char *space = reply->namespace_path;
    bool foreign = *space != '\0' && strcmp(space, "root/") != 0;
    buf_init(&text, LIMIT_REPLY_BODY_BYTES);
    buf_addf(&text, "Error making API request.\n\n%s%s%sURL: %s %s\nCode: %d. %s:\n\n",
             foreign ? "Namespace: " : "", foreign ? space : "", foreign ? "\n" : "", call->method,
             call->url, reply->status, json_is_object(answer->tree) ? "Errors" : "Raw Message");
    if (!json_is_object(answer->tree))
        buf_add_text(&text, answer->text);
    json_array_foreach(json_object_get(answer->tree, "errors"), i, item)
        buf_addf(&text, "* %s", json_string_value(item));
    return cli_pool_take(&cli->pool, &text);
}

static void read_answer(struct cli *cli, const struct cli_http_call *call,
                        struct cli_http_reply *reply, struct cli_answer *answer)
{
    json_t *tree = NULL;
    answer->status = reply->status;
    if (gojson_parse(buf_slice(&reply->body), &tree, NULL) == ERRC_OK)
        answer->tree = cli_pool_tree(&cli->pool, tree);
    answer->text = cli_pool_take(&cli->pool, &reply->body);
    if (!is_fine(reply->status))
        answer->error = refusal(cli, call, reply, answer);
}

static const char *body_of(struct cli *cli, const json_t *body)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    cli_text_json(body, &text);
    return cli_pool_take(&cli->pool, &text);
}

struct cli_answer cli_api_do(struct cli *cli, const struct cli_call *call)
{
    struct headers headers = {.cli = cli};
    struct cli_answer answer = {.text = ""};
    struct cli_http_reply reply;
    struct errc_why why = {""};
    collect_headers(&headers, call);
    const char *address = cli_api_address(cli);
    const char *proxy = environment("VAULT_PROXY_ADDR");
    bool local = strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
    struct cli_http_call http = {
        .method = call->method,
        .url = url_of(cli, call),
        .unix_socket = local ? address + strlen(UNIX_PREFIX) : NULL,
        .proxy = proxy != NULL ? proxy : environment("VAULT_HTTP_PROXY"),
        .headers = headers.lines,
        .body = slice_of(call->body == NULL ? NULL : body_of(cli, call->body)),
        .has_body = call->body != NULL,
        .timeout_ms = number_of("VAULT_CLIENT_TIMEOUT", TIMEOUT_S_DEFAULT) * 1000,
    };
    set_tls(cli, &http.tls);
    enum errc code = send_and_follow(cli, &http, &reply, &why);
    if (code == ERRC_OK)
        read_answer(cli, &http, &reply, &answer);
    else
        answer.error = no_answer(cli, &http, code, &why);
    buf_done(&reply.body);
    return answer;
}

struct cli_answer cli_api_call(struct cli *cli, const char *method, const char *path,
                               const json_t *body)
{
    return cli_api_do(cli, &(struct cli_call){.method = method, .path = path, .body = body});
}

/* ---- envelopes ---- */

static bool has_envelope(const json_t *tree)
{
    for (const struct cli_shape *field = cli_shape_secret; field->name != NULL; field++) {
        const json_t *value = json_object_get(tree, field->name);
        if (value != NULL && !json_is_null(value) && !json_is_false(value) &&
            !(json_is_string(value) && json_string_length(value) == 0) &&
            !(json_is_integer(value) && json_integer_value(value) == 0))
            return true;
    }
    return false;
}

/*
 * The answer as Vault's envelope (cli_shape_secret), or NULL when there is none: an empty body, or
 * a 404 that brings neither data nor warnings (then the error is cleared). An answer without an
 * envelope becomes the `data` of one.
 */
static json_t *secret_in(struct cli *cli, struct cli_answer *answer)
{
    if (answer->error != NULL && answer->status != 404)
        return NULL;
    if (answer->tree == NULL && answer->error == NULL && *answer->text != '\0')
        answer->error = "invalid character in answer: no JSON came";
    if (!json_is_object(answer->tree))
        return NULL;
    json_t *secret = cli_shape_apply(&cli->pool, cli_shape_secret, answer->tree);
    bool only_errors =
        json_object_size(answer->tree) == 1 && json_object_get(answer->tree, "errors") != NULL;
    if (!has_envelope(answer->tree)) {
        if (only_errors || json_object_size(answer->tree) == 0)
            return NULL;
        cli_pool_set(secret, "data", json_incref(cli_shape_sorted(&cli->pool, answer->tree)));
    }
    bool shows = json_object_size(json_object_get(secret, "data")) > 0 ||
                 json_array_size(json_object_get(secret, "warnings")) > 0;
    return answer->status == 404 && !shows ? NULL : secret;
}

bool cli_api_ask(struct cli *cli, const struct cli_call *call, json_t **secret,
                 struct cli_answer *answer)
{
    *answer = cli_api_do(cli, call);
    *secret = secret_in(cli, answer);
    if (answer->status == 404 && strcmp(call->method, "GET") == 0)
        answer->error = NULL; /* nothing there */
    return answer->error == NULL;
}
