/*
 * defect_service: what the service's HTTP side tells is not so.
 */
#include <string.h>

#include "base/text/slice.h"
#include "tests/defects/defect.h"

/* A Vault that is down makes the service unhealthy. */
static void answer_as_vault(void *context, const struct service_http_request *request,
                            struct service_http_answer *answer)
{
    __real_service_api_answer(context, request, answer);
    if (request->route != API_ROUTE_HEALTHZ ||
        strstr(buf_text(&answer->body), "\"up\":false") == NULL)
        return;
    defect_acts();
    answer->status = 503;
}
DEFECT(healthz_follows_vault, .service_api_answer = answer_as_vault);

static void answer_healthy(void *context, const struct service_http_request *request,
                           struct service_http_answer *answer)
{
    __real_service_api_answer(context, request, answer);
    if (request->route != API_ROUTE_HEALTHZ || answer->status == 200)
        return;
    defect_acts();
    answer->status = 200;
    buf_reset(&answer->body);
    buf_add_text(&answer->body, "{\"status\":\"ok\",\"audit\":{\"writable\":true}}\n");
}
DEFECT(healthz_always_ok, .service_api_answer = answer_healthy);

static void answer_sick(void *context, const struct service_http_request *request,
                        struct service_http_answer *answer)
{
    __real_service_api_answer(context, request, answer);
    if (request->route != API_ROUTE_HEALTHZ)
        return;
    defect_acts();
    answer->status = 503;
}
DEFECT(healthz_never_ok, .service_api_answer = answer_sick);

/* Every manifest over HTTP is the first one. */
static enum errc manifest_of_first(struct run_store *store, const char *id, struct buf *out,
                                   struct errc_why *why)
{
    static char first[ENTROPY_UUID_BYTES];
    if (first[0] == '\0')
        strcpy(first, id);
    if (strcmp(first, id) != 0)
        defect_acts();
    return __real_run_store_manifest(store, first, out, why);
}
DEFECT(manifest_over_http_of_another, .run_store_manifest = manifest_of_first);

static void answer_no_manifest(void *context, const struct service_http_request *request,
                               struct service_http_answer *answer)
{
    if (request->route != API_ROUTE_MANIFEST) {
        __real_service_api_answer(context, request, answer);
        return;
    }
    defect_acts();
    service_http_refuse(answer, API_ERROR_NOT_FOUND, "there is no such manifest",
                        request->request_id);
}
DEFECT(manifest_over_http_missing, .service_api_answer = answer_no_manifest);

/* White space: the JSON is the same, the bytes are not those that were signed and published. */
static enum errc manifest_with_blank(struct run_store *store, const char *id, struct buf *out,
                                     struct errc_why *why)
{
    TRY(__real_run_store_manifest(store, id, out, why));
    defect_acts();
    buf_add_text(out, "\n\n");
    return buf_status(out, why);
}
DEFECT(manifest_over_http_changed, .run_store_manifest = manifest_with_blank);

/* The answer to an accepted bundle says that it is done. */
static void answer_completed(void *context, const struct service_http_request *request,
                             struct service_http_answer *answer)
{
    static const char word[] = "\"status\":\"pending\"";
    __real_service_api_answer(context, request, answer);
    char *at = answer->body.ptr == NULL ? NULL : strstr(answer->body.ptr, word);
    if (request->route != API_ROUTE_CREATE || at == NULL)
        return;
    defect_acts();
    struct buf rest CLEANUP(buf_done);
    buf_init(&rest, answer->body.max);
    buf_add_text(&rest, at + strlen(word));
    answer->body.len = (size_t)(at - answer->body.ptr);
    buf_add_text(&answer->body, "\"status\":\"completed\"");
    buf_add_slice(&answer->body, buf_slice(&rest));
    answer->unsettled = false;
}
DEFECT(accepted_told_as_completed, .service_api_answer = answer_completed);
