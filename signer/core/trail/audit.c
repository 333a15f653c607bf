#include "signer/core/trail/audit.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"

static const char *const actions[AUDIT_ACTION_COUNT] = {
    [AUDIT_STARTED] = "MANIFEST_SIGNING_STARTED",
    [AUDIT_SIGNED] = "MANIFEST_SIGNED",
    [AUDIT_FAILED] = "MANIFEST_SIGNING_FAILED",
    [AUDIT_TAIL_REPAIRED] = "AUDIT_TAIL_REPAIRED",
};

void audit_message(char out[static LIMIT_MESSAGE_BYTES], const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < LIMIT_MESSAGE_BYTES; n++) {
        unsigned char c = (unsigned char)text[n];
        out[n] = c < 0x20 ? ' ' : c >= 0x7f ? '?' : (char)c;
    }
    out[n] = '\0';
}

static void write_attempts(struct jsonwrite *w, const struct audit_entry *entry)
{
    char at[STAMP_BYTES];
    jsonwrite_array(w, "attempts");
    for (size_t i = 0; i < entry->attempt_count; i++) {
        const struct audit_attempt *a = &entry->attempts[i];
        stamp_format(a->started_wall_ns, STAMP_MILLI, at);
        jsonwrite_object(w, NULL);
        jsonwrite_string(w, "class", classify_text(a->class));
        jsonwrite_int(w, "n", a->n);
        jsonwrite_int(w, "resends", a->resends);
        jsonwrite_string(w, "started_at", at);
        jsonwrite_int(w, "status", a->status);
        jsonwrite_int(w, "wait_ms", a->wait_ms);
        jsonwrite_end(w);
    }
    jsonwrite_end(w);
}

/* The payloads, one function per action; keys in bytewise order. */
static void write_started(struct jsonwrite *w, const struct audit_entry *e, const char *previous)
{
    jsonwrite_string(w, "input_sha256", e->input_sha256);
    jsonwrite_string(w, "keyFingerprint", e->key_fingerprint);
    jsonwrite_string(w, "manifestHash", e->manifest_hash);
    jsonwrite_string(w, "previous", previous);
}

static void write_signed(struct jsonwrite *w, const struct audit_entry *e, const char *previous)
{
    char created[STAMP_BYTES], hash[DIGEST_HEX_BYTES];
    stamp_format(e->created_wall_ns, STAMP_MILLI, created);
    digest_sha256_hex(slice_of(e->signature), hash);
    write_attempts(w, e);
    jsonwrite_string(w, "createdAt", created);
    jsonwrite_string(w, "input_sha256", e->input_sha256);
    jsonwrite_string(w, "keyFingerprint", e->key_fingerprint);
    jsonwrite_string(w, "manifestHash", e->manifest_hash);
    jsonwrite_string(w, "manifestId", e->manifest_id);
    jsonwrite_string(w, "previous", previous);
    if (e->public_key != NULL)
        jsonwrite_string(w, "publicKey", e->public_key);
    if (e->reason != NULL)
        jsonwrite_string(w, "reason", e->reason);
    jsonwrite_string(w, "signature", e->signature);
    jsonwrite_string(w, "signature_sha256", hash);
    jsonwrite_bool(w, "signing.fallback", e->mode == MANIFEST_FALLBACK);
    jsonwrite_string(w, "signingKeyId", e->signing_key_id);
    jsonwrite_string(w, "signingMode", manifest_mode_text(e->mode));
}

static void write_failed(struct jsonwrite *w, const struct audit_entry *e, const char *previous)
{
    write_attempts(w, e);
    jsonwrite_string(w, "class", e->class);
    jsonwrite_string(w, "input_sha256", e->input_sha256);
    jsonwrite_string(w, "keyFingerprint", e->key_fingerprint);
    jsonwrite_string(w, "manifestHash", e->manifest_hash);
    jsonwrite_string(w, "message", e->message);
    jsonwrite_string(w, "previous", previous);
    jsonwrite_string(w, "reason", e->reason);
    jsonwrite_bool(w, "signing.fallback", false);
}

static void write_repaired(struct jsonwrite *w, const struct audit_entry *e, const char *previous)
{
    jsonwrite_string(w, "previous", previous);
    jsonwrite_int(w, "torn_bytes", (int64_t)e->torn_bytes);
}

static void (*const payloads[AUDIT_ACTION_COUNT])(struct jsonwrite *, const struct audit_entry *,
                                                  const char *) = {
    [AUDIT_STARTED] = write_started,
    [AUDIT_SIGNED] = write_signed,
    [AUDIT_FAILED] = write_failed,
    [AUDIT_TAIL_REPAIRED] = write_repaired,
};

enum errc audit_format(const struct audit_entry *entry, const char *previous, struct buf *out,
                       struct errc_why *why)
{
    CHECK(entry->action < AUDIT_ACTION_COUNT && entry->attempt_count <= LIMIT_ATTEMPTS);
    char at[STAMP_BYTES];
    struct jsonwrite w;
    stamp_format(entry->wall_ns, STAMP_MILLI, at);
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "action", actions[entry->action]);
    jsonwrite_object(&w, "actor");
    jsonwrite_string(&w, "id", entry->actor->id);
    jsonwrite_string(&w, "type", ids_actor_text(entry->actor->type));
    jsonwrite_end(&w);
    jsonwrite_string(&w, "bundleRunId", entry->bundle_run_id);
    jsonwrite_string(&w, "id", entry->id);
    jsonwrite_object(&w, "payload");
    payloads[entry->action](&w, entry, previous);
    jsonwrite_end(&w);
    jsonwrite_string(&w, "timestamp", at);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
    return buf_status(out, why);
}

void audit_index_init(struct audit_index *index)
{
    *index = (struct audit_index){.previous = AUDIT_GENESIS};
}

void audit_index_done(struct audit_index *index)
{
    if (index == NULL)
        return;
    free(index->slots);
    *index = (struct audit_index){.previous = AUDIT_GENESIS};
}

/* FNV-1a; the ids are ours or a caller's UUIDs, and a slow table is all that a bad choice of them
 * could cause. */
static size_t hash_of(const char *id)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return (size_t)(h ^ (h >> 32));
}

static struct audit_bundle *slot_of(struct audit_bundle *slots, size_t capacity, const char *id)
{
    size_t i = hash_of(id) & (capacity - 1);
    while (slots[i].bundle_run_id[0] != '\0' && strcmp(slots[i].bundle_run_id, id) != 0)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static enum errc grow(struct audit_index *index)
{
    size_t capacity = index->capacity == 0 ? 64 : index->capacity * 2;
    struct audit_bundle *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return ERRC_NOMEM;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].bundle_run_id[0] != '\0')
            *slot_of(slots, capacity, index->slots[i].bundle_run_id) = index->slots[i];
    free(index->slots);
    index->slots = slots;
    index->capacity = capacity;
    return ERRC_OK;
}

static enum audit_action action_of(const json_t *document)
{
    const char *text = jsonread_string_or(document, "action", "");
    size_t i = 0;
    while (i < AUDIT_ACTION_COUNT && strcmp(actions[i], text) != 0)
        i++;
    return (enum audit_action)i;
}

static enum errc note(struct audit_index *index, const char *id, enum audit_action action,
                      size_t len)
{
    static const enum audit_state states[] = {
        [AUDIT_STARTED] = AUDIT_OPEN, [AUDIT_SIGNED] = AUDIT_DONE, [AUDIT_FAILED] = AUDIT_ENDED};
    if (2 * (index->count + 1) > index->capacity)
        TRY(grow(index));
    struct audit_bundle *slot = slot_of(index->slots, index->capacity, id);
    if (slot->bundle_run_id[0] == '\0') {
        memcpy(slot->bundle_run_id, id, IDS_UUID_BYTES);
        index->count++;
    }
    slot->starts += action == AUDIT_STARTED;
    /* Signed is for good: whatever stands behind it, there must not be a second signature. */
    if (slot->state == AUDIT_DONE)
        return ERRC_OK;
    slot->state = states[action];
    slot->offset = index->offset;
    slot->len = len;
    return ERRC_OK;
}

enum errc audit_index_feed(struct audit_index *index, struct slice line)
{
    json_t *document CLEANUP(jsonread_done) = NULL;
    enum errc code = jsonread_parse(line, &document, NULL);
    if (code == ERRC_NOMEM)
        return code;
    if (code == ERRC_OK) {
        enum audit_action action = action_of(document);
        const char *id = jsonread_string_or(document, "bundleRunId", "");
        if (action < AUDIT_TAIL_REPAIRED && ids_is_uuid(slice_of(id)))
            TRY(note(index, id, action, line.len));
    }
    index->offset += (int64_t)line.len + 1;
    digest_sha256_hex(line, index->previous);
    return ERRC_OK;
}

const struct audit_bundle *audit_index_find(const struct audit_index *index,
                                            const char *bundle_run_id)
{
    if (index->capacity == 0)
        return NULL;
    const struct audit_bundle *slot = slot_of(index->slots, index->capacity, bundle_run_id);
    return slot->bundle_run_id[0] == '\0' ? NULL : slot;
}

bool audit_tail_is_whole(struct slice tail)
{
    json_t *document CLEANUP(jsonread_done) = NULL;
    return tail.len > 0 && tail.ptr[tail.len - 1] == '}' &&
           jsonread_parse(tail, &document, NULL) == ERRC_OK &&
           action_of(document) < AUDIT_ACTION_COUNT && jsonread_has(document, "timestamp");
}

static enum errc copy_text(const json_t *object, const char *field, char *out, size_t size,
                           struct errc_why *why)
{
    const char *text = NULL;
    TRY(jsonread_string(object, field, &text, why));
    if (strlen(text) >= size)
        return errc_fail(why, ERRC_SCHEMA, "\"%s\" is longer than %zu bytes", field, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return ERRC_OK;
}

#define COPY(object, field, target) TRY(copy_text(object, field, target, sizeof(target), why))

static enum errc open_entry(struct slice line, enum audit_action action, json_t **document,
                            json_t **payload, struct errc_why *why)
{
    TRY(jsonread_parse(line, document, why));
    if (action_of(*document) != action)
        return errc_fail(why, ERRC_SCHEMA, "the entry is no %s", actions[action]);
    return jsonread_object(*document, "payload", payload, why);
}

enum errc audit_open_parse(struct slice line, struct audit_open *out, struct errc_why *why)
{
    json_t *document CLEANUP(jsonread_done) = NULL;
    json_t *payload = NULL;
    *out = (struct audit_open){0};
    TRY(open_entry(line, AUDIT_STARTED, &document, &payload, why));
    COPY(document, "id", out->id);
    COPY(document, "timestamp", out->timestamp);
    COPY(payload, "input_sha256", out->input_sha256);
    COPY(payload, "manifestHash", out->manifest_hash);
    COPY(payload, "keyFingerprint", out->key_fingerprint);
    return ERRC_OK;
}

enum errc audit_signed_parse(struct slice line, struct audit_signed *out, struct errc_why *why)
{
    json_t *document CLEANUP(jsonread_done) = NULL;
    json_t *payload = NULL, *attempts = NULL;
    char created[STAMP_BYTES], mode[16];
    *out = (struct audit_signed){0};
    TRY(open_entry(line, AUDIT_SIGNED, &document, &payload, why));
    COPY(document, "timestamp", out->timestamp);
    COPY(payload, "createdAt", created);
    COPY(payload, "keyFingerprint", out->key_fingerprint);
    COPY(payload, "manifestHash", out->manifest_hash);
    COPY(payload, "manifestId", out->manifest_id);
    COPY(payload, "signature", out->signature);
    COPY(payload, "signature_sha256", out->signature_sha256);
    COPY(payload, "signingKeyId", out->signing_key_id);
    COPY(payload, "signingMode", mode);
    if (jsonread_has(payload, "reason"))
        COPY(payload, "reason", out->reason);
    if (jsonread_has(payload, "publicKey"))
        COPY(payload, "publicKey", out->public_key);
    TRY(jsonread_array(payload, "attempts", &attempts, why));
    out->attempts = (int)json_array_size(attempts);
    out->mode = strcmp(mode, "fallback") == 0 ? MANIFEST_FALLBACK : MANIFEST_VAULT;
    if (strcmp(mode, manifest_mode_text(out->mode)) != 0 ||
        (out->mode == MANIFEST_FALLBACK) != (out->reason[0] != '\0'))
        return errc_fail(why, ERRC_SCHEMA, "\"signingMode\" and \"reason\" do not fit together");
    if (!stamp_parse(slice_of(created), &out->created_wall_ns))
        return errc_fail(why, ERRC_SCHEMA, "\"createdAt\" is no point in time");
    return ERRC_OK;
}
