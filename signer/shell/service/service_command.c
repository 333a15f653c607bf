#include "signer/shell/service/service_command.h"

#include <stddef.h>
#include <string.h>

#include "base/count.h"
#include "base/flags.h"
#include "base/limits.h"
#include "signer/shell/command/command_line.h"
#include "signer/shell/command/commands.h"
#include "signer/shell/service/service.h"

#define DEFAULT_THREADS 2

struct flag_values {
    const char *name;
    const char *listen;
    const char *names;
    const char *data;
    int64_t ready_fd;
    const char *port_file;
    int64_t threads;
    int64_t queue;
    bool help;
};

static const struct flags_spec specs[] = {
    {"name", FLAGS_TEXT, offsetof(struct flag_values, name), "api|worker",
     "which service this is; its actor in the audit trail"},
    {"listen", FLAGS_TEXT, offsetof(struct flag_values, listen), "HOST:PORT",
     "where to serve (127.0.0.1:8080); port 0 lets the system choose"},
    {"host", FLAGS_TEXT, offsetof(struct flag_values, names), "NAME[,NAME]",
     "names by which clients call it, beside localhost and the address it listens on"},
    {"data", FLAGS_TEXT, offsetof(struct flag_values, data), "DIR",
     "folder of runs and manifests; made when missing"},
    {"ready-fd", FLAGS_INT, offsetof(struct flag_values, ready_fd), "N",
     "descriptor to write one line of JSON to, once it serves"},
    {"port-file", FLAGS_TEXT, offsetof(struct flag_values, port_file), "FILE",
     "file to write the port number to, once it serves"},
    {"threads", FLAGS_INT, offsetof(struct flag_values, threads), "N",
     "runs that are signed at the same time (2)"},
    {"queue", FLAGS_INT, offsetof(struct flag_values, queue), "N",
     "runs that may wait for a thread (64); beyond, 503"},
    {"help", FLAGS_SWITCH, offsetof(struct flag_values, help), NULL, "print this"},
};
static const struct command_line command = {
    .verb = "serve",
    .arguments = "-name=api|worker -data=DIR [flags]",
    .purpose = "Signs bundles on request, over HTTP. The environment is read once, at the start: a "
               "change of it\nneeds a restart with the new one.",
    .flags = {specs, COUNT(specs)},
    .help_offset = offsetof(struct flag_values, help),
};

static enum errc check_range(const char *flag, int64_t value, int64_t min, int64_t max,
                             struct errc_why *why)
{
    if (value >= min && value <= max)
        return ERRC_OK;
    return errc_fail(why, ERRC_USAGE, "-%s=%lld is not in %lld..%lld", flag, (long long)value,
                     (long long)min, (long long)max);
}

static enum errc check(const struct flag_values *values, struct errc_why *why)
{
    if (values->name == NULL)
        return errc_fail(why, ERRC_USAGE, "-name is missing, want api or worker");
    if (strcmp(values->name, "api") != 0 && strcmp(values->name, "worker") != 0)
        return errc_fail(why, ERRC_USAGE, "-name=%s is unknown, want api or worker", values->name);
    if (values->data == NULL || values->data[0] == '\0')
        return errc_fail(why, ERRC_USAGE, "-data is missing, want the folder to keep runs in");
    TRY(check_range("ready-fd", values->ready_fd, -1, 1 << 20, why));
    TRY(check_range("threads", values->threads, 1, LIMIT_RUN_THREADS, why));
    return check_range("queue", values->queue, 1, 100000, why);
}

static int fail(enum errc code, const struct errc_why *why)
{
    bool invalid = errc_class(code) == ERRC_CLASS_INVALID;
    return command_line_fail("serve", why, invalid ? COMMANDS_INVALID : COMMANDS_FAILED);
}

int service_command(int argc, char *const argv[])
{
    struct flag_values values = {.listen = "127.0.0.1:8080",
                                 .ready_fd = -1,
                                 .threads = DEFAULT_THREADS,
                                 .queue = LIMIT_RUN_QUEUE};
    struct startup startup CLEANUP(startup_done) = {0};
    const char *positionals[COMMAND_LINE_POSITIONALS];
    struct errc_why why = {0};
    int exit_code = COMMANDS_DONE;
    if (!command_line_parse(&command, argc, argv, &values, positionals, &exit_code))
        return exit_code;
    enum errc code = check(&values, &why);
    if (code != ERRC_OK)
        return fail(code, &why);
    code = startup_open(CONFIG_NEED_TOKEN | CONFIG_NEED_TRUST | CONFIG_NEED_AUDIT, &startup, &why);
    if (code != ERRC_OK)
        return fail(ERRC_USAGE, &why);
    struct service_options options = {.name = values.name,
                                      .listen = values.listen,
                                      .names = values.names,
                                      .data = values.data,
                                      .ready_fd = (int)values.ready_fd,
                                      .port_file = values.port_file,
                                      .threads = (unsigned)values.threads,
                                      .queue = (unsigned)values.queue};
    code = service_run(&options, &startup, &why);
    return code == ERRC_OK ? COMMANDS_DONE : fail(code, &why);
}
