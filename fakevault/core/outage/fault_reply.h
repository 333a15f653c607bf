/*
 * fault_reply: an answer that a rule invents, shared by the rule and the requests that it took.
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"
#include "fakevault/core/outage/fault_types.h"

/* Reads {"status", "errors" or "body", "headers"}; *out is the caller's, untouched on failure.
 * ERRC_SCHEMA, ERRC_RANGE, ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc fault_reply_parse(const json_t *value, struct fault_reply **out,
                                     struct errc_why *why);

/* One more, or one less, who needs it; from any thread. The last one frees it. NULL is fine. */
struct fault_reply *fault_reply_ref(struct fault_reply *reply);
void fault_reply_unref(struct fault_reply *reply);
