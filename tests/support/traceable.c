/*
 * traceable: leaves out what keeps others from looking into our processes, so that an ordinary
 * user's strace can read what their system calls are given. The programs are otherwise the real
 * ones.
 */
#include "base/os/harden.h"

void __wrap_harden_process(void);

void __wrap_harden_process(void)
{
}
