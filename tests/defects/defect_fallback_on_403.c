/*
 * defect_fallback_on_403: takes a refused token for an outage.
 */
#include "signer/core/attempt/classify.h"

const struct classify_policy *__real_classify_policy(enum classify_class class);
const struct classify_policy *__wrap_classify_policy(enum classify_class class);

const struct classify_policy *__wrap_classify_policy(enum classify_class class)
{
    return __real_classify_policy(class == CLASSIFY_DENIED ? CLASSIFY_SEALED : class);
}
