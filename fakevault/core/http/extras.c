#include "fakevault/core/http/extras.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* A body of 32 MiB can have a million names: they are sorted, not searched. */
struct names {
    const char **items;
    size_t count;
};

static bool captured(const struct vault_job *job, const char *name)
{
    for (size_t i = 0; i < job->match.capture_count; i++)
        if (slice_equal_text(job->match.captures[i].name, name))
            return true;
    return false;
}

static bool unknown(const struct vault_job *job, const char *name)
{
    return !captured(job, name) && !field_known(job->match.endpoint->fields, name);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void pick(const struct vault_job *job,
                 bool (*wanted)(const struct vault_job *job, const char *name), struct names *out)
{
    const char *name;
    json_t *value;
    out->count = 0;
    json_object_foreach(job->data, name, value)
    {
        if (wanted(job, name))
            out->items[out->count++] = name;
    }
    qsort(out->items, out->count, sizeof *out->items, compare);
}

/* As Go prints a slice: "[a b]". */
static void warn(struct vault_job *job, const char *what, const struct names *names)
{
    struct buf list CLEANUP(buf_done);
    buf_init(&list, 2 * LIMIT_REQUEST_BODY_BYTES);
    for (size_t i = 0; i < names->count; i++)
        buf_addf(&list, "%s%s", i > 0 ? " " : "", names->items[i]);
    if (names->count > 0)
        call_warn(job, "%s: [%s]", what, buf_text(&list));
    job->no_memory = job->no_memory || list.failed;
}

static bool silent(const struct vault_job *job)
{
    const struct route_endpoint *e = job->match.endpoint;
    return e == NULL || e->any_fields || job->bare_protocol || job->raw || !job->executed ||
           json_object_size(job->data) == 0;
}

void extras_warn(struct vault_job *job)
{
    if (silent(job))
        return;
    struct names names = {.items = calloc(json_object_size(job->data), sizeof(const char *))};
    if (names.items == NULL) {
        job->no_memory = true;
        return;
    }
    pick(job, unknown, &names);
    warn(job, "Endpoint ignored these unrecognized parameters", &names);
    pick(job, captured, &names);
    warn(job,
         "Endpoint replaced the value of these parameters with the values captured from the "
         "endpoint's path",
         &names);
    free(names.items);
}
