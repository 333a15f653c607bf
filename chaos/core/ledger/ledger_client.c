#include "chaos/core/ledger/ledger_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "chaos/core/subject/subjects.h"

void ledger_client_init(struct ledger_client *client, struct pool *pool,
                        struct ledger_problems *problems)
{
    *client = (struct ledger_client){0};
    ledger_lines_init(&client->lines, LEDGER_AUDIT, pool, problems);
    textmap_init(&client->by_input, pool);
    memset(client->expected, '0', sizeof client->expected - 1);
}

void ledger_client_done(struct ledger_client *client)
{
    ledger_lines_done(&client->lines);
    free(client->entries);
    *client = (struct ledger_client){0};
}

static enum ledger_action action_of(const char *text)
{
    static const enum ledger_action actions[] = {
        [SUBJECT_ACTION_STARTED] = LEDGER_STARTED, [SUBJECT_ACTION_SIGNED] = LEDGER_SIGNED,
        [SUBJECT_ACTION_FAILED] = LEDGER_FAILED,   [SUBJECT_ACTION_REPAIRED] = LEDGER_REPAIRED,
        [SUBJECT_ACTION_OTHER] = LEDGER_OTHER,
    };
    return actions[subject_action(subjects_default(), text)];
}

static enum ledger_mode mode_of(const char *text)
{
    static const enum ledger_mode modes[] = {
        [SUBJECT_MODE_VAULT] = LEDGER_MODE_VAULT,
        [SUBJECT_MODE_FALLBACK] = LEDGER_MODE_FALLBACK,
        [SUBJECT_MODE_OTHER] = LEDGER_MODE_ODD,
    };
    return text == NULL ? LEDGER_MODE_NONE : modes[subject_mode(subjects_default(), text)];
}

const char *ledger_client_mode_text(enum ledger_mode mode)
{
    static const char *const texts[] = {
        [LEDGER_MODE_NONE] = "none",
        [LEDGER_MODE_VAULT] = "vault",
        [LEDGER_MODE_FALLBACK] = "fallback",
        [LEDGER_MODE_ODD] = "something else",
    };
    return texts[mode];
}

static void read_attempt(struct ledger_lines *l, const json_t *object, struct ledger_attempt *out)
{
    *out = (struct ledger_attempt){.class = ""};
    if (!ledger_lines_must(l, object, "n") || !ledger_lines_must(l, object, "class") ||
        !ledger_lines_must(l, object, "wait_ms") || !ledger_lines_must(l, object, "started_at"))
        return;
    ledger_lines_int(l, object, "n", &out->n);
    ledger_lines_text(l, object, "class", &out->class);
    ledger_lines_int(l, object, "status", &out->status);
    ledger_lines_int(l, object, "wait_ms", &out->wait_ms);
    ledger_lines_stamp(l, object, "started_at", &out->started_ns);
    ledger_lines_int(l, object, "resends", &out->resends);
}

static void read_attempts(struct ledger_lines *l, const json_t *payload, struct ledger_entry *entry)
{
    const json_t *list = json_object_get(payload, "attempts");
    size_t count = json_array_size(list);
    if (list == NULL || json_is_null(list))
        return;
    if (!json_is_array(list) || count > LEDGER_ATTEMPTS_MAX) {
        ledger_lines_problem(l, "field \"attempts\" is not a list of at most %u",
                             LEDGER_ATTEMPTS_MAX);
        return;
    }
    entry->attempts = pool_array(l->pool, count, sizeof *entry->attempts);
    for (size_t i = 0; entry->attempts != NULL && i < count; i++) {
        read_attempt(l, json_array_get(list, i), &entry->attempts[i]);
        entry->attempt_count++;
    }
}

static void read_payload(struct ledger_lines *l, const json_t *payload, struct ledger_entry *entry)
{
    const char *mode = NULL;
    bool flag = false;
    ledger_lines_text(l, payload, "signingMode", &mode);
    entry->mode = mode_of(mode);
    ledger_lines_bool(l, payload, "signing.fallback", &flag);
    if (json_is_boolean(json_object_get(payload, "signing.fallback")))
        entry->fallback_flag = flag;
    ledger_lines_text(l, payload, "input_sha256", &entry->input_sha256);
    ledger_lines_text(l, payload, "manifestHash", &entry->manifest_hash);
    ledger_lines_text(l, payload, "keyFingerprint", &entry->fingerprint);
    ledger_lines_text(l, payload, "reason", &entry->reason);
    ledger_lines_text(l, payload, "class", &entry->class);
    ledger_lines_text(l, payload, "signature_sha256", &entry->signature_sha256);
    ledger_lines_text(l, payload, "previous", &entry->previous);
    ledger_lines_text(l, payload, "message", &entry->message);
    ledger_lines_text(l, payload, "signature", &entry->signature);
    ledger_lines_text(l, payload, "manifestId", &entry->manifest_id);
    ledger_lines_text(l, payload, "createdAt", &entry->created_at);
    ledger_lines_text(l, payload, "signingKeyId", &entry->signing_key_id);
    ledger_lines_text(l, payload, "publicKey", &entry->public_key);
    read_attempts(l, payload, entry);
}

static void read_entry(struct ledger_lines *l, const json_t *record, struct ledger_entry *entry)
{
    const char *action = "";
    if (ledger_lines_must(l, record, "action"))
        ledger_lines_text(l, record, "action", &action);
    entry->action = action_of(action);
    ledger_lines_text(l, record, "id", &entry->id);
    bool about_bundle = entry->action == LEDGER_STARTED || entry->action == LEDGER_SIGNED ||
                        entry->action == LEDGER_FAILED;
    if (!about_bundle || ledger_lines_must(l, record, "bundleRunId"))
        ledger_lines_text(l, record, "bundleRunId", &entry->bundle);
    if (ledger_lines_must(l, record, "timestamp"))
        ledger_lines_stamp(l, record, "timestamp", &entry->wall_ns);
    ledger_lines_text(l, json_object_get(record, "actor"), "id", &entry->actor);
    ledger_lines_text(l, json_object_get(record, "actor"), "type", &entry->actor_type);
    const json_t *payload = json_object_get(record, "payload");
    if (ledger_lines_must(l, record, "payload") && json_is_object(payload))
        read_payload(l, payload, entry);
}

/* Entries of one input form a chain; there are a few of each. */
static void index_input(struct ledger_client *client, size_t i)
{
    struct ledger_entry *entry = &client->entries[i];
    if (entry->input_sha256 == NULL)
        return;
    size_t last = textmap_put(&client->by_input, entry->input_sha256, i);
    if (last == i || last == TEXTMAP_NONE)
        return;
    while (client->entries[last].same_input != TEXTMAP_NONE)
        last = client->entries[last].same_input;
    client->entries[last].same_input = i;
}

size_t ledger_client_input(const struct ledger_client *client, const char *input_sha256)
{
    return textmap_get(&client->by_input, input_sha256);
}

static enum errc read_line(void *context, struct slice line)
{
    struct ledger_client *client = context;
    json_t *record CLEANUP(jsonread_done) = NULL;
    enum errc code = ERRC_OK;
    TRY(ledger_lines_room((void **)&client->entries, &client->entry_room, client->entry_count,
                          sizeof *client->entries));
    struct ledger_entry *entry = &client->entries[client->entry_count];
    *entry = (struct ledger_entry){.line = client->lines.line,
                                   .offset = client->lines.at,
                                   .fallback_flag = -1,
                                   .same_input = TEXTMAP_NONE};
    memcpy(entry->expected, client->expected, sizeof entry->expected);
    if (ledger_lines_object(line, &record, &code))
        read_entry(&client->lines, record, entry);
    else if (code == ERRC_NOMEM)
        return code;
    else
        entry->action = LEDGER_TORN;
    index_input(client, client->entry_count++);
    digest_sha256_hex(line, client->expected);
    return pool_status(client->lines.pool, NULL);
}

enum errc ledger_client_feed(struct ledger_client *client, struct slice bytes)
{
    client->found = true;
    return ledger_lines_feed(&client->lines, bytes, read_line, client);
}

enum errc ledger_client_end(struct ledger_client *client)
{
    struct ledger_lines *l = &client->lines;
    if (!client->found)
        ledger_problems_add(l->problems, l->pool, LEDGER_AUDIT, 0, "there is no such file");
    if (l->tail.len == 0)
        return ERRC_OK;
    TRY(ledger_lines_room((void **)&client->entries, &client->entry_room, client->entry_count,
                          sizeof *client->entries));
    l->line++;
    struct ledger_entry *entry = &client->entries[client->entry_count++];
    *entry = (struct ledger_entry){.line = l->line, .action = LEDGER_TORN, .fallback_flag = -1};
    memcpy(entry->expected, client->expected, sizeof entry->expected);
    ledger_lines_problem(l, "the last line is torn");
    return pool_status(l->pool, NULL);
}

bool ledger_client_ends(const struct ledger_entry *entry)
{
    return entry->action == LEDGER_SIGNED || entry->action == LEDGER_FAILED;
}

const struct ledger_entry *ledger_client_result(const struct ledger_client *client,
                                                const char *bundle)
{
    for (size_t i = client->entry_count; bundle != NULL && i > 0; i--) {
        const struct ledger_entry *e = &client->entries[i - 1];
        if (ledger_client_ends(e) && e->bundle != NULL && strcmp(e->bundle, bundle) == 0)
            return e;
    }
    return NULL;
}
