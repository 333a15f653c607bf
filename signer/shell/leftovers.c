#include "signer/shell/leftovers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/errc.h"
#include "base/limits.h"

#define RANDOM_CHARS 6 /* of mkostemp */

static void close_folder(DIR **folder)
{
    if (*folder != NULL)
        (void)closedir(*folder);
}

static bool is_leftover(const char *entry, const char *name)
{
    size_t len = strlen(name);
    if (strncmp(entry, name, len) != 0 || entry[len] != '.' ||
        strlen(entry) != len + 1 + RANDOM_CHARS)
        return false;
    for (const char *c = entry + len + 1; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c))
            return false;
    return true;
}

void leftovers_remove(const char *path)
{
    char for_folder[LIMIT_PATH_BYTES], for_name[LIMIT_PATH_BYTES];
    if (snprintf(for_folder, sizeof for_folder, "%s", path) >= (int)sizeof for_folder)
        return;
    memcpy(for_name, for_folder, sizeof for_name);
    DIR *folder CLEANUP(close_folder) = opendir(dirname(for_folder));
    const char *name = basename(for_name);
    if (folder == NULL)
        return;
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder))
        if (is_leftover(e->d_name, name))
            (void)unlinkat(dirfd(folder), e->d_name, 0);
}
