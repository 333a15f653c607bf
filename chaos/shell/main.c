#include <stdio.h>

#include "chaos/core/judge/verdict.h"
#include "chaos/shell/cmd_table.h"

int main(int argc, char *argv[])
{
    int code = cmd_table_run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        perror("chaos: standard output");
        return VERDICT_EXIT_INTERNAL;
    }
    return code;
}
