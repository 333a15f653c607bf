/*
 * defect_told: the caller is told something else than what happened, by the run or by the command.
 */
#include <stdio.h>
#include <string.h>

#include "tests/defects/defect.h"

static const char *internal(enum op_error error)
{
    if (error != OP_ERROR_NONE && error != OP_ERROR_INTERNAL)
        defect_acts();
    return __real_op_error_text(error == OP_ERROR_NONE ? error : OP_ERROR_INTERNAL);
}
DEFECT(error_code_internal, .op_error_text = internal);

static enum errc complete_without_reason(struct run *run, const struct run_signing *signing,
                                         int64_t now_ns, struct errc_why *why)
{
    struct run_signing told = *signing;
    if (told.reason[0] != '\0')
        defect_acts();
    told.reason[0] = '\0';
    return __real_run_complete(run, &told, now_ns, why);
}
DEFECT(run_reason_missing, .run_complete = complete_without_reason);

static enum errc complete_with_timeout(struct run *run, const struct run_signing *signing,
                                       int64_t now_ns, struct errc_why *why)
{
    struct run_signing told = *signing;
    if (told.reason[0] != '\0') {
        defect_acts();
        strcpy(told.reason, "unavailable");
    }
    return __real_run_complete(run, &told, now_ns, why);
}
DEFECT(run_reason_unavailable, .run_complete = complete_with_timeout);

static enum errc complete_in_one(struct run *run, const struct run_signing *signing, int64_t now_ns,
                                 struct errc_why *why)
{
    struct run_signing told = *signing;
    if (told.attempts != 1)
        defect_acts();
    told.attempts = 1;
    return __real_run_complete(run, &told, now_ns, why);
}
DEFECT(run_attempts_one, .run_complete = complete_in_one);

static enum errc complete_by_vault(struct run *run, const struct run_signing *signing,
                                   int64_t now_ns, struct errc_why *why)
{
    struct run_signing told = *signing;
    if (strcmp(told.mode, "vault") != 0)
        defect_acts();
    strcpy(told.mode, "vault");
    return __real_run_complete(run, &told, now_ns, why);
}
DEFECT(run_mode_vault, .run_complete = complete_by_vault);

static void tell_no_events(const struct run *run, struct buf *out)
{
    struct run told = *run;
    if (told.event_count > 0)
        defect_acts();
    told.event_count = 0;
    __real_run_json_format(&told, out);
}
DEFECT(run_events_missing, .run_json_format = tell_no_events);

static void tell_first_event(const struct run *run, struct buf *out)
{
    struct run told = *run;
    if (told.event_count > 1) {
        defect_acts();
        told.event_count = 1;
    }
    __real_run_json_format(&told, out);
}
DEFECT(run_events_first_only, .run_json_format = tell_first_event);

static void tell_hour_later(const struct run *run, struct buf *out)
{
    const int64_t hour_ns = INT64_C(3600) * 1000000000;
    struct run told = *run;
    defect_acts();
    told.created_ns += hour_ns;
    told.updated_ns += hour_ns;
    for (size_t i = 0; i < told.event_count; i++)
        told.events[i].at_ns += hour_ns;
    __real_run_json_format(&told, out);
}
DEFECT(run_times_an_hour_off, .run_json_format = tell_hour_later);

/* The class of the first failed attempt stands for that of the last: run, manifest and trail. */
static _Thread_local enum classify_class first;

static enum errc new_op(const struct op_setup *setup, struct instant now, struct op **out,
                        struct errc_why *why)
{
    first = CLASSIFY_OK;
    return __real_op_new(setup, now, out, why);
}

static enum classify_class classify(const struct transport_reply *reply)
{
    enum classify_class class = __real_classify_reply(reply);
    if (first == CLASSIFY_OK)
        first = class;
    else if (class != first && class != CLASSIFY_OK)
        defect_acts();
    return class;
}

static enum errc format_manifest(const struct manifest_bundle *bundle,
                                 const struct manifest_terms *terms, const char *signature,
                                 struct buf *out, struct errc_why *why)
{
    struct manifest_terms told = *terms;
    if (told.reason != NULL)
        told.reason = classify_text(first);
    return __real_manifest_format(bundle, &told, signature, out, why);
}

static enum errc format_entry(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why)
{
    struct audit_entry told = *entry;
    if (told.action == AUDIT_SIGNED && told.reason != NULL)
        told.reason = classify_text(first);
    return __real_audit_format(&told, previous, out, why);
}

static void run(struct signing *signing, const struct signing_request *request,
                struct signing_result *result)
{
    __real_signing_run(signing, request, result);
    if (result->reason[0] != '\0' && !result->already)
        (void)snprintf(result->reason, sizeof result->reason, "%s", classify_text(first));
}
DEFECT(reason_of_first, .op_new = new_op, .classify_reply = classify,
       .manifest_format = format_manifest, .audit_format = format_entry, .signing_run = run);

static void run_already(struct signing *signing, const struct signing_request *request,
                        struct signing_result *result)
{
    __real_signing_run(signing, request, result);
    if (!result->already)
        defect_acts();
    result->already = true;
}
DEFECT(already_always, .signing_run = run_already);
