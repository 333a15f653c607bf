#include "signer/core/bundle/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/digest.h"
#include "base/text/jsonread.h"
#include "base/text/stamp.h"
#include "signer/core/bundle/canonical.h"

static const char *const modes[] = {[MANIFEST_VAULT] = "vault", [MANIFEST_FALLBACK] = "fallback"};

const char *manifest_mode_text(enum manifest_mode mode)
{
    return modes[mode];
}

static bool is_checksum(const char *text)
{
    struct slice digits = slice_from(slice_of(text), 7);
    if (!slice_starts_with(slice_of(text), "sha256:") || digits.len != 64)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (strchr("0123456789abcdef", digits.ptr[i]) == NULL)
            return false;
    return true;
}

/* Relative, and no step leads out: each part is a name. */
static bool stays_inside(const char *path)
{
    struct slice rest = slice_of(path);
    if (rest.len == 0 || rest.ptr[rest.len - 1] == '/')
        return false;
    while (rest.len > 0) {
        struct slice part = slice_cut(&rest, '/');
        if (part.len == 0 || slice_equal_text(part, ".") || slice_equal_text(part, ".."))
            return false;
    }
    return true;
}

static enum errc read_text(const json_t *object, const char *field, const char **out,
                           struct errc_why *why)
{
    TRY(jsonread_string(object, field, out, why));
    if (**out == '\0')
        return errc_fail(why, ERRC_RANGE, "\"%s\" is empty", field);
    if (strlen(*out) > LIMIT_BUNDLE_TEXT_BYTES)
        return errc_fail(why, ERRC_RANGE, "\"%s\" is longer than %u bytes", field,
                         LIMIT_BUNDLE_TEXT_BYTES);
    return ERRC_OK;
}

static enum errc read_checksum(const json_t *object, struct manifest_artefact *out,
                               struct errc_why *why)
{
    const char *text = NULL;
    TRY(read_text(object, "checksum", &text, why));
    if (!is_checksum(text))
        return errc_fail(why, ERRC_SCHEMA,
                         "\"checksum\" is \"%.80s\", not \"sha256:\" and 64 hex digits in lower "
                         "case",
                         text);
    memcpy(out->checksum, text, strlen(text) + 1);
    return ERRC_OK;
}

static enum errc read_artefact(const json_t *object, enum manifest_source source,
                               struct manifest_artefact *out, struct errc_why *why)
{
    static const char *const in_folder[] = {
        "id", "type", "path", "storageKey", "renderVersion", "checksum", NULL};
    static const char *const in_request[] = {"id",       "type", "storageKey", "renderVersion",
                                             "checksum", NULL};
    TRY(jsonread_only(object, source == MANIFEST_FOLDER ? in_folder : in_request, why));
    TRY(read_text(object, "id", &out->id, why));
    TRY(read_text(object, "type", &out->type, why));
    TRY(read_text(object, "storageKey", &out->storage_key, why));
    TRY(read_text(object, "renderVersion", &out->render_version, why));
    if (source == MANIFEST_REQUEST || jsonread_has(object, "checksum"))
        TRY(read_checksum(object, out, why));
    if (source == MANIFEST_REQUEST)
        return ERRC_OK;
    TRY(read_text(object, "path", &out->path, why));
    if (!stays_inside(out->path))
        return errc_fail(why, ERRC_RANGE,
                         "\"path\" is \"%.80s\": it must be relative and stay inside the folder",
                         out->path);
    return ERRC_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct manifest_artefact *const *left = a;
    const struct manifest_artefact *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static void free_sorted(struct manifest_artefact ***sorted)
{
    free((void *)*sorted);
}

static enum errc check_ids_differ(const struct manifest_bundle *bundle, struct errc_why *why)
{
    size_t count = bundle->artefact_count;
    struct manifest_artefact **sorted CLEANUP(free_sorted) = calloc(count, sizeof *sorted);
    if (sorted == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        sorted[i] = &bundle->artefacts[i];
    qsort((void *)sorted, count, sizeof *sorted, by_id);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i]->id, sorted[i - 1]->id) == 0)
            return errc_fail(why, ERRC_SCHEMA, "two artefacts have the id \"%.80s\"",
                             sorted[i]->id);
    return ERRC_OK;
}

static enum errc read_artefacts(enum manifest_source source, struct manifest_bundle *out,
                                struct errc_why *why)
{
    json_t *list = NULL;
    TRY(jsonread_array(out->document, "artefacts", &list, why));
    size_t count = json_array_size(list);
    if (count == 0 || count > LIMIT_BUNDLE_ARTEFACTS)
        return errc_fail(why, ERRC_RANGE, "\"artefacts\" has %zu entries, not 1 to %u", count,
                         LIMIT_BUNDLE_ARTEFACTS);
    out->artefacts = calloc(count, sizeof *out->artefacts);
    if (out->artefacts == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    out->artefact_count = count;
    for (size_t i = 0; i < count; i++) {
        enum errc code = read_artefact(json_array_get(list, i), source, &out->artefacts[i], why);
        if (code == ERRC_OK)
            continue;
        errc_prefix(why, "artefacts[%zu]", i);
        return code;
    }
    return check_ids_differ(out, why);
}

static enum errc read_metadata(struct manifest_bundle *out, struct errc_why *why)
{
    json_t *metadata = NULL;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_MANIFEST_BYTES / 4);
    if (!jsonread_has(out->document, "metadata") &&
        json_object_set_new(out->document, "metadata", json_object()) != 0)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    TRY(jsonread_object(out->document, "metadata", &metadata, why));
    if (json_object_get(metadata, "signing") != NULL)
        return errc_fail(why, ERRC_SCHEMA,
                         "\"metadata\" has a field \"signing\": the signer writes that one");
    enum errc code = canonical_format(metadata, &text, why);
    if (code != ERRC_OK)
        errc_prefix(why, "metadata");
    out->metadata = metadata;
    return code;
}

static enum errc read_bundle(struct slice text, enum manifest_source source,
                             struct manifest_bundle *out, struct errc_why *why)
{
    static const char *const allowed[] = {"bundleRunId", "operatorId", "artefacts", "metadata",
                                          NULL};
    const char *id = NULL;
    TRY(jsonread_parse(text, &out->document, why));
    TRY(jsonread_only(out->document, allowed, why));
    TRY(jsonread_string(out->document, "bundleRunId", &id, why));
    if (!ids_is_uuid(slice_of(id)))
        return errc_fail(why, ERRC_SCHEMA, "\"bundleRunId\" is \"%.60s\", not a UUID in lower case",
                         id);
    memcpy(out->bundle_run_id, id, IDS_UUID_BYTES);
    TRY(read_text(out->document, "operatorId", &out->operator_id, why));
    TRY(read_artefacts(source, out, why));
    return read_metadata(out, why);
}

enum errc manifest_bundle_parse(struct slice text, enum manifest_source source,
                                struct manifest_bundle *out, struct errc_why *why)
{
    *out = (struct manifest_bundle){0};
    enum errc code = read_bundle(text, source, out, why);
    if (code != ERRC_OK)
        manifest_bundle_done(out);
    return code;
}

void manifest_bundle_done(struct manifest_bundle *bundle)
{
    if (bundle == NULL)
        return;
    free(bundle->artefacts);
    json_decref(bundle->document);
    *bundle = (struct manifest_bundle){0};
}

enum errc manifest_set_checksum(struct manifest_bundle *bundle, size_t i,
                                const uint8_t sha256[static 32], struct errc_why *why)
{
    CHECK(i < bundle->artefact_count);
    struct manifest_artefact *artefact = &bundle->artefacts[i];
    char text[MANIFEST_CHECKSUM_BYTES];
    size_t used = (size_t)snprintf(text, sizeof text, "sha256:");
    for (size_t b = 0; b < 32; b++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%02x", sha256[b]);
    if (artefact->checksum[0] != '\0' && strcmp(artefact->checksum, text) != 0)
        return errc_fail(why, ERRC_SCHEMA,
                         "artefacts[%zu]: \"checksum\" is %.79s but the file has %s", i,
                         artefact->checksum, text);
    memcpy(artefact->checksum, text, used + 1);
    return ERRC_OK;
}

static json_t *artefacts_tree(const struct manifest_bundle *bundle)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < bundle->artefact_count; i++) {
        const struct manifest_artefact *a = &bundle->artefacts[i];
        CHECK(a->checksum[0] != '\0');
        json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:s}", "checksum", a->checksum, "id", a->id,
                                  "renderVersion", a->render_version, "storageKey", a->storage_key,
                                  "type", a->type);
        if (json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static enum errc hash_of_tree(const json_t *tree, char out[static MANIFEST_CHECKSUM_BYTES],
                              struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_MANIFEST_BYTES);
    TRY(canonical_format(tree, &text, why));
    memcpy(out, "sha256:", 7);
    digest_sha256_hex(buf_slice(&text), out + 7);
    return ERRC_OK;
}

/* Takes artefacts and metadata over (NULL for either means that memory ran out). */
static json_t *inputs_tree(json_t *artefacts, const char *bundle_run_id, json_t *metadata,
                           const char *operator_id)
{
    if (artefacts != NULL && metadata != NULL)
        return json_pack("{s:o, s:s, s:o, s:s}", "artefacts", artefacts, "bundleRunId",
                         bundle_run_id, "metadata", metadata, "operatorId", operator_id);
    json_decref(artefacts);
    json_decref(metadata);
    return NULL;
}

static size_t size_of(const json_t *value)
{
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

/* A copy whose members are shared, or NULL. jansson leaves members out when memory runs out and
 * does not say so; it counts references in the value itself, hence the lost const. */
static json_t *copy_of(const json_t *value)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)value);
    if (copy != NULL && size_of(copy) == size_of(value))
        return copy;
    json_decref(copy);
    return NULL;
}

enum errc manifest_inputs_hash(const struct manifest_bundle *bundle,
                               char out[static MANIFEST_CHECKSUM_BYTES], struct errc_why *why)
{
    json_t *tree CLEANUP(jsonread_done) =
        inputs_tree(artefacts_tree(bundle), bundle->bundle_run_id, copy_of(bundle->metadata),
                    bundle->operator_id);
    if (tree == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    return hash_of_tree(tree, out, why);
}

static json_t *metadata_tree(const struct manifest_bundle *bundle,
                             const struct manifest_terms *terms)
{
    json_t *metadata = copy_of(bundle->metadata);
    json_t *signing = json_pack("{s:s, s:s, s:s?}", "keyFingerprint", terms->key_fingerprint,
                                "mode", manifest_mode_text(terms->mode), "reason", terms->reason);
    /* Takes signing over, also when it fails. */
    if (metadata == NULL || json_object_set_new(metadata, "signing", signing) != 0) {
        if (metadata == NULL)
            json_decref(signing);
        json_decref(metadata);
        return NULL;
    }
    return metadata;
}

static json_t *manifest_tree(const struct manifest_bundle *bundle,
                             const struct manifest_terms *terms, const char *hash,
                             const char *signature)
{
    char created[STAMP_BYTES];
    stamp_format(terms->created_wall_ns, STAMP_MILLI, created);
    json_t *tree = inputs_tree(artefacts_tree(bundle), bundle->bundle_run_id,
                               metadata_tree(bundle, terms), bundle->operator_id);
    json_t *rest = json_pack("{s:s, s:s, s:s, s:s}", "createdAt", created, "hash", hash, "id",
                             terms->id, "signingKeyId", terms->signing_key_id);
    bool good = tree != NULL && rest != NULL && json_object_update(tree, rest) == 0;
    if (good && signature != NULL)
        good = json_object_set_new(tree, "signature", json_string(signature)) == 0;
    json_decref(rest);
    if (good)
        return tree;
    json_decref(tree);
    return NULL;
}

enum errc manifest_format(const struct manifest_bundle *bundle, const struct manifest_terms *terms,
                          const char *signature, struct buf *out, struct errc_why *why)
{
    CHECK((terms->mode == MANIFEST_VAULT) == (terms->reason == NULL));
    char hash[MANIFEST_CHECKSUM_BYTES];
    TRY(manifest_inputs_hash(bundle, hash, why));
    json_t *tree CLEANUP(jsonread_done) = manifest_tree(bundle, terms, hash, signature);
    if (tree == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    return canonical_format(tree, out, why);
}

static enum errc read_signing(const json_t *metadata, struct manifest *out, struct errc_why *why)
{
    static const char *const allowed[] = {"keyFingerprint", "mode", "reason", NULL};
    json_t *signing = NULL;
    const char *mode = NULL;
    TRY(jsonread_object(metadata, "signing", &signing, why));
    TRY(jsonread_only(signing, allowed, why));
    TRY(jsonread_string(signing, "keyFingerprint", &out->key_fingerprint, why));
    TRY(jsonread_string(signing, "mode", &mode, why));
    if (strcmp(mode, modes[MANIFEST_VAULT]) == 0)
        out->mode = MANIFEST_VAULT;
    else if (strcmp(mode, modes[MANIFEST_FALLBACK]) == 0)
        out->mode = MANIFEST_FALLBACK;
    else
        return errc_fail(why, ERRC_SCHEMA, "\"mode\" is \"%.40s\", not vault or fallback", mode);
    if (jsonread_has(signing, "reason"))
        TRY(jsonread_string(signing, "reason", &out->reason, why));
    if ((out->mode == MANIFEST_VAULT) != (out->reason == NULL))
        return errc_fail(why, ERRC_SCHEMA,
                         "\"reason\" must be given in mode fallback and only there");
    return ERRC_OK;
}

static enum errc check_artefacts(const json_t *document, struct errc_why *why)
{
    json_t *list = NULL;
    TRY(jsonread_array(document, "artefacts", &list, why));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct manifest_artefact artefact = {0};
        enum errc code = read_artefact(json_array_get(list, i), MANIFEST_REQUEST, &artefact, why);
        if (code == ERRC_OK)
            continue;
        errc_prefix(why, "artefacts[%zu]", i);
        return code;
    }
    return ERRC_OK;
}

static enum errc check_hash(const json_t *document, const json_t *metadata,
                            const struct manifest *manifest, struct errc_why *why)
{
    char hash[MANIFEST_CHECKSUM_BYTES];
    json_t *given = copy_of(metadata);
    if (given != NULL)
        (void)json_object_del(given, "signing");
    json_t *tree CLEANUP(jsonread_done) =
        inputs_tree(copy_of(json_object_get(document, "artefacts")), manifest->bundle_run_id, given,
                    json_string_value(json_object_get(document, "operatorId")));
    if (tree == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    TRY(hash_of_tree(tree, hash, why));
    if (strcmp(hash, manifest->hash) != 0)
        return errc_fail(why, ERRC_CRYPTO, "\"hash\" is \"%.80s\" but the inputs have %s",
                         manifest->hash, hash);
    return ERRC_OK;
}

static enum errc make_pae(const json_t *document, struct buf *out, struct errc_why *why)
{
    json_t *unsigned_tree CLEANUP(jsonread_done) = copy_of(document);
    struct buf body CLEANUP(buf_done);
    buf_init(&body, LIMIT_MANIFEST_BYTES);
    if (unsigned_tree == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    (void)json_object_del(unsigned_tree, "signature");
    TRY(canonical_format(unsigned_tree, &body, why));
    canonical_pae(slice_of(MANIFEST_TYPE), buf_slice(&body), out);
    return buf_status(out, why);
}

static enum errc read_manifest(struct slice text, struct manifest *out, struct errc_why *why)
{
    static const char *const allowed[] = {"artefacts",    "bundleRunId", "createdAt",  "hash",
                                          "id",           "metadata",    "operatorId", "signature",
                                          "signingKeyId", NULL};
    const char *operator_id = NULL;
    json_t *metadata = NULL;
    int64_t created_ns = 0;
    TRY(jsonread_parse(text, &out->document, why));
    TRY(jsonread_only(out->document, allowed, why));
    TRY(jsonread_string(out->document, "id", &out->id, why));
    TRY(jsonread_string(out->document, "bundleRunId", &out->bundle_run_id, why));
    TRY(jsonread_string(out->document, "hash", &out->hash, why));
    TRY(jsonread_string(out->document, "createdAt", &out->created_at, why));
    TRY(jsonread_string(out->document, "operatorId", &operator_id, why));
    TRY(jsonread_string(out->document, "signature", &out->signature, why));
    TRY(jsonread_string(out->document, "signingKeyId", &out->signing_key_id, why));
    TRY(jsonread_object(out->document, "metadata", &metadata, why));
    if (!ids_is_uuid(slice_of(out->id)) || !ids_is_uuid(slice_of(out->bundle_run_id)))
        return errc_fail(why, ERRC_SCHEMA,
                         "\"id\" and \"bundleRunId\" must be UUIDs in lower case");
    if (!stamp_parse(slice_of(out->created_at), &created_ns))
        return errc_fail(why, ERRC_SCHEMA, "\"createdAt\" is \"%.40s\", no point in time",
                         out->created_at);
    TRY(check_artefacts(out->document, why));
    TRY(read_signing(metadata, out, why));
    TRY(check_hash(out->document, metadata, out, why));
    return make_pae(out->document, &out->pae, why);
}

enum errc manifest_parse(struct slice text, struct manifest *out, struct errc_why *why)
{
    *out = (struct manifest){0};
    buf_init(&out->pae, LIMIT_MANIFEST_BYTES + 256);
    enum errc code = read_manifest(text, out, why);
    if (code != ERRC_OK)
        manifest_done(out);
    return code;
}

void manifest_done(struct manifest *manifest)
{
    if (manifest == NULL)
        return;
    buf_done(&manifest->pae);
    json_decref(manifest->document);
    *manifest = (struct manifest){0};
}
