#include "signer/shell/command/command_line.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/os/file.h"
#include "base/text/printable.h"
#include "signer/shell/command/commands.h"

#define HELP_BYTES 16384

static void print_help(const struct command_line *spec)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, HELP_BYTES);
    buf_addf(&text, "usage: signer %s %s\n\n%s\n\n", spec->verb, spec->arguments, spec->purpose);
    flags_help(&spec->flags, &text);
    (void)command_line_print(&text);
}

bool command_line_parse(const struct command_line *spec, int argc, char *const argv[],
                        void *options, const char *positionals[COMMAND_LINE_POSITIONALS],
                        int *exit_code)
{
    const char *all[64];
    size_t count = 0;
    struct errc_why why = {0};
    enum errc code =
        argc > 64 ? errc_fail(&why, ERRC_USAGE, "more than 64 arguments")
                  : flags_parse(&spec->flags, argc - 1, argv + 1, options, all, &count, &why);
    CHECK(spec->positionals_max <= COMMAND_LINE_POSITIONALS);
    if (code == ERRC_OK && *((const bool *)options + spec->help_offset)) {
        print_help(spec);
        *exit_code = COMMANDS_DONE;
        return false;
    }
    if (code == ERRC_OK && (count < spec->positionals_min || count > spec->positionals_max))
        code =
            errc_fail(&why, ERRC_USAGE, "%s: usage: signer %s %s",
                      count < spec->positionals_min ? "something is missing" : "too many arguments",
                      spec->verb, spec->arguments);
    if (code != ERRC_OK) {
        *exit_code = command_line_fail(spec->verb, &why, COMMANDS_INVALID);
        return false;
    }
    memcpy((void *)positionals, (const void *)all, count * sizeof *all);
    return true;
}

int command_line_fail(const char *verb, const struct errc_why *why, int exit_code)
{
    (void)fprintf(stderr, "signer %s: %s\n", verb, printable_line(why->text).text);
    return exit_code;
}

bool command_line_print(struct buf *line)
{
    struct errc_why why = {0};
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 8 * line->max);
    printable_text(buf_slice(line), &shown);
    if (buf_status(line, &why) == ERRC_OK && buf_status(&shown, &why) == ERRC_OK &&
        file_write_fd(STDOUT_FILENO, buf_slice(&shown), "stdout", &why) == ERRC_OK)
        return true;
    (void)fprintf(stderr, "signer: %s\n", printable_line(why.text).text);
    return false;
}
