#include "signer/core/service/run_json.h"

#include <stdio.h>
#include <string.h>

#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "base/text/stamp.h"
#include "signer/core/bundle/canonical.h"

#define VERSION 1
#define PATH_BYTES 96

static void write_stamp(struct jsonwrite *w, const char *key, int64_t wall_ns)
{
    char text[STAMP_BYTES];
    stamp_format(wall_ns, STAMP_NANO, text);
    jsonwrite_string(w, key, text);
}

static void write_signing(struct jsonwrite *w, const struct run_signing *signing)
{
    jsonwrite_object(w, "signing");
    jsonwrite_string(w, "mode", signing->mode);
    if (signing->reason[0] != '\0')
        jsonwrite_string(w, "reason", signing->reason);
    jsonwrite_int(w, "attempts", signing->attempts);
    jsonwrite_end(w);
}

static void write_error(struct jsonwrite *w, const struct run_error *error)
{
    jsonwrite_object(w, "error");
    jsonwrite_string(w, "code", error->code);
    jsonwrite_string(w, "message", error->message);
    jsonwrite_end(w);
}

static void write_events(struct jsonwrite *w, const struct run *run)
{
    jsonwrite_array(w, "events");
    for (size_t i = 0; i < run->event_count; i++) {
        jsonwrite_object(w, NULL);
        jsonwrite_string(w, "type", run_event_name(run->events[i].type));
        write_stamp(w, "at", run->events[i].at_ns);
        jsonwrite_end(w);
    }
    jsonwrite_end(w);
}

static void write_links(struct jsonwrite *w, const struct run *run)
{
    char path[PATH_BYTES];
    jsonwrite_object(w, "links");
    (void)snprintf(path, sizeof path, "/api/v1/bundles/%s", run->id);
    jsonwrite_string(w, "self", path);
    (void)snprintf(path, sizeof path, "/api/v1/bundles/%s/manifest", run->id);
    jsonwrite_string(w, "manifest", path);
    jsonwrite_end(w);
}

static void write_run(struct jsonwrite *w, const char *key, const struct run *run)
{
    jsonwrite_object(w, key);
    jsonwrite_string(w, "id", run->id);
    jsonwrite_string(w, "status", run_status_name(run->status));
    write_stamp(w, "createdAt", run->created_ns);
    write_stamp(w, "updatedAt", run->updated_ns);
    if (run->signing.mode[0] != '\0')
        write_signing(w, &run->signing);
    if (run->error.code[0] != '\0')
        write_error(w, &run->error);
    write_events(w, run);
    write_links(w, run);
    jsonwrite_end(w);
}

void run_json_format(const struct run *run, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    write_run(&w, NULL, run);
}

void run_json_store(const struct run *run, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_int(&w, "version", VERSION);
    jsonwrite_string(&w, "service", run->service);
    jsonwrite_string(&w, "contentSha256", run->content_sha256);
    jsonwrite_raw(&w, "bundle", slice_bytes(run->bundle, run->bundle_len));
    write_run(&w, "run", run);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
}

/* Copies object[field] into a text of fixed size. */
static enum errc read_text(const json_t *object, const char *field, char *out, size_t size,
                           struct errc_why *why)
{
    const char *text = NULL;
    TRY(jsonread_string(object, field, &text, why));
    if (strlen(text) >= size)
        return errc_fail(why, ERRC_TOO_BIG, "field \"%s\" has more than %zu bytes", field,
                         size - 1);
    strcpy(out, text);
    return ERRC_OK;
}

static enum errc read_stamp(const json_t *object, const char *field, int64_t *out,
                            struct errc_why *why)
{
    const char *text = NULL;
    TRY(jsonread_string(object, field, &text, why));
    if (!stamp_parse(slice_of(text), out))
        return errc_fail(why, ERRC_SCHEMA, "field \"%s\" is \"%.40s\", want a time stamp", field,
                         text);
    return ERRC_OK;
}

static enum errc read_signing(const json_t *object, struct run_signing *out, struct errc_why *why)
{
    json_t *signing = NULL;
    if (!jsonread_has(object, "signing"))
        return ERRC_OK;
    TRY(jsonread_object(object, "signing", &signing, why));
    TRY(read_text(signing, "mode", out->mode, sizeof out->mode, why));
    if (jsonread_has(signing, "reason"))
        TRY(read_text(signing, "reason", out->reason, sizeof out->reason, why));
    return jsonread_int(signing, "attempts", 0, INT32_MAX, &out->attempts, why);
}

static enum errc read_error(const json_t *object, struct run_error *out, struct errc_why *why)
{
    json_t *error = NULL;
    if (!jsonread_has(object, "error"))
        return ERRC_OK;
    TRY(jsonread_object(object, "error", &error, why));
    TRY(read_text(error, "code", out->code, sizeof out->code, why));
    return read_text(error, "message", out->message, sizeof out->message, why);
}

static enum errc read_event(const json_t *object, struct run_event *out, struct errc_why *why)
{
    const char *type = NULL;
    TRY(jsonread_string(object, "type", &type, why));
    if (!run_event_parse(slice_of(type), &out->type))
        return errc_fail(why, ERRC_SCHEMA, "event \"%.40s\" is unknown", type);
    return read_stamp(object, "at", &out->at_ns, why);
}

static enum errc read_events(const json_t *object, struct run *run, struct errc_why *why)
{
    json_t *events = NULL;
    TRY(jsonread_array(object, "events", &events, why));
    size_t count = json_array_size(events);
    if (count > RUN_EVENTS_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "field \"events\" has %zu entries, at most %u", count,
                         RUN_EVENTS_MAX);
    for (size_t i = 0; i < count; i++)
        TRY(read_event(json_array_get(events, i), &run->events[i], why));
    run->event_count = count;
    return ERRC_OK;
}

static enum errc read_run(const json_t *object, struct run *run, struct errc_why *why)
{
    const char *status = NULL;
    TRY(read_text(object, "id", run->id, sizeof run->id, why));
    TRY(jsonread_string(object, "status", &status, why));
    if (!run_status_parse(slice_of(status), &run->status))
        return errc_fail(why, ERRC_SCHEMA, "status \"%.40s\" is unknown", status);
    TRY(read_stamp(object, "createdAt", &run->created_ns, why));
    TRY(read_stamp(object, "updatedAt", &run->updated_ns, why));
    TRY(read_signing(object, &run->signing, why));
    TRY(read_error(object, &run->error, why));
    return read_events(object, run, why);
}

/* Writes the document anew and holds it against its hash. */
static enum errc read_bundle(const json_t *root, struct run *run, struct errc_why *why)
{
    json_t *bundle = NULL;
    char sha256[DIGEST_HEX_BYTES];
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_FILE_BYTES);
    TRY(jsonread_object(root, "bundle", &bundle, why));
    TRY(canonical_format(bundle, &text, why));
    digest_sha256_hex(buf_slice(&text), sha256);
    if (strcmp(sha256, run->content_sha256) != 0)
        return errc_fail(why, ERRC_CRYPTO, "field \"bundle\" has the hash %s, want %s", sha256,
                         run->content_sha256);
    run->bundle = buf_take(&text, &run->bundle_len);
    return run->bundle == NULL ? errc_fail(why, ERRC_NOMEM, "out of memory") : ERRC_OK;
}

static enum errc read_root(const json_t *root, struct run *run, struct errc_why *why)
{
    int64_t version = 0;
    json_t *object = NULL;
    TRY(jsonread_int(root, "version", VERSION, VERSION, &version, why));
    TRY(read_text(root, "service", run->service, sizeof run->service, why));
    TRY(read_text(root, "contentSha256", run->content_sha256, sizeof run->content_sha256, why));
    TRY(jsonread_object(root, "run", &object, why));
    TRY(read_run(object, run, why));
    return read_bundle(root, run, why);
}

enum errc run_json_parse(struct slice text, struct run *out, struct errc_why *why)
{
    json_t *root CLEANUP(jsonread_done) = NULL;
    *out = (struct run){0};
    TRY(jsonread_parse(text, &root, why));
    enum errc code = read_root(root, out, why);
    if (code != ERRC_OK)
        run_done(out);
    return code;
}
