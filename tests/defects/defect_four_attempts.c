/*
 * defect_four_attempts: asks Vault one time more than its contract allows.
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
    out->retry.attempts++;
    return ERRC_OK;
}
