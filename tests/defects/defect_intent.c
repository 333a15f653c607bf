/*
 * defect_intent: the trail does not announce what Vault is asked to sign, or not in time, or
 * announces something else. The entry of the start is held back and written when it suits.
 */
#include <string.h>

#include "tests/defects/defect.h"

static _Thread_local struct held {
    bool is;
    struct audit_file *file;
    struct audit_entry entry;
    char input_sha256[DIGEST_HEX_BYTES];
    char key_fingerprint[KEYPORT_FINGERPRINT_BYTES];
} held;

static void hold(struct audit_file *file, const struct audit_entry *entry)
{
    held = (struct held){.is = true, .file = file, .entry = *entry};
    strcpy(held.input_sha256, entry->input_sha256);
    strcpy(held.key_fingerprint, entry->key_fingerprint);
    held.entry.input_sha256 = held.input_sha256;
    held.entry.key_fingerprint = held.key_fingerprint;
}

static enum errc write_held(struct errc_why *why)
{
    if (!held.is)
        return ERRC_OK;
    defect_acts();
    held.is = false;
    return __real_audit_file_append(held.file, &held.entry, why);
}

/* Start and result are written together, when there is a result. */
static enum errc append_with_result(struct audit_file *file, const struct audit_entry *entry,
                                    struct errc_why *why)
{
    if (entry->action == AUDIT_STARTED) {
        hold(file, entry);
        return ERRC_OK;
    }
    TRY(write_held(why));
    return __real_audit_file_append(file, entry, why);
}
DEFECT(intent_with_result, .audit_file_append = append_with_result);

/* Only a signature has its start; a failure stands alone. */
static enum errc append_of_signed(struct audit_file *file, const struct audit_entry *entry,
                                  struct errc_why *why)
{
    if (entry->action != AUDIT_FAILED || !held.is)
        return append_with_result(file, entry, why);
    defect_acts();
    held.is = false;
    return __real_audit_file_append(file, entry, why);
}
DEFECT(intent_only_of_signed, .audit_file_append = append_of_signed);

static enum errc append_no_start(struct audit_file *file, const struct audit_entry *entry,
                                 struct errc_why *why)
{
    if (entry->action != AUDIT_STARTED)
        return __real_audit_file_append(file, entry, why);
    defect_acts();
    return ERRC_OK;
}
DEFECT(intent_never, .audit_file_append = append_no_start);

/* The start is written once the first attempt has come back. */
static void send_then_write(void *context, const struct transport_request *request,
                            struct transport_reply *reply)
{
    defect_send(context, request, reply);
    (void)!write_held(NULL);
}

static struct transport late_port(struct transport_curl *curl)
{
    return (struct transport){.send = send_then_write, .context = curl};
}
DEFECT(intent_after_request, .audit_file_append = append_with_result,
       .transport_curl_port = late_port);

static enum errc format_other_input(const struct audit_entry *entry, const char *previous,
                                    struct buf *out, struct errc_why *why)
{
    struct audit_entry lie = *entry;
    if (entry->action == AUDIT_STARTED) {
        defect_acts();
        lie.input_sha256 = entry->manifest_hash + strlen("sha256:");
    }
    return __real_audit_format(&lie, previous, out, why);
}
DEFECT(intent_of_other_input, .audit_format = format_other_input);

static enum errc format_other_key(const struct audit_entry *entry, const char *previous,
                                  struct buf *out, struct errc_why *why)
{
    struct audit_entry lie = *entry;
    if (entry->action == AUDIT_STARTED) {
        defect_acts();
        lie.key_fingerprint = entry->manifest_hash;
    }
    return __real_audit_format(&lie, previous, out, why);
}
DEFECT(intent_of_other_key, .audit_format = format_other_key);
