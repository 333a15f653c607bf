#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text/base64.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/transit/transit.h"

static const struct {
    const char *name;
    enum crypto_hash hash;
} hashes[] = {
    {"none", CRYPTO_HASH_NONE},         {"sha1", CRYPTO_HASH_SHA1},
    {"sha2-224", CRYPTO_HASH_SHA2_224}, {"sha2-256", CRYPTO_HASH_SHA2_256},
    {"sha2-384", CRYPTO_HASH_SHA2_384}, {"sha2-512", CRYPTO_HASH_SHA2_512},
    {"sha3-224", CRYPTO_HASH_SHA3_224}, {"sha3-256", CRYPTO_HASH_SHA3_256},
    {"sha3-384", CRYPTO_HASH_SHA3_384}, {"sha3-512", CRYPTO_HASH_SHA3_512},
};

static const struct {
    const char *name;
    enum crypto_marshal marshal;
} marshals[] = {{"asn1", CRYPTO_MARSHAL_ASN1}, {"jws", CRYPTO_MARSHAL_JWS}};

/* The algorithm in the path wins over the one in the body. */
static struct slice hash_name(const struct vault_job *job)
{
    for (size_t i = 0; i < job->match.capture_count; i++)
        if (slice_equal_text(job->match.captures[i].name, "urlalgorithm"))
            return job->match.captures[i].value;
    return field_text(&job->fields, "hash_algorithm");
}

static bool read_hash(struct vault_job *job, struct crypto_scheme *out)
{
    struct slice name = hash_name(job);
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
        if (slice_equal_text(name, hashes[i].name)) {
            out->hash = hashes[i].hash;
            return true;
        }
    call_fail(job, 400, "invalid hash algorithm \"%.*s\"", SLICE_FMT(name));
    return false;
}

static bool read_marshal(struct vault_job *job, struct crypto_scheme *out)
{
    struct slice name = field_text(&job->fields, "marshaling_algorithm");
    for (size_t i = 0; i < sizeof marshals / sizeof marshals[0]; i++)
        if (slice_equal_text(name, marshals[i].name)) {
            out->marshal = marshals[i].marshal;
            return true;
        }
    call_fail(job, 400, "invalid marshaling type \"%.*s\"", SLICE_FMT(name));
    return false;
}

bool transit_scheme_read(struct vault_job *job, struct crypto_scheme *out)
{
    if (!read_hash(job, out) || !read_marshal(job, out))
        return false;
    out->prehashed = field_flag(&job->fields, "prehashed");
    struct slice padding = field_text(&job->fields, "signature_algorithm");
    if (out->hash != CRYPTO_HASH_NONE || (out->prehashed && slice_equal_text(padding, "pkcs1v15")))
        return true;
    call_fail(job, 400,
              "hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15");
    return false;
}

static void items_free(void *ptr)
{
    struct transit_items *list = ptr;
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].owned_error);
        buf_done(&list->items[i].input);
        buf_done(&list->items[i].decoded);
        buf_done(&list->items[i].output);
        keyring_version_drop(list->items[i].version);
    }
    free(list->items);
    free(list);
}

void transit_item_fail(struct vault_job *job, struct transit_item *item, const char *format, ...)
{
    char text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    free(item->owned_error);
    item->owned_error = strdup(text);
    item->error = item->owned_error != NULL ? item->owned_error : "out of memory";
    job->no_memory = job->no_memory || item->owned_error == NULL;
}

void transit_item_decode(struct vault_job *job, struct transit_item *item, const json_t *source)
{
    size_t bad_at = 0;
    struct slice text = slice_bytes(json_string_value(source), json_string_length(source));
    enum errc code = base64_parse(text, BASE64_STANDARD, &item->input, &bad_at);
    if (code == ERRC_SYNTAX)
        transit_item_fail(job, item,
                          "unable to decode input as base64: illegal base64 data at input byte %zu",
                          bad_at);
    else
        job->no_memory = job->no_memory || code != ERRC_OK;
}

static bool check_batch(struct vault_job *job, const json_t *batch)
{
    if (!json_is_array(batch)) {
        call_fault(job,
                   "failed to parse batch input: '': source data must be an array or slice, got %s",
                   json_is_object(batch) ? "map" : gojson_type_name(batch));
        return false;
    }
    if (json_array_size(batch) == 0) {
        call_fail(job, 400, "missing batch input to process");
        return false;
    }
    for (size_t i = 0; i < json_array_size(batch); i++) {
        const json_t *item = json_array_get(batch, i);
        if (json_is_object(item))
            continue;
        call_fault(job,
                   "failed to parse batch input: 1 error(s) decoding:\n\n* '[%zu]' expected a map, "
                   "got '%s'",
                   i, gojson_type_name(item));
        return false;
    }
    return true;
}

struct transit_items *transit_items_new(struct vault_job *job)
{
    const json_t *batch = field_get(&job->fields, "batch_input")->tree;
    if (batch != NULL && !check_batch(job, batch))
        return NULL;
    struct transit_items *list = calloc(1, sizeof *list);
    size_t count = batch == NULL ? 1 : json_array_size(batch);
    struct transit_item *items = calloc(count, sizeof *items);
    if (list == NULL || items == NULL) {
        free(list);
        free(items);
        job->no_memory = true;
        return NULL;
    }
    *list = (struct transit_items){.items = items, .count = count, .batch = batch != NULL};
    for (size_t i = 0; i < count; i++) {
        buf_init(&items[i].input, LIMIT_REQUEST_BODY_BYTES);
        buf_init(&items[i].decoded, LIMIT_REQUEST_BODY_BYTES);
        buf_init(&items[i].output, LIMIT_REQUEST_BODY_BYTES);
    }
    job->state = (struct call_state){list, items_free};
    return list;
}
