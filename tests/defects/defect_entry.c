/*
 * defect_entry: a field of the trail's entries is missing or not what it should be.
 */
#include <stdatomic.h>
#include <string.h>

#include "tests/defects/defect.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_HOUR (3600 * NS_PER_S)

typedef void (*change)(struct audit_entry *entry, struct audit_attempt *attempts);

/* Formats the entry with changes; its attempts are a copy. */
static enum errc format_changed(const struct audit_entry *entry, const char *previous,
                                struct buf *out, struct errc_why *why, change apply)
{
    struct audit_attempt attempts[LIMIT_ATTEMPTS] = {0};
    struct audit_entry changed = *entry;
    for (size_t i = 0; i < entry->attempt_count; i++)
        attempts[i] = entry->attempts[i];
    changed.attempts = attempts;
    apply(&changed, attempts);
    return __real_audit_format(&changed, previous, out, why);
}

#define CHANGED(id, apply)                                                                         \
    static enum errc format_##id(const struct audit_entry *entry, const char *previous,            \
                                 struct buf *out, struct errc_why *why)                            \
    {                                                                                              \
        return format_changed(entry, previous, out, why, apply);                                   \
    }                                                                                              \
    DEFECT(id, .audit_format = format_##id)

static void local_time(struct audit_entry *entry, struct audit_attempt *attempts)
{
    defect_acts();
    entry->wall_ns += NS_PER_HOUR;
    for (size_t i = 0; i < entry->attempt_count; i++)
        attempts[i].started_wall_ns += NS_PER_HOUR;
}
CHANGED(trail_in_local_time, local_time);

static void always_api(struct audit_entry *entry, struct audit_attempt *attempts)
{
    static const struct ids_actor api = {.type = IDS_AUTOMATION, .id = "api"};
    (void)attempts;
    if (strcmp(entry->actor->id, api.id) != 0)
        defect_acts();
    entry->actor = &api;
}
CHANGED(actor_always_api, always_api);

static void as_admin(struct audit_entry *entry, struct audit_attempt *attempts)
{
    static _Thread_local struct ids_actor admin;
    (void)attempts;
    defect_acts();
    admin = *entry->actor;
    admin.type = IDS_ADMIN_USER;
    entry->actor = &admin;
}
CHANGED(actor_type_admin, as_admin);

static void one_id(struct audit_entry *entry, struct audit_attempt *attempts)
{
    (void)attempts;
    defect_acts();
    entry->id = "0b7e7c86-98b8-4ac5-9a4b-5f4f2b2f4a10";
}
CHANGED(entry_ids_same, one_id);

static void other_manifest_id(struct audit_entry *entry, struct audit_attempt *attempts)
{
    (void)attempts;
    if (entry->action != AUDIT_SIGNED)
        return;
    defect_acts();
    entry->manifest_id = entry->bundle_run_id;
}
CHANGED(entry_manifest_id_wrong, other_manifest_id);

static void created_later(struct audit_entry *entry, struct audit_attempt *attempts)
{
    (void)attempts;
    if (entry->action != AUDIT_SIGNED)
        return;
    defect_acts();
    entry->created_wall_ns += NS_PER_S;
}
CHANGED(entry_created_wrong, created_later);

static void no_public_key(struct audit_entry *entry, struct audit_attempt *attempts)
{
    (void)attempts;
    if (entry->public_key == NULL)
        return;
    defect_acts();
    entry->public_key = NULL;
}
CHANGED(entry_public_key_missing, no_public_key);

static void last_attempt_only(struct audit_entry *entry, struct audit_attempt *attempts)
{
    if (entry->attempt_count < 2)
        return;
    defect_acts();
    attempts[0] = attempts[entry->attempt_count - 1];
    attempts[0].n = 1;
    entry->attempt_count = 1;
}
CHANGED(attempts_last_only, last_attempt_only);

static void no_status(struct audit_entry *entry, struct audit_attempt *attempts)
{
    for (size_t i = 0; i < entry->attempt_count; i++) {
        if (attempts[i].status == 0)
            continue;
        defect_acts();
        attempts[i].status = 0;
    }
}
CHANGED(attempt_status_zero, no_status);

static void all_at_once(struct audit_entry *entry, struct audit_attempt *attempts)
{
    for (size_t i = 1; i < entry->attempt_count; i++) {
        defect_acts();
        attempts[i].started_wall_ns = attempts[0].started_wall_ns;
    }
}
CHANGED(attempt_times_same, all_at_once);

static void class_of_last(struct audit_entry *entry, struct audit_attempt *attempts)
{
    for (size_t i = 0; i + 1 < entry->attempt_count; i++) {
        if (attempts[i].class == attempts[entry->attempt_count - 1].class)
            continue;
        defect_acts();
        attempts[i].class = attempts[entry->attempt_count - 1].class;
    }
}
CHANGED(attempt_classes_of_last, class_of_last);

static void from_zero(struct audit_entry *entry, struct audit_attempt *attempts)
{
    for (size_t i = 0; i < entry->attempt_count; i++) {
        defect_acts();
        attempts[i].n--;
    }
}
CHANGED(attempt_numbers_from_zero, from_zero);

static void waits_zero(struct audit_entry *entry, struct audit_attempt *attempts)
{
    for (size_t i = 0; i < entry->attempt_count; i++) {
        if (attempts[i].wait_ms == 0)
            continue;
        defect_acts();
        attempts[i].wait_ms = 0;
    }
}
CHANGED(attempt_waits_untold, waits_zero);

static void internal(struct audit_entry *entry, struct audit_attempt *attempts)
{
    (void)attempts;
    if (entry->action != AUDIT_FAILED)
        return;
    defect_acts();
    entry->reason = "internal";
}
CHANGED(failed_reason_internal, internal);

static void unavailable(struct audit_entry *entry, struct audit_attempt *attempts)
{
    (void)attempts;
    if (entry->action != AUDIT_FAILED)
        return;
    defect_acts();
    entry->class = "unavailable";
}
CHANGED(failed_class_unavailable, unavailable);

/* Each process begins a chain of its own. */
static enum errc format_from_genesis(const struct audit_entry *entry, const char *previous,
                                     struct buf *out, struct errc_why *why)
{
    static atomic_bool begun;
    bool first = !atomic_exchange(&begun, true);
    if (first && strcmp(previous, AUDIT_GENESIS) != 0)
        defect_acts();
    return __real_audit_format(entry, first ? AUDIT_GENESIS : previous, out, why);
}
DEFECT(chain_begins_anew, .audit_format = format_from_genesis);
