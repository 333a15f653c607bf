#include "chaos/core/subject/subject_bundle.h"

#include <stdio.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/text/jsonwrite.h"
#include "chaos/core/scenario/scenario.h"

#define PART_BYTES_MAX (1u << 20)

/* The values of a call, and of one artefact on top. */
struct values {
    struct subject_template_values of;
    char n[12], sha256[DIGEST_HEX_BYTES];
};

static const struct subject_file *artefact_file(const struct subject_door *door)
{
    for (size_t i = 0; i < SUBJECT_FILES && door->files[i].name != NULL; i++)
        if (door->files[i].of_each_artefact)
            return &door->files[i];
    return NULL;
}

/* The hash is that of the artefact's file, where the door has one. */
static enum errc artefact_values(const struct subject_door *door,
                                 const struct subject_template_values *call,
                                 const struct subject_bundle *bundle, int n, struct values *out,
                                 struct errc_why *why)
{
    const struct subject_file *file = artefact_file(door);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, PART_BYTES_MAX);
    bool wrong = bundle->wrong_checksum && n == bundle->artefacts;
    out->of = *call;
    (void)snprintf(out->n, sizeof out->n, "%d", n);
    out->of.of[SUBJECT_TEMPLATE_N] = out->n;
    out->of.of[SUBJECT_TEMPLATE_REVISION] = bundle->other ? "2.0.0" : "1.0.0";
    out->of.of[SUBJECT_TEMPLATE_WRONG_CHECKSUM] =
        wrong && door->wrong_checksum != NULL ? door->wrong_checksum : "";
    if (file == NULL)
        return ERRC_OK;
    TRY(subject_template_expand(file->text, &out->of, &text, why));
    digest_sha256_hex(buf_slice(&text), out->sha256);
    out->of.of[SUBJECT_TEMPLATE_ARTEFACT_SHA256] = out->sha256;
    return ERRC_OK;
}

static enum errc add_artefacts(const struct subject_door *door, const char *artefact,
                               const struct subject_bundle *bundle,
                               const struct subject_template_values *call, struct buf *out,
                               struct errc_why *why)
{
    for (int n = 1; n <= bundle->artefacts; n++) {
        struct values values;
        TRY(artefact_values(door, call, bundle, n, &values, why));
        if (n > 1)
            buf_add_char(out, ',');
        TRY(subject_template_expand(artefact, &values.of, out, why));
    }
    return buf_status(out, why);
}

static enum errc add_metadata(const struct subject_bundle *bundle, struct buf *out,
                              struct errc_why *why)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    for (size_t i = 0; i < bundle->metadata_count; i++)
        jsonwrite_string(&w, bundle->metadata[i].name, bundle->metadata[i].value);
    jsonwrite_end(&w);
    return buf_status(out, why);
}

enum errc subject_bundle_expand(const struct subject_door *door, const char *text,
                                const char *artefact, const struct subject_bundle *bundle,
                                const struct subject_template_values *values, struct buf *out,
                                struct errc_why *why)
{
    struct subject_template_values all = *values;
    struct buf artefacts CLEANUP(buf_done), metadata CLEANUP(buf_done);
    buf_init(&artefacts, PART_BYTES_MAX);
    buf_init(&metadata, PART_BYTES_MAX);
    CHECK(bundle->artefacts >= 1 && bundle->artefacts <= SUBJECT_BUNDLE_ARTEFACTS_MAX);
    TRY(add_artefacts(door, artefact, bundle, values, &artefacts, why));
    TRY(add_metadata(bundle, &metadata, why));
    all.of[SUBJECT_TEMPLATE_ARTEFACTS] = buf_text(&artefacts);
    all.of[SUBJECT_TEMPLATE_METADATA] = buf_text(&metadata);
    return subject_template_expand(text, &all, out, why);
}

enum errc subject_bundle_file(const struct subject_door *door, const struct subject_file *file,
                              int n, const struct subject_bundle *bundle,
                              const struct subject_template_values *values, struct buf *name,
                              struct buf *text, struct errc_why *why)
{
    struct values one;
    if (!file->of_each_artefact) {
        TRY(subject_template_expand(file->name, values, name, why));
        return subject_bundle_expand(door, file->text, door->artefact, bundle, values, text, why);
    }
    TRY(artefact_values(door, values, bundle, n, &one, why));
    TRY(subject_template_expand(file->name, &one.of, name, why));
    return subject_template_expand(file->text, &one.of, text, why);
}
