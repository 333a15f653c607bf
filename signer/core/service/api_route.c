#include "signer/core/service/api_route.h"

#include <stdbool.h>
#include <string.h>

/* "{id}" stands for one part of the path that is not empty. */
static const struct row {
    const char *method;
    const char *pattern;
    const char *allow;
} rows[API_ROUTE_COUNT] = {
    [API_ROUTE_CREATE] = {"POST", "/api/v1/bundles", "POST"},
    [API_ROUTE_RUN] = {"GET", "/api/v1/bundles/{id}", "GET, HEAD"},
    [API_ROUTE_MANIFEST] = {"GET", "/api/v1/bundles/{id}/manifest", "GET, HEAD"},
    [API_ROUTE_RETRY] = {"POST", "/api/v1/bundles/{id}/retry", "POST"},
    [API_ROUTE_HEALTHZ] = {"GET", "/healthz", "GET, HEAD"},
    [API_ROUTE_METRICS] = {"GET", "/metrics", "GET, HEAD"},
};

static bool matches(const char *pattern, struct slice path, struct slice *id)
{
    struct slice rest = slice_of(pattern);
    *id = (struct slice){0};
    while (rest.len > 0 && path.len > 0) {
        struct slice want = slice_cut(&rest, '/');
        struct slice part = slice_cut(&path, '/');
        bool variable = slice_equal_text(want, "{id}") && part.len > 0;
        if (variable)
            *id = part;
        else if (!slice_equal(want, part))
            return false;
    }
    return rest.len == 0 && path.len == 0;
}

static bool method_fits(const char *wanted, struct slice method)
{
    return slice_equal_text(method, wanted) ||
           (strcmp(wanted, "GET") == 0 && slice_equal_text(method, "HEAD"));
}

struct api_route_result api_route_find(struct slice method, struct slice path)
{
    struct api_route_result result = {.match = API_ROUTE_UNKNOWN};
    if (slice_ends_with(path, "/"))
        return result;
    for (int i = 0; i < API_ROUTE_COUNT; i++) {
        struct slice id;
        if (!matches(rows[i].pattern, path, &id))
            continue;
        result.route = (enum api_route)i;
        result.id = id;
        result.allow = rows[i].allow;
        result.match =
            method_fits(rows[i].method, method) ? API_ROUTE_FOUND : API_ROUTE_WRONG_METHOD;
        break;
    }
    return result;
}
