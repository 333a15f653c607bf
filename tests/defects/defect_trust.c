/*
 * defect_trust: `trust accept` pins the new key and does something else wrong.
 */
#include "tests/defects/defect.h"

static enum errc pin_and_forget(struct trust *trust, const char *name, int64_t version,
                                const struct keyport_public *key, int64_t wall_ns, bool *changed,
                                struct errc_why *why)
{
    size_t kept = 0;
    TRY(__real_trust_pin_key(trust, name, version, key, wall_ns, changed, why));
    for (size_t i = 0; i < trust->count; i++)
        if (trust->keys[i].role != TRUST_RETIRED)
            trust->keys[kept++] = trust->keys[i];
    if (kept < trust->count)
        defect_acts();
    trust->count = kept;
    return ERRC_OK;
}
DEFECT(retired_keys_forgotten, .trust_pin_key = pin_and_forget);

/* Says that it has changed the pin, when there is one, and keeps the old. */
static enum errc pin_first_only(struct trust *trust, const char *name, int64_t version,
                                const struct keyport_public *key, int64_t wall_ns, bool *changed,
                                struct errc_why *why)
{
    if (__real_trust_pin(trust) == NULL)
        return __real_trust_pin_key(trust, name, version, key, wall_ns, changed, why);
    defect_acts();
    *changed = true;
    return ERRC_OK;
}
DEFECT(accept_keeps_the_old, .trust_pin_key = pin_first_only);
