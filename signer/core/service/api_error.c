#include "signer/core/service/api_error.h"

#include "base/text/jsonwrite.h"

static const struct {
    unsigned status;
    const char *name;
} rows[API_ERROR_COUNT] = {
#define API_ERROR_ROW(code, status, name) [API_ERROR_##code] = {status, name},
    API_ERROR_LIST(API_ERROR_ROW)
#undef API_ERROR_ROW
};

unsigned api_error_status(enum api_error error)
{
    return rows[error].status;
}

enum api_error api_error_of(enum errc code)
{
    static const enum api_error by_class[] = {
        [ERRC_CLASS_NONE] = API_ERROR_INTERNAL,     [ERRC_CLASS_INVALID] = API_ERROR_INVALID,
        [ERRC_CLASS_MISSING] = API_ERROR_NOT_FOUND, [ERRC_CLASS_CONFLICT] = API_ERROR_CONFLICT,
        [ERRC_CLASS_DENIED] = API_ERROR_INTERNAL,   [ERRC_CLASS_TRANSIENT] = API_ERROR_BUSY,
        [ERRC_CLASS_FATAL] = API_ERROR_INTERNAL,
    };
    return code == ERRC_TOO_BIG ? API_ERROR_TOO_BIG : by_class[errc_class(code)];
}

void api_error_format(enum api_error error, const char *message, const char *request_id,
                      struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_object(&w, "error");
    jsonwrite_string(&w, "code", rows[error].name);
    jsonwrite_string(&w, "message", message);
    jsonwrite_string(&w, "requestId", request_id);
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
}
