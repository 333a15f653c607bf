#include "chaos/core/judge/backoff.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"

/* What a wait must lie in, in milliseconds; `asked`: by the server. */
struct bounds {
    int64_t low, high;
    bool asked;
};

void backoff_bounds(const struct record_contract *contract, int64_t n, int64_t *low, int64_t *high)
{
    int64_t cap = contract->base_ms;
    for (int64_t i = 2; i < n && cap < contract->max_ms; i++)
        cap *= 2;
    *high = cap < contract->max_ms ? cap : contract->max_ms;
    *low = *high / 2;
}

/* --- Retry-After --- */

/* The header of a step that answers requests itself, or NULL. */
static const char *retry_after_of(const struct scenario_step *step)
{
    const struct scenario_value *headers = scenario_field(step, "headers");
    for (size_t k = 0; headers != NULL && k < headers->count; k++)
        if (strcasecmp(headers->pairs[k].name, "Retry-After") == 0)
            return headers->pairs[k].value;
    return NULL;
}

/* The header of the rule that took the request, or NULL. */
static const char *header_of_rule(const struct record *record, const char *rule)
{
    for (size_t i = 0; rule != NULL && i < record->change_count; i++)
        if (record->changes[i].rule != NULL && strcmp(record->changes[i].rule, rule) == 0)
            return retry_after_of(record->changes[i].plan->step);
    return NULL;
}

static bool any_retry_after(const struct record *record)
{
    for (size_t i = 0; i < record->change_count; i++)
        if (retry_after_of(record->changes[i].plan->step) != NULL)
            return true;
    return false;
}

/* Seconds are what a test sends; a date cannot be known to the millisecond here. */
static bool read_seconds(const char *text, int64_t *ms)
{
    uint64_t seconds = 0;
    if (!slice_to_u64(slice_trim(slice_of(text)), &seconds))
        return false;
    *ms = seconds > INT32_MAX ? INT32_MAX * INT64_C(1000) : (int64_t)seconds * 1000;
    return true;
}

/* Only a rate limit's Retry-After is heeded, and never beyond max. */
static struct bounds with_retry_after(struct bounds b, const struct record_contract *contract,
                                      const struct ledger_attempt *before, const char *header)
{
    int64_t asked = 0;
    if (header == NULL || strcmp(before->class, "rate_limited") != 0)
        return b;
    if (!read_seconds(header, &asked)) {
        bool date = strlen(header) == strlen("Sun, 06 Nov 1994 08:49:37 GMT");
        b.high = date ? contract->max_ms : b.high;
        return b;
    }
    asked = asked < contract->max_ms ? asked : contract->max_ms;
    b.asked = asked > b.low;
    b.low = asked > b.low ? asked : b.low;
    b.high = asked > b.high ? asked : b.high;
    return b;
}

/* --- waits --- */

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

static enum errc check_wait(const struct ledger_entry *entry, size_t i, struct bounds b,
                            struct errc_why *why)
{
    const struct ledger_attempt *attempt = &entry->attempts[i];
    if (attempt->wait_ms < b.low || attempt->wait_ms > b.high)
        return errc_fail(why, ERRC_RANGE,
                         "expected a wait of %" PRId64 "..%" PRId64
                         " ms before attempt %zu%s, asked for were %" PRId64,
                         b.low, b.high, i + 1, b.asked ? ", as Retry-After says" : "",
                         attempt->wait_ms);
    return i == 0 ? ERRC_OK : check_gap(&entry->attempts[i - 1], attempt, why);
}

static struct bounds bounds_of(const struct record_contract *contract, size_t i)
{
    struct bounds b = {0};
    if (i > 0)
        backoff_bounds(contract, (int64_t)i + 1, &b.low, &b.high);
    return b;
}

enum errc backoff_check(const struct join_run *run, const struct record_contract *contract,
                        const struct record *record, struct errc_why *why)
{
    const struct ledger_entry *entry = run->result;
    for (size_t i = 0; i < entry->attempt_count; i++) {
        const struct ledger_request *before = i == 0 ? NULL : run->attempts[i - 1].last;
        const char *header = before == NULL ? NULL : header_of_rule(record, before->rule);
        struct bounds b = bounds_of(contract, i);
        if (i > 0)
            b = with_retry_after(b, contract, &entry->attempts[i - 1], header);
        TRY(check_wait(entry, i, b, why));
    }
    return ERRC_OK;
}

enum errc backoff_check_entry(const struct ledger_entry *entry,
                              const struct record_contract *contract, const struct record *record,
                              struct errc_why *why)
{
    bool asked = any_retry_after(record);
    for (size_t i = 0; i < entry->attempt_count; i++) {
        struct bounds b = bounds_of(contract, i);
        if (i > 0 && asked)
            b.high = contract->max_ms;
        TRY(check_wait(entry, i, b, why));
    }
    return ERRC_OK;
}
