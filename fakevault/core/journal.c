#include "fakevault/core/journal.h"

#include "base/text/jsonwrite.h"
#include "base/text/stamp.h"

static const char *const kinds[] = {
    [JOURNAL_PROCESS] = "process", [JOURNAL_CONN] = "conn",       [JOURNAL_REQUEST] = "request",
    [JOURNAL_REPLY] = "reply",     [JOURNAL_CONTROL] = "control",
};

static const char *const hows[] = {
    [JOURNAL_CLOSED_CLIENT] = "client",
    [JOURNAL_CLOSED_SERVER] = "server",
    [JOURNAL_CLOSED_RESET] = "reset",
    [JOURNAL_CLOSED_DRAIN] = "drain",
};

static const char *const ends[] = {
    [JOURNAL_SENT] = "sent",
    [JOURNAL_RESET] = "reset",
    [JOURNAL_DROPPED] = "dropped",
};

/* Readers parse the journal as UTF-8; what is none is shown byte by byte as Latin-1. */
static void add_latin1(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80) {
            buf_add_char(out, (char)c);
        } else {
            buf_add_char(out, (char)(0xc0 | c >> 6));
            buf_add_char(out, (char)(0x80 | (c & 0x3f)));
        }
    }
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

static void text(struct jsonwrite *w, const char *key, struct slice value)
{
    if (value.len == 0)
        return;
    if (value.len > JOURNAL_TEXT_MAX)
        value.len = JOURNAL_TEXT_MAX;
    if (is_ascii(value)) {
        jsonwrite_slice(w, key, value);
        return;
    }
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, (size_t)2 * JOURNAL_TEXT_MAX);
    add_latin1(value, &shown);
    jsonwrite_slice(w, key, buf_slice(&shown));
}

static void hashes(struct jsonwrite *w, const char *key, const struct journal_hash *list,
                   size_t count)
{
    if (count == 0)
        return;
    jsonwrite_array(w, key);
    for (size_t i = 0; i < count; i++)
        jsonwrite_string(w, NULL, list[i].hex);
    jsonwrite_end(w);
}

static void process(struct jsonwrite *w, const struct journal_process *p)
{
    jsonwrite_string(w, "event", p->start ? "start" : "stop");
    jsonwrite_string(w, "boot_id", p->boot_id);
    jsonwrite_int(w, "pid", p->pid);
    jsonwrite_int(w, "seed", (int64_t)p->seed);
    jsonwrite_int(w, "port", p->port);
    jsonwrite_string(w, "storage", p->storage);
}

static void conn(struct jsonwrite *w, const struct journal_conn *c)
{
    const char *event = c->how == JOURNAL_ACCEPTED    ? "accepted"
                        : c->how == JOURNAL_HANDSHAKE ? "handshake"
                                                      : "closed";
    jsonwrite_int(w, "conn", (int64_t)c->conn);
    jsonwrite_string(w, "event", event);
    if (hows[c->how] != NULL)
        jsonwrite_string(w, "how", hows[c->how]);
}

static void attempt(struct jsonwrite *w, struct slice value)
{
    uint64_t n = 0;
    if (slice_to_u64(value, &n) && n <= INT64_MAX)
        jsonwrite_int(w, "attempt", (int64_t)n);
    else
        text(w, "attempt", value);
}

#define QUERY_NAMES_MAX 64
#define QUERY_NAME_BYTES_MAX 64

/* Values stay out: a token may be among them. */
static void query(struct jsonwrite *w, struct slice raw)
{
    if (raw.len == 0)
        return;
    jsonwrite_array(w, "query");
    for (int i = 0; i < QUERY_NAMES_MAX && raw.len > 0; i++) {
        struct slice value = slice_cut(&raw, '&');
        struct slice name = slice_cut(&value, '=');
        name.len = name.len < QUERY_NAME_BYTES_MAX ? name.len : QUERY_NAME_BYTES_MAX;
        text(w, NULL, name);
    }
    jsonwrite_end(w);
}

static void request(struct jsonwrite *w, const struct journal_request *r)
{
    jsonwrite_int(w, "conn", (int64_t)r->conn);
    text(w, "method", r->method);
    text(w, "path", r->path);
    query(w, r->query);
    text(w, "operation", r->operation);
    text(w, "mount", r->mount);
    text(w, "key", r->key);
    text(w, "accessor", r->accessor);
    hashes(w, "input_sha256", r->inputs, r->input_count);
    text(w, "test", r->test);
    attempt(w, r->attempt);
    text(w, "rule", r->rule);
    if (r->roll >= 0)
        jsonwrite_int(w, "roll", r->roll);
}

static void reply(struct jsonwrite *w, const struct journal_reply *r)
{
    jsonwrite_int(w, "request", (int64_t)r->request);
    jsonwrite_int(w, "status", r->status);
    jsonwrite_int(w, "bytes", (int64_t)r->bytes);
    jsonwrite_string(w, "end", ends[r->end]);
    jsonwrite_bool(w, "executed", r->executed);
    if (r->key_version >= 0)
        jsonwrite_int(w, "key_version", r->key_version);
    hashes(w, "signature_sha256", r->signatures, r->signature_count);
}

static void control(struct jsonwrite *w, const struct journal_control *c)
{
    jsonwrite_string(w, "verb", c->verb);
    jsonwrite_int(w, "generation", (int64_t)c->generation);
    if (c->detail.len > 0)
        jsonwrite_raw(w, "detail", c->detail);
}

static void body(struct jsonwrite *w, const struct journal_record *record)
{
    switch (record->kind) {
    case JOURNAL_PROCESS:
        process(w, &record->process);
        return;
    case JOURNAL_CONN:
        conn(w, &record->conn);
        return;
    case JOURNAL_REQUEST:
        request(w, &record->request);
        return;
    case JOURNAL_REPLY:
        reply(w, &record->reply);
        return;
    case JOURNAL_CONTROL:
        control(w, &record->control);
        return;
    }
}

void journal_format(const struct journal_record *record, uint64_t seq, struct instant at,
                    struct buf *out)
{
    char wall[STAMP_BYTES];
    stamp_format(at.wall_ns, STAMP_NANO, wall);
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_int(&w, "seq", (int64_t)seq);
    jsonwrite_string(&w, "kind", kinds[record->kind]);
    jsonwrite_int(&w, "mono_ns", at.mono_ns);
    jsonwrite_string(&w, "wall", wall);
    body(&w, record);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
}
