#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/bug.h"
#include "base/count.h"
#include "base/dispatch.h"
#include "base/flags.h"
#include "base/os/harden.h"
#include "base/text/jsonread.h"
#include "fakevault/shell/cli/cli_main.h"
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

static const struct dispatch dispatch = DISPATCH("command", "fakevault -help", commands);

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

static bool asks_for(const char *word, const char *what)
{
    return strcmp(word, what) == 0 || flags_is(word, what);
}

static int run(int argc, char *const argv[])
{
    struct errc_why why;
    size_t command = 0, words = 0;
    if (dispatch_find(&dispatch, (const char *const *)argv, 1, &command, &words, &why) == ERRC_OK)
        return commands[command].run(argc - 1, argv + 1);
    (void)fprintf(stderr, "fakevault: %s\n", why.text);
    return EX_USAGE;
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
    if (asks_for(argv[1], "help") || strcmp(argv[1], "-h") == 0)
        return print_help(stdout, EX_OK);
    if (asks_for(argv[1], "version"))
        return print_version();
    return run(argc - 1, argv + 1);
}
