/*
 * defect_pins: signs with a key of Vault's that nobody accepted, or that was accepted once.
 */
#include <string.h>

#include "tests/defects/defect.h"

/* The transport that signing uses is the first that is asked for. */
static struct transport vault;

static struct transport note_port(struct transport_curl *curl)
{
    if (vault.send == NULL)
        vault = __real_transport_curl_port(curl);
    return __real_transport_curl_port(curl);
}

/* Asks Vault for the newest version of the pinned key. */
static bool ask(const struct trust_key *pin, struct trust_key *now)
{
    char path[CODEC_PATH_BYTES];
    struct transport_reply reply CLEANUP(transport_reply_done) = {0};
    struct buf pem CLEANUP(buf_done);
    const struct keyport keyport = __real_keyport_openssl();
    buf_init(&pem, 4096);
    *now = *pin;
    if (codec_key_path(pin->name, path, NULL) != ERRC_OK)
        return false;
    const struct transport_request request = {
        .method = "GET", .path = path, .timeout_ms = 1000, .with_token = true};
    vault.send(vault.context, &request, &reply);
    return reply.status == 200 &&
           codec_key_reply(buf_slice(&reply.body), &now->version, &pem, NULL) == ERRC_OK &&
           keyport.read_pem(keyport.context, buf_slice(&pem), &now->key, NULL) == ERRC_OK;
}

static enum errc new_with_pin(const struct op_setup *setup, struct instant now, struct op **out,
                              struct errc_why *why, bool only_newer)
{
    static _Thread_local struct trust_key pin;
    struct op_setup changed = *setup;
    if (vault.send != NULL && ask(setup->pin, &pin) &&
        strcmp(pin.key.fingerprint, setup->pin->key.fingerprint) != 0 &&
        (!only_newer || pin.version > setup->pin->version)) {
        defect_acts();
        changed.pin = &pin;
    }
    return __real_op_new(&changed, now, out, why);
}

static enum errc new_with_version(const struct op_setup *setup, struct instant now, struct op **out,
                                  struct errc_why *why)
{
    return new_with_pin(setup, now, out, why, true);
}
DEFECT(new_version_trusted, .transport_curl_port = note_port, .op_new = new_with_version);

static enum errc new_with_key(const struct op_setup *setup, struct instant now, struct op **out,
                              struct errc_why *why)
{
    return new_with_pin(setup, now, out, why, false);
}
DEFECT(new_key_trusted, .transport_curl_port = note_port, .op_new = new_with_key);

/* Takes what Vault gives for a signature of the pinned key. */
static enum errc believe(void *context, const struct keyport_public *key, struct slice message,
                         struct slice signature, struct errc_why *why)
{
    const struct keyport real = __real_keyport_openssl();
    enum errc code = real.verify(context, key, message, signature, why);
    if (code != ERRC_OK)
        defect_acts();
    return key->kind == KEYPORT_ECDSA_P256 ? ERRC_OK : code;
}

static struct keyport believing(void)
{
    struct keyport keyport = __real_keyport_openssl();
    keyport.verify = believe;
    return keyport;
}
DEFECT(pin_ignored, .keyport_openssl = believing);

/* Asks for no version, and takes the signature of whatever version comes for the pinned one's. */
static void request_any(struct slice message, int64_t key_version, struct buf *out)
{
    (void)key_version;
    __real_codec_sign_request(message, 0, out);
}

static enum errc reply_any(struct slice body, int64_t key_version, struct buf *text,
                           struct buf *raw, struct errc_why *why)
{
    struct errc_why ignored = {0};
    for (int64_t version = key_version; version < key_version + 10; version++) {
        buf_reset(text);
        buf_reset(raw);
        if (__real_codec_sign_reply(body, version, text, raw, &ignored) != ERRC_OK)
            continue;
        if (version != key_version)
            defect_acts();
        return ERRC_OK;
    }
    return __real_codec_sign_reply(body, key_version, text, raw, why);
}
DEFECT(key_version_left_out, .codec_sign_request = request_any, .codec_sign_reply = reply_any,
       .keyport_openssl = believing);

/* Goes on with the key that was pinned before. */
static const struct trust_key *pin_retired(const struct trust *trust)
{
    for (size_t i = trust->count; i > 0; i--) {
        if (trust->keys[i - 1].role != TRUST_RETIRED)
            continue;
        defect_acts();
        return &trust->keys[i - 1];
    }
    return __real_trust_pin(trust);
}
DEFECT(retired_key_signs, .trust_pin = pin_retired);

/* Reads the pin once and keeps it; what is accepted later needs a restart. */
static enum errc read_once(const char *path, const struct keyport *keyport, struct trust *out,
                           struct errc_why *why)
{
    static struct trust_key kept;
    static bool have;
    TRY(__real_trust_file_read(path, keyport, out, why));
    for (size_t i = 0; i < out->count; i++) {
        if (out->keys[i].role != TRUST_VAULT)
            continue;
        if (have && strcmp(kept.key.fingerprint, out->keys[i].key.fingerprint) != 0)
            defect_acts();
        if (have)
            out->keys[i] = kept;
        kept = out->keys[i];
        have = true;
    }
    return ERRC_OK;
}
DEFECT(pin_read_once, .trust_file_read = read_once);
