/*
 * fault_rule: one rule, from its JSON to what is asked per request (fault.h tells what rules mean).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "base/text/slice.h"
#include "fakevault/core/outage/fault_types.h"

struct fault_rule {
    char id[FAULT_ID_MAX];
    json_t *source; /* the parts as given, without the id */
    /* of `source`: lent, NULL when a part is not given */
    const char *method;
    const char *path;
    struct slice glob; /* what `path` says, without "/v1/" */
    uint64_t letters;  /* that it asks for: bit n for bytes that are n modulo 64 */
    const char *key;
    const char *accessor;
    const char *test;
    uint64_t after;
    uint64_t times; /* UINT64_MAX without a limit */
    uint64_t every; /* >= 1 */
    uint64_t ppm;
    int64_t from_ms;
    int64_t to_ms;    /* first millisecond that is too late; INT64_MAX for never */
    int64_t lease_ms; /* 0: for good */
    enum fault_effect effect;
    struct fault_reply *reply; /* of FAULT_RESPOND, else NULL */
    /* its life */
    uint64_t identity;
    uint64_t number; /* of the rolls' stream */
    int64_t added_ns;
    uint64_t matched;
    uint64_t hits;
};

/*
 * Reads a rule. An id that is not given stays "". ERRC_SCHEMA, ERRC_RANGE, ERRC_NOMEM; *out is
 * zeroed then. `value` is copied.
 */
MUST_USE enum errc fault_rule_parse(const json_t *value, struct fault_rule *out,
                                    struct errc_why *why);

/* Reads rule's parts changed by `change` (RFC 7396) into *out, with rule's id and no life. */
MUST_USE enum errc fault_rule_merge(const struct fault_rule *rule, const json_t *change,
                                    struct fault_rule *out, struct errc_why *why);

/* NULL and a zeroed rule are allowed. */
void fault_rule_done(struct fault_rule *rule);

/* What was found out about a path last: rules of one set often have one pattern. Zeroed: nothing.
 */
struct fault_seen {
    uint64_t letters; /* of the path, and both wildcards */
    struct slice glob;
    bool fits;
};

/* True when the rule's match part fits. `seen` is of these facts. */
bool fault_rule_matches(const struct fault_rule *rule, const struct fault_facts *facts,
                        struct fault_seen *seen);

/*
 * Counts one matched request and says whether the rule takes it; *roll is -1 without a probability.
 * `hits` is not touched.
 */
bool fault_rule_fires(struct fault_rule *rule, uint64_t seed, int64_t now_ns, int64_t *roll);

/* Returns when its lease ends (mono_ns), INT64_MAX for never. */
int64_t fault_rule_expiry(const struct fault_rule *rule);

void fault_rule_format(const struct fault_rule *rule, struct jsonwrite *w, const char *key);
