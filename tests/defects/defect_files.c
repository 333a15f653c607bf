/*
 * defect_files: files that others can change, and files that stay behind.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/defects/defect.h"

static enum errc publish_for_all(const char *path, struct slice bytes, struct errc_why *why)
{
    TRY(__real_publish_file(path, bytes, why));
    defect_acts();
    return chmod(path, 0666) == 0 ? ERRC_OK : errc_fail(why, ERRC_IO, "chmod");
}
DEFECT(manifest_writable_by_all, .publish_file = publish_for_all);

static enum errc open_for_all(const char *path, struct clock clock, struct entropy entropy,
                              struct audit_file **out, struct errc_why *why)
{
    TRY(__real_audit_file_open(path, clock, entropy, out, why));
    defect_acts();
    return chmod(path, 0666) == 0 ? ERRC_OK : errc_fail(why, ERRC_IO, "chmod");
}
DEFECT(trail_writable_by_all, .audit_file_open = open_for_all);

static enum errc replace_for_all(const char *path, struct slice bytes, mode_t mode,
                                 struct errc_why *why)
{
    TRY(__real_file_replace(path, bytes, mode, why));
    const char *slash = strrchr(path, '/');
    if (slash == NULL || strlen(slash + 1) != strlen(".json") + ENTROPY_UUID_BYTES - 1)
        return ERRC_OK;
    defect_acts();
    return chmod(path, 0666) == 0 ? ERRC_OK : errc_fail(why, ERRC_IO, "chmod");
}
DEFECT(runs_writable_by_all, .file_replace = replace_for_all);

/* What was written beside the manifest stays there. */
static enum errc publish_twice(const char *path, struct slice bytes, struct errc_why *why)
{
    char beside[LIMIT_PATH_BYTES];
    const char *name = strrchr(path, '/') + 1;
    (void)snprintf(beside, sizeof beside, "%.*s.%s.signing", (int)(name - path), path, name);
    TRY(__real_publish_file(path, bytes, why));
    defect_acts();
    return __real_file_replace(beside, bytes, 0644, why);
}
DEFECT(temporary_file_left, .publish_file = publish_twice);

/* Writes the manifest in place, a byte at first. */
static enum errc publish_in_place(const char *path, struct slice bytes, struct errc_why *why)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return errc_fail(why, ERRC_IO, "cannot create \"%.200s\"", path);
    defect_acts();
    bool good = fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len && fputc('\n', file) != EOF;
    return fclose(file) == 0 && good ? ERRC_OK : errc_fail(why, ERRC_IO, "cannot write");
}
DEFECT(manifest_with_line_end, .publish_file = publish_in_place);

/* Says that it wrote the manifest, and did not. */
static enum errc publish_nothing(const char *path, struct slice bytes, struct errc_why *why)
{
    (void)path, (void)bytes, (void)why;
    defect_acts();
    return ERRC_OK;
}
DEFECT(manifest_not_written, .publish_file = publish_nothing);
