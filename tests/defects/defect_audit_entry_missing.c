/*
 * defect_audit_entry_missing: publishes local signatures that the audit trail does not know.
 */
#include "signer/shell/files/audit_file.h"

enum errc __real_audit_file_append(struct audit_file *file, const struct audit_entry *entry,
                                   struct errc_why *why);
enum errc __wrap_audit_file_append(struct audit_file *file, const struct audit_entry *entry,
                                   struct errc_why *why);

enum errc __wrap_audit_file_append(struct audit_file *file, const struct audit_entry *entry,
                                   struct errc_why *why)
{
    if (entry->action == AUDIT_SIGNED && entry->mode == MANIFEST_FALLBACK)
        return ERRC_OK;
    return __real_audit_file_append(file, entry, why);
}
