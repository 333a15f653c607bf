#include "chaos/core/ledger/asked.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/text/buf.h"
#include "base/text/jsonread.h"
#include "chaos/core/ledger/verify_manifest.h"

static const char *const members[] = {"bundleRunId", "operatorId", "artefacts", "metadata"};

#define MEMBERS COUNT(members)

/* Returns a copy without what the signer adds; NULL without memory. */
static json_t *copy_metadata(const json_t *metadata)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)metadata);    /* which leaves it as it is */
    if (json_object_size(copy) != json_object_size(metadata)) { /* jansson drops what it cannot */
        json_decref(copy);
        return NULL;
    }
    (void)json_object_del(copy, "signing");
    return copy;
}

/* Takes the inputs out of a document, which stays as it is. */
static enum errc take_inputs(const json_t *document, json_t **out, struct errc_why *why)
{
    *out = json_object();
    bool good = *out != NULL;
    for (size_t i = 0; good && i < MEMBERS; i++) {
        json_t *value = json_object_get(document, members[i]);
        if (value == NULL)
            continue;
        bool metadata = strcmp(members[i], "metadata") == 0;
        good = json_object_set_new(*out, members[i],
                                   metadata ? copy_metadata(value) : json_incref(value)) == 0;
    }
    return good ? ERRC_OK : errc_fail(why, ERRC_NOMEM, "out of memory");
}

static enum errc hash_of(const json_t *inputs, char out[static ASKED_HASH_BYTES],
                         struct errc_why *why)
{
    char hex[DIGEST_HEX_BYTES];
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_FILE_BYTES);
    TRY(verify_manifest_canonical(inputs, NULL, &text, why));
    digest_sha256_hex(buf_slice(&text), hex);
    (void)snprintf(out, ASKED_HASH_BYTES, "sha256:%s", hex);
    return ERRC_OK;
}

static const char *difference(const json_t *asked, const json_t *found)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (!json_equal(json_object_get(asked, members[i]), json_object_get(found, members[i])))
            return members[i];
    return NULL;
}

static enum errc compare_manifest(const json_t *asked, const json_t *manifest, struct asked *out,
                                  struct errc_why *why)
{
    json_t *inputs CLEANUP(jsonread_done) = NULL;
    TRY(take_inputs(manifest, &inputs, why));
    out->differs = difference(asked, inputs);
    if (out->differs == NULL && strcmp(jsonread_string_or(manifest, "hash", ""), out->hash) != 0)
        out->differs = "hash";
    return ERRC_OK;
}

enum errc asked_compare(struct slice asked, struct slice manifest, struct asked *out,
                        struct errc_why *why)
{
    json_t *document CLEANUP(jsonread_done) = NULL, *inputs CLEANUP(jsonread_done) = NULL;
    json_t *found CLEANUP(jsonread_done) = NULL;
    *out = (struct asked){.known = asked.ptr != NULL};
    if (!out->known)
        return ERRC_OK;
    TRY(jsonread_parse(asked, &document, why));
    TRY(take_inputs(document, &inputs, why));
    TRY(hash_of(inputs, out->hash, why));
    if (manifest.ptr == NULL)
        return ERRC_OK;
    enum errc code = jsonread_parse(manifest, &found, NULL);
    if (code == ERRC_NOMEM)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    return code == ERRC_OK ? compare_manifest(inputs, found, out, why) : ERRC_OK;
}
