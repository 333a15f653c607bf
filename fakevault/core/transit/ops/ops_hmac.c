#include "base/limits.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/ops/ops.h"

#define NO_KEY "encryption key not found"
#define NO_INPUT "missing input for HMAC"
#define TOO_OLD "version is too old (disallowed by policy)"

const struct field_spec ops_hmac_fields[] = {
    {.name = "input", .type = FIELD_STRING},
    {.name = "algorithm", .type = FIELD_STRING, .text = "sha2-256"},
    {.name = "key_version", .type = FIELD_INT},
    {.name = "batch_input", .type = FIELD_ANY},
    {0},
};

/* An unknown name is printed as the number of the hash that it is not. Of "none" Vault cannot make
 * an HMAC either: it drops the connection, which is a 500 here. */
static bool read_hash(struct vault_job *job, struct ops_list *list)
{
    if (!ops_scheme_hash(ops_scheme_algorithm(job, "algorithm"), &list->hash))
        call_fail(job, 400, "unsupported algorithm '\\x00'");
    else if (list->hash == CRYPTO_HASH_NONE)
        call_fault(job, "internal error");
    return !call_answered(job);
}

static bool make(struct vault_job *job, const struct ops_list *list, struct ops_item *item,
                 struct slice input, uint8_t *sum, size_t *len)
{
    const struct crypto *crypto = job->vault->ports.crypto;
    struct errc_why why = {{0}};
    enum errc code = crypto->hmac(crypto->context, list->hash,
                                  keyring_version_hmac_key(item->version), input, sum, len, &why);
    if (code != ERRC_OK)
        ops_list_trouble(job, item, OPS_INTERNAL, code, &why);
    return code == ERRC_OK;
}

/* --- making -------------------------------------------------------------------------------------
 */

static void make_hmac(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct buf input CLEANUP(buf_done);
    uint8_t sum[CRYPTO_HASH_BYTES_MAX];
    size_t len;
    buf_init(&input, LIMIT_REQUEST_BODY_BYTES);
    if (!ops_scheme_message(job, item, NO_INPUT, &input) ||
        !make(job, list, item, buf_slice(&input), sum, &len))
        return;
    ops_list_output(job, item, (uint32_t)item->wanted_version, slice_bytes(sum, len),
                    BASE64_STANDARD);
    job->no_memory =
        job->no_memory || call_note_signature(job, buf_slice(&item->output)) != ERRC_OK;
}

static void write_hmac(const struct ops_list *list, const struct ops_item *item,
                       struct jsonwrite *w)
{
    (void)list;
    if (item->error == NULL)
        jsonwrite_slice(w, "hmac", buf_slice(&item->output));
}

static const struct ops_kind make_kind = {
    .reading = OPS_MAP,
    .main = OPS_INPUT,
    .work = make_hmac,
    .write = write_hmac,
};

/* What is wrong with a version; answers then. */
static bool check_version(struct vault_job *job, const struct keyring *k, int64_t number)
{
    if (k->min_encryption_version > 0 && number != k->latest_version &&
        number < k->min_encryption_version)
        call_fail(job, 400, "cannot generate HMAC: " TOO_OLD);
    else if (number < 0)
        call_fail(job, 400, "key version does not exist (cannot be negative)");
    else if (number > k->latest_version)
        call_fail(job, 400, "key version does not exist; latest key version is %u",
                  k->latest_version);
    else if (keyring_version_of(k, number) == NULL)
        call_fail(job, 400, "no such key version");
    return !call_answered(job);
}

void ops_hmac_prepare(struct vault_job *job)
{
    struct ops_list *list = ops_list_new(job, &make_kind);
    const struct keyring *k = list == NULL ? NULL : ops_list_key(job, list, NO_KEY);
    if (k == NULL)
        return;
    int64_t wanted = field_number(&job->fields, "key_version");
    int64_t number = wanted == 0 ? k->latest_version : wanted;
    if (!check_version(job, k, number) || !read_hash(job, list) || !ops_batch_read(job, list))
        return;
    if (!list->batch && !ops_has(&list->one, OPS_INPUT)) {
        call_fail(job, 400, NO_INPUT);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        list->items[i].wanted_version = number;
        list->items[i].version = ops_list_take(k, number);
    }
}

/* --- verifying ----------------------------------------------------------------------------------
 */

static const struct ops_cut_texts cut_texts = {
    .prefix = "invalid HMAC to verify: no prefix",
    .fields = "invalid HMAC: wrong number of fields",
    .number = "invalid HMAC: version number could not be decoded",
};

/* Decodes the HMAC of an item, checks its version. */
static bool unpack(struct vault_job *job, const struct ops_key *key, struct ops_item *item,
                   struct buf *raw)
{
    int64_t number;
    struct slice rest;
    const char *wrong = ops_list_cut(item->member[OPS_HMAC], &cut_texts, &number, &rest);
    if (wrong != NULL) {
        ops_list_fail(item, OPS_USER, wrong);
        return false;
    }
    if (!ops_list_decode(job, item, OPS_USER,
                         "unable to decode verification HMAC as base64: ", rest, raw))
        return false;
    if (number > key->latest_version)
        ops_list_fail(item, OPS_USER, "invalid HMAC: version is too new");
    else if (number < key->min_decryption_version)
        ops_list_fail(item, OPS_USER, "cannot verify HMAC: " TOO_OLD);
    else if (item->version == NULL)
        ops_list_fail(item, OPS_USER, "no such key version");
    return item->error == NULL;
}

static void verify_hmac(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct buf input CLEANUP(buf_done), raw CLEANUP(buf_done);
    uint8_t sum[CRYPTO_HASH_BYTES_MAX];
    size_t len;
    buf_init(&input, LIMIT_REQUEST_BODY_BYTES);
    buf_init(&raw, LIMIT_REQUEST_BODY_BYTES);
    if (ops_scheme_message(job, item, "missing input", &input) &&
        unpack(job, &list->key, item, &raw) && make(job, list, item, buf_slice(&input), sum, &len))
        item->valid = secret_equal(slice_bytes(sum, len), buf_slice(&raw));
}

/* A batch leaves out what is false. */
static void write_valid(const struct ops_list *list, const struct ops_item *item,
                        struct jsonwrite *w)
{
    if (!list->batch || (item->valid && item->error == NULL))
        jsonwrite_bool(w, "valid", item->valid);
}

static const struct ops_kind verify_kind = {
    .reading = OPS_MAP,
    .main = OPS_INPUT,
    .work = verify_hmac,
    .write = write_valid,
};

void ops_hmac_verify(struct vault_job *job, struct ops_list *list)
{
    list->kind = &verify_kind;
    const struct keyring *k = ops_list_key(job, list, NO_KEY);
    if (k == NULL || !read_hash(job, list))
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct ops_item *item = &list->items[i];
        int64_t number;
        struct slice rest;
        if (ops_list_cut(item->member[OPS_HMAC], &cut_texts, &number, &rest) == NULL && number != 0)
            item->version = ops_list_take(k, number);
    }
}
