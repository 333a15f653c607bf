#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "chaos/shell/stack/stack_vault.h"
#include "chaos/shell/world/exec_verbs.h"

static enum errc fallback_path(const struct exec_run *r, struct folder_path *path,
                               struct errc_why *why)
{
    return stack_path(r->stack, STACK_FALLBACK_FILE, path, why);
}

static enum errc fallback_key_write(const struct exec_run *r, struct errc_why *why)
{
    return stack_vault_put_fallback(r->stack, &r->stack->first_fallback, why);
}

static enum errc fallback_key_remove(const struct exec_run *r, struct errc_why *why)
{
    struct folder_path path;
    TRY(fallback_path(r, &path, why));
    if (unlink(path.text) != 0)
        return errc_fail(why, ERRC_STATE, "cannot remove the fallback key file: %s",
                         strerror(errno));
    return stack_vault_fallback_safe(r->stack, false, 0, why);
}

static enum errc fallback_key_chmod(const struct exec_run *r, struct errc_why *why)
{
    struct folder_path path;
    mode_t mode = (mode_t)strtoul(r->step->main.text, NULL, 8);
    int64_t from_ns = stack_wall_ns(r->stack);
    TRY(fallback_path(r, &path, why));
    if (chmod(path.text, mode) != 0)
        return errc_fail(why, ERRC_STATE, "cannot change the fallback key file: %s",
                         strerror(errno));
    return stack_vault_fallback_safe(r->stack, (mode & 077) == 0, from_ns, why);
}

static enum errc fallback_key_rotate(const struct exec_run *r, struct errc_why *why)
{
    struct fallbackkey fresh;
    return stack_vault_new_fallback(r->stack, &fresh, why);
}

static const struct exec_verb verbs[] = {
    {"write", fallback_key_write},
    {"remove", fallback_key_remove},
    {"chmod", fallback_key_chmod},
    {"rotate", fallback_key_rotate},
};

const struct exec_actor do_fallback_key = {
    .name = "fallback_key", .verbs = verbs, .verb_count = COUNT(verbs)};
