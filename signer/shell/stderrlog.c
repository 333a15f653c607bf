#include "signer/shell/stderrlog.h"

#include <unistd.h>

#include "base/os/file.h"

#define LINE_BYTES 8192

void stderrlog_begin(const struct stderrlog *log, struct stderrlog_line *line, const char *level,
                     const char *event)
{
    buf_init(&line->text, LINE_BYTES);
    logline_begin(&line->line, &line->text, log->clock.now(log->clock.context).wall_ns, level,
                  log->actor, event);
}

void stderrlog_end(struct stderrlog_line *line)
{
    logline_end(&line->line);
    if (!line->text.failed &&
        file_write_fd(STDERR_FILENO, buf_slice(&line->text), "stderr", NULL) != ERRC_OK)
        buf_reset(&line->text);
    buf_done(&line->text);
}
