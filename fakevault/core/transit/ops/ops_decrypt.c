#include "base/limits.h"
#include "fakevault/core/transit/ops/ops.h"

#define NO_KEY "encryption key not found"
#define NO_CIPHERTEXT "missing ciphertext to decrypt"

const struct field_spec ops_decrypt_fields[] = {
    {.name = "ciphertext", .type = FIELD_STRING},
    {.name = "context", .type = FIELD_STRING},
    {.name = "nonce", .type = FIELD_STRING},
    {.name = "partial_failure_response_code", .type = FIELD_INT},
    {.name = "associated_data", .type = FIELD_STRING},
    {.name = "batch_input", .type = FIELD_ANY},
    {0},
};

const struct field_spec ops_rewrap_fields[] = {
    {.name = "ciphertext", .type = FIELD_STRING}, {.name = "context", .type = FIELD_STRING},
    {.name = "nonce", .type = FIELD_STRING},      {.name = "key_version", .type = FIELD_INT},
    {.name = "batch_input", .type = FIELD_ANY},   {0},
};

/* Context and nonce, and that there is a ciphertext at all. */
static bool read_parts(struct vault_job *job, struct ops_item *item, struct ops_cipher_parts *parts)
{
    if (item->member[OPS_CIPHERTEXT].len > 0)
        return ops_cipher_read(job, item, parts);
    ops_list_fail(item, OPS_USER, NO_CIPHERTEXT);
    return false;
}

static void decrypt(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct ops_cipher_parts parts CLEANUP(ops_cipher_parts_done);
    struct buf plain CLEANUP(buf_done);
    ops_cipher_parts_init(&parts);
    buf_init(&plain, LIMIT_REQUEST_BODY_BYTES);
    if (!read_parts(job, item, &parts) || !ops_cipher_takes_data(job, list, item) ||
        !ops_cipher_open(job, list, item, &parts, &plain))
        return;
    buf_init(&item->output, LIMIT_REPLY_BODY_BYTES);
    base64_format(buf_slice(&plain), BASE64_STANDARD, &item->output);
    job->no_memory = job->no_memory || item->output.failed;
}

static void write_plaintext(const struct ops_list *list, const struct ops_item *item,
                            struct jsonwrite *w)
{
    (void)list;
    jsonwrite_slice(w, "plaintext", buf_slice(&item->output));
}

static const struct ops_kind decrypt_kind = {
    .reading = OPS_STRICT,
    .main = OPS_CIPHERTEXT,
    .mandatory = NO_CIPHERTEXT,
    .fails = true,
    .work = decrypt,
    .write = write_plaintext,
};

/* Reads the items and finds their key; NULL: answered. */
static const struct keyring *read_items(struct vault_job *job, struct ops_list *list)
{
    if (list == NULL || !ops_batch_read(job, list))
        return NULL;
    if (!list->batch && list->one.member[OPS_CIPHERTEXT].len == 0)
        call_fail(job, 400, NO_CIPHERTEXT);
    else if (ops_cipher_contexts(job, list))
        return ops_list_key(job, list, NO_KEY);
    return NULL;
}

void ops_decrypt_prepare(struct vault_job *job)
{
    struct ops_list *list = ops_list_new(job, &decrypt_kind);
    const struct keyring *k = read_items(job, list);
    for (size_t i = 0; k != NULL && i < list->count; i++)
        ops_cipher_take(k, &list->items[i]);
}

static void rewrap(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct ops_cipher_parts parts CLEANUP(ops_cipher_parts_done);
    struct buf plain CLEANUP(buf_done);
    ops_cipher_parts_init(&parts);
    buf_init(&plain, LIMIT_REQUEST_BODY_BYTES);
    if (read_parts(job, item, &parts) && ops_cipher_takes_nonce(list, item) &&
        ops_cipher_open(job, list, item, &parts, &plain))
        ops_cipher_seal(job, list, item, &parts, buf_slice(&plain));
}

static const struct ops_kind rewrap_kind = {
    .reading = OPS_STRUCT,
    .main = OPS_CIPHERTEXT,
    .stops = true,
    .work = rewrap,
    .write = ops_encrypt_write,
};

void ops_rewrap_prepare(struct vault_job *job)
{
    struct ops_list *list = ops_list_new(job, &rewrap_kind);
    const struct keyring *k = read_items(job, list);
    if (k == NULL)
        return;
    ops_cipher_nonces(job, list);
    for (size_t i = 0; i < list->count; i++) {
        list->items[i].member[OPS_ASSOCIATED_DATA] = (struct slice){0}; /* rewrap has none */
        list->items[i].sealing = ops_list_take(k, list->items[i].wanted_version);
        ops_cipher_take(k, &list->items[i]);
    }
}
