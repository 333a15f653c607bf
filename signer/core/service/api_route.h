/*
 * api_route: which call of the HTTP API a method and a path mean, from a table.
 */
#pragma once

#include "base/text/slice.h"

enum api_route {
    API_ROUTE_CREATE,   /* POST /api/v1/bundles */
    API_ROUTE_RUN,      /* GET  /api/v1/bundles/{id} */
    API_ROUTE_MANIFEST, /* GET  /api/v1/bundles/{id}/manifest */
    API_ROUTE_RETRY,    /* POST /api/v1/bundles/{id}/retry */
    API_ROUTE_HEALTHZ,  /* GET  /healthz */
    API_ROUTE_METRICS,  /* GET  /metrics */
    API_ROUTE_COUNT,
};

enum api_route_match {
    API_ROUTE_FOUND,
    API_ROUTE_UNKNOWN,      /* no such path: 404 */
    API_ROUTE_WRONG_METHOD, /* the path is there, the method is not: 405 with Allow */
};

struct api_route_result {
    enum api_route_match match;
    enum api_route route; /* when found */
    struct slice id;      /* the {id} of the path, borrowed, unchecked; empty where it has none */
    const char *allow;    /* value of the Allow header, when the method is wrong */
};

/* Path without its query. HEAD stands for GET. */
struct api_route_result api_route_find(struct slice method, struct slice path);
