/*
 * token_ttl: how long a token may live, as Vault works it out for a creation or a renewal.
 *
 *     mount: default 768h, maximum 768h; made 700h ago; asked for 100h more
 *     -> 68h, and `TTL of "100h" exceeded the effective max_ttl of "68h"; ...`
 *
 * All times are nanoseconds; 0 means "not given".
 */
#pragma once

#include <stdint.h>

#include "fakevault/core/call.h"

#define TOKEN_TTL_TEXT_BYTES 48u /* of a duration in Go's style, with NUL */

struct token_ttl_ask {
    int64_t increment_ns; /* of a renewal */
    int64_t ttl_ns;       /* what the token was made with, or is to be */
    int64_t period_ns;
    int64_t explicit_max_ns;
    int64_t start_ns; /* wall time of the creation */
};

/* Writes the time to live; warns in the job's answer where it was cut. False when the token is past
 * its maximum; that is answered then. */
bool token_ttl_calculate(struct vault_job *job, const struct token_ttl_ask *ask, int64_t *ttl_ns);

/* The maximum of the mount auth/token/, or the system's. */
int64_t token_ttl_max(const struct vault_job *job);

/* Writes a duration as Go prints it, without parts that are zero: "768h", "1h30m", "1.5s". */
void token_ttl_format(int64_t ns, char out[static TOKEN_TTL_TEXT_BYTES]);
