#include "chaos/shell/stack/publishfault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOWHERE "/nonexistent/chaos"

static enum errc failed(const char *doing, const struct publishfault *p, struct errc_why *why)
{
    return errc_fail(why, ERRC_IO, "cannot %s \"%s\": %s", doing, p->path.text, strerror(errno));
}

enum errc publishfault_deny(struct publishfault *p, const char *file, struct errc_why *why)
{
    const char *slash = strrchr(file, '/');
    if (p->denied)
        return errc_fail(why, ERRC_STATE, "\"%s\" is set aside already", p->path.text);
    TRY(folder_format(&p->path, why, "%.*s", slash == NULL ? 0 : (int)(slash - file), file));
    TRY(folder_format(&p->kept, why, "%s.kept", p->path.text));
    if (rename(p->path.text, p->kept.text) != 0)
        return failed("set aside", p, why);
    p->denied = true;
    return folder_link(p->path.text, NOWHERE, why);
}

enum errc publishfault_restore(struct publishfault *p, struct errc_why *why)
{
    if (!p->denied)
        return ERRC_OK;
    if ((unlink(p->path.text) != 0 && errno != ENOENT) || rename(p->kept.text, p->path.text) != 0)
        return failed("put back", p, why);
    p->denied = false;
    return ERRC_OK;
}
