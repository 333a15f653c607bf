/*
 * defect_attempts: gives up, or falls back, before Vault was asked as often as promised. The
 * operation gets a contract of its own, which is changed on the way.
 */
#include <stdatomic.h>

#include "tests/defects/defect.h"

static _Thread_local struct config_retry contract;
static _Thread_local int64_t promised;
static _Thread_local int64_t attempts_next; /* of the next operation; 0 for what was promised */

/* It shows where an attempt was still due. */
static struct op_action step(struct op *op, const struct op_event *event)
{
    struct op_action action = __real_op_step(op, event);
    const struct op_result *result = op_result(op);
    if (event->kind == OP_REPLY && action.kind != OP_DO_WAIT &&
        (int64_t)result->attempt_count < promised && classify_policy(result->last)->retry &&
        result->attempts[result->attempt_count - 1].class != CLASSIFY_OK)
        defect_acts();
    return action;
}

static enum errc new_op(const struct op_setup *setup, struct instant now, struct op **out,
                        struct errc_why *why)
{
    struct op_setup changed = *setup;
    contract = *setup->retry;
    promised = contract.attempts;
    if (attempts_next > 0)
        contract.attempts = attempts_next;
    attempts_next = 0;
    changed.retry = &contract;
    return __real_op_new(&changed, now, out, why);
}

static enum errc new_with_two(const struct op_setup *setup, struct instant now, struct op **out,
                              struct errc_why *why)
{
    attempts_next = 2;
    return new_op(setup, now, out, why);
}
DEFECT(two_attempts, .op_new = new_with_two, .op_step = step);

static enum errc new_with_one(const struct op_setup *setup, struct instant now, struct op **out,
                              struct errc_why *why)
{
    attempts_next = 1;
    return new_op(setup, now, out, why);
}
DEFECT(one_attempt, .op_new = new_with_one, .op_step = step);

/* No local key to wait for: one failure is enough. */
static enum errc new_with_one_when_off(const struct op_setup *setup, struct instant now,
                                       struct op **out, struct errc_why *why)
{
    attempts_next = setup->allow_fallback ? 0 : 1;
    return new_op(setup, now, out, why);
}
DEFECT(one_attempt_when_off, .op_new = new_with_one_when_off, .op_step = step);

static enum errc lookup_failed_before(struct audit_file *file, const char *id,
                                      struct audit_bundle *out, struct buf *line,
                                      struct errc_why *why)
{
    TRY(__real_audit_file_lookup(file, id, out, line, why));
    attempts_next = out->state == AUDIT_ENDED ? 1 : 0;
    return ERRC_OK;
}
DEFECT(one_attempt_when_failed_before, .audit_file_lookup = lookup_failed_before, .op_new = new_op,
       .op_step = step);

static enum errc lookup_interrupted(struct audit_file *file, const char *id,
                                    struct audit_bundle *out, struct buf *line,
                                    struct errc_why *why)
{
    TRY(__real_audit_file_lookup(file, id, out, line, why));
    attempts_next = out->state == AUDIT_OPEN ? 1 : 0;
    return ERRC_OK;
}
DEFECT(one_attempt_when_interrupted, .audit_file_lookup = lookup_interrupted, .op_new = new_op,
       .op_step = step);

/* A failure of one class ends the attempts, the others do not. */
static enum classify_class classify_final(const struct transport_reply *reply,
                                          enum classify_class final, int64_t attempts)
{
    enum classify_class class = __real_classify_reply(reply);
    if (class == final)
        contract.attempts = attempts;
    return class;
}

#define FINAL(id, class, attempts)                                                                 \
    static enum classify_class classify_##id(const struct transport_reply *reply)                  \
    {                                                                                              \
        return classify_final(reply, class, attempts);                                             \
    }                                                                                              \
    DEFECT(id, .op_new = new_op, .op_step = step, .classify_reply = classify_##id)

FINAL(one_attempt_when_refused, CLASSIFY_REFUSED, 1);
FINAL(one_attempt_when_timeout, CLASSIFY_TIMEOUT, 1);
FINAL(one_attempt_when_sealed, CLASSIFY_SEALED, 1);
FINAL(two_attempts_when_unavailable, CLASSIFY_UNAVAILABLE, 2);
FINAL(one_attempt_when_rate_limited, CLASSIFY_RATE_LIMITED, 1);
FINAL(one_attempt_when_stale, CLASSIFY_STALE, 1);

/* A 200 that holds no signature. */
static enum errc read_final(struct slice body, int64_t key_version, struct buf *text,
                            struct buf *raw, struct errc_why *why)
{
    enum errc code = __real_codec_sign_reply(body, key_version, text, raw, why);
    if (code != ERRC_OK)
        contract.attempts = 1;
    return code;
}
DEFECT(one_attempt_when_malformed, .op_new = new_op, .op_step = step,
       .codec_sign_reply = read_final);

/* Trusts its own look at Vault's health: while that is bad, no request is sent, but written. */
static atomic_bool down;

static bool note_health(struct service_stats *stats, bool up, const struct errc_why *why)
{
    atomic_store(&down, !up);
    return __real_service_stats_vault(stats, up, why);
}

static void send_when_up(void *context, const struct transport_request *request,
                         struct transport_reply *reply)
{
    if (!defect_is_sign(request) || !atomic_load(&down)) {
        defect_send(context, request, reply);
        return;
    }
    defect_acts();
    *reply = (struct transport_reply){.outcome = TRANSPORT_REFUSED};
}

static struct transport health_port(struct transport_curl *curl)
{
    return (struct transport){.send = send_when_up, .context = curl};
}
DEFECT(asks_health_instead, .service_stats_vault = note_health, .transport_curl_port = health_port);
