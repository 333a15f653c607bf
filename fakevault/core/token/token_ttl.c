#include "fakevault/core/token/token_ttl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "fakevault/core/state.h"

#define MOUNT "auth/token/"

static const struct mount *own_mount(const struct vault_job *job)
{
    return mount_at(&job->vault->mounts, SLICE_LITERAL(MOUNT));
}

int64_t token_ttl_max(const struct vault_job *job)
{
    const struct mount *m = own_mount(job);
    int64_t seconds = m == NULL || m->max_ttl_s == 0 ? MOUNT_TTL_DEFAULT : m->max_ttl_s;
    return seconds * NS_PER_S;
}

static int64_t default_ttl(const struct vault_job *job)
{
    const struct mount *m = own_mount(job);
    int64_t seconds = m == NULL || m->default_ttl_s == 0 ? MOUNT_TTL_DEFAULT : m->default_ttl_s;
    return seconds * NS_PER_S;
}

/* Drops the zeros at the end of a fraction, and its point. */
static void trim_fraction(char *text)
{
    size_t len = strlen(text);
    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    text[len] = '\0';
}

static void format_small(int64_t ns, char out[static TOKEN_TTL_TEXT_BYTES])
{
    bool micro = ns < NS_PER_MS;
    if (ns < 1000) {
        (void)snprintf(out, TOKEN_TTL_TEXT_BYTES, "%" PRId64 "ns", ns);
        return;
    }
    int64_t unit = micro ? 1000 : NS_PER_MS;
    (void)snprintf(out, TOKEN_TTL_TEXT_BYTES, "%" PRId64 ".%0*" PRId64, ns / unit, micro ? 3 : 6,
                   ns % unit);
    trim_fraction(out);
    size_t len = strlen(out);
    (void)snprintf(out + len, TOKEN_TTL_TEXT_BYTES - len, micro ? "\xc2\xb5s" : "ms");
}

void token_ttl_format(int64_t ns, char out[static TOKEN_TTL_TEXT_BYTES])
{
    if (ns < NS_PER_S && ns > 0) {
        format_small(ns, out);
        return;
    }
    int64_t whole = ns / NS_PER_S;
    int64_t hours = whole / 3600, minutes = whole / 60 % 60;
    char seconds[24] = "";
    if (ns % (60 * NS_PER_S) != 0 || ns == 0) {
        (void)snprintf(seconds, sizeof seconds, "%" PRId64 ".%09" PRId64, whole % 60,
                       ns % NS_PER_S);
        trim_fraction(seconds);
        (void)strcat(seconds, "s");
    }
    int len = 0;
    out[0] = '\0';
    if (hours > 0)
        len += snprintf(out, TOKEN_TTL_TEXT_BYTES, "%" PRId64 "h", hours);
    if (minutes > 0 || (hours > 0 && seconds[0] != '\0'))
        len += snprintf(out + len, TOKEN_TTL_TEXT_BYTES - (size_t)len, "%" PRId64 "m", minutes);
    (void)snprintf(out + len, TOKEN_TTL_TEXT_BYTES - (size_t)len, "%s", seconds);
}

static void warn_capped(struct vault_job *job, const char *what, int64_t had_ns, int64_t max_ns,
                        const char *value)
{
    char had[TOKEN_TTL_TEXT_BYTES], max[TOKEN_TTL_TEXT_BYTES];
    token_ttl_format(had_ns, had);
    token_ttl_format(max_ns, max);
    call_warn(
        job,
        "%s of \"%s\" exceeded the effective max_ttl of \"%s\"; %s value is capped accordingly",
        what, had, max, value);
}

static int64_t lesser_if_given(int64_t value, int64_t given)
{
    return given > 0 && given < value ? given : value;
}

static int64_t truncate_to_second(int64_t ns)
{
    return ns / NS_PER_S * NS_PER_S;
}

/* A periodic token has no last day, unless it was given one. */
static int64_t wanted_ttl(struct vault_job *job, const struct token_ttl_ask *ask, int64_t max_ns)
{
    if (ask->period_ns > max_ns)
        warn_capped(job, "period", ask->period_ns, max_ns, "period");
    if (ask->period_ns > 0)
        return ask->period_ns > max_ns ? max_ns : ask->period_ns;
    if (ask->increment_ns > 0)
        return ask->increment_ns;
    return ask->ttl_ns > 0 ? ask->ttl_ns : default_ttl(job);
}

bool token_ttl_calculate(struct vault_job *job, const struct token_ttl_ask *ask, int64_t *ttl_ns)
{
    int64_t max_ns = lesser_if_given(token_ttl_max(job), ask->explicit_max_ns);
    int64_t age_ns = truncate_to_second(job->now.wall_ns) - truncate_to_second(ask->start_ns);
    *ttl_ns = wanted_ttl(job, ask, max_ns);
    if (ask->period_ns > 0 && ask->explicit_max_ns == 0)
        return true;
    int64_t left_ns = (ask->period_ns > 0 ? ask->explicit_max_ns : max_ns) - age_ns;
    if (left_ns <= 0) {
        call_fault(job, "past the max TTL, cannot renew");
        return false;
    }
    if (*ttl_ns > left_ns) {
        warn_capped(job, "TTL", *ttl_ns, left_ns, "TTL");
        *ttl_ns = left_ns;
    }
    return true;
}
