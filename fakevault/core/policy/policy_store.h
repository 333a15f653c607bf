/*
 * policy_store: policies by name, and the ACLs made of them.
 *
 * A policy is one record, "sys/policy/<name>", which holds its text; all are known when the vault
 * is unsealed, and read when they are first needed. Those that Vault makes by itself (default,
 * response-wrapping, control-group) are there without a record; of these only "default" can be
 * changed. "root" is there and has no text.
 *
 * ACLs are kept per list of policies, so that a token's second request costs no building; a change
 * of any policy drops them all.
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "fakevault/core/policy/acl.h"
#include "fakevault/core/policy/policy.h"
#include "fakevault/core/seal/barrier.h"

#define POLICY_STORE_PREFIX "sys/policy/"
#define POLICY_STORE_ACLS_MAX 64u /* kept at a time; then all are dropped */

struct policy_store_acl {
    struct slice *names;
    size_t count;
    struct acl *acl;
};

struct policy_store {
    struct policy **items; /* sorted by name */
    size_t count;
    struct policy_store_acl acls[POLICY_STORE_ACLS_MAX];
    size_t acl_count;
};

void policy_store_init(struct policy_store *s);

/* Forgets all, as sealing does. */
void policy_store_done(struct policy_store *s);

/* Reads all records through an open barrier. Errors as barrier_get. */
MUST_USE enum errc policy_store_load(struct policy_store *s, struct barrier *b,
                                     struct errc_why *why);

/* Returns the policy with this name, which is in lower case, or NULL; lent until a change. */
const struct policy *policy_store_find(const struct policy_store *s, struct slice name);

/* True for a policy that cannot be changed ("root", "response-wrapping", "control-group"). */
bool policy_store_is_fixed(struct slice name);

/* True for a policy that lists leave out, and that no token can be given by request. */
bool policy_store_is_hidden(struct slice name);

/* Stores a policy, then replaces the one with its name; takes it over. Errors as barrier_put. */
MUST_USE enum errc policy_store_put(struct policy_store *s, struct barrier *b, struct policy *taken,
                                    struct errc_why *why);

/* Erases a policy; one that is missing is fine. */
MUST_USE enum errc policy_store_erase(struct policy_store *s, struct barrier *b, struct slice name,
                                      struct errc_why *why);

/* The ACL of a list of policies; names without a policy count for nothing. Lent until the next call
 * that builds one or changes a policy. ERRC_NOMEM; ERRC_SYNTAX for a stored policy that is none. */
MUST_USE enum errc policy_store_acl(struct policy_store *s, const struct slice *names, size_t count,
                                    const struct acl **out);
