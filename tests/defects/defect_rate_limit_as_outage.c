/*
 * defect_rate_limit_as_outage: falls back behind a 429, and calls it unavailable in the trail.
 */
#include "tests/defects/defect.h"

static enum classify_class classify_reply_wrongly(const struct transport_reply *reply)
{
    enum classify_class class = __real_classify_reply(reply);
    if (class != CLASSIFY_RATE_LIMITED)
        return class;
    defect_acts();
    return CLASSIFY_UNAVAILABLE;
}

DEFECT(rate_limit_as_outage, .classify_reply = classify_reply_wrongly);
