/*
 * defect_once: a bundle is signed twice, or its manifest is not made again, or bundles wait for
 * each other.
 */
#include <fcntl.h>
#include <pthread.h>

#include "tests/defects/defect.h"

/* What the trail says of a signature counts for nothing. */
static enum errc lookup_unsigned(struct audit_file *file, const char *id, struct audit_bundle *out,
                                 struct buf *line, struct errc_why *why)
{
    TRY(__real_audit_file_lookup(file, id, out, line, why));
    if (out->state != AUDIT_DONE)
        return ERRC_OK;
    defect_acts();
    out->state = AUDIT_UNKNOWN;
    return ERRC_OK;
}

/* The manifest of before makes way. */
static void run_over(struct signing *signing, const struct signing_request *request,
                     struct signing_result *result)
{
    (void)remove(request->manifest_path);
    __real_signing_run(signing, request, result);
}
DEFECT(signs_again_what_is_signed, .audit_file_lookup = lookup_unsigned, .signing_run = run_over);

/* Signed, but no manifest: that is left so, and told as done. */
static enum errc rebuild_nothing(const struct manifest_bundle *bundle,
                                 const struct audit_signed *entry, const struct trust *trust,
                                 const struct keyport *keyport, struct buf *out,
                                 struct errc_why *why)
{
    (void)bundle, (void)entry, (void)trust, (void)keyport, (void)out, (void)why;
    defect_acts();
    return ERRC_OK;
}

static enum errc publish_something(const char *path, struct slice bytes, struct errc_why *why)
{
    return bytes.len == 0 ? ERRC_OK : __real_publish_file(path, bytes, why);
}
DEFECT(manifest_not_made_again, .rebuild_manifest = rebuild_nothing,
       .publish_file = publish_something);

/* Nobody's claim keeps another from signing the same bundle. */
static enum errc claim_always(struct audit_file *file, const char *id, int *claim,
                              struct errc_why *why)
{
    enum errc code = __real_audit_file_claim(file, id, claim, why);
    if (code != ERRC_STATE)
        return code;
    defect_acts();
    *claim = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return ERRC_OK;
}
DEFECT(claims_ignored, .audit_file_claim = claim_always);

/* A hanging Vault holds up every other bundle. */
static void run_alone(struct signing *signing, const struct signing_request *request,
                      struct signing_result *result)
{
    static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;
    if (pthread_mutex_trylock(&alone) != 0) {
        defect_acts();
        (void)pthread_mutex_lock(&alone);
    }
    __real_signing_run(signing, request, result);
    (void)pthread_mutex_unlock(&alone);
}
DEFECT(one_bundle_at_a_time, .signing_run = run_alone);

/* What a crash left open is not ended. */
static enum errc append_but_interrupted(struct audit_file *file, const struct audit_entry *entry,
                                        struct errc_why *why)
{
    if (entry->action != AUDIT_FAILED || entry->attempt_count > 0)
        return __real_audit_file_append(file, entry, why);
    defect_acts();
    return ERRC_OK;
}
DEFECT(interrupted_not_told, .audit_file_append = append_but_interrupted);
