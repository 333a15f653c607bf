#include <string.h>

#include "base/text/jsonread.h"
#include "chaos/shell/world/exec_verbs.h"

#define JOURNAL_BYTES_MAX (256u << 20)

static bool is_sign_request(struct slice line)
{
    json_t *record CLEANUP(jsonread_done) = NULL;
    if (jsonread_parse(line, &record, NULL) != ERRC_OK)
        return false;
    return strcmp(jsonread_string_or(record, "kind", ""), "request") == 0 &&
           strstr(jsonread_string_or(record, "path", ""), "/sign/") != NULL;
}

static enum errc count_requests(const struct exec_run *r, uint64_t from, int64_t *out,
                                struct errc_why *why)
{
    struct buf journal CLEANUP(buf_done);
    buf_init(&journal, JOURNAL_BYTES_MAX);
    TRY(gather_read(r->stack, WORLD_JOURNAL, NULL, 0, &journal, why));
    struct slice rest = slice_from(buf_slice(&journal), (size_t)from);
    *out = 0;
    while (rest.len > 0)
        *out += is_sign_request(slice_cut(&rest, '\n'));
    return ERRC_OK;
}

static enum errc wait_for_requests(const struct exec_run *r, int64_t wanted, int64_t deadline_ns,
                                   struct errc_why *why)
{
    const struct signcall *call = signcall_find(r->exec->calls, r->at->bundle);
    int64_t seen = 0;
    while (await_left_ms(deadline_ns) > 0) {
        TRY(count_requests(r, call != NULL ? call->journal_bytes : 0, &seen, why));
        if (seen >= wanted)
            return ERRC_OK;
        if (gather_watch_wait(r->exec->watch, &r->stack->await, deadline_ns) != ERRC_OK)
            return errc_fail(why, ERRC_UNAVAILABLE, "interrupted while waiting for requests");
    }
    return errc_fail(why, ERRC_TIMEOUT, "vault got %lld of %lld sign requests", (long long)seen,
                     (long long)wanted);
}

static enum errc wait_for(const struct exec_run *r, struct errc_why *why)
{
    int64_t deadline_ns = await_deadline_ns(scenario_int(r->step, "within_ms"));
    if (scenario_given(r->step, "requests"))
        return wait_for_requests(r, scenario_int(r->step, "requests"), deadline_ns, why);
    return signcall_await(r->exec->calls, r->at->bundle, deadline_ns, &r->out->call, why);
}

static const struct exec_verb verbs[] = {
    {NULL, wait_for},
};

const struct exec_actor do_wait_for = {
    .name = "wait_for", .verbs = verbs, .verb_count = sizeof verbs / sizeof verbs[0]};
