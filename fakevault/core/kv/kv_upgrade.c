#include "fakevault/core/kv/kv_upgrade.h"

#include <stdio.h>

#include "fakevault/core/kv/kv_entry.h"

void kv_upgrade_name(const char *mount_uuid, struct slice path, char out[static STORE_NAME_MAX])
{
    (void)snprintf(out, STORE_NAME_MAX, "logical/%s/plain/%.*s", mount_uuid, SLICE_FMT(path));
}

/* Takes the first name of a list. */
static enum errc take_name(void *context, struct slice rest)
{
    struct buf *out = context;
    buf_add_slice(out, rest);
    return out->failed ? ERRC_NOMEM : ERRC_STATE; /* stop here */
}

/* What has versions already had them made by an upgrade that was cut off, or by a client since. */
static enum errc upgrade_one(struct barrier *b, const char *mount_uuid, struct slice path,
                             int64_t wall_ns, struct errc_why *why)
{
    char name[STORE_NAME_MAX];
    struct kv_entry e CLEANUP(kv_entry_done) = {0};
    struct secret text CLEANUP(secret_done) = {0};
    kv_upgrade_name(mount_uuid, path, name);
    enum errc code = kv_entry_load(&e, b, mount_uuid, path, why);
    if (code == ERRC_NOT_FOUND) {
        TRY(barrier_get(b, name, &text, why));
        code = kv_entry_write(&e, b, mount_uuid, path, secret_slice(&text), 1, wall_ns, 0, why);
    }
    TRY(code);
    return store_erase(b->store, slice_of(name), why);
}

enum errc kv_upgrade_mount(struct barrier *b, const char *mount_uuid, int64_t wall_ns,
                           struct errc_why *why)
{
    char prefix[STORE_NAME_MAX];
    struct slice nothing = {0};
    kv_upgrade_name(mount_uuid, nothing, prefix);
    for (;;) {
        struct buf path CLEANUP(buf_done);
        buf_init(&path, STORE_NAME_MAX);
        enum errc code = store_list(b->store, slice_of(prefix), take_name, &path, why);
        if (code != ERRC_STATE)
            return code;
        TRY(upgrade_one(b, mount_uuid, buf_slice(&path), wall_ns, why));
    }
}
