#include "chaos/core/judge/backoff.h"

#include <inttypes.h>
#include <string.h>

#define NS_PER_MS 1000000

void backoff_bounds(const struct record_contract *contract, int64_t n, int64_t *low, int64_t *high)
{
    int64_t cap = contract->base_ms;
    for (int64_t i = 2; i < n && cap < contract->max_ms; i++)
        cap *= 2;
    *high = cap < contract->max_ms ? cap : contract->max_ms;
    *low = *high / 2;
}

/* Elapsed time between two attempts is not less than the wait that was asked for. */
static enum errc check_gap(const struct ledger_attempt *before,
                           const struct ledger_attempt *attempt, struct errc_why *why)
{
    int64_t gap_ms = (attempt->started_ns - before->started_ns) / NS_PER_MS;
    if (gap_ms + BACKOFF_SLACK_MS >= attempt->wait_ms)
        return ERRC_OK;
    return errc_fail(why, ERRC_RANGE,
                     "expected attempt %" PRId64 " at least %" PRId64
                     " ms behind the one before, it began %" PRId64 " ms behind it",
                     attempt->n, attempt->wait_ms, gap_ms);
}

static enum errc check_wait(const struct ledger_entry *entry, size_t i,
                            const struct record_contract *contract, bool retry_after,
                            struct errc_why *why)
{
    const struct ledger_attempt *attempt = &entry->attempts[i];
    int64_t low = 0, high = 0;
    if (i > 0) {
        backoff_bounds(contract, (int64_t)i + 1, &low, &high);
        high = retry_after ? contract->max_ms : high;
    }
    if (attempt->wait_ms < low || attempt->wait_ms > high)
        return errc_fail(why, ERRC_RANGE,
                         "expected a wait of %" PRId64 "..%" PRId64
                         " ms before attempt %zu, asked for were %" PRId64,
                         low, high, i + 1, attempt->wait_ms);
    return i == 0 ? ERRC_OK : check_gap(&entry->attempts[i - 1], attempt, why);
}

enum errc backoff_check(const struct ledger_entry *entry, const struct record_contract *contract,
                        bool retry_after, struct errc_why *why)
{
    for (size_t i = 0; i < entry->attempt_count; i++)
        TRY(check_wait(entry, i, contract, retry_after, why));
    return ERRC_OK;
}

bool backoff_retry_after(const struct scenario *scenario)
{
    for (unsigned phase = 0; phase < VERB_PHASES; phase++)
        for (size_t i = 0; i < scenario->phases[phase].count; i++) {
            const struct scenario_step *step = &scenario->phases[phase].items[i];
            const struct scenario_value *headers = scenario_field(step, "headers");
            for (size_t k = 0; headers != NULL && k < headers->count; k++)
                if (strcasecmp(headers->pairs[k].name, "Retry-After") == 0)
                    return true;
        }
    return false;
}
