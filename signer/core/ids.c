#include "signer/core/ids.h"

#include <string.h>

#include "base/bug.h"

static const char *const actor_types[IDS_ACTOR_TYPE_COUNT] = {
    [IDS_CLI_USER] = "cli-user",
    [IDS_ADMIN_USER] = "admin-user",
    [IDS_AUTOMATION] = "automation",
};

bool ids_is_uuid(struct slice text)
{
    if (text.len != IDS_UUID_BYTES - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

enum errc ids_actor_make(enum ids_actor_type type, const char *id, struct ids_actor *out,
                         struct errc_why *why)
{
    CHECK(type < IDS_ACTOR_TYPE_COUNT);
    size_t len = strlen(id);
    bool good = len >= 1 && len < IDS_ACTOR_BYTES;
    for (size_t i = 0; good && i < len; i++)
        good = id[i] > ' ' && id[i] < 0x7f;
    if (!good)
        return errc_fail(why, ERRC_USAGE,
                         "actor id \"%.40s\" is not 1 to %d printable ASCII characters without "
                         "blank",
                         id, IDS_ACTOR_BYTES - 1);
    out->type = type;
    memcpy(out->id, id, len + 1);
    return ERRC_OK;
}

enum errc ids_actor_parse(const char *text, struct ids_actor *out, struct errc_why *why)
{
    struct slice rest = slice_of(text);
    struct slice type = slice_cut(&rest, ':');
    for (size_t i = 0; i < IDS_ACTOR_TYPE_COUNT; i++)
        if (slice_equal_text(type, actor_types[i]) && type.len < strlen(text))
            return ids_actor_make((enum ids_actor_type)i, text + type.len + 1, out, why);
    return errc_fail(why, ERRC_USAGE,
                     "actor \"%.60s\" is not TYPE:ID with TYPE cli-user, admin-user or automation",
                     text);
}

const char *ids_actor_text(enum ids_actor_type type)
{
    CHECK(type < IDS_ACTOR_TYPE_COUNT);
    return actor_types[type];
}
