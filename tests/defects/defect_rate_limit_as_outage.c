/*
 * defect_rate_limit_as_outage: falls back behind a 429, and calls it unavailable in the trail.
 */
#include "signer/core/attempt/classify.h"

enum classify_class __real_classify_reply(const struct transport_reply *reply);
enum classify_class __wrap_classify_reply(const struct transport_reply *reply);

enum classify_class __wrap_classify_reply(const struct transport_reply *reply)
{
    enum classify_class class = __real_classify_reply(reply);
    return class == CLASSIFY_RATE_LIMITED ? CLASSIFY_UNAVAILABLE : class;
}
