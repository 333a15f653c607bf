#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/os/harden.h"
#include "base/text/jsonread.h"
#include "fakevault/shell/cli/cli.h"
#include "fakevault/shell/ctl/ctl.h"
#include "fakevault/shell/ports/crypto_openssl.h"
#include "fakevault/shell/server.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char *const argv[]);
    const char *help;
} commands[] = {
    {"server", server_run, "run the server"},
    {"ctl", ctl_run, "break and mend a running server"},
};

static int print_help(FILE *out, int exit_code)
{
    (void)fputs("usage: fakevault COMMAND [flags]\n\n"
                "Speaks HashiCorp Vault's HTTP API, and fails on demand. Under the name\n"
                "vault it is Vault's server and command, see vault -help.\n\n",
                out);
    for (size_t i = 0; i < COUNT(commands); i++)
        (void)fprintf(out, "  %-8s %s; see fakevault %s -help\n", commands[i].name,
                      commands[i].help, commands[i].name);
    (void)fputs("  version  print the version\n\n"
                "exit codes (sysexits): 0 done, 64 usage, 65 refused as bad, 66 no such rule or "
                "file,\n69 not available (no server there, port taken), 70 internal, 71 and 74 "
                "trouble of the\nsystem, 76 the other end is no fakevault, 77 not allowed, 78 bad "
                "configuration\n",
                out);
    return exit_code;
}

static int print_version(void)
{
    (void)puts("fakevault " PROJECT_VERSION);
    return EX_OK;
}

/* Skips the dashes of "-version" and "--version". */
static const char *bare(const char *word)
{
    return word + (word[0] == '-') + (word[0] == '-' && word[1] == '-');
}

int main(int argc, char *argv[])
{
    harden_process();
    CHECK(crypto_openssl_wipe_freed());
    jsonread_install();
    if (argc > 0 && cli_is_vault(argv[0]))
        return cli_run(argc - 1, argv + 1);
    if (argc < 2)
        return print_help(stderr, EX_USAGE);
    if (strcmp(bare(argv[1]), "help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help(stdout, EX_OK);
    if (strcmp(bare(argv[1]), "version") == 0)
        return print_version();
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    (void)fprintf(stderr, "fakevault: command \"%s\" is unknown, see fakevault -help\n", argv[1]);
    return EX_USAGE;
}
