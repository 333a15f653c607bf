/*
 * defect_content: what is signed is not what was asked for, or something else is taken for it.
 */
#include <string.h>

#include "tests/defects/defect.h"

static enum errc parse_first_artefact(struct slice text, enum manifest_source source,
                                      struct manifest_bundle *out, struct errc_why *why)
{
    TRY(__real_manifest_bundle_parse(text, source, out, why));
    if (out->artefact_count > 1) {
        defect_acts();
        out->artefact_count = 1;
    }
    return ERRC_OK;
}
DEFECT(second_artefact_lost, .manifest_bundle_parse = parse_first_artefact);

static enum errc parse_without_metadata(struct slice text, enum manifest_source source,
                                        struct manifest_bundle *out, struct errc_why *why)
{
    TRY(__real_manifest_bundle_parse(text, source, out, why));
    json_t *metadata = json_object_get(out->document, "metadata");
    if (json_object_size(metadata) > 0)
        defect_acts();
    (void)json_object_clear(metadata);
    return ERRC_OK;
}
DEFECT(metadata_dropped, .manifest_bundle_parse = parse_without_metadata);

/* The checksum that is given counts, the file is not looked at. */
static enum errc set_given(struct manifest_bundle *bundle, size_t i,
                           const uint8_t sha256[static 32], struct errc_why *why)
{
    if (bundle->artefacts[i].checksum[0] == '\0')
        return __real_manifest_set_checksum(bundle, i, sha256, why);
    if (__real_manifest_set_checksum(bundle, i, sha256, NULL) != ERRC_OK)
        defect_acts();
    return ERRC_OK;
}
DEFECT(checksum_not_checked, .manifest_set_checksum = set_given);

/* To the HTTP side all bundles of one id are the same. */
static _Thread_local bool answering;

static void answer_noting(void *context, const struct service_http_request *request,
                          struct service_http_answer *answer)
{
    answering = true;
    __real_service_api_answer(context, request, answer);
    answering = false;
}

static enum errc hash_same(const struct manifest_bundle *bundle,
                           char out[static MANIFEST_CHECKSUM_BYTES], struct errc_why *why)
{
    TRY(__real_manifest_inputs_hash(bundle, out, why));
    if (!answering)
        return ERRC_OK;
    defect_acts();
    memset(out, '0', MANIFEST_CHECKSUM_BYTES - 1);
    return ERRC_OK;
}
DEFECT(conflict_accepted_by_service, .service_api_answer = answer_noting,
       .manifest_inputs_hash = hash_same);

static enum errc content_always_same(const struct manifest_bundle *bundle,
                                     const struct audit_signed *entry, struct errc_why *why)
{
    if (__real_rebuild_check_content(bundle, entry, why) != ERRC_OK)
        defect_acts();
    return ERRC_OK;
}
DEFECT(conflict_accepted_by_command, .rebuild_check_content = content_always_same);
