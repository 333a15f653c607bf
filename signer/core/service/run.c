#include "signer/core/service/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

static const char *const status_names[RUN_STATUS_COUNT] = {
    [RUN_PENDING] = "pending", [RUN_RUNNING] = "running", [RUN_COMPLETED] = "completed",
    [RUN_FAILED] = "failed",   [RUN_BLOCKED] = "blocked",
};

static const char *const event_names[RUN_EVENT_COUNT] = {
    [RUN_STARTED] = "RUN_STARTED",
    [RUN_VALIDATION_FAILED] = "VALIDATION_FAILED",
    [RUN_MANIFEST_SIGNED] = "MANIFEST_SIGNED",
    [RUN_FINISHED] = "RUN_COMPLETED",
};

static const char *const trigger_names[RUN_TRIGGER_COUNT] = {
    [RUN_START] = "start", [RUN_COMPLETE] = "complete", [RUN_REFUSE] = "refuse",
    [RUN_BLOCK] = "block", [RUN_RETRY] = "retry",       [RUN_RESUME] = "resume",
};

struct target {
    bool allowed;
    enum run_status to;
};

/* What is not listed is not allowed. */
static const struct target transitions[RUN_STATUS_COUNT][RUN_TRIGGER_COUNT] = {
    [RUN_PENDING] = {[RUN_START] = {true, RUN_RUNNING}, [RUN_RESUME] = {true, RUN_PENDING}},
    [RUN_RUNNING] = {[RUN_COMPLETE] = {true, RUN_COMPLETED},
                     [RUN_REFUSE] = {true, RUN_FAILED},
                     [RUN_BLOCK] = {true, RUN_BLOCKED},
                     [RUN_RESUME] = {true, RUN_PENDING}},
    [RUN_BLOCKED] = {[RUN_RETRY] = {true, RUN_PENDING}, [RUN_RESUME] = {true, RUN_PENDING}},
};

enum errc run_init(struct run *run, const char *id, const char *service, struct slice bundle,
                   int64_t now_ns, struct errc_why *why)
{
    *run = (struct run){.status = RUN_PENDING, .created_ns = now_ns, .updated_ns = now_ns};
    CHECK(strlen(id) < sizeof run->id && strlen(service) < sizeof run->service);
    strcpy(run->id, id);
    strcpy(run->service, service);
    digest_sha256_hex(bundle, run->content_sha256);
    run->bundle = slice_dup(bundle);
    run->bundle_len = bundle.len;
    return run->bundle == NULL ? errc_fail(why, ERRC_NOMEM, "out of memory") : ERRC_OK;
}

void run_done(struct run *run)
{
    if (run == NULL)
        return;
    free(run->bundle);
    *run = (struct run){0};
}

static void add_event(struct run *run, enum run_event_type type, int64_t at_ns)
{
    if (run->event_count == RUN_EVENTS_MAX) {
        memmove(&run->events[1], &run->events[2], (RUN_EVENTS_MAX - 2) * sizeof *run->events);
        run->event_count--;
    }
    run->events[run->event_count++] = (struct run_event){type, at_ns};
}

static enum errc step(struct run *run, enum run_trigger trigger, int64_t now_ns,
                      struct errc_why *why)
{
    const struct target *target = &transitions[run->status][trigger];
    if (!target->allowed)
        return errc_fail(why, ERRC_STATE, "cannot %s run \"%s\": it is %s", trigger_names[trigger],
                         run->id, run_status_name(run->status));
    run->status = target->to;
    run->updated_ns = now_ns;
    run->error = (struct run_error){0};
    return ERRC_OK;
}

static void copy_cut(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(out, text, len);
    out[len] = '\0';
}

static void set_error(struct run *run, const char *code, const char *message)
{
    copy_cut(run->error.code, sizeof run->error.code, code);
    copy_cut(run->error.message, sizeof run->error.message, message);
}

enum errc run_start(struct run *run, int64_t now_ns, struct errc_why *why)
{
    TRY(step(run, RUN_START, now_ns, why));
    add_event(run, RUN_STARTED, now_ns);
    return ERRC_OK;
}

enum errc run_complete(struct run *run, const struct run_signing *signing, int64_t now_ns,
                       struct errc_why *why)
{
    TRY(step(run, RUN_COMPLETE, now_ns, why));
    run->signing = *signing;
    add_event(run, RUN_MANIFEST_SIGNED, now_ns);
    add_event(run, RUN_FINISHED, now_ns);
    return ERRC_OK;
}

enum errc run_refuse(struct run *run, const char *code, const char *message, bool invalid,
                     int64_t now_ns, struct errc_why *why)
{
    TRY(step(run, RUN_REFUSE, now_ns, why));
    set_error(run, code, message);
    if (invalid)
        add_event(run, RUN_VALIDATION_FAILED, now_ns);
    return ERRC_OK;
}

enum errc run_block(struct run *run, const char *code, const char *message, int64_t now_ns,
                    struct errc_why *why)
{
    TRY(step(run, RUN_BLOCK, now_ns, why));
    set_error(run, code, message);
    return ERRC_OK;
}

enum errc run_retry(struct run *run, int64_t now_ns, struct errc_why *why)
{
    return step(run, RUN_RETRY, now_ns, why);
}

enum errc run_resume(struct run *run, int64_t now_ns, struct errc_why *why)
{
    return step(run, RUN_RESUME, now_ns, why);
}

bool run_settled(enum run_status status)
{
    return status == RUN_COMPLETED || status == RUN_FAILED || status == RUN_BLOCKED;
}

const char *run_status_name(enum run_status status)
{
    return status_names[status];
}

bool run_status_parse(struct slice name, enum run_status *out)
{
    for (int i = 0; i < RUN_STATUS_COUNT; i++) {
        if (slice_equal_text(name, status_names[i])) {
            *out = (enum run_status)i;
            return true;
        }
    }
    return false;
}

const char *run_event_name(enum run_event_type type)
{
    return event_names[type];
}

bool run_event_parse(struct slice name, enum run_event_type *out)
{
    for (int i = 0; i < RUN_EVENT_COUNT; i++) {
        if (slice_equal_text(name, event_names[i])) {
            *out = (enum run_event_type)i;
            return true;
        }
    }
    return false;
}
