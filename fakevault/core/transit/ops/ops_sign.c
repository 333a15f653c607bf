#include "base/limits.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/ops/ops.h"

const struct field_spec ops_sign_fields[] = {
    {.name = "input", .type = FIELD_STRING},
    {.name = "context", .type = FIELD_STRING},
    {.name = "hash_algorithm", .type = FIELD_STRING, .text = "sha2-256"},
    {.name = "algorithm", .type = FIELD_STRING, .text = "sha2-256"},
    {.name = "key_version", .type = FIELD_INT},
    {.name = "prehashed", .type = FIELD_BOOL},
    {.name = "signature_algorithm", .type = FIELD_STRING},
    {.name = "marshaling_algorithm", .type = FIELD_STRING, .text = "asn1"},
    {.name = "salt_length", .type = FIELD_STRING, .text = "auto"},
    {.name = "batch_input", .type = FIELD_ANY},
    {0},
};

/* Why a version cannot sign; NULL: it can. */
static const char *version_refusal(const struct ops_key *key, const struct ops_item *item)
{
    int64_t wanted = item->wanted_version;
    if (wanted < 0)
        return "requested version for signing is negative";
    if (wanted > key->latest_version)
        return "requested version for signing is higher than the latest key version";
    if (wanted != 0 && wanted < key->min_encryption_version)
        return "requested version for signing is less than the minimum encryption key version";
    if (item->version == NULL)
        return "no such key version";
    if (item->version->private.len == 0)
        return "requested version for signing does not contain a private part";
    return NULL;
}

static void format_signature(struct vault_job *job, const struct ops_list *list,
                             struct ops_item *item, const struct buf *raw)
{
    bool url = list->scheme.marshal == CRYPTO_MARSHAL_JWS;
    int64_t wanted = item->wanted_version;
    ops_list_output(job, item, wanted == 0 ? list->key.latest_version : (uint32_t)wanted,
                    buf_slice(raw), url ? BASE64_URL_RAW : BASE64_STANDARD);
    job->no_memory =
        job->no_memory || call_note_signature(job, buf_slice(&item->output)) != ERRC_OK;
}

static void sign_item(struct vault_job *job, struct ops_list *list, struct ops_item *item,
                      struct slice input, struct slice context)
{
    struct ops_scheme_signer signer CLEANUP(ops_scheme_unload) = {0};
    struct errc_why why = {{0}};
    char room[OPS_SIGNATURE_BYTES];
    struct buf raw = {.ptr = room, .cap = sizeof room, .max = sizeof room - 1};
    const char *refusal = version_refusal(&list->key, item);
    if (refusal != NULL) {
        ops_list_fail(item, OPS_INTERNAL, refusal);
        return;
    }
    if (!ops_scheme_load(job, list, item, context, &signer) || !ops_scheme_padding(job, list, item))
        return;
    enum errc code = item->version->ops->sign(signer.key, &list->scheme, input, &raw, &why);
    if (code != ERRC_OK)
        ops_list_trouble(job, item, OPS_INTERNAL, code, &why);
    else
        format_signature(job, list, item, &raw);
}

static void sign(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct buf input CLEANUP(buf_done), context CLEANUP(buf_done);
    buf_init(&input, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&context, LIMIT_REQUEST_BODY_BYTES);
    if (ops_scheme_message(job, item, "missing input", &input) &&
        ops_scheme_context(job, item, &context))
        sign_item(job, list, item, buf_slice(&input), buf_slice(&context));
}

/* One answer is a Go map, sorted; an item of a batch is a struct. */
static void write_signature(const struct ops_list *list, const struct ops_item *item,
                            struct jsonwrite *w)
{
    bool good = item->error == NULL;
    if (!list->batch)
        jsonwrite_int(w, "key_version", item->number);
    if (!list->batch && item->extra.len > 0)
        jsonwrite_slice(w, "public_key", buf_slice(&item->extra));
    if (good)
        jsonwrite_slice(w, "signature", buf_slice(&item->output));
    if (list->batch)
        jsonwrite_int(w, "key_version", good ? item->number : 0);
    if (list->batch && good && item->extra.len > 0)
        jsonwrite_slice(w, "publickey", buf_slice(&item->extra));
}

static const struct ops_kind kind = {
    .reading = OPS_MAP,
    .main = OPS_INPUT,
    .work = sign,
    .write = write_signature,
};

void ops_sign_prepare(struct vault_job *job)
{
    struct ops_list *list = ops_list_new(job, &kind);
    if (list == NULL || !ops_scheme_read(job, &list->scheme))
        return;
    const struct keyring *k = ops_list_key(job, list, "signing key not found");
    if (k == NULL || !ops_scheme_check(job, list, "signing") || !ops_batch_read(job, list))
        return;
    int64_t wanted = field_number(&job->fields, "key_version");
    list->one.sent |= 1u << OPS_INPUT; /* one message alone may be left out: it is empty then */
    for (size_t i = 0; i < list->count; i++) {
        list->items[i].wanted_version = wanted;
        list->items[i].version = ops_list_take(k, wanted);
    }
}
