/*
 * api_error: what the HTTP API answers when it refuses, as a table, and its JSON form
 * {"error":{"code","message","requestId"}} (docs/architecture.md).
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"

/* code, HTTP status, name */
#define API_ERROR_LIST(X)                                                                          \
    X(INVALID, 400, "invalid_request")                                                             \
    X(FORBIDDEN, 403, "forbidden")                                                                 \
    X(NOT_FOUND, 404, "not_found")                                                                 \
    X(METHOD, 405, "method_not_allowed")                                                           \
    X(CONFLICT, 409, "conflict")                                                                   \
    X(TOO_BIG, 413, "too_large")                                                                   \
    X(MEDIA_TYPE, 415, "unsupported_media_type")                                                   \
    X(MISDIRECTED, 421, "misdirected")                                                             \
    X(INTERNAL, 500, "internal")                                                                   \
    X(BUSY, 503, "busy")

enum api_error {
#define API_ERROR_CODE(code, status, name) API_ERROR_##code,
    API_ERROR_LIST(API_ERROR_CODE)
#undef API_ERROR_CODE
        API_ERROR_COUNT
};

unsigned api_error_status(enum api_error error);

/* Returns how a failure of our own functions is told to a client. */
enum api_error api_error_of(enum errc code);

/* Appends the JSON. */
void api_error_format(enum api_error error, const char *message, const char *request_id,
                      struct buf *out);
