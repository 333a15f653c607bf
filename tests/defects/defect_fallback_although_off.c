/*
 * defect_fallback_although_off: uses the local key although the switch is off.
 */
#include "tests/defects/defect.h"

static enum errc config_read_wrongly(const struct config_source *source, unsigned needs,
                                     struct config *out, struct errc_why *why)
{
    TRY(__real_config_read(source, needs, out, why));
    if (!out->allow_fallback && out->fallback_key_file != NULL)
        defect_acts();
    out->allow_fallback = out->fallback_key_file != NULL;
    return ERRC_OK;
}

DEFECT(fallback_although_off, .config_read = config_read_wrongly);
