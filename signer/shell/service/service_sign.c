#include "signer/shell/service/service_sign.h"

#include <string.h>

#include "base/bug.h"
#include "signer/shell/service/run_store.h"
#include "signer/shell/service/service_stats.h"

static enum errc complete(struct run *run, const struct signing_result *result, int64_t now_ns,
                          struct errc_why *why)
{
    struct run_signing signing = {.attempts = result->attempts};
    strcpy(signing.mode, manifest_mode_text(result->op.mode));
    _Static_assert(sizeof result->reason <= sizeof signing.reason, "a reason fits");
    strcpy(signing.reason, result->reason);
    return run_complete(run, &signing, now_ns, why);
}

enum errc service_sign_apply(struct run *run, const struct signing_result *result, int64_t now_ns,
                             struct errc_why *why)
{
    const char *code = op_error_text(result->op.error);
    const char *message = result->op.message;
    switch (result->op.status) {
    case OP_COMPLETED:
        return complete(run, result, now_ns, why);
    case OP_BLOCKED:
        return run_block(run, code, message, now_ns, why);
    case OP_FAILED:
        break;
    }
    if (result->retryable)
        return run_block(run, code, message, now_ns, why);
    bool invalid = errc_class(result->code) == ERRC_CLASS_INVALID;
    return run_refuse(run, code, message, invalid, now_ns, why);
}

static enum errc sign(struct service_sign *s, struct run *run, const struct manifest_bundle *bundle,
                      struct errc_why *why)
{
    struct buf path CLEANUP(buf_done) = {0};
    struct signing_result result = {0};
    TRY(run_store_manifest_path(s->store, run->id, &path, why));
    struct signing_request request = {
        .bundle = bundle, .actor = &s->actor, .manifest_path = buf_text(&path)};
    signing_run(s->signing, &request, &result);
    struct instant now = s->clock.now(s->clock.context);
    if (!result.already)
        service_stats_signing(s->stats, &result.op, now.mono_ns);
    return service_sign_apply(run, &result, now.wall_ns, why);
}

void service_sign_run(void *context, struct run *run)
{
    struct service_sign *s = context;
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct errc_why why = {0};
    enum errc code = manifest_bundle_parse(slice_bytes(run->bundle, run->bundle_len),
                                           MANIFEST_REQUEST, &bundle, &why);
    bool invalid = errc_class(code) == ERRC_CLASS_INVALID;
    if (code == ERRC_OK)
        code = sign(s, run, &bundle, &why);
    if (code == ERRC_OK)
        return;
    int64_t now_ns = s->clock.now(s->clock.context).wall_ns;
    code = invalid ? run_refuse(run, "invalid_bundle", why.text, true, now_ns, NULL)
                   : run_block(run, "internal", why.text, now_ns, NULL);
    CHECK(code == ERRC_OK);
}
