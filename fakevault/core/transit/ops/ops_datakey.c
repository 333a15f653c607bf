#include "base/limits.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/ops/ops.h"

#define DATAKEY_BYTES_MAX 64u

const struct field_spec ops_datakey_fields[] = {
    {.name = "context", .type = FIELD_STRING},
    {.name = "nonce", .type = FIELD_STRING},
    {.name = "bits", .type = FIELD_INT, .number = 256},
    {.name = "key_version", .type = FIELD_INT},
    {0},
};

/* The data key is drawn in prepare, and stands in base64 as the item's plaintext. */
static void seal_datakey(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct ops_cipher_parts parts CLEANUP(ops_cipher_parts_done);
    struct buf plain CLEANUP(buf_done);
    ops_cipher_parts_init(&parts);
    buf_init(&plain, DATAKEY_BYTES_MAX);
    if (!ops_cipher_read(job, item, &parts) ||
        !ops_list_decode(job, item, OPS_INTERNAL, "", buf_slice(&item->extra), &plain))
        return;
    ops_cipher_seal(job, list, item, &parts, buf_slice(&plain));
    if (item->error != NULL || ops_cipher_takes_nonce(list, item))
        return;
    item->blame = OPS_INTERNAL; /* noticed only afterwards, and told as a Go error */
}

static void write_plaintext(const struct ops_list *list, const struct ops_item *item,
                            struct jsonwrite *w)
{
    ops_encrypt_write(list, item, w);
    jsonwrite_slice(w, "plaintext", buf_slice(&item->extra));
}

static const struct ops_kind wrapped = {.work = seal_datakey, .write = ops_encrypt_write};
static const struct ops_kind plaintext = {.work = seal_datakey, .write = write_plaintext};

static const struct ops_kind *find_kind(struct slice word)
{
    return slice_equal_text(word, "plaintext") ? &plaintext
           : slice_equal_text(word, "wrapped") ? &wrapped
                                               : NULL;
}

/* What is no base64 is told in words of its own here. */
static bool check_base64(struct vault_job *job, const char *name)
{
    struct buf decoded CLEANUP(buf_done);
    buf_init(&decoded, LIMIT_REQUEST_BODY_BYTES);
    enum errc code = base64_parse(field_text(&job->fields, name), BASE64_STANDARD, &decoded, NULL);
    if (code == ERRC_SYNTAX)
        call_fail(job, 400, "failed to base64-decode %s", name);
    else
        job->no_memory = job->no_memory || code != ERRC_OK;
    return code == ERRC_OK;
}

static void draw_key(struct vault_job *job, struct ops_item *item, size_t len)
{
    const struct entropy *entropy = &job->vault->ports.entropy;
    uint8_t bytes[DATAKEY_BYTES_MAX];
    entropy->fill(entropy->context, bytes, len);
    buf_init(&item->extra, 2 * DATAKEY_BYTES_MAX);
    base64_format(slice_bytes(bytes, len), BASE64_STANDARD, &item->extra);
    secret_wipe(bytes, sizeof bytes);
    job->no_memory = job->no_memory || item->extra.failed;
}

void ops_datakey_prepare(struct vault_job *job)
{
    const struct ops_kind *kind = find_kind(call_capture(job, "plaintext"));
    if (kind == NULL) {
        call_fail(job, 400, "Invalid path, must be 'plaintext' or 'wrapped'");
        return;
    }
    if (!check_base64(job, "context") || !check_base64(job, "nonce"))
        return;
    struct ops_list *list = ops_list_new(job, kind);
    const struct keyring *k =
        list == NULL ? NULL : ops_list_key(job, list, "encryption key not found");
    if (k == NULL)
        return;
    int64_t bits = field_number(&job->fields, "bits");
    if (bits != 128 && bits != 256 && bits != 512) {
        call_fail(job, 400, "invalid bit length");
        return;
    }
    ops_batch_single(job, list);
    ops_cipher_nonces(job, list);
    list->one.sealing = ops_list_take(k, list->one.wanted_version);
    draw_key(job, &list->one, (size_t)bits / 8);
}
