/*
 * defect_no_backoff: retries at once, a hundred clients would hammer a Vault that is just coming
 * back.
 */
#include "signer/core/attempt/retry.h"

int64_t __wrap_retry_wait_ms(const struct config_retry *retry, int64_t n, struct prng *prng);

int64_t __wrap_retry_wait_ms(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    (void)retry;
    (void)n;
    (void)prng;
    return 0;
}
