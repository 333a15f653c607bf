/*
 * defect_fallback_on_403: takes a refused token for an outage.
 */
#include "tests/defects/defect.h"

static const struct classify_policy *classify_policy_wrongly(enum classify_class class)
{
    if (class == CLASSIFY_DENIED)
        defect_acts();
    return __real_classify_policy(class == CLASSIFY_DENIED ? CLASSIFY_SEALED : class);
}

DEFECT(fallback_on_403, .classify_policy = classify_policy_wrongly);
