#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/flags.h"
#include "base/os/harden.h"
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

static int unknown(const char *word)
{
    const char *names[COUNT(verbs)];
    for (size_t i = 0; i < COUNT(verbs); i++)
        names[i] = verbs[i].name;
    const char *nearest = flags_nearest(word, names, COUNT(verbs));
    (void)fprintf(stderr, "signer: \"%.40s\" is no verb%s%s%s\n", word,
                  nearest == NULL ? ", see signer -help" : ", did you mean \"",
                  nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
    return COMMANDS_INVALID;
}

static bool is_flag(const char *word, const char *name)
{
    size_t dashes = strspn(word, "-");
    return dashes >= 1 && dashes <= 2 && strcmp(word + dashes, name) == 0;
}

static int print_version(void)
{
    (void)printf("signer %s\n", PROJECT_VERSION);
    return COMMANDS_DONE;
}

int main(int argc, char *argv[])
{
    harden_process();
    if (argc < 2)
        return print_help(stderr, COMMANDS_INVALID);
    if (is_flag(argv[1], "help") || is_flag(argv[1], "h") || strcmp(argv[1], "help") == 0)
        return print_help(stdout, COMMANDS_DONE);
    if (is_flag(argv[1], "version"))
        return print_version();
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return argc > 2 && is_flag(argv[2], "version") ? print_version()
                                                           : verbs[i].run(argc - 1, argv + 1);
    return unknown(argv[1]);
}
