/*
 * defect_no_backoff: retries at once, a hundred clients would hammer a Vault that is just coming
 * back.
 */
#include "tests/defects/defect.h"

static int64_t retry_wait_ms_wrongly(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    (void)retry;
    (void)n;
    (void)prng;
    defect_acts();
    return 0;
}

DEFECT(no_backoff, .retry_wait_ms = retry_wait_ms_wrongly);
