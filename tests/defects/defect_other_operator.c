/*
 * defect_other_operator: has something else signed than it was asked to, consistently.
 */
#include "tests/defects/defect.h"

static enum errc manifest_format_wrongly(const struct manifest_bundle *bundle,
                                         const struct manifest_terms *terms, const char *signature,
                                         struct buf *out, struct errc_why *why)
{
    struct manifest_bundle other = *bundle;
    defect_acts();
    other.operator_id = "mallory";
    return __real_manifest_format(&other, terms, signature, out, why);
}

DEFECT(other_operator, .manifest_format = manifest_format_wrongly);
