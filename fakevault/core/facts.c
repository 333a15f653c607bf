#include "fakevault/core/facts.h"

#include <string.h>

#include "base/limits.h"
#include "base/text/base64.h"
#include "fakevault/core/api.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/state.h"

/* Transit's paths are matched with its own tables, so that facts and routing cannot disagree. */
static bool match_transit(struct slice below, enum route_operation operation,
                          struct route_match *match)
{
    if (route_find(&ops_table, below, operation, match) || match->path_known)
        return true;
    (void)route_find(&transit_key_table, below, operation, match);
    return match->path_known;
}

/* What is to be signed, hashed or encrypted; NULL: nothing of that. */
static const json_t *find_input(const json_t *item)
{
    const json_t *input = json_object_get(item, "input");
    return input != NULL ? input : json_object_get(item, "plaintext");
}

/* What is no base64 has no bytes to hash. */
static void note_base64(struct vault_job *job, const json_t *input)
{
    struct slice text;
    struct buf bytes CLEANUP(buf_done);
    buf_init(&bytes, LIMIT_REQUEST_BODY_BYTES);
    if (!gojson_string(input, &text))
        return;
    enum errc code = base64_parse(text, BASE64_STANDARD, &bytes, NULL);
    if (code == ERRC_OK)
        code = call_note_input(job, buf_slice(&bytes));
    job->no_memory = job->no_memory || (code != ERRC_OK && code != ERRC_SYNTAX);
}

static void note_inputs(struct vault_job *job)
{
    const json_t *batch = json_object_get(job->data, "batch_input");
    if (!json_is_array(batch)) {
        note_base64(job, find_input(job->data));
        return;
    }
    for (size_t i = 0; i < json_array_size(batch); i++)
        note_base64(job, find_input(json_array_get(batch, i)));
}

static struct slice capture_named(const struct route_match *match, const char *name)
{
    for (size_t i = 0; i < match->capture_count; i++)
        if (slice_equal_text(match->captures[i].name, name))
            return match->captures[i].value;
    return (struct slice){0};
}

void facts_note_inputs(struct vault_job *job)
{
    struct slice rest = buf_slice(&job->path);
    struct route_match match;
    while (slice_find(rest, '/') < rest.len) {
        (void)slice_cut(&rest, '/');
        if (match_transit(rest, job->operation, &match)) {
            note_inputs(job);
            return;
        }
    }
}

void facts_fill(struct vault_job *job)
{
    struct vault_facts *f = &job->facts;
    struct slice path = buf_slice(&job->path);
    f->method = job->request.method;
    f->path = path;
    f->operation = route_operation_name(job->operation);
    if (slice_find(path, '/') == path.len)
        return;
    const struct mount *m = mount_find(&job->vault->mounts, path);
    size_t mount_len = m != NULL ? strlen(m->path) : slice_find(path, '/') + 1;
    f->mount = (struct slice){path.ptr, mount_len};
    struct route_match match;
    if ((m == NULL || m->engine == MOUNT_TRANSIT) &&
        match_transit(slice_from(path, mount_len), job->operation, &match))
        f->key = capture_named(&match, "name");
    else
        f->input_count = 0;
}
