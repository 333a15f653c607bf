#include "tests/signer/play.h"

#include <string.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/text/base64.h"
#include "base/units.h"

struct stage {
    struct play *play;
    struct op *op;
    struct keyport keyport;
    struct trust_key pin;
    struct instant now;
    size_t answered;
    int audits;
    struct transport_reply reply;
    uint8_t signature[KEYPORT_ED25519_BYTES];
};

static const struct answer {
    char letter;
    enum transport_outcome outcome;
    int status;
    int64_t took_ms;
    const char *body;
} answers[] = {
    {'M', TRANSPORT_COMPLETE, 200, 5, "<html>maintenance</html>"},
    {'S', TRANSPORT_COMPLETE, 503, 5, "{\"errors\":[\"Vault is sealed\"]}\n"},
    {'U', TRANSPORT_COMPLETE, 502, 5, "<html>"},
    {'C', TRANSPORT_REFUSED, 0, 1, ""},
    {'T', TRANSPORT_TIMED_OUT, 0, -1, ""},
    {'F', TRANSPORT_COMPLETE, 403, 5, "{\"errors\":[\"permission denied\"]}\n"},
    {'N', TRANSPORT_COMPLETE, 404, 5, "{\"errors\":[\"no handler for route\"]}\n"},
    {'K', TRANSPORT_COMPLETE, 500, 5,
     "{\"errors\":[\"1 error occurred:\\n\\t* requested version for signing is higher than the "
     "latest key version\\n\\n\"]}\n"},
    {'R', TRANSPORT_COMPLETE, 429, 5, "{\"errors\":[\"rate limit quota exceeded\"]}\n"},
    {'I', TRANSPORT_COMPLETE, 412, 5, "{\"errors\":[\"required index state not present\"]}\n"},
    {'D', TRANSPORT_COMPLETE, 307, 5, ""},
    {'X', TRANSPORT_CERTIFICATE, 0, 5, ""},
    {'L', TRANSPORT_COMPLETE, 503, 5,
     "{\"errors\":[\"API access to this namespace has been locked by an administrator\"]}\n"},
    {'E', TRANSPORT_INTERNAL, 0, 0, ""},
};

static void note(struct stage *s, char action)
{
    size_t len = strlen(s->play->trace);
    CHECK(len + 1 < sizeof s->play->trace);
    s->play->trace[len] = action;
}

/* A 200 whose signature is by a key and version of the script's choice. */
static void sign_reply(struct stage *s, char letter)
{
    struct keyport_public key = letter == 'W' ? fake_key(KEYPORT_ECDSA_P256, 99) : s->pin.key;
    struct buf raw CLEANUP(buf_done);
    buf_init(&raw, 100);
    fake_sign(&key, op_input(s->op), &raw);
    buf_addf(&s->reply.body, "{\"data\":{\"signature\":\"vault:v%d:", letter == 'V' ? 7 : 1);
    base64_format(buf_slice(&raw), BASE64_STANDARD, &s->reply.body);
    buf_add_text(&s->reply.body, "\"}}");
    s->reply.body.failed = s->reply.body.failed || raw.failed;
    s->reply.status = 200;
    s->now.mono_ns += 5 * NS_PER_MS;
}

static struct op_event answer(struct stage *s, const struct transport_request *request)
{
    char letter = s->play->vault[s->answered++];
    CHECK(letter != '\0');
    CHECK(request->attempt == (int)s->answered && request->with_token);
    s->play->timeouts_ms[s->play->sends++] = request->timeout_ms;
    transport_reply_done(&s->reply);
    s->reply = (struct transport_reply){.outcome = TRANSPORT_COMPLETE};
    buf_init(&s->reply.body, 10000);
    if (s->play->retry_after != NULL)
        strcpy(s->reply.retry_after, s->play->retry_after);
    if (strchr("OWV", letter) != NULL)
        sign_reply(s, letter);
    for (size_t i = 0; i < COUNT(answers); i++) {
        if (answers[i].letter != letter)
            continue;
        s->reply.outcome = answers[i].outcome;
        s->reply.status = answers[i].status;
        buf_add_text(&s->reply.body, answers[i].body);
        s->now.mono_ns +=
            (answers[i].took_ms < 0 ? request->timeout_ms : answers[i].took_ms) * NS_PER_MS;
    }
    if (s->reply.body.failed)
        s->reply.outcome = TRANSPORT_INTERNAL; /* as a port has to say */
    return (struct op_event){.kind = OP_REPLY, .reply = &s->reply};
}

static struct op_event audit(struct stage *s)
{
    static const char letters[] = {
        [AUDIT_STARTED] = 'S', [AUDIT_SIGNED] = 'D', [AUDIT_FAILED] = 'F'};
    const struct audit_entry *entry = op_entry(s->op);
    struct buf line CLEANUP(buf_done);
    buf_init(&line, LIMIT_AUDIT_LINE_BYTES);
    if (++s->audits == s->play->audit_breaks_at ||
        audit_format(entry, AUDIT_GENESIS, &line, NULL) != ERRC_OK)
        return (struct op_event){.kind = OP_AUDIT_BROKEN, .message = "disk full"};
    s->play->entries[strlen(s->play->entries)] = letters[entry->action];
    if (entry->action == AUDIT_FAILED)
        strcpy(s->play->failed_class, entry->class);
    strcpy(s->play->input_sha256[entry->action != AUDIT_STARTED], entry->input_sha256);
    return (struct op_event){.kind = OP_AUDITED};
}

static struct op_event local(struct stage *s, struct errc_why *why)
{
    struct keyport_public key = fake_key(KEYPORT_ED25519, 9);
    uint8_t seed[KEYPORT_SEED_BYTES];
    if (s->play->local_key_is_vaults)
        key = s->pin.key;
    if (s->play->verdict != FALLBACK_USABLE)
        return (struct op_event){
            .kind = OP_FALLBACK_REFUSED, .verdict = s->play->verdict, .message = "no such file"};
    fake_seed(9, seed);
    if (op_use_fallback(s->op, &key, why) != ERRC_OK ||
        s->keyport.seed_sign(NULL, slice_bytes(seed, sizeof seed), op_input(s->op), s->signature,
                             why) != ERRC_OK)
        return (struct op_event){
            .kind = OP_FALLBACK_REFUSED, .verdict = FALLBACK_KEY_UNSAFE, .message = why->text};
    return (struct op_event){.kind = OP_FALLBACK_SIGNED, .signature = s->signature};
}

static enum errc check_manifest(const struct stage *s)
{
    struct manifest manifest CLEANUP(manifest_done) = {0};
    struct buf raw CLEANUP(buf_done);
    enum keyport_kind kind = KEYPORT_ED25519;
    int64_t version = 0;
    buf_init(&raw, 200);
    TRY(manifest_parse(op_manifest(s->op), &manifest, NULL));
    TRY(keyport_parse_signature(slice_of(manifest.signature), &kind, &version, &raw, NULL));
    bool local_mode = manifest.mode == MANIFEST_FALLBACK;
    struct keyport_public key = local_mode ? fake_key(KEYPORT_ED25519, 9) : s->pin.key;
    if (kind != key.kind || strcmp(key.fingerprint, manifest.key_fingerprint) != 0)
        return ERRC_CRYPTO;
    return s->keyport.verify(NULL, &key, buf_slice(&manifest.pae), buf_slice(&raw), NULL);
}

static void examine_manifest(struct stage *s)
{
    enum errc code = check_manifest(s);
    s->play->verifies = code == ERRC_OK;
    s->play->ran_out_checking = code == ERRC_NOMEM || code == ERRC_TOO_BIG;
}

static struct op_event act(struct stage *s, const struct op_action *action, struct errc_why *why)
{
    switch (action->kind) {
    case OP_DO_AUDIT:
        note(s, 'a');
        return audit(s);
    case OP_DO_SEND:
        note(s, 's');
        return answer(s, &action->request);
    case OP_DO_WAIT:
        note(s, 'w');
        CHECK(action->wake_ns >= s->now.mono_ns);
        s->play->waits_ms[s->play->wait_count++] = (action->wake_ns - s->now.mono_ns) / NS_PER_MS;
        s->now.mono_ns = action->wake_ns;
        return (struct op_event){.kind = OP_WOKE};
    case OP_DO_FALLBACK:
        note(s, 'f');
        return local(s, why);
    case OP_DO_PUBLISH:
        note(s, 'p');
        examine_manifest(s);
        return (struct op_event){.kind = s->play->publish_breaks ? OP_PUBLISH_BROKEN : OP_PUBLISHED,
                                 .message = "disk full"};
    case OP_DO_FINISH:
        break;
    }
    bug_die(__FILE__, __LINE__, "an action without an event");
}

static void perform(struct stage *s)
{
    struct errc_why why = {0};
    int64_t start_ns = s->now.mono_ns;
    struct op_event event = {.kind = OP_BEGIN, .now = s->now};
    struct op_action action = op_step(s->op, &event);
    while (action.kind != OP_DO_FINISH) {
        event = act(s, &action, &why);
        event.now = s->now;
        event.now.wall_ns += s->now.mono_ns - start_ns;
        action = op_step(s->op, &event);
    }
    note(s, '.');
    CHECK(op_state(s->op) == OP_DONE);
    s->play->result = *op_result(s->op);
    s->play->took_ms = (s->now.mono_ns - start_ns) / NS_PER_MS;
}

enum errc play_run(struct play *play)
{
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct stage s = {
        .play = play,
        .keyport = fake_keyport(),
        .pin = fake_pin(1),
        .now = {.mono_ns = 77 * NS_PER_MS, .wall_ns = INT64_C(1795458581000) * NS_PER_MS}};
    TRY(fake_bundle(&bundle));
    const struct op_setup setup = {
        .retry = play->retry == NULL ? &fake_retry : play->retry,
        .signing_key = "docugen-manifest",
        .allow_fallback = play->allow_fallback,
        .pin = &s.pin,
        .keyport = &s.keyport,
        .bundle = &bundle,
        .actor = &fake_actor,
        .manifest_id = "6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a01",
        .entry_ids = {"6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a02",
                      "6d1f5f0e-58a1-4f6f-9d52-3c1b7e0b9a03"},
        .seed = play->seed,
    };
    TRY(op_new(&setup, s.now, &s.op, NULL));
    perform(&s);
    transport_reply_done(&s.reply);
    op_free(s.op);
    return ERRC_OK;
}
