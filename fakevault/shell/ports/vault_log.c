#include "fakevault/shell/ports/vault_log.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/file.h"
#include "base/text/jsonwrite.h"
#include "base/text/printable.h"
#include "base/text/stamp.h"

#define LINE_BYTES 8192u

/* As hclog prints and as Vault reads them. */
static const struct {
    const char *tag;
    const char *name;
    const char *other_name;
} levels[VAULT_LOG_LEVEL_COUNT] = {
    [VAULT_LOG_TRACE] = {"[TRACE]", "trace", NULL},
    [VAULT_LOG_DEBUG] = {"[DEBUG]", "debug", NULL},
    [VAULT_LOG_INFO] = {"[INFO] ", "info", "notice"},
    [VAULT_LOG_WARN] = {"[WARN] ", "warn", "warning"},
    [VAULT_LOG_ERROR] = {"[ERROR]", "error", "err"},
};

static bool is_level(size_t level, const char *text)
{
    return strcasecmp(text, levels[level].name) == 0 ||
           (levels[level].other_name != NULL && strcasecmp(text, levels[level].other_name) == 0);
}

enum errc vault_log_set(struct vault_log *log, const char *level, const char *format,
                        struct errc_why *why)
{
    size_t found = level == NULL ? VAULT_LOG_INFO : 0;
    while (level != NULL && found < COUNT(levels) && !is_level(found, level))
        found++;
    if (found == COUNT(levels))
        return errc_fail(why, ERRC_USAGE, "unknown log level: %.40s", level);
    log->least = (enum vault_log_level)found;
    log->json = format != NULL && strcasecmp(format, "json") == 0;
    if (format != NULL && !log->json && strcasecmp(format, "standard") != 0)
        return errc_fail(why, ERRC_USAGE, "unknown log format: %.40s", format);
    return ERRC_OK;
}

/* hclog quotes what holds a blank, an equals sign or a quote. */
static void add_pair(const struct vault_log_pair *pair, struct buf *out)
{
    struct jsonwrite w;
    buf_addf(out, " %s=", pair->key);
    if (pair->value[0] != '\0' && strpbrk(pair->value, " \t\r\n=\"\\") == NULL) {
        buf_add_text(out, pair->value);
        return;
    }
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_string(&w, NULL, pair->value);
}

static void add_standard(int64_t wall_ns, enum vault_log_level level, const char *module,
                         const char *message, const struct vault_log_pair *pairs, struct buf *out)
{
    char stamp[STAMP_BYTES];
    stamp_format(wall_ns, STAMP_MILLI, stamp);
    buf_addf(out, "%s %s %s: %s", stamp, levels[level].tag, module, message);
    if (pairs != NULL && pairs->key != NULL)
        buf_add_char(out, ':');
    for (; pairs != NULL && pairs->key != NULL; pairs++)
        add_pair(pairs, out);
}

static void add_json(int64_t wall_ns, enum vault_log_level level, const char *module,
                     const char *message, const struct vault_log_pair *pairs, struct buf *out)
{
    char stamp[STAMP_BYTES];
    struct jsonwrite w;
    stamp_format(wall_ns, STAMP_NANO, stamp);
    strcpy(stamp + strlen(stamp) - strlen("000Z"), "Z"); /* microseconds, as hclog has them */
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "@level", levels[level].name);
    jsonwrite_string(&w, "@message", message);
    jsonwrite_string(&w, "@module", module);
    jsonwrite_string(&w, "@timestamp", stamp);
    for (; pairs != NULL && pairs->key != NULL; pairs++)
        jsonwrite_string(&w, pairs->key, pairs->value);
    jsonwrite_end(&w);
}

void vault_log_write(const struct vault_log *log, enum vault_log_level level, const char *module,
                     const char *message, const struct vault_log_pair *pairs)
{
    if (log == NULL || level < log->least)
        return;
    struct buf text CLEANUP(buf_done), shown CLEANUP(buf_done);
    buf_init(&text, LINE_BYTES);
    buf_init(&shown, LINE_BYTES);
    int64_t wall_ns = log->clock.now(log->clock.context).wall_ns;
    (log->json ? add_json : add_standard)(wall_ns, level, module, message, pairs, &text);
    printable_text(buf_slice(&text), &shown);
    buf_add_char(&shown, '\n');
    if (text.failed || shown.failed ||
        file_write_fd(STDERR_FILENO, buf_slice(&shown), "stderr", NULL) != ERRC_OK)
        return; /* a log that cannot be written stops nothing */
}
