/* Replays recorded steps of a real Vault 1.14.9 against the core, without a socket. */
#include "base/count.h"
#include "base/units.h"
#include "tests/fakevault/cmocka_first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "tests/fakevault/recorded_mask.h"
#include "tests/fakevault/vault_world.h"

#define RECORDINGS FIXTURES "/conformance/transcripts/vault-1.14.9/"

struct replay {
    struct world world;
    json_t *saved; /* name -> string */
    struct buf report;
};

/* Appends text with ${name} replaced by what was saved and ${b64:text} by its base64. */
static void fill(const json_t *saved, const char *text, struct buf *out)
{
    for (const char *at = text; *at != '\0';) {
        const char *end = strncmp(at, "${", 2) == 0 ? strchr(at, '}') : NULL;
        if (end == NULL) {
            buf_add_char(out, *at++);
            continue;
        }
        struct slice name = {at + 2, (size_t)(end - at - 2)};
        char *key = slice_dup(name);
        const char *value = json_string_value(json_object_get(saved, key));
        if (slice_starts_with(name, "b64:"))
            base64_format(slice_from(name, 4), BASE64_STANDARD, out);
        else
            buf_add_text(out, value != NULL ? value : "");
        free(key);
        at = end + 1;
    }
}

/* Bodies are filled as text: what is put in never needs an escape. */
static void fill_body(const struct replay *r, const json_t *step, struct buf *out)
{
    const char *raw = json_string_value(json_object_get(step, "raw"));
    char *text = json_dumps(json_object_get(step, "body"), JSON_ENCODE_ANY);
    if (raw != NULL || text != NULL)
        fill(r->saved, raw != NULL ? raw : text, out);
    free(text);
}

static json_t *dig(json_t *value, const char *path)
{
    struct slice rest = slice_of(path);
    while (rest.len > 0 && value != NULL) {
        char *name = slice_dup(slice_cut(&rest, '.'));
        value = json_is_array(value) ? json_array_get(value, (size_t)strtoul(name, NULL, 10))
                                     : json_object_get(value, name);
        free(name);
    }
    return value;
}

static void save(struct replay *r, const json_t *step, json_t *body)
{
    const char *name;
    json_t *where;
    json_object_foreach(json_object_get(step, "save"), name, where)
    {
        json_t *found = dig(body, json_string_value(where));
        json_object_set(r->saved, name, found != NULL ? found : json_string("<unsaved>"));
    }
}

static json_t *answer_of(const struct vault_reply *reply, json_t *body)
{
    json_t *headers = json_object();
    for (size_t i = 0; i < reply->header_count; i++) {
        const char *name = reply->headers[i].name;
        const char *lower = strcmp(name, "Content-Type") == 0    ? "content-type"
                            : strcmp(name, "Cache-Control") == 0 ? "cache-control"
                                                                 : NULL;
        if (lower != NULL)
            json_object_set_new(headers, lower, json_string(reply->headers[i].value));
    }
    json_t *out = json_pack("{s:i, s:o}", "status", reply->status, "headers", headers);
    if (body != NULL)
        json_object_set_new(out, "body", recorded_mask_apply(body, ""));
    return out;
}

static void compare(struct replay *r, const json_t *step, json_t *got)
{
    size_t i;
    json_t *path, *only = json_object_get(step, "only"), *want = json_object_get(step, "want");
    const char *name;
    json_array_foreach(json_object_get(step, "loose"), i, path)
        recorded_mask_drop(json_object_get(got, "body"), json_string_value(path));
    void *next;
    json_t *part;
    json_object_foreach_safe(got, next, name,
                             part) if (only != NULL && json_object_get(want, name) == NULL)
        json_object_del(got, name);
    size_t before = r->report.len;
    recorded_mask_differ(want, got, "", &r->report);
    if (r->report.len > before)
        buf_addf(&r->report, "  ^ %s\n", json_string_value(json_object_get(step, "do")));
}

static void send(struct replay *r, const json_t *step)
{
    struct buf what, body, token, path;
    struct buf *all[] = {&what, &body, &token, &path};
    for (size_t i = 0; i < 4; i++)
        buf_init(all[i], 1 << 20);
    const json_t *given = json_object_get(step, "token");
    fill(r->saved, json_string_value(json_object_get(step, "do")), &what);
    fill_body(r, step, &body);
    if (!json_is_null(given))
        fill(r->saved, given == NULL ? "${root}" : json_string_value(given), &token);
    const json_t *headers = json_object_get(step, "headers");
    struct vault_request request = {
        .token = buf_slice(&token),
        .body = buf_slice(&body),
        .content_type = slice_of(json_string_value(json_object_get(headers, "Content-Type"))),
        .wrap_ttl = slice_of(json_string_value(json_object_get(headers, "X-Vault-Wrap-TTL"))),
    };
    world_request(buf_text(&what), &path, &request);
    struct vault_reply reply CLEANUP(vault_reply_done) = {0};
    r->world.now.wall_ns += NS_PER_MS;
    vault_handle(r->world.vault, &request, r->world.now, &reply);
    json_t *answer = json_loadb(buf_text(&reply.body), reply.body.len, 0, NULL);
    save(r, step, answer);
    json_t *got = answer_of(&reply, answer);
    compare(r, step, got);
    json_decref(got);
    json_decref(answer);
    for (size_t i = 0; i < 4; i++)
        buf_done(all[i]);
}

static bool run_case(const json_t *recorded)
{
    struct replay r = {.saved = json_object()};
    size_t i;
    json_t *step;
    world_init(&r.world);
    buf_init(&r.report, 1 << 20);
    const char *boot = json_string_value(json_object_get(recorded, "boot"));
    if (boot == NULL || strcmp(boot, "dev") == 0) {
        world_boot(&r.world);
        json_object_set_new(r.saved, "root", json_string(r.world.root));
        json_object_set_new(r.saved, "key", json_string(r.world.unseal_key));
    }
    json_array_foreach(json_object_get(recorded, "steps"), i, step) send(&r, step);
    bool agrees = r.report.len == 0;
    if (!agrees)
        print_error("%s\n%s", json_string_value(json_object_get(recorded, "case")),
                    buf_text(&r.report));
    buf_done(&r.report);
    json_decref(r.saved);
    world_done(&r.world);
    return agrees;
}

/* The case "seal/init-5-3" is in seal.json. */
static void run_named(void **state)
{
    const char *name = *state;
    char file[512];
    bool found = false, agrees = true;
    size_t i;
    json_t *recorded;
    json_error_t error;
    (void)snprintf(file, sizeof file, RECORDINGS "%.*s.json", (int)strcspn(name, "/"), name);
    json_t *all = json_load_file(file, 0, &error);
    if (all == NULL)
        fail_msg("%s: %s", file, error.text);
    json_array_foreach(json_object_get(all, "cases"), i, recorded)
    {
        if (strcmp(json_string_value(json_object_get(recorded, "case")), name) != 0)
            continue;
        found = true;
        agrees = run_case(recorded) && agrees;
    }
    json_decref(all);
    assert_true(found);
    assert_true(agrees);
}

static char names[][48] = {
    "seal/uninitialised",
    "seal/init-errors",
    "seal/init-5-3",
    "seal/init-1-1",
    "seal/reset-progress",
    "seal/malformed-share",
    "seal/unseal-when-unsealed",
    "seal/key-status-rotate",
    "seal/rekey-status",
    "keys/docugen-bootstrap",
    "keys/create-ecdsa-p256",
    "keys/create-ed25519",
    "keys/rotate",
    "keys/read-missing",
    "keys/create-twice",
    "keys/delete-recreate",
    "keys/create-errors",
    "keys/key-names",
    "sign/roundtrip-ed25519",
    "sign/roundtrip-ecdsa-p256",
    "sign/marshaling-ecdsa-p256",
    "sign/hash-ecdsa-p256-sha1",
    "sign/hash-ecdsa-p256-sha2-224",
    "sign/hash-ecdsa-p256-sha2-256",
    "sign/hash-ecdsa-p256-sha3-256",
    "sign/hash-ecdsa-p256-sha3-512",
    "sign/hash-errors",
    "sign/prehashed-ed25519",
    "sign/verify-errors",
    "sign/verify-errors-ecdsa",
    "sign/large-input",
    "sign/deterministic-ed25519",
    "http/form-body",
    "http/no-token",
    "http/unknown-mount",
    "http/unsupported-path",
    "http/wrong-verb",
    "http/put-is-post",
    "http/list-verbs",
    "http/list-empty",
    "http/trailing-slash",
    "http/unknown-fields",
    "http/coercion",
    "http/head",
    "http/patch",
    "http/namespace-header",
    "http/request-header",
    "kv/rotate-script",
    "kv/missing",
    "kv/cas",
    "kv/no-data",
    "sys/mount-enable",
    "sys/mount-cli-body",
    "sys/mount-errors",
    "sys/mount-tune",
    "sys/leader",
    "sys/unknown-sys-path",
    "token/lookup-self-root",
};

int main(void)
{
    static struct CMUnitTest tests[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++)
        tests[i] = (struct CMUnitTest){names[i], run_named, NULL, NULL, names[i]};
    return cmocka_run_group_tests_name("recorded", tests, NULL, NULL);
}
