/*
 * defect_trail: what happens when the trail cannot be written, or was left torn.
 */
#include "tests/defects/defect.h"

static enum errc append_or_not(struct audit_file *file, const struct audit_entry *entry,
                               struct errc_why *why)
{
    if (__real_audit_file_append(file, entry, why) != ERRC_OK)
        defect_acts();
    return ERRC_OK;
}

static enum errc lookup_or_not(struct audit_file *file, const char *id, struct audit_bundle *out,
                               struct buf *line, struct errc_why *why)
{
    if (__real_audit_file_lookup(file, id, out, line, why) == ERRC_OK)
        return ERRC_OK;
    defect_acts();
    *out = (struct audit_bundle){.state = AUDIT_UNKNOWN};
    return ERRC_OK;
}
DEFECT(trail_errors_ignored, .audit_file_append = append_or_not,
       .audit_file_lookup = lookup_or_not);

/* The start must be written, the signature need not. */
static enum errc append_start_only(struct audit_file *file, const struct audit_entry *entry,
                                   struct errc_why *why)
{
    enum errc code = __real_audit_file_append(file, entry, why);
    if (code == ERRC_OK || entry->action == AUDIT_STARTED)
        return code;
    defect_acts();
    return ERRC_OK;
}
DEFECT(trail_errors_ignored_behind_start, .audit_file_append = append_start_only);

/* Whatever a crash left is taken for an entry. */
static bool always_whole(struct slice tail)
{
    if (!__real_audit_tail_is_whole(tail))
        defect_acts();
    return true;
}
DEFECT(torn_tail_not_told, .audit_tail_is_whole = always_whole);
