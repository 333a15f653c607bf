/*
 * defect_wrong_signing_mode: writes signingMode vault over a signature of the local key.
 */
#include "signer/core/trail/audit.h"

enum errc __real_audit_format(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why);
enum errc __wrap_audit_format(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why);

enum errc __wrap_audit_format(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why)
{
    struct audit_entry lie = *entry;
    lie.mode = MANIFEST_VAULT;
    return __real_audit_format(&lie, previous, out, why);
}
