#include <string.h>

#include "base/limits.h"
#include "base/text/base64.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/transit.h"

const struct field_spec transit_sign_fields[] = {
    {.name = "input", .type = FIELD_STRING},
    {.name = "context", .type = FIELD_STRING},
    {.name = "hash_algorithm", .type = FIELD_STRING, .text = "sha2-256"},
    {.name = "algorithm", .type = FIELD_STRING},
    {.name = "key_version", .type = FIELD_INT},
    {.name = "prehashed", .type = FIELD_BOOL},
    {.name = "signature_algorithm", .type = FIELD_STRING},
    {.name = "marshaling_algorithm", .type = FIELD_STRING, .text = "asn1"},
    {.name = "salt_length", .type = FIELD_STRING, .text = "auto"},
    {.name = "batch_input", .type = FIELD_ANY},
    {0},
};

/* Finds the version to sign with. A wrong one is a Go error, which is a 500 outside of a batch. */
static void choose_version(struct vault_job *job, const struct keyring *k,
                           struct transit_item *item)
{
    int64_t wanted = field_number(&job->fields, "key_version");
    int64_t number = wanted == 0 ? k->latest_version : wanted;
    const char *wrong =
        number < 0                   ? "requested version for signing is negative"
        : number > k->latest_version ? "requested version for signing is higher than the latest "
                                       "key version"
        : number < k->min_encryption_version
            ? "requested version for signing is less than the minimum encryption key version"
        : number < k->min_decryption_version ? "no such key version"
                                             : NULL;
    if (wrong != NULL) {
        item->error = wrong;
        item->fault = true;
        return;
    }
    item->number = (uint32_t)number;
    item->version = keyring_version_take(k->versions[number - 1]);
}

static void prepare_item(struct vault_job *job, const struct keyring *k, struct transit_item *item,
                         const json_t *source)
{
    const json_t *input = json_object_get(source, "input");
    const json_t *reference = json_object_get(source, "reference");
    item->reference = slice_bytes(json_string_value(reference), json_string_length(reference));
    if (!json_is_string(input))
        item->error = "missing input";
    else
        transit_item_decode(job, item, input);
    if (item->error == NULL)
        choose_version(job, k, item);
}

/* A single request takes its input weakly typed, from the fields; without one the message is empty.
 */
static void prepare_single(struct vault_job *job, const struct keyring *k,
                           struct transit_item *item)
{
    struct slice text = field_text(&job->fields, "input");
    json_t *input = json_stringn(text.len == 0 ? "" : text.ptr, text.len);
    job->no_memory = job->no_memory || input == NULL;
    transit_item_decode(job, item, input);
    json_decref(input);
    if (item->error == NULL)
        choose_version(job, k, item);
}

void transit_sign_prepare(struct vault_job *job)
{
    struct crypto_scheme scheme = {0};
    if (!transit_scheme_read(job, &scheme))
        return;
    const struct keyring *k = transit_key(job);
    if (k == NULL) {
        if (!call_answered(job))
            call_fail(job, 400, "signing key not found");
        return;
    }
    if (!k->traits->signing) {
        call_fail(job, 400, "key type %s does not support signing", k->traits->type);
        return;
    }
    struct transit_items *list = transit_items_new(job);
    if (list == NULL)
        return;
    list->scheme = scheme;
    if (!list->batch) {
        prepare_single(job, k, &list->items[0]);
        return;
    }
    const json_t *batch = field_get(&job->fields, "batch_input")->tree;
    for (size_t i = 0; i < list->count; i++)
        prepare_item(job, k, &list->items[i], json_array_get(batch, i));
}

void transit_sign_work(struct vault_job *job)
{
    struct transit_items *list = job->state.ptr;
    for (size_t i = 0; i < list->count; i++) {
        struct transit_item *item = &list->items[i];
        struct errc_why why = {{0}};
        if (item->error != NULL)
            continue;
        const struct crypto_key *key = NULL;
        item->failed = keyring_version_key(item->version, &key, &why);
        if (item->failed == ERRC_OK)
            item->failed = item->version->ops->sign(key, &list->scheme, buf_slice(&item->input),
                                                    &item->output, &why);
        item->fault = item->failed != ERRC_OK;
        if (item->failed != ERRC_OK)
            transit_item_fail(job, item, "%s", why.text);
        /* The output has room for any signature: one that does not fit met the end of memory. */
        job->no_memory = job->no_memory || item->failed == ERRC_NOMEM || item->output.failed;
    }
}

/* Appends "vault:v1:" and the encoded signature. */
static void format_signature(const struct transit_item *item, const struct crypto_scheme *scheme,
                             struct buf *out)
{
    bool url = scheme->marshal == CRYPTO_MARSHAL_JWS;
    buf_addf(out, "vault:v%u:", item->number);
    base64_format(buf_slice(&item->output), url ? BASE64_URL_RAW : BASE64_STANDARD, out);
}

static void write_item(struct vault_job *job, struct jsonwrite *w, const struct transit_items *list,
                       const struct transit_item *item)
{
    if (item->error == NULL) {
        struct buf text CLEANUP(buf_done);
        buf_init(&text, LIMIT_REPLY_BODY_BYTES);
        format_signature(item, &list->scheme, &text);
        job->no_memory =
            job->no_memory || text.failed || call_note_signature(job, buf_slice(&text)) != ERRC_OK;
        /* A single answer is a Go map, sorted; an item of a batch is a struct. */
        if (!list->batch)
            jsonwrite_int(w, "key_version", item->number);
        jsonwrite_slice(w, "signature", buf_slice(&text));
        job->key_version = (int)item->number;
    }
    if (!list->batch)
        return;
    jsonwrite_int(w, "key_version", item->error == NULL ? item->number : 0);
    if (item->error != NULL)
        jsonwrite_string(w, "error", item->error);
    jsonwrite_slice(w, "reference", item->reference);
}

void transit_sign_finish(struct vault_job *job)
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
        jsonwrite_array(w, "batch_results");
    for (size_t i = 0; i < list->count; i++) {
        if (list->batch)
            jsonwrite_object(w, NULL);
        write_item(job, w, list, &list->items[i]);
        if (list->batch)
            jsonwrite_end(w);
    }
    if (list->batch)
        jsonwrite_end(w);
    call_answer(job, CALL_DATA);
}
