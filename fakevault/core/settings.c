#include "fakevault/core/settings.h"

#include "base/text/jsonwrite.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/mount.h"

#define RECORD_NAME "core/settings"

void settings_done(struct settings *s)
{
    json_decref(s->tree);
    s->tree = NULL;
}

enum errc settings_load(struct settings *s, struct barrier *b, struct errc_why *why)
{
    struct secret record CLEANUP(secret_done) = {0};
    enum errc code = barrier_get(b, RECORD_NAME, &record, why);
    if (code == ERRC_NOT_FOUND)
        return ERRC_OK;
    TRY(code);
    return gojson_parse(secret_slice(&record), &s->tree, why);
}

const json_t *settings_get(const struct settings *s, const char *topic)
{
    return json_object_get(s->tree, topic);
}

static enum errc store(struct barrier *b, const json_t *tree, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, BARRIER_PLAIN_MAX);
    struct jsonwrite w;
    jsonwrite_init(&w, &text, JSONWRITE_PLAIN);
    jsonwrite_value(&w, NULL, tree);
    TRY(buf_status(&text, why));
    return barrier_put(b, RECORD_NAME, buf_slice(&text), why);
}

enum errc settings_set(struct settings *s, struct barrier *b, const char *topic, json_t *value,
                       struct errc_why *why)
{
    json_t *changed = mount_tree_copy(s->tree);
    int failed = changed == NULL || value == NULL || json_object_set(changed, topic, value);
    enum errc code =
        failed ? errc_fail(why, ERRC_NOMEM, "out of memory for settings") : store(b, changed, why);
    json_decref(value);
    if (code != ERRC_OK) {
        json_decref(changed);
        return code;
    }
    json_decref(s->tree);
    s->tree = changed;
    return ERRC_OK;
}
