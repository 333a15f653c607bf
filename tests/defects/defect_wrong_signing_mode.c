/*
 * defect_wrong_signing_mode: writes signingMode vault over a signature of the local key.
 */
#include "tests/defects/defect.h"

static enum errc audit_format_wrongly(const struct audit_entry *entry, const char *previous,
                                      struct buf *out, struct errc_why *why)
{
    struct audit_entry lie = *entry;
    if (lie.action == AUDIT_SIGNED && lie.mode == MANIFEST_FALLBACK)
        defect_acts();
    lie.mode = MANIFEST_VAULT;
    return __real_audit_format(&lie, previous, out, why);
}

DEFECT(wrong_signing_mode, .audit_format = audit_format_wrongly);
