/*
 * request: reads query, headers and body of a request into a job, in Vault's order of checks
 * (vault-api.md 1.1, 1.7). A request that is wrong is answered here. The line is target.h's.
 */
#pragma once

#include "fakevault/core/call.h"

/* Reads operation and parameters of a logical request: the query for read, list and delete, the
 * body (JSON or form) for update. Answers: a bad `list`, bad JSON, too large, PATCH without its
 * content type, a demand to be forwarded. */
void request_read(struct vault_job *job);

/* Answers a wrong X-Vault-Wrap-TTL or X-Vault-Policy-Override; notes a right one. */
void request_check_headers(struct vault_job *job);

/* Reads the body of a hard-wired sys endpoint, which must be a JSON object. Answers with Go's
 * error. */
void request_read_sys_body(struct vault_job *job, const char *go_struct);

/* Returns the client token of X-Vault-Token or of "Authorization: Bearer"; empty for none. */
struct slice request_token(const struct vault_request *request);

/* Returns true and the decoded value when the raw query has the name. A value that value's maximum
 * cannot hold is cut. */
bool request_query(const struct vault_request *request, const char *name, struct buf *value);
