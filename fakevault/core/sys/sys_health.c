#include <string.h>

#include "base/count.h"
#include "base/units.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/sys_seal.h"

enum health {
    HEALTH_ACTIVE,
    HEALTH_SEALED,
    HEALTH_UNINITIALIZED,
    HEALTH_COUNT,
};

static const struct {
    int status;
    const char *override; /* the query parameter that replaces it */
} healths[HEALTH_COUNT] = {
    [HEALTH_ACTIVE] = {200, "activecode"},
    [HEALTH_SEALED] = {503, "sealedcode"},
    [HEALTH_UNINITIALIZED] = {501, "uninitcode"},
};

/* Read even where they have no effect on a server that is never a standby: a bad value is an error.
 */
static const char *const switches[] = {"standbyok", "perfstandbyok"};
static const char *const codes[] = {"activecode",  "sealedcode",      "uninitcode",
                                    "standbycode", "drsecondarycode", "performancestandbycode"};

/* What Go's Atoi reads. False when the parameter is there and no number. */
static bool read_code(const struct vault_request *request, const char *name, int64_t *out)
{
    char memory[64] = "";
    struct buf text = {.ptr = memory, .cap = sizeof memory, .max = sizeof memory - 1};
    return !request_query(request, name, &text) ||
           gotext_int(buf_slice(&text), 10, out, NULL) == ERRC_OK;
}

static bool query_is_sound(const struct vault_request *request)
{
    int64_t code = 0;
    char memory[64] = "";
    struct buf text = {.ptr = memory, .cap = sizeof memory, .max = sizeof memory - 1};
    for (size_t i = 0; i < COUNT(codes); i++)
        if (!read_code(request, codes[i], &code))
            return false;
    for (size_t i = 0; i < COUNT(switches); i++) {
        bool flag;
        if (request_query(request, switches[i], &text) && text.len > 0 &&
            !field_parse_bool(buf_slice(&text), &flag))
            return false;
    }
    return true;
}

static enum health health_of(const struct vault *v)
{
    if (!seal_initialized(&v->seal))
        return HEALTH_UNINITIALIZED;
    return state_sealed(v) ? HEALTH_SEALED : HEALTH_ACTIVE;
}

void sys_health_read(struct vault_job *job)
{
    const struct vault *v = job->vault;
    enum health health = health_of(v);
    int64_t status = healths[health].status;
    /* Go hangs up on a status that is none; a 400 tells more */
    if (!query_is_sound(&job->request) ||
        !read_code(&job->request, healths[health].override, &status) || status < 100 ||
        status > 999) {
        call_fail_bare(job, 400);
        return;
    }
    bool active = health == HEALTH_ACTIVE;
    struct jsonwrite *w = call_data(job);
    jsonwrite_bool(w, "initialized", seal_initialized(&v->seal));
    jsonwrite_bool(w, "sealed", !active);
    jsonwrite_bool(w, "standby", !active);
    jsonwrite_bool(w, "performance_standby", false);
    jsonwrite_string(w, "replication_performance_mode", active ? "disabled" : "unknown");
    jsonwrite_string(w, "replication_dr_mode", active ? "disabled" : "unknown");
    jsonwrite_int(w, "server_time_utc", job->now.wall_ns / NS_PER_S);
    jsonwrite_string(w, "version", v->version);
    if (active) {
        jsonwrite_string(w, "cluster_name", v->cluster_name);
        jsonwrite_string(w, "cluster_id", v->cluster_id);
    }
    call_answer_status(job, CALL_BARE, (int)status);
    job->executed = true;
}
