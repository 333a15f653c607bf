/*
 * defect_audit_entry_missing: publishes local signatures that the audit trail does not know.
 */
#include "tests/defects/defect.h"

static enum errc audit_file_append_wrongly(struct audit_file *file, const struct audit_entry *entry,
                                           struct errc_why *why)
{
    if (entry->action == AUDIT_SIGNED && entry->mode == MANIFEST_FALLBACK) {
        defect_acts();
        return ERRC_OK;
    }
    return __real_audit_file_append(file, entry, why);
}

DEFECT(audit_entry_missing, .audit_file_append = audit_file_append_wrongly);
