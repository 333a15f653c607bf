#include "chaos/core/invariants.h"
void invariants_judge(struct runner *run, const struct evidence *evidence)
{
    (void)run;
    (void)evidence;
}
