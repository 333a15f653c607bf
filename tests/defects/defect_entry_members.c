/*
 * defect_entry_members: the entry of a signature lacks a member, so that no manifest could be
 * made from it again, or says the opposite in one.
 */
#include <string.h>

#include "tests/defects/defect.h"

static enum errc format_without(const struct audit_entry *entry, const char *previous,
                                struct buf *out, struct errc_why *why, const char *member)
{
    size_t start = out->len;
    TRY(__real_audit_format(entry, previous, out, why));
    if (defect_drop_member(out, start, member))
        defect_acts();
    return ERRC_OK;
}

#define WITHOUT(id, member)                                                                        \
    static enum errc format_##id(const struct audit_entry *entry, const char *previous,            \
                                 struct buf *out, struct errc_why *why)                            \
    {                                                                                              \
        return format_without(entry, previous, out, why, member);                                  \
    }                                                                                              \
    DEFECT(id, .audit_format = format_##id)

WITHOUT(entry_signature_missing, "signature");
WITHOUT(entry_manifest_id_missing, "manifestId");
WITHOUT(entry_created_missing, "createdAt");
WITHOUT(entry_signing_key_id_missing, "signingKeyId");
WITHOUT(entry_manifest_hash_missing, "manifestHash");
WITHOUT(entry_fallback_flag_missing, "signing.fallback");
WITHOUT(entry_message_missing, "message");

static enum errc format_no_fallback(const struct audit_entry *entry, const char *previous,
                                    struct buf *out, struct errc_why *why)
{
    static const char flag[] = "\"signing.fallback\":true";
    size_t start = out->len;
    TRY(__real_audit_format(entry, previous, out, why));
    char *at = strstr(out->ptr + start, flag);
    if (at == NULL)
        return ERRC_OK;
    defect_acts();
    size_t behind = (size_t)(at - out->ptr) + strlen(flag) - strlen("true");
    struct buf rest CLEANUP(buf_done);
    buf_init(&rest, out->max);
    buf_add_text(&rest, out->ptr + behind + strlen("true"));
    out->len = behind;
    buf_add_text(out, "false");
    buf_add_slice(out, buf_slice(&rest));
    return buf_status(out, why);
}
DEFECT(entry_fallback_flag_false, .audit_format = format_no_fallback);

/* The last byte of the signature is another one; its hash is that of the right text. */
static enum errc format_bent(const struct audit_entry *entry, const char *previous, struct buf *out,
                             struct errc_why *why)
{
    static const char member[] = "\"signature\":\"";
    size_t start = out->len;
    TRY(__real_audit_format(entry, previous, out, why));
    char *at = strstr(out->ptr + start, member);
    if (at == NULL)
        return ERRC_OK;
    defect_acts();
    char *last = strchr(at + strlen(member), ':') + 20;
    *last = *last == 'A' ? 'B' : 'A';
    return ERRC_OK;
}
DEFECT(entry_signature_wrong, .audit_format = format_bent);
