#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

void bug_die(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "bug: %s:%d: %s does not hold; please report this\n", file, line,
                  condition);
    abort();
}
