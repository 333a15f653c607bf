#include "chaos/shell/cmd_table.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/dispatch.h"
#include "chaos/core/judge/verdict.h"
#include "chaos/shell/cmd_look.h"
#include "chaos/shell/cmd_run.h"

static const struct cmd_table_row rows[] = {
    {"run", "FILE|FOLDER…", "run scenarios over real processes and judge them", cmd_run,
     cmd_run_explain},
    {"lint", "FILE|FOLDER…", "check scenario files; start nothing", cmd_look_lint, NULL},
    {"list", "FILE|FOLDER…", "list scenarios with their tags and purpose", cmd_look_list,
     cmd_look_list_explain},
    {"plan", "FILE", "print the steps of a scenario in the order in which they are run",
     cmd_look_plan, NULL},
    {"schema", "", "print the JSON Schema (2020-12) of scenario files", cmd_look_schema, NULL},
};

#define ARGUMENTS_WIDTH 12

static const struct dispatch commands = DISPATCH("command", "chaos --help", rows);

/* printf counts the bytes of "…", a terminal does not. */
static int columns(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void print_help(void)
{
    (void)printf("usage: chaos COMMAND [FLAG…] [ARGUMENT…]\n\n"
                 "Rehearses Vault outages over real processes and judges what the signer did.\n\n");
    for (size_t i = 0; i < COUNT(rows); i++)
        (void)printf("  %-7s %s%*s %s\n", rows[i].name, rows[i].arguments,
                     ARGUMENTS_WIDTH - columns(rows[i].arguments), "", rows[i].help);
    (void)printf("\n  chaos COMMAND --help tells its flags; chaos --version tells the version.\n"
                 "  exit codes: 0 pass, 1 fail, 2 unknown, 3 not started, 4 dirty, 5 not exercised,"
                 "\n  64 usage, 65 bad scenario, 70 internal, 77 all skipped, 130 interrupted\n");
}

static bool is_flag(const char *word, const char *name)
{
    word += word[0] == '-';
    return word[0] == '-' ? strcmp(word + 1, name) == 0 : strcmp(word, name) == 0;
}

static bool asks_for_help(int argc, char *const argv[])
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (argv[i][0] == '-' && (is_flag(argv[i], "help") || is_flag(argv[i], "h")))
            return true;
    return false;
}

static int explain(const struct cmd_table_row *row)
{
    (void)printf("usage: chaos %s%s %s\n\n%s\n", row->name, row->explain != NULL ? " [FLAG…]" : "",
                 row->arguments, row->help);
    if (row->explain != NULL) {
        (void)printf("\n");
        row->explain();
    }
    return 0;
}

int cmd_table_run(int argc, char *const argv[])
{
    struct errc_why why;
    size_t row = 0;
    size_t words = 0;
    if (argc < 2) {
        (void)fprintf(stderr, "chaos: no command given; chaos --help lists them\n");
        return VERDICT_EXIT_USAGE;
    }
    const char *const *word = (const char *const *)argv + 1;
    if (dispatch_find(&commands, word, 1, &row, &words, &why) == ERRC_OK)
        return asks_for_help(argc - 2, argv + 2) ? explain(&rows[row])
                                                 : rows[row].run(argc - 2, argv + 2);
    if (argv[1][0] == '-' && is_flag(argv[1], "version")) {
        (void)printf("chaos %s\n", PROJECT_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "help") == 0 || asks_for_help(1, argv + 1)) {
        print_help();
        return 0;
    }
    (void)fprintf(stderr, "chaos: %s\n", why.text);
    return VERDICT_EXIT_USAGE;
}
