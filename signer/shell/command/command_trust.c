#include <string.h>

#include "base/count.h"
#include "base/dispatch.h"
#include "base/text/jsonwrite.h"
#include "signer/core/attempt/classify.h"
#include "signer/core/attempt/codec.h"
#include "signer/shell/command/command_line.h"
#include "signer/shell/command/commands.h"
#include "signer/shell/files/fallback_file.h"
#include "signer/shell/files/trust_file.h"
#include "signer/shell/keyport_openssl.h"
#include "signer/shell/startup.h"
#include "signer/shell/transport_curl.h"

struct options {
    bool help;
};

static const struct flags_spec specs[] = {
    {"help", FLAGS_SWITCH, offsetof(struct options, help), NULL, "show this"},
};

static const struct command_line command = {
    .verb = "trust",
    .arguments = "accept|show",
    .purpose =
        "accept: pins the key that Vault has now for SIGNING_KEY in TRUST_FILE; the key that "
        "was pinned\nbefore stays there for old manifests. While ALLOW_FALLBACK_SIGNING is "
        "true, the public half\nof the fallback key is recorded too. show: prints what is "
        "pinned. Both print one line of JSON.",
    .flags = {specs, COUNT(specs)},
    .help_offset = offsetof(struct options, help),
    .positionals_min = 1,
    .positionals_max = 1,
};

static bool print_trust(const struct trust *trust, bool changed)
{
    const struct trust_key *pin = trust_pin(trust);
    struct jsonwrite w;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, LIMIT_TRUST_FILE_BYTES);
    jsonwrite_init(&w, &line, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "key", pin == NULL ? NULL : pin->name);
    jsonwrite_int(&w, "keyVersion", pin == NULL ? 0 : pin->version);
    jsonwrite_string(&w, "fingerprint", pin == NULL ? NULL : pin->key.fingerprint);
    jsonwrite_bool(&w, "changed", changed);
    static const struct {
        enum trust_role role;
        const char *field;
    } lists[] = {{TRUST_RETIRED, "retired"}, {TRUST_FALLBACK, "fallback"}};
    for (size_t l = 0; l < COUNT(lists); l++) {
        jsonwrite_array(&w, lists[l].field);
        for (size_t i = 0; i < trust->count; i++)
            if (trust->keys[i].role == lists[l].role)
                jsonwrite_string(&w, NULL, trust->keys[i].key.fingerprint);
        jsonwrite_end(&w);
    }
    jsonwrite_end(&w);
    buf_add_char(&line, '\n');
    return command_line_print(&line);
}

static enum errc explain(const struct transport_reply *reply, const char *key, struct errc_why *why)
{
    enum classify_class class = classify_reply(reply);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 300);
    if (codec_errors(buf_slice(&reply->body), &text) != ERRC_OK || text.len == 0) {
        buf_reset(&text);
        buf_addf(&text, "%s", reply->detail[0] != '\0' ? reply->detail : "no reason given");
    }
    const char *hint =
        class == CLASSIFY_NOT_FOUND ? " (is transit mounted, and the key created?)" : "";
    return errc_fail(why, ERRC_UNAVAILABLE,
                     "cannot read the key \"%.80s\" from Vault: %s: status %d: %s%s", key,
                     classify_text(class), reply->status, buf_text(&text), hint);
}

/* Asks Vault for the newest version of the key. */
static enum errc fetch_key(const struct startup *startup, const struct keyport *keyport,
                           struct keyport_public *public, int64_t *version, struct errc_why *why)
{
    char path[CODEC_PATH_BYTES];
    struct transport_curl *curl = NULL;
    struct transport_reply reply CLEANUP(transport_reply_done) = {0};
    struct buf pem CLEANUP(buf_done);
    buf_init(&pem, 4096);
    TRY(codec_key_path(startup->config.signing_key, path, why));
    TRY(transport_curl_open(&startup->config, &startup->token, &curl, why));
    const struct transport_request request = {
        .method = "GET",
        .path = path,
        .timeout_ms = startup->config.retry.attempt_timeout_ms,
        .with_token = true,
    };
    const struct transport transport = transport_curl_port(curl);
    transport.send(transport.context, &request, &reply);
    transport_curl_close(curl);
    if (classify_reply(&reply) != CLASSIFY_OK)
        return explain(&reply, startup->config.signing_key, why);
    enum errc code = codec_key_reply(buf_slice(&reply.body), version, &pem, why);
    if (code == ERRC_OK)
        code = keyport->read_pem(keyport->context, buf_slice(&pem), public, why);
    if (code == ERRC_OK && public->kind != KEYPORT_ECDSA_P256)
        code = errc_fail(why, ERRC_SCHEMA, "the key is not ECDSA P-256");
    if (code != ERRC_OK)
        errc_prefix(why, "Vault's answer for the key \"%.80s\"", startup->config.signing_key);
    return code;
}

static enum errc add_fallback(const struct startup *startup, const struct keyport *keyport,
                              const char *vault_fingerprint, struct trust *trust, int64_t wall_ns,
                              bool *changed, struct errc_why *why)
{
    struct secret seed CLEANUP(secret_done) = {0};
    struct keyport_public public;
    if (!startup->config.allow_fallback)
        return ERRC_OK;
    if (fallback_file_read(startup->config.fallback_key_file, startup->arena, &seed, why) !=
        FALLBACK_USABLE)
        return ERRC_DENIED;
    TRY(keyport->seed_public(keyport->context, secret_slice(&seed), &public, why));
    if (strcmp(public.fingerprint, vault_fingerprint) == 0)
        return errc_fail(why, ERRC_CRYPTO, "the fallback key is Vault's own key");
    bool added = false;
    TRY(trust_add_fallback(trust, &public, wall_ns, &added, why));
    *changed = *changed || added;
    return ERRC_OK;
}

static enum errc accept(const struct startup *startup, const struct keyport *keyport,
                        struct trust *trust, bool *changed, struct errc_why *why)
{
    struct keyport_public public;
    int64_t version = 0;
    int64_t wall_ns = startup->clock.now(startup->clock.context).wall_ns;
    enum errc code = trust_file_read(startup->config.trust_file, keyport, trust, why);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        return code;
    TRY(fetch_key(startup, keyport, &public, &version, why));
    TRY(trust_pin_key(trust, startup->config.signing_key, version, &public, wall_ns, changed, why));
    TRY(add_fallback(startup, keyport, public.fingerprint, trust, wall_ns, changed, why));
    return *changed ? trust_file_write(startup->config.trust_file, trust, why) : ERRC_OK;
}

static enum errc show(const struct startup *startup, const struct keyport *keyport,
                      struct trust *trust, bool *changed, struct errc_why *why)
{
    *changed = false;
    return trust_file_read(startup->config.trust_file, keyport, trust, why);
}

static const struct verb {
    const char *name;
    unsigned needs;
    enum errc (*run)(const struct startup *startup, const struct keyport *keyport,
                     struct trust *trust, bool *changed, struct errc_why *why);
} verbs[] = {
    {"accept", CONFIG_NEED_TOKEN | CONFIG_NEED_TRUST, accept},
    {"show", CONFIG_NEED_TRUST, show},
};

static const struct dispatch dispatch = DISPATCH("verb", "signer trust -help", verbs);

static int run_verb(const struct verb *verb)
{
    struct errc_why why = {0};
    struct startup startup CLEANUP(startup_done) = {0};
    struct trust trust CLEANUP(trust_done) = {0};
    const struct keyport keyport = keyport_openssl();
    bool changed = false;
    if (startup_open(verb->needs, &startup, &why) != ERRC_OK)
        return command_line_fail("trust", &why, COMMANDS_INVALID);
    enum errc code = verb->run(&startup, &keyport, &trust, &changed, &why);
    if (code != ERRC_OK)
        return command_line_fail("trust", &why,
                                 errc_class(code) == ERRC_CLASS_INVALID ? COMMANDS_INVALID
                                                                        : COMMANDS_FAILED);
    return print_trust(&trust, changed) ? COMMANDS_DONE : COMMANDS_FAILED;
}

int command_trust(int argc, char *const argv[])
{
    struct options options = {0};
    const char *positionals[COMMAND_LINE_POSITIONALS];
    struct errc_why why = {0};
    int exit_code = COMMANDS_DONE;
    if (!command_line_parse(&command, argc, argv, &options, positionals, &exit_code))
        return exit_code;
    size_t verb = 0, words = 0;
    if (dispatch_find(&dispatch, positionals, 1, &verb, &words, &why) == ERRC_OK)
        return run_verb(&verbs[verb]);
    return command_line_fail("trust", &why, COMMANDS_INVALID);
}
