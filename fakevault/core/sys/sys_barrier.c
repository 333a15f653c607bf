/* sys_barrier: the terms of the barrier: key-status, rotate (vault-api.md 2.14). */
#include "base/text/stamp.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

static void key_status_finish(struct vault_job *job)
{
    const struct barrier *b = &job->vault->barrier;
    char installed[STAMP_BYTES];
    stamp_format(b->terms[b->term_count - 1].installed_ns, STAMP_GO_NANO, installed);
    struct jsonwrite *w = call_data(job);
    jsonwrite_int(w, "encryptions", (int64_t)b->encryptions);
    jsonwrite_string(w, "install_time", installed);
    jsonwrite_int(w, "term", (int64_t)b->term_count);
    call_answer(job, CALL_INJECTED);
}

static void rotate_finish(struct vault_job *job)
{
    struct errc_why why = {{0}};
    enum errc code = barrier_rotate(&job->vault->barrier, job->now.wall_ns, &why);
    if (code == ERRC_OK)
        call_empty(job);
    else
        call_trouble(job, code, &why);
}

static const struct route_endpoint rows[] = {
    {.pattern = "key-status", .operation = ROUTE_READ, .finish = key_status_finish},
    {.pattern = "rotate", .operation = ROUTE_UPDATE, .finish = rotate_finish},
};

const struct route_table sys_barrier_table = ROUTE_TABLE(rows);
