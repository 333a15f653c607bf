/*
 * authorise: whether a job's token may do what the request asks for (vault-api.md 1.7, 2.9).
 */
#pragma once

#include "fakevault/core/call.h"

/* Answers 403 when the policies of the job's token do not allow the job's operation. A root token
 * costs nothing. */
void authorise_job(struct vault_job *job);

/* True when this policy alone, by its name, allows the job's operation. */
bool authorise_grants(const struct vault_job *job, const struct slice *policy);

/* The ACL of a token; lent as by policy_store_acl. NULL when out of memory: the job is a 500 then.
 */
const struct acl *authorise_acl(struct vault_job *job, const struct token *token);
