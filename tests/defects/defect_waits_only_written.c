/*
 * defect_waits_only_written: retries at once and writes down the waits, and the times that go with
 * them, that it should have taken.
 */
#include <string.h>

#include "base/units.h"
#include "signer/core/attempt/retry.h"
#include "signer/core/trail/audit.h"

int64_t __real_retry_wait_ms(const struct config_retry *retry, int64_t n, struct prng *prng);
int64_t __wrap_retry_wait_ms(const struct config_retry *retry, int64_t n, struct prng *prng);
enum errc __real_audit_format(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why);
enum errc __wrap_audit_format(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why);

static _Thread_local int64_t waits_ms[LIMIT_ATTEMPTS + 1]; /* before attempt n, at n - 1 */

int64_t __wrap_retry_wait_ms(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    waits_ms[n] = __real_retry_wait_ms(retry, n, prng);
    return 0;
}

enum errc __wrap_audit_format(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why)
{
    struct audit_attempt attempts[LIMIT_ATTEMPTS];
    struct audit_entry lie = *entry;
    int64_t off_ns = 0;
    for (size_t i = 0; i < entry->attempt_count; i++) {
        attempts[i] = entry->attempts[i];
        attempts[i].wait_ms = i == 0 ? 0 : waits_ms[i];
        off_ns += attempts[i].wait_ms * NS_PER_MS;
        attempts[i].started_wall_ns += off_ns;
    }
    lie.attempts = attempts;
    lie.wall_ns += off_ns;
    return __real_audit_format(&lie, previous, out, why);
}
