#include "chaos/shell/client/answers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/os/file.h"
#include "chaos/shell/stack/folder.h"

#define KEPT_BYTES_MAX (64 << 20)

static void append(const char *path, struct slice text)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size < KEPT_BYTES_MAX)
        (void)!file_write_fd(fd, text, path, NULL);
    (void)close(fd);
}

void answers_keep(const char *run_folder, const char *name, const struct httpcall *call,
                  const struct httpcall_reply *reply)
{
    struct folder_path path;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * LIMIT_FILE_BYTES);
    buf_addf(&text, "%s %s: %d\n", call->method, call->url, reply->status);
    buf_add_slice(&text, buf_slice(&reply->body));
    buf_add_char(&text, '\n');
    if (buf_status(&text, NULL) == ERRC_OK &&
        folder_format(&path, NULL, "%s/" ANSWERS_FOLDER "/%s.txt", run_folder, name) == ERRC_OK)
        append(path.text, buf_slice(&text));
}
