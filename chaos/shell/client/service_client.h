/*
 * service_client: the HTTP API of a signing service as its users call it; how
 * it is called, and what its answers mean, is the subject's (core/subject/).
 */
#pragma once

#include <stdint.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/subject/subject_bundle.h"
#include "chaos/core/subject/subject_template.h"
#include "chaos/core/world.h"
#include "chaos/shell/process/await.h"
#include "chaos/shell/stack/stack.h"

struct service_client {
    const struct await *await;
    const struct subject *subject;
    const struct subject_door *door;
    const char *run_folder; /* where answers are kept */
    char address[64];       /* "http://127.0.0.1:8080" */
};

/* A client of one of the stack's services. */
struct service_client service_client_of(const struct stack *stack, const struct stack_service *s);

/* Sends one of the door's requests and appends the text of the answer, whatever its status.
 * bundle: what its body asks to be signed; NULL: nothing. ERRC_UNAVAILABLE, ERRC_TIMEOUT. */
MUST_USE enum errc service_client_ask(const struct service_client *client,
                                      const struct subject_request *request,
                                      const struct subject_bundle *bundle,
                                      const struct subject_template_values *values,
                                      int64_t deadline_ns, int *status, struct buf *out,
                                      struct errc_why *why);

/* Asks for the run until it has ended, or the service answers with an error; the service does the
 * waiting. ERRC_TIMEOUT when the deadline passes first. */
MUST_USE enum errc service_client_await(const struct service_client *client,
                                        struct subject_template_values values, int64_t deadline_ns,
                                        struct world_call *told, struct errc_why *why);

/* Appends the text that a request without values is answered with. ERRC_STATE unless it is a
 * 200. */
MUST_USE enum errc service_client_text(const struct service_client *client,
                                       const struct subject_request *request, int64_t deadline_ns,
                                       struct buf *out, struct errc_why *why);
