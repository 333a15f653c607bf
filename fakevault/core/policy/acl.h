/*
 * acl: what a set of policies allows.
 *
 * An ACL is built once for a list of policies and never changes; building merges the rules that
 * several policies have for one path, as Vault does (vault-api.md 2.9). It answers two questions:
 * may this request be done, and what may be done at this path at all. The policy "root" answers
 * both with yes.
 *
 * Of the rules that fit a path exactly one decides: the exact one; else the one whose first
 * wildcard stands last, then the one without a '*' at its end, then the one with fewer '+', then
 * the longer one, then the later one in byte order.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "base/text/slice.h"
#include "fakevault/core/http/route.h"
#include "fakevault/core/policy/policy.h"

struct acl;

/* What is allowed at one path, merged from all policies. */
struct acl_grant {
    char *path;
    unsigned capabilities; /* enum policy_capability */
    int64_t min_ttl_ns;    /* of wrapping; 0: none */
    int64_t max_ttl_ns;
    json_t *allowed; /* name in lower case -> array of values; NULL: none */
    json_t *denied;
    json_t *required; /* an object whose members are the names; NULL: none */
};

/* Builds the ACL of policies, which it does not need afterwards; the caller frees *out. A NULL
 * policy is skipped: a token may name one that does not exist. ERRC_NOMEM. */
MUST_USE enum errc acl_new(const struct policy *const *policies, size_t count, struct acl **out);

/* NULL allowed. */
void acl_free(struct acl *acl);

/* What is to be done. */
struct acl_request {
    enum route_operation operation; /* ROUTE_CREATE or ROUTE_UPDATE, decided by `exists` */
    struct slice path;              /* without "/v1/" */
    const json_t *data;             /* parameters as sent, or NULL */
    int64_t wrap_ttl_ns;            /* of X-Vault-Wrap-TTL; 0 for none */
    bool sudo;                      /* the path needs it */
};

/* True when the ACL allows the request. */
bool acl_allows(const struct acl *acl, const struct acl_request *request);

/* True for the ACL of the policy "root". */
bool acl_is_root(const struct acl *acl);

/* Returns the capabilities (enum policy_capability) at a path: POLICY_ROOT alone for root,
 * POLICY_DENY alone when nothing is allowed. */
unsigned acl_capabilities(const struct acl *acl, struct slice path);

/* True when something below a mount ("secret/") or auth mount may be done: who may not is not told
 * of it by sys/internal/ui/mounts. */
bool acl_sees_mount(const struct acl *acl, struct slice mount_path);

/* Hands out what is allowed at exact paths, or at prefixes, sorted by path. */
void acl_each(const struct acl *acl, bool prefix,
              void (*each)(void *context, const struct acl_grant *grant), void *context);

/* Writes an array of the names of capabilities, in Vault's order for sys/capabilities: sorted. */
void acl_write_capabilities(struct jsonwrite *w, const char *key, unsigned capabilities);
