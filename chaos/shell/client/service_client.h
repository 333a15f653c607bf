/*
 * service_client: the HTTP API of a signing service as its users call it
 * (docs/architecture.md, signer).
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/shell/process/await.h"

struct service_client {
    const struct await *await;
    char address[64]; /* "http://127.0.0.1:8080" */
};

/* One answer: the status, and the body when it is a JSON object. */
struct service_client_answer {
    int status;
    json_t *body; /* NULL when it was none */
};

void service_client_done(struct service_client_answer *answer); /* fits CLEANUP */

/* POST /api/v1/bundles. ERRC_UNAVAILABLE, ERRC_TIMEOUT; any status is an answer. */
MUST_USE enum errc service_client_submit(const struct service_client *client, struct slice bundle,
                                         int64_t deadline_ns, struct service_client_answer *out,
                                         struct errc_why *why);

/* POST /api/v1/bundles/{id}/retry. */
MUST_USE enum errc service_client_retry(const struct service_client *client, const char *id,
                                        int64_t deadline_ns, struct service_client_answer *out,
                                        struct errc_why *why);

/* GET /api/v1/bundles/{id} until the run is completed, failed or blocked, or the service answers
 * with an error; the service does the waiting (Prefer: wait). ERRC_TIMEOUT when the deadline
 * passes first. */
MUST_USE enum errc service_client_await(const struct service_client *client, const char *id,
                                        int64_t deadline_ns, struct service_client_answer *out,
                                        struct errc_why *why);

/* Appends the text of GET `path` ("/metrics"). ERRC_STATE unless it is a 200. */
MUST_USE enum errc service_client_text(const struct service_client *client, const char *path,
                                       int64_t deadline_ns, struct buf *out, struct errc_why *why);
