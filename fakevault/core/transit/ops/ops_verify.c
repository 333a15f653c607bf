#include "base/limits.h"
#include "fakevault/core/transit/ops/ops.h"

const struct field_spec ops_verify_fields[] = {
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

static const struct ops_cut_texts cut_texts = {
    .prefix = "invalid signature: no prefix",
    .fields = "invalid signature: wrong number of fields",
    .number = "invalid signature: version number could not be decoded",
};

static void take_version(const struct keyring *k, struct ops_item *item)
{
    int64_t number;
    struct slice rest;
    if (ops_list_cut(item->member[OPS_SIGNATURE], &cut_texts, &number, &rest) == NULL &&
        number != 0)
        item->version = ops_list_take(k, number);
}

static bool fail(struct ops_item *item, const char *text)
{
    ops_list_fail(item, OPS_USER, text);
    return false;
}

static bool unpack(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                   struct buf *raw)
{
    bool url = list->scheme.marshal == CRYPTO_MARSHAL_JWS;
    int64_t number;
    struct slice rest;
    const char *wrong = ops_list_cut(item->member[OPS_SIGNATURE], &cut_texts, &number, &rest);
    if (wrong != NULL)
        return fail(item, wrong);
    if (number > list->key.latest_version)
        return fail(item, "invalid signature: version is too new");
    if (number < list->key.min_decryption_version)
        return fail(item, OPS_TOO_OLD);
    enum errc code = base64_parse(rest, url ? BASE64_URL_RAW : BASE64_STANDARD, raw, NULL);
    job->no_memory = job->no_memory || (code != ERRC_OK && code != ERRC_SYNTAX);
    if (code != ERRC_OK)
        return fail(item, "invalid base64 signature value");
    return item->version != NULL || fail(item, "no such key version");
}

static void take_verdict(struct ops_item *item, enum crypto_verdict verdict)
{
    static const char *const texts[] = {
        [CRYPTO_VALID] = NULL,
        [CRYPTO_WRONG] = NULL,
        [CRYPTO_MALFORMED] = "supplied signature is invalid",
        [CRYPTO_TRAILING] = "supplied signature contains extra data",
    };
    item->valid = verdict == CRYPTO_VALID;
    if (texts[verdict] != NULL)
        ops_list_fail(item, OPS_USER, texts[verdict]);
}

static void verify_item(struct vault_job *job, struct ops_list *list, struct ops_item *item,
                        struct slice input, struct slice context)
{
    struct ops_scheme_signer signer CLEANUP(ops_scheme_unload) = {0};
    struct buf raw CLEANUP(buf_done);
    enum crypto_verdict verdict = CRYPTO_WRONG;
    struct errc_why why = {{0}};
    buf_init(&raw, LIMIT_REQUEST_BODY_BYTES);
    if (!unpack(job, list, item, &raw) || !ops_scheme_load(job, list, item, context, &signer) ||
        !ops_scheme_padding(job, list, item))
        return;
    enum errc code = item->version->ops->verify(signer.key, &list->scheme, input, buf_slice(&raw),
                                                &verdict, &why);
    if (code == ERRC_OK)
        take_verdict(item, verdict);
    else
        ops_list_trouble(job, item, code == ERRC_RANGE ? OPS_USER : OPS_INTERNAL, code, &why);
}

static void verify(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct buf input CLEANUP(buf_done), context CLEANUP(buf_done);
    buf_init(&input, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&context, LIMIT_REQUEST_BODY_BYTES);
    if (ops_scheme_message(job, item, "missing input", &input) &&
        ops_scheme_context(job, item, &context))
        verify_item(job, list, item, buf_slice(&input), buf_slice(&context));
}

static void write_valid(const struct ops_list *list, const struct ops_item *item,
                        struct jsonwrite *w)
{
    (void)list;
    jsonwrite_bool(w, "valid", item->valid && item->error == NULL);
}

static const struct ops_kind kind = {
    .reading = OPS_MAP,
    .main = OPS_INPUT,
    .work = verify,
    .write = write_valid,
};

/* --- what is to be verified ---------------------------------------------------------------------
 */

struct proofs {
    bool signatures, hmacs, none;
};

static struct proofs find_proofs(const struct ops_list *list)
{
    struct proofs found = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct ops_item *item = &list->items[i];
        if (ops_has(item, OPS_SIGNATURE))
            found.signatures = true;
        else if (ops_has(item, OPS_HMAC))
            found.hmacs = true;
        else
            found.none = true;
    }
    return found;
}

/* All items must have the same; what is wrong otherwise, or NULL. */
static const char *proofs_refusal(const struct ops_list *list, const struct proofs *found)
{
    if (!list->batch && found->none)
        return "neither a 'signature' nor an 'hmac' were given to verify";
    if (found->signatures && found->hmacs)
        return "elements of batch_input must all provide 'signature' or all provide 'hmac'";
    if (found->none && found->signatures)
        return "some elements of batch_input are missing 'signature'";
    if (found->none && found->hmacs)
        return "some elements of batch_input are missing 'hmac'";
    return found->none ? "no batch_input elements have 'signature' or 'hmac'" : NULL;
}

static void prepare_signatures(struct vault_job *job, struct ops_list *list)
{
    if (!ops_scheme_read(job, &list->scheme))
        return;
    const struct keyring *k = ops_list_key(job, list, "signature verification key not found");
    if (k == NULL || !ops_scheme_check(job, list, "verification"))
        return;
    for (size_t i = 0; i < list->count; i++)
        take_version(k, &list->items[i]);
}

void ops_verify_prepare(struct vault_job *job)
{
    struct ops_list *list = ops_list_new(job, &kind);
    if (list == NULL || !ops_batch_read(job, list))
        return;
    list->one.sent |= 1u << OPS_INPUT; /* one message alone may be left out: it is empty then */
    struct proofs found = find_proofs(list);
    const char *refusal = proofs_refusal(list, &found);
    if (refusal != NULL)
        call_fail(job, 400, "%s", refusal);
    else if (found.hmacs)
        ops_hmac_verify(job, list);
    else
        prepare_signatures(job, list);
}
