/*
 * request: reads method, path, query and body of a request into a job, in Vault's order of checks
 * (vault-api.md 1.1, 1.7). A request that is wrong is answered here.
 */
#pragma once

#include "fakevault/core/call.h"

/* Decodes the path and finds the operation. Answers: not below /v1/, an unclean path (redirect), a
 * path that is not printable, a bad `list`. */
void request_read_line(struct vault_job *job);

/* Reads the parameters of a logical request: the query for read, list and delete, the body (JSON or
 * form) for update. Answers: bad JSON, too large, PATCH without its content type. */
void request_read_data(struct vault_job *job);

/* Reads the body of a hard-wired sys endpoint, which must be a JSON object. Answers with Go's
 * error. */
void request_read_sys_body(struct vault_job *job, const char *go_struct);

/* Reads X-Vault-Wrap-TTL; answers a wrong one. */
void request_check_wrap(struct vault_job *job);

/* Returns the client token of X-Vault-Token or of "Authorization: Bearer"; empty for none. */
struct slice request_token(const struct vault_request *request);

/* Returns true and the decoded value when the raw query has the name. A value that value's maximum
 * cannot hold is cut. */
bool request_query(const struct vault_request *request, const char *name, struct buf *value);

/* Appends the path as Go's ServeMux cleans it: "//", "." and ".." resolved, a '/' before it. */
void request_clean_path(struct slice path, struct buf *out);
