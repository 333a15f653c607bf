#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/dispatch.h"
#include "base/flags.h"
#include "base/os/harden.h"
#include "base/text/printable.h"
#include "signer/core/config.h"
#include "signer/shell/command/commands.h"
#include "signer/shell/service/service_command.h"

static const struct verb {
    const char *name;
    const char *arguments;
    const char *purpose;
    int (*run)(int argc, char *const argv[]);
} verbs[] = {
    {"sign", "DIR", "signs the bundle in DIR", command_sign},
    {"verify", "FILE|DIR", "checks a manifest, without Vault", command_verify},
    {"status", "", "says whether Vault is online", command_status},
    {"trust", "accept|show", "pins Vault's key, or shows the pin", command_trust},
    {"serve", "--name api|worker", "runs the service", service_command},
};

static const struct dispatch dispatch = DISPATCH("verb", "signer -help", verbs);

static int print_help(FILE *out, int exit_code)
{
    (void)fprintf(out, "usage: signer VERB [arguments]; signer VERB -help says more\n\n");
    for (size_t i = 0; i < COUNT(verbs); i++)
        (void)fprintf(out, "  %-7s %-18s %s\n", verbs[i].name, verbs[i].arguments,
                      verbs[i].purpose);
    struct buf environment CLEANUP(buf_done);
    buf_init(&environment, 16384);
    config_help(&environment);
    (void)fprintf(out, "\nenvironment, read once at the start (default in parentheses):\n\n%s",
                  buf_text(&environment));
    return exit_code;
}

static int print_version(void)
{
    (void)printf("signer %s\n", PROJECT_VERSION);
    return COMMANDS_DONE;
}

static int run(int argc, char *const argv[])
{
    struct errc_why why;
    size_t verb = 0, words = 0;
    if (dispatch_find(&dispatch, (const char *const *)argv, 1, &verb, &words, &why) == ERRC_OK)
        return argc > 1 && flags_is(argv[1], "version") ? print_version()
                                                        : verbs[verb].run(argc, argv);
    (void)fprintf(stderr, "signer: %s\n", printable_line(why.text).text);
    return COMMANDS_INVALID;
}

int main(int argc, char *argv[])
{
    harden_process();
    if (argc < 2)
        return print_help(stderr, COMMANDS_INVALID);
    if (flags_is(argv[1], "help") || flags_is(argv[1], "h") || strcmp(argv[1], "help") == 0)
        return print_help(stdout, COMMANDS_DONE);
    if (flags_is(argv[1], "version"))
        return print_version();
    return run(argc - 1, argv + 1);
}
