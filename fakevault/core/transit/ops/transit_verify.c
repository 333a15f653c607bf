#include <string.h>

#include "base/text/base64.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/transit.h"

#define SIGNATURE_PREFIX "vault:v"

const struct field_spec transit_verify_fields[] = {
    {.name = "input", .type = FIELD_STRING},
    {.name = "signature", .type = FIELD_STRING},
    {.name = "hmac", .type = FIELD_STRING},
    {.name = "context", .type = FIELD_STRING},
    {.name = "hash_algorithm", .type = FIELD_STRING, .text = "sha2-256"},
    {.name = "algorithm", .type = FIELD_STRING, .text = "sha2-256"},
    {.name = "prehashed", .type = FIELD_BOOL},
    {.name = "signature_algorithm", .type = FIELD_STRING},
    {.name = "marshaling_algorithm", .type = FIELD_STRING, .text = "asn1"},
    {.name = "salt_length", .type = FIELD_STRING, .text = "auto"},
    {.name = "batch_input", .type = FIELD_ANY},
    {0},
};

/* Cuts "vault:v1:abcd" into its version, which must be one of the key's, and the rest. */
static void read_version(const struct keyring *k, struct transit_item *item, struct slice *rest)
{
    uint64_t number = 0;
    if (!slice_starts_with(item->signature, SIGNATURE_PREFIX)) {
        item->error = "invalid signature: no prefix";
        return;
    }
    *rest = slice_from(item->signature, strlen(SIGNATURE_PREFIX));
    bool two_fields = slice_find(*rest, ':') < rest->len;
    struct slice version = slice_cut(rest, ':');
    if (!two_fields)
        item->error = "invalid signature: wrong number of fields";
    else if (!slice_to_u64(version, &number))
        item->error = "invalid signature: version number could not be decoded";
    else if (number > k->latest_version)
        item->error = "invalid signature: version is too new";
    else if (number < k->min_decryption_version)
        item->error = "ciphertext or signature version is disallowed by policy (too old)";
    else
        item->number = (uint32_t)number;
}

static void read_signature(struct vault_job *job, const struct keyring *k,
                           const struct crypto_scheme *scheme, struct transit_item *item)
{
    struct slice rest = {0};
    bool url = scheme->marshal == CRYPTO_MARSHAL_JWS;
    read_version(k, item, &rest);
    if (item->error != NULL)
        return;
    enum errc code =
        base64_parse(rest, url ? BASE64_URL_RAW : BASE64_STANDARD, &item->decoded, NULL);
    if (code == ERRC_SYNTAX)
        item->error = "invalid base64 signature value";
    else if (code != ERRC_OK)
        job->no_memory = true;
    else
        item->version = keyring_version_take(k->versions[item->number - 1]);
}

static struct slice string_of(const json_t *value)
{
    return slice_bytes(json_string_value(value), json_string_length(value));
}

static void prepare_item(struct vault_job *job, const struct keyring *k,
                         const struct crypto_scheme *scheme, struct transit_item *item,
                         const json_t *source)
{
    const json_t *input = json_object_get(source, "input");
    item->reference = string_of(json_object_get(source, "reference"));
    item->signature = string_of(json_object_get(source, "signature"));
    if (!json_is_string(input))
        item->error = "missing input";
    else
        transit_item_decode(job, item, input);
    if (item->error == NULL)
        read_signature(job, k, scheme, item);
}

static void prepare_single(struct vault_job *job, const struct keyring *k,
                           const struct crypto_scheme *scheme, struct transit_item *item)
{
    struct slice text = field_text(&job->fields, "input");
    json_t *input = json_stringn(text.len == 0 ? "" : text.ptr, text.len);
    job->no_memory = job->no_memory || input == NULL;
    item->signature = field_text(&job->fields, "signature");
    transit_item_decode(job, item, input);
    json_decref(input);
    if (item->error == NULL)
        read_signature(job, k, scheme, item);
}

/* How many items of the batch have a field. */
static size_t count_with(const json_t *batch, const char *field)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(batch); i++)
        count += string_of(json_object_get(json_array_get(batch, i), field)).len > 0;
    return count;
}

/* What is to be verified must be signatures, in all items; answers when it is not. */
static bool check_kind(struct vault_job *job, const struct transit_items *list)
{
    const json_t *batch = field_get(&job->fields, "batch_input")->tree;
    size_t signatures = list->batch ? count_with(batch, "signature")
                                    : field_text(&job->fields, "signature").len > 0;
    size_t hmacs =
        list->batch ? count_with(batch, "hmac") : field_text(&job->fields, "hmac").len > 0;
    if (signatures == list->count)
        return true;
    if (signatures == 0 && hmacs == 0)
        call_fail(job, 400,
                  list->batch ? "no batch_input elements have 'signature' or 'hmac'"
                              : "neither a 'signature' nor an 'hmac' were given to verify");
    else if (signatures > 0 && hmacs > 0)
        call_fail(job, 400,
                  "elements of batch_input must all provide 'signature' or all provide 'hmac'");
    else if (signatures > 0)
        call_fail(job, 400, "some elements of batch_input are missing 'signature'");
    else if (hmacs < list->count)
        call_fail(job, 400, "some elements of batch_input are missing 'hmac'");
    else
        call_fail(job, 400, "verifying an hmac is not offered by this server");
    return false;
}

void transit_verify_prepare(struct vault_job *job)
{
    struct transit_items *list = transit_items_new(job);
    if (list == NULL || !check_kind(job, list) || !transit_scheme_read(job, &list->scheme))
        return;
    const struct keyring *k = transit_key(job);
    if (k == NULL) {
        if (!call_answered(job))
            call_fail(job, 400, "signature verification key not found");
        return;
    }
    if (!k->traits->signing) {
        call_fail(job, 400, "key type %s does not support verification", k->traits->type);
        return;
    }
    if (!list->batch) {
        prepare_single(job, k, &list->scheme, &list->items[0]);
        return;
    }
    const json_t *batch = field_get(&job->fields, "batch_input")->tree;
    for (size_t i = 0; i < list->count; i++)
        prepare_item(job, k, &list->scheme, &list->items[i], json_array_get(batch, i));
}

static void verify_item(struct vault_job *job, const struct crypto_scheme *scheme,
                        struct transit_item *item)
{
    struct errc_why why = {{0}};
    const struct crypto_key *key = NULL;
    item->failed = keyring_version_key(item->version, &key, &why);
    if (item->failed == ERRC_OK)
        item->failed = item->version->ops->verify(key, scheme, buf_slice(&item->input),
                                                  buf_slice(&item->decoded), &item->verdict, &why);
    job->no_memory = job->no_memory || item->failed == ERRC_NOMEM;
    if (item->failed != ERRC_OK) {
        item->fault = true;
        transit_item_fail(job, item, "%s", why.text);
        return;
    }
    switch (item->verdict) {
    case CRYPTO_MALFORMED:
        item->error = "supplied signature is invalid";
        break;
    case CRYPTO_TRAILING:
        item->error = "supplied signature contains extra data";
        break;
    case CRYPTO_VALID:
    case CRYPTO_WRONG:
        break;
    }
}

void transit_verify_work(struct vault_job *job)
{
    struct transit_items *list = job->state.ptr;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].error == NULL)
            verify_item(job, &list->scheme, &list->items[i]);
}

static void write_batch(struct jsonwrite *w, const struct transit_items *list)
{
    jsonwrite_array(w, "batch_results");
    for (size_t i = 0; i < list->count; i++) {
        const struct transit_item *item = &list->items[i];
        jsonwrite_object(w, NULL);
        jsonwrite_bool(w, "valid", item->error == NULL && item->verdict == CRYPTO_VALID);
        if (item->error != NULL)
            jsonwrite_string(w, "error", item->error);
        jsonwrite_slice(w, "reference", item->reference);
        jsonwrite_end(w);
    }
    jsonwrite_end(w);
}

void transit_verify_finish(struct vault_job *job)
{
    const struct transit_items *list = job->state.ptr;
    const struct transit_item *first = &list->items[0];
    if (!list->batch && first->error != NULL) {
        if (first->fault)
            call_fault(job, "%s", first->error);
        else
            call_fail(job, 400, "%s", first->error);
        return;
    }
    struct jsonwrite *w = call_data(job);
    if (list->batch)
        write_batch(w, list);
    else
        jsonwrite_bool(w, "valid", first->verdict == CRYPTO_VALID);
    call_answer(job, CALL_DATA);
}
