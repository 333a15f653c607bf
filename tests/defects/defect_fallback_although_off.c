/*
 * defect_fallback_although_off: uses the local key although the switch is off.
 */
#include "signer/core/config.h"

enum errc __real_config_read(const struct config_source *source, unsigned needs, struct config *out,
                             struct errc_why *why);
enum errc __wrap_config_read(const struct config_source *source, unsigned needs, struct config *out,
                             struct errc_why *why);

enum errc __wrap_config_read(const struct config_source *source, unsigned needs, struct config *out,
                             struct errc_why *why)
{
    TRY(__real_config_read(source, needs, out, why));
    out->allow_fallback = out->fallback_key_file != NULL;
    return ERRC_OK;
}
