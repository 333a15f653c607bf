/*
 * defect_waits_only_written: retries at once and writes down the waits, and the times that go with
 * them, that it should have taken.
 */
#include <string.h>

#include "tests/defects/defect.h"

#define NS_PER_MS INT64_C(1000000)

static _Thread_local int64_t waits_ms[LIMIT_ATTEMPTS + 1]; /* before attempt n, at n - 1 */

static int64_t retry_wait_ms_wrongly(const struct config_retry *retry, int64_t n, struct prng *prng)
{
    defect_acts();
    waits_ms[n] = __real_retry_wait_ms(retry, n, prng);
    return 0;
}

static enum errc audit_format_wrongly(const struct audit_entry *entry, const char *previous,
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

DEFECT(waits_only_written, .retry_wait_ms = retry_wait_ms_wrongly,
       .audit_format = audit_format_wrongly);
