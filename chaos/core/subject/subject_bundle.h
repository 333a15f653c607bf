/*
 * subject_bundle: the bundle that a call asks to be signed, in the subject's own words: how many
 * artefacts, which metadata, and what is wrong with it on purpose.
 *
 * A door describes a bundle by two templates: the whole, with ${artefacts} and ${metadata}, and one
 * artefact, with ${n} (from 1), ${revision}, ${artefact_sha256} and ${wrong_checksum}.
 */
#pragma once

#include "chaos/core/subject/subject.h"
#include "chaos/core/subject/subject_template.h"

#define SUBJECT_BUNDLE_ARTEFACTS_MAX 64

struct scenario_pair;

struct subject_bundle {
    int artefacts; /* at least 1 */
    const struct scenario_pair *metadata;
    size_t metadata_count;
    bool other;          /* not the content that a bundle of this id has elsewhere */
    bool wrong_checksum; /* of the last artefact; where the client is told one at all */
};

/* Appends the text with its values. `values` has those of the call; `artefact` is the template of
 * one. Requires 1..SUBJECT_BUNDLE_ARTEFACTS_MAX artefacts. The errors of
 * subject_template_expand. */
MUST_USE enum errc subject_bundle_expand(const struct subject_door *door, const char *text,
                                         const char *artefact, const struct subject_bundle *bundle,
                                         const struct subject_template_values *values,
                                         struct buf *out, struct errc_why *why);

/* Appends the name and the text of a file of a call's folder. n: of the artefact, from 1; of no
 * account when the file is not one of each artefact. */
MUST_USE enum errc subject_bundle_file(const struct subject_door *door,
                                       const struct subject_file *file, int n,
                                       const struct subject_bundle *bundle,
                                       const struct subject_template_values *values,
                                       struct buf *name, struct buf *text, struct errc_why *why);
