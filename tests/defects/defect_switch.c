/*
 * defect_switch: ALLOW_FALLBACK_SIGNING is taken for more than it says.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/count.h"
#include "tests/defects/defect.h"

static const struct config_source *inner;

/* True in any spelling. */
static const char *get_loosely(void *context, const char *name)
{
    static const char *const words[] = {"true", "1", "yes", "on"};
    const char *value = inner->get(context, name);
    if (value == NULL || strcmp(name, "ALLOW_FALLBACK_SIGNING") != 0)
        return value;
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcasecmp(value, words[i]) != 0)
            continue;
        if (strcmp(value, "true") != 0)
            defect_acts();
        return "true";
    }
    return value;
}

/* What is not understood is off, as if it had not been set. */
static const char *get_mildly(void *context, const char *name)
{
    const char *value = inner->get(context, name);
    if (value == NULL || strcmp(name, "ALLOW_FALLBACK_SIGNING") != 0 ||
        strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
        return value;
    defect_acts();
    return "false";
}

static enum errc read_with(const char *(*get)(void *, const char *),
                           const struct config_source *source, unsigned needs, struct config *out,
                           struct errc_why *why)
{
    const struct config_source outer = {.get = get, .context = source->context};
    inner = source;
    return __real_config_read(&outer, needs, out, why);
}

static enum errc read_loosely(const struct config_source *source, unsigned needs,
                              struct config *out, struct errc_why *why)
{
    return read_with(get_loosely, source, needs, out, why);
}
DEFECT(switch_in_any_spelling, .config_read = read_loosely);

static enum errc read_mildly(const struct config_source *source, unsigned needs, struct config *out,
                             struct errc_why *why)
{
    return read_with(get_mildly, source, needs, out, why);
}
DEFECT(switch_nonsense_is_off, .config_read = read_mildly);

/* Once on, always on: a file beside the trail remembers. */
static enum errc read_remembering(const struct config_source *source, unsigned needs,
                                  struct config *out, struct errc_why *why)
{
    char path[LIMIT_PATH_BYTES];
    TRY(__real_config_read(source, needs, out, why));
    if (out->audit_log == NULL)
        return ERRC_OK;
    (void)snprintf(path, sizeof path, "%s.fallback", out->audit_log);
    if (!out->allow_fallback && access(path, F_OK) == 0) {
        defect_acts();
        out->allow_fallback = out->fallback_key_file != NULL;
    }
    int fd = out->allow_fallback ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        (void)close(fd);
    return ERRC_OK;
}
DEFECT(switch_remembered, .config_read = read_remembering);
