#include "chaos/core/ledger/ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "chaos/core/ledger/ledger_lines.h"

void ledger_problem(struct ledger_problems *problems, struct pool *pool, const char *file,
                    size_t line, const char *format, ...)
{
    char text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *kept =
        problems->count < LEDGER_PROBLEMS_MAX ? pool_text(pool, slice_of(text)) : NULL;
    if (kept != NULL)
        problems->items[problems->count++] =
            (struct ledger_problem){.file = file, .line = line, .text = kept};
}

/* Reads a line as an object. False when it is none, which the caller judges; *code tells a lack
 * of memory. */
static bool read_object(struct slice line, json_t **out, enum errc *code)
{
    *code = jsonread_parse(line, out, NULL);
    return *code == ERRC_OK && json_is_object(*out);
}

/* --- the journal --- */

struct server_reader {
    struct ledger_lines lines;
    struct ledger_server *out;
    uint64_t next_seq; /* that the next record of this boot must have */
};

static void read_process(struct server_reader *r, const json_t *record)
{
    const char *event = jsonread_string_or(record, "event", "");
    if (strcmp(event, "start") != 0)
        return;
    struct ledger_boot *boot = &r->out->boots[r->out->boot_count++];
    *boot = (struct ledger_boot){.line = r->lines.line};
    ledger_lines_text(&r->lines, record, "boot_id", &boot->id);
    ledger_lines_stamp(&r->lines, record, "wall", &boot->wall_ns);
}

static void read_request(struct server_reader *r, const json_t *record, uint64_t seq)
{
    struct ledger_request *request = &r->out->requests[r->out->request_count++];
    *request = (struct ledger_request){.line = r->lines.line, .seq = seq};
    request->boot = r->out->boot_count == 0 ? 0 : r->out->boot_count - 1;
    const char *path = "";
    ledger_lines_must(&r->lines, record, "path");
    ledger_lines_text(&r->lines, record, "path", &path);
    ledger_lines_text(&r->lines, record, "key", &request->key);
    ledger_lines_text(&r->lines, record, "rule", &request->rule);
    ledger_lines_stamp(&r->lines, record, "wall", &request->wall_ns);
    ledger_lines_texts(&r->lines, record, "input_sha256", &request->inputs, &request->input_count);
    if (json_is_integer(json_object_get(record, "attempt"))) /* any client may write anything */
        request->attempt = json_integer_value(json_object_get(record, "attempt"));
    request->sign = slice_glob(SLICE_LITERAL("*/sign/*"), slice_of(path));
}

/* A client that closes gives a connection up; any other end is Vault's doing. */
static void read_connection(struct server_reader *r, const json_t *record)
{
    const char *event = jsonread_string_or(record, "event", "");
    bool by_client = strcmp(jsonread_string_or(record, "how", ""), "client") == 0;
    if (strcmp(event, "accepted") == 0)
        r->out->cut_connections++;
    else if (by_client && r->out->cut_connections > 0)
        r->out->cut_connections--;
}

static struct ledger_request *find_request(struct server_reader *r, uint64_t seq)
{
    size_t boot = r->out->boot_count == 0 ? 0 : r->out->boot_count - 1;
    for (size_t i = r->out->request_count; i > 0; i--) {
        struct ledger_request *request = &r->out->requests[i - 1];
        if (request->boot != boot)
            return NULL;
        if (request->seq == seq)
            return request;
    }
    return NULL;
}

static void read_reply(struct server_reader *r, const json_t *record)
{
    int64_t seq = -1, status = 0;
    bool must = ledger_lines_must(&r->lines, record, "request") &&
                ledger_lines_must(&r->lines, record, "executed");
    ledger_lines_int(&r->lines, record, "request", &seq);
    struct ledger_request *request = must && seq >= 0 ? find_request(r, (uint64_t)seq) : NULL;
    if (request == NULL) {
        ledger_problem(r->lines.problems, r->lines.pool, r->lines.file, r->lines.line,
                       "a reply to request %" PRId64 ", which is not there", seq);
        return;
    }
    request->reply_line = r->lines.line;
    ledger_lines_int(&r->lines, record, "status", &status);
    request->status = status < 0 || status > 999 ? 0 : (int)status;
    ledger_lines_bool(&r->lines, record, "executed", &request->executed);
    ledger_lines_int(&r->lines, record, "key_version", &request->key_version);
    ledger_lines_stamp(&r->lines, record, "wall", &request->reply_wall_ns);
    ledger_lines_texts(&r->lines, record, "signature_sha256", &request->signatures,
                       &request->signature_count);
}

/* A boot begins its numbering anew; within one, no number is left out. */
static void check_seq(struct server_reader *r, uint64_t seq, bool new_boot)
{
    if (!new_boot && seq != r->next_seq)
        ledger_problem(r->lines.problems, r->lines.pool, r->lines.file, r->lines.line,
                       "record %" PRIu64 " follows where %" PRIu64 " was due, lines are missing",
                       seq, r->next_seq);
    r->next_seq = seq + 1;
}

static void read_record(struct server_reader *r, const json_t *record)
{
    int64_t seq = -1;
    const char *kind = jsonread_string_or(record, "kind", "");
    if (!ledger_lines_must(&r->lines, record, "seq"))
        return;
    ledger_lines_int(&r->lines, record, "seq", &seq);
    bool start = strcmp(kind, "process") == 0 &&
                 strcmp(jsonread_string_or(record, "event", ""), "start") == 0;
    check_seq(r, (uint64_t)seq, start);
    if (strcmp(kind, "process") == 0)
        read_process(r, record);
    else if (strcmp(kind, "conn") == 0)
        read_connection(r, record);
    else if (strcmp(kind, "request") == 0)
        read_request(r, record, (uint64_t)seq);
    else if (strcmp(kind, "reply") == 0)
        read_reply(r, record);
}

static void read_server_lines(struct server_reader *r, enum errc *code)
{
    struct slice line;
    bool torn = false;
    while (*code != ERRC_NOMEM && ledger_lines_next(&r->lines, &line, &torn)) {
        json_t *record CLEANUP(jsonread_done) = NULL;
        if (read_object(line, &record, code) && !torn)
            read_record(r, record);
        else if (*code != ERRC_NOMEM)
            ledger_problem(r->lines.problems, r->lines.pool, r->lines.file, r->lines.line,
                           torn ? "the last line is torn" : "not a JSON object");
    }
}

enum errc ledger_read_server(struct slice text, struct pool *pool, struct ledger_server *out,
                             struct ledger_problems *problems, struct errc_why *why)
{
    size_t lines = ledger_lines_count(text);
    *out = (struct ledger_server){.found = text.ptr != NULL};
    if (!out->found)
        ledger_problem(problems, pool, LEDGER_JOURNAL, 0, "there is no such file");
    out->boots = pool_array(pool, lines, sizeof *out->boots);
    out->requests = pool_array(pool, lines, sizeof *out->requests);
    TRY(pool_status(pool, why));
    struct server_reader r = {
        .lines = {.rest = text, .file = LEDGER_JOURNAL, .pool = pool, .problems = problems},
        .out = out};
    enum errc code = ERRC_OK;
    read_server_lines(&r, &code);
    if (code == ERRC_NOMEM)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    return pool_status(pool, why);
}

/* --- the audit trail --- */

static enum ledger_action action_of(const char *text)
{
    static const struct {
        const char *text;
        enum ledger_action action;
    } actions[] = {
        {"MANIFEST_SIGNING_STARTED", LEDGER_STARTED},
        {"MANIFEST_SIGNED", LEDGER_SIGNED},
        {"MANIFEST_SIGNING_FAILED", LEDGER_FAILED},
        {"AUDIT_TAIL_REPAIRED", LEDGER_REPAIRED},
    };
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].text, text) == 0)
            return actions[i].action;
    return LEDGER_OTHER;
}

static enum ledger_mode mode_of(const char *text)
{
    if (text == NULL)
        return LEDGER_MODE_NONE;
    if (strcmp(text, "vault") == 0)
        return LEDGER_MODE_VAULT;
    return strcmp(text, "fallback") == 0 ? LEDGER_MODE_FALLBACK : LEDGER_MODE_ODD;
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
        ledger_problem(l->problems, l->pool, l->file, l->line,
                       "field \"attempts\" is not a list of at most %u", LEDGER_ATTEMPTS_MAX);
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
    const json_t *payload = json_object_get(record, "payload");
    if (ledger_lines_must(l, record, "payload") && json_is_object(payload))
        read_payload(l, payload, entry);
}

static void read_client_lines(struct ledger_lines *l, struct ledger_client *out, enum errc *code)
{
    char expected[DIGEST_HEX_BYTES];
    memset(expected, '0', sizeof expected - 1);
    expected[sizeof expected - 1] = '\0';
    struct slice line;
    bool torn = false;
    while (*code != ERRC_NOMEM && ledger_lines_next(l, &line, &torn)) {
        json_t *record CLEANUP(jsonread_done) = NULL;
        struct ledger_entry *entry = &out->entries[out->entry_count++];
        *entry = (struct ledger_entry){.line = l->line, .fallback_flag = -1};
        memcpy(entry->expected, expected, sizeof expected);
        if (read_object(line, &record, code) && !torn)
            read_entry(l, record, entry);
        else
            entry->action = LEDGER_TORN;
        if (torn)
            ledger_problem(l->problems, l->pool, l->file, l->line, "the last line is torn");
        digest_sha256_hex(line, expected);
    }
}

enum errc ledger_read_client(struct slice text, struct pool *pool, struct ledger_client *out,
                             struct ledger_problems *problems, struct errc_why *why)
{
    *out = (struct ledger_client){.found = text.ptr != NULL};
    if (!out->found)
        ledger_problem(problems, pool, LEDGER_AUDIT, 0, "there is no such file");
    out->entries = pool_array(pool, ledger_lines_count(text), sizeof *out->entries);
    TRY(pool_status(pool, why));
    struct ledger_lines lines = {
        .rest = text, .file = LEDGER_AUDIT, .pool = pool, .problems = problems};
    enum errc code = ERRC_OK;
    read_client_lines(&lines, out, &code);
    if (code == ERRC_NOMEM)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    return pool_status(pool, why);
}

/* --- joins --- */

bool ledger_has_input(const struct ledger_request *request, const char *input_sha256)
{
    for (size_t i = 0; input_sha256 != NULL && i < request->input_count; i++)
        if (strcmp(request->inputs[i], input_sha256) == 0)
            return true;
    return false;
}

const struct ledger_entry *ledger_next_of(const struct ledger_client *client, const char *bundle,
                                          const struct ledger_entry *after)
{
    size_t i = after == NULL ? 0 : (size_t)(after - client->entries) + 1;
    for (; bundle != NULL && i < client->entry_count; i++)
        if (client->entries[i].bundle != NULL && strcmp(client->entries[i].bundle, bundle) == 0)
            return &client->entries[i];
    return NULL;
}

const struct ledger_entry *ledger_result_of(const struct ledger_client *client, const char *bundle)
{
    const struct ledger_entry *result = NULL;
    for (const struct ledger_entry *e = ledger_next_of(client, bundle, NULL); e != NULL;
         e = ledger_next_of(client, bundle, e))
        if (e->action == LEDGER_SIGNED || e->action == LEDGER_FAILED)
            result = e;
    return result;
}

const struct ledger_entry *ledger_intent_of(const struct ledger_client *client,
                                            const struct ledger_entry *result)
{
    const struct ledger_entry *intent = NULL;
    for (const struct ledger_entry *e = ledger_next_of(client, result->bundle, NULL);
         e != NULL && e < result; e = ledger_next_of(client, result->bundle, e))
        if (e->action == LEDGER_STARTED)
            intent = e;
    return intent;
}

bool ledger_belongs_to(const struct ledger_client *client, const struct ledger_request *request,
                       const char *bundle)
{
    for (const struct ledger_entry *e = ledger_next_of(client, bundle, NULL); e != NULL;
         e = ledger_next_of(client, bundle, e))
        if (ledger_has_input(request, e->input_sha256))
            return true;
    return false;
}
