/*
 * policy: a policy's text as rules. Reads HCL and JSON, and refuses what Vault 1.14.9 refuses, with
 * its sentences (vault-api.md 2.9).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/slice.h"

enum policy_capability {
    POLICY_DENY = 1 << 0,
    POLICY_CREATE = 1 << 1,
    POLICY_READ = 1 << 2,
    POLICY_UPDATE = 1 << 3,
    POLICY_DELETE = 1 << 4,
    POLICY_LIST = 1 << 5,
    POLICY_SUDO = 1 << 6,
    POLICY_PATCH = 1 << 7,
    POLICY_ROOT = 1 << 8, /* only as an answer: no policy's text can grant it */
};

/* One `path "..." { }`. */
struct policy_rule {
    char *path;            /* without a leading '/', and without the '*' of a prefix */
    bool templated;        /* has {{...}}: fits nothing, as nobody has an identity here */
    bool prefix;           /* ended in '*', and has no segment wildcard */
    bool segments;         /* has '+' for a whole segment; keeps its '*' */
    unsigned capabilities; /* enum policy_capability */
    int64_t min_wrapping_ttl_ns;
    int64_t max_wrapping_ttl_ns;
    json_t *allowed;  /* name in lower case -> array of values, or NULL */
    json_t *denied;   /* likewise */
    json_t *required; /* array of names, or NULL */
};

struct policy {
    char *name;
    char *text; /* as written */
    bool read;  /* the rules are known */
    struct policy_rule *rules;
    size_t rule_count;
};

/* Holds a text whose rules are not read yet; the caller frees *out. ERRC_NOMEM. */
MUST_USE enum errc policy_hold(struct slice name, struct slice text, struct policy **out);

/* Reads the rules, once. ERRC_SYNTAX with Vault's sentence, ERRC_NOMEM: it has no rules then. */
MUST_USE enum errc policy_read(struct policy *policy, struct errc_why *why);

/* Both: parses a text; the caller frees *out. ERRC_SYNTAX with Vault's sentence ("failed to parse
 * policy:
 * ..."), ERRC_NOMEM. */
MUST_USE enum errc policy_parse(struct slice name, struct slice text, struct policy **out,
                                struct errc_why *why);

/* NULL allowed. */
void policy_free(struct policy *policy);
