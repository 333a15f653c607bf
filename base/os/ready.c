#include "base/os/ready.h"

#include <stdio.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/text/jsonwrite.h"

static void write_line(const struct ready *ready, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_bool(&w, "ready", true);
    jsonwrite_int(&w, "pid", getpid());
    jsonwrite_int(&w, "port", ready->port);
    if (ready->admin != NULL)
        jsonwrite_string(&w, "admin", ready->admin);
    if (ready->boot_id != NULL)
        jsonwrite_string(&w, "boot_id", ready->boot_id);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
}

enum errc ready_announce(const struct ready *ready, struct errc_why *why)
{
    if (ready->port_file != NULL) {
        char port[8];
        int n = snprintf(port, sizeof port, "%u\n", ready->port);
        TRY(file_replace(ready->port_file, slice_bytes(port, (size_t)n), 0644, why));
    }
    if (ready->fd < 0)
        return ERRC_OK;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 1024);
    write_line(ready, &line);
    enum errc code = file_write_fd(ready->fd, buf_slice(&line), "ready descriptor", why);
    (void)close(ready->fd);
    return code;
}
