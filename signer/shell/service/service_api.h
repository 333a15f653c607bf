/*
 * service_api: what each call of the HTTP API does (docs/architecture.md, signer).
 */
#pragma once

#include "base/clock.h"
#include "signer/shell/service/service_http.h"
#include "signer/shell/stderrlog.h"

struct run_pool;
struct run_store;
struct service_stats;

struct service_api {
    const char *service; /* api or worker */
    struct run_store *store;
    struct run_pool *pool;
    struct service_stats *stats;
    const char *audit_log;
    bool allow_fallback;
    struct clock clock;
    struct stderrlog log;
};

/* Fits service_http_ports.answer; context is a struct service_api. Blocks for the disk only. */
void service_api_answer(void *context, const struct service_http_request *request,
                        struct service_http_answer *answer);
