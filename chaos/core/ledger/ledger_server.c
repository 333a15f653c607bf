#include "chaos/core/ledger/ledger_server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/jsonread.h"

void ledger_server_init(struct ledger_server *server, struct pool *pool,
                        struct ledger_problems *problems)
{
    *server = (struct ledger_server){0};
    ledger_lines_init(&server->lines, LEDGER_JOURNAL, pool, problems);
}

void ledger_server_done(struct ledger_server *server)
{
    ledger_lines_done(&server->lines);
    free(server->boots);
    free(server->requests);
    free(server->connections);
    *server = (struct ledger_server){0};
}

static void read_process(struct ledger_server *s, const json_t *record)
{
    const char *event = jsonread_string_or(record, "event", "");
    if (strcmp(event, "start") != 0)
        return;
    struct ledger_boot *boot = &s->boots[s->boot_count++]; /* read_record made room */
    *boot = (struct ledger_boot){.line = s->lines.line};
    ledger_lines_text(&s->lines, record, "boot_id", &boot->id);
    ledger_lines_stamp(&s->lines, record, "wall", &boot->wall_ns);
}

static void read_request(struct ledger_server *s, const json_t *record, uint64_t seq)
{
    struct ledger_request *request = &s->requests[s->request_count++];
    *request =
        (struct ledger_request){.line = s->lines.line, .end_offset = s->lines.end, .seq = seq};
    request->boot = s->boot_count == 0 ? 0 : s->boot_count - 1;
    request->path = request->method = "";
    ledger_lines_must(&s->lines, record, "path");
    ledger_lines_text(&s->lines, record, "path", &request->path);
    ledger_lines_text(&s->lines, record, "method", &request->method);
    ledger_lines_text(&s->lines, record, "test", &request->test);
    ledger_lines_int(&s->lines, record, "conn", &request->conn);
    ledger_lines_text(&s->lines, record, "key", &request->key);
    ledger_lines_text(&s->lines, record, "rule", &request->rule);
    ledger_lines_stamp(&s->lines, record, "wall", &request->wall_ns);
    ledger_lines_texts(&s->lines, record, "input_sha256", &request->inputs, &request->input_count);
    ledger_lines_texts(&s->lines, record, "query", &request->query, &request->query_count);
    if (json_is_integer(json_object_get(record, "attempt"))) /* any client may write anything */
        request->attempt = json_integer_value(json_object_get(record, "attempt"));
    request->sign = slice_glob(SLICE_LITERAL("*/sign/*"), slice_of(request->path));
}

static size_t this_boot(const struct ledger_server *s)
{
    return s->boot_count == 0 ? 0 : s->boot_count - 1;
}

/* The connection of that number in this boot: numbers grow. */
static struct ledger_connection *find_connection(struct ledger_server *s, int64_t conn)
{
    for (size_t i = s->connection_count; i > 0; i--) {
        struct ledger_connection *c = &s->connections[i - 1];
        if (c->boot != this_boot(s) || c->conn <= conn)
            return c->boot == this_boot(s) && c->conn == conn ? c : NULL;
    }
    return NULL;
}

/* A client that closes gives a connection up; any other end is Vault's doing. */
static void read_connection(struct ledger_server *s, const json_t *record)
{
    const char *event = jsonread_string_or(record, "event", "");
    bool by_client = strcmp(jsonread_string_or(record, "how", ""), "client") == 0;
    int64_t conn = 0;
    ledger_lines_int(&s->lines, record, "conn", &conn);
    if (strcmp(event, "accepted") == 0) {
        s->connections[s->connection_count++] =
            (struct ledger_connection){.boot = this_boot(s), .conn = conn};
        s->cut_connections++;
        return;
    }
    struct ledger_connection *c = find_connection(s, conn);
    if (strcmp(event, "closed") != 0 || c == NULL || c->closed_ns != 0)
        return;
    ledger_lines_stamp(&s->lines, record, "wall", &c->closed_ns);
    c->closed_by_peer = by_client;
    s->cut_connections -= by_client && s->cut_connections > 0;
}

static struct ledger_request *find_request(struct ledger_server *s, uint64_t seq)
{
    for (size_t i = s->request_count; i > 0; i--) {
        struct ledger_request *request = &s->requests[i - 1];
        if (request->boot != this_boot(s) || request->seq <= seq)
            return request->boot == this_boot(s) && request->seq == seq ? request : NULL;
    }
    return NULL;
}

static void read_reply(struct ledger_server *s, const json_t *record)
{
    int64_t seq = -1, status = 0;
    bool must = ledger_lines_must(&s->lines, record, "request") &&
                ledger_lines_must(&s->lines, record, "executed");
    ledger_lines_int(&s->lines, record, "request", &seq);
    struct ledger_request *request = must && seq >= 0 ? find_request(s, (uint64_t)seq) : NULL;
    if (request == NULL) {
        ledger_lines_problem(&s->lines, "a reply to request %" PRId64 ", which is not there", seq);
        return;
    }
    request->reply_line = s->lines.line;
    request->sent = strcmp(jsonread_string_or(record, "end", "sent"), "sent") == 0;
    ledger_lines_int(&s->lines, record, "status", &status);
    request->status = status < 0 || status > 999 ? 0 : (int)status;
    ledger_lines_bool(&s->lines, record, "executed", &request->executed);
    ledger_lines_int(&s->lines, record, "key_version", &request->key_version);
    ledger_lines_stamp(&s->lines, record, "wall", &request->reply_wall_ns);
    ledger_lines_texts(&s->lines, record, "signature_sha256", &request->signatures,
                       &request->signature_count);
}

/* A boot begins its numbering anew; within one, no number is left out. */
static void check_seq(struct ledger_server *s, uint64_t seq, bool new_boot)
{
    if (!new_boot && seq != s->next_seq)
        ledger_lines_problem(
            &s->lines, "record %" PRIu64 " follows where %" PRIu64 " was due, lines are missing",
            seq, s->next_seq);
    s->next_seq = seq + 1;
}

static void read_record(struct ledger_server *s, const json_t *record)
{
    int64_t seq = -1;
    const char *kind = jsonread_string_or(record, "kind", "");
    if (!ledger_lines_must(&s->lines, record, "seq"))
        return;
    ledger_lines_int(&s->lines, record, "seq", &seq);
    bool start = strcmp(kind, "process") == 0 &&
                 strcmp(jsonread_string_or(record, "event", ""), "start") == 0;
    check_seq(s, (uint64_t)seq, start);
    if (strcmp(kind, "process") == 0)
        read_process(s, record);
    else if (strcmp(kind, "conn") == 0)
        read_connection(s, record);
    else if (strcmp(kind, "request") == 0)
        read_request(s, record, (uint64_t)seq);
    else if (strcmp(kind, "reply") == 0)
        read_reply(s, record);
}

/* Makes room for one more of each. */
static enum errc make_room(struct ledger_server *s)
{
    TRY(ledger_lines_room((void **)&s->connections, &s->connection_room, s->connection_count,
                          sizeof *s->connections));
    TRY(ledger_lines_room((void **)&s->boots, &s->boot_room, s->boot_count, sizeof *s->boots));
    return ledger_lines_room((void **)&s->requests, &s->request_room, s->request_count,
                             sizeof *s->requests);
}

static enum errc read_line(void *context, struct slice line)
{
    struct ledger_server *s = context;
    json_t *record CLEANUP(jsonread_done) = NULL;
    enum errc code = ERRC_OK;
    TRY(make_room(s));
    if (ledger_lines_object(line, &record, &code))
        read_record(s, record);
    else if (code == ERRC_NOMEM)
        return code;
    else
        ledger_lines_problem(&s->lines, "not a JSON object");
    return pool_status(s->lines.pool, NULL);
}

enum errc ledger_server_feed(struct ledger_server *server, struct slice bytes)
{
    server->found = true;
    return ledger_lines_feed(&server->lines, bytes, read_line, server);
}

void ledger_server_end(struct ledger_server *server)
{
    server->lines.line += server->lines.tail.len > 0;
    if (!server->found)
        ledger_problems_add(server->lines.problems, server->lines.pool, LEDGER_JOURNAL, 0,
                            "there is no such file");
    else if (server->lines.tail.len > 0)
        ledger_lines_problem(&server->lines, "the last line is torn");
}
