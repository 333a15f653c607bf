/*
 * publishfault: a folder that nothing can be published into, made from outside: it is set aside,
 * and its path leads nowhere, which stops root as well and cannot be mended by making the folder
 * anew. What lies in it is not there meanwhile.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"
#include "chaos/shell/stack/folder.h"

struct publishfault {
    bool denied;
    struct folder_path path, kept; /* of the folder, and where it lies meanwhile */
};

/* Sets the folder of that file aside. ERRC_STATE when one is set aside already; ERRC_IO. */
MUST_USE enum errc publishfault_deny(struct publishfault *p, const char *file,
                                     struct errc_why *why);

/* Puts it back. Fine when none is set aside. ERRC_IO. */
MUST_USE enum errc publishfault_restore(struct publishfault *p, struct errc_why *why);
