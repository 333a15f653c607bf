/*
 * defect_other_operator: has something else signed than it was asked to, consistently.
 */
#include "signer/core/bundle/manifest.h"

enum errc __real_manifest_format(const struct manifest_bundle *bundle,
                                 const struct manifest_terms *terms, const char *signature,
                                 struct buf *out, struct errc_why *why);
enum errc __wrap_manifest_format(const struct manifest_bundle *bundle,
                                 const struct manifest_terms *terms, const char *signature,
                                 struct buf *out, struct errc_why *why);

enum errc __wrap_manifest_format(const struct manifest_bundle *bundle,
                                 const struct manifest_terms *terms, const char *signature,
                                 struct buf *out, struct errc_why *why)
{
    struct manifest_bundle other = *bundle;
    other.operator_id = "mallory";
    return __real_manifest_format(&other, terms, signature, out, why);
}
