#include <stdio.h>

#include "chaos/core/verdict.h"
#include "chaos/shell/cmd_table.h"

/* A sanitizer report is trouble of our own; with the default of 1 it would read as a verdict. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "exitcode=70";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "exitcode=70:print_stacktrace=1";
}

int main(int argc, char *argv[])
{
    int code = cmd_table_run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        perror("chaos: standard output");
        return VERDICT_EXIT_INTERNAL;
    }
    return code;
}
