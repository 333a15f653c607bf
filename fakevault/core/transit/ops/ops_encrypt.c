#include <stdlib.h>

#include "base/limits.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/keys/transit_key.h"
#include "fakevault/core/transit/ops/ops.h"
#include "fakevault/core/transit/transit.h"

#define NO_KEY "encryption key not found"

const struct field_spec ops_encrypt_fields[] = {
    {.name = "plaintext", .type = FIELD_STRING},
    {.name = "context", .type = FIELD_STRING},
    {.name = "nonce", .type = FIELD_STRING},
    {.name = "type", .type = FIELD_STRING, .text = "aes256-gcm96"},
    {.name = "convergent_encryption", .type = FIELD_BOOL},
    {.name = "key_version", .type = FIELD_INT},
    {.name = "partial_failure_response_code", .type = FIELD_INT},
    {.name = "associated_data", .type = FIELD_STRING},
    {.name = "batch_input", .type = FIELD_ANY},
    {0},
};

/* A key that is made because somebody encrypts with it. */
struct ops_upsert {
    struct keyring_spec spec;
    struct keyring_version *version; /* a reference; NULL until it is made */
    int64_t created_ns;
    enum errc code;
    struct errc_why why;
};

void ops_encrypt_drop(struct ops_upsert *upsert)
{
    if (upsert == NULL)
        return;
    keyring_version_drop(upsert->version);
    free(upsert);
}

bool ops_encrypt_exists(struct vault_job *job)
{
    return transit_key(job) != NULL;
}

static void encrypt(struct vault_job *job, struct ops_list *list, struct ops_item *item)
{
    struct ops_cipher_parts parts CLEANUP(ops_cipher_parts_done);
    struct buf plain CLEANUP(buf_done);
    ops_cipher_parts_init(&parts);
    buf_init(&plain, LIMIT_REQUEST_BODY_BYTES);
    if (ops_list_decode(job, item, OPS_USER, "", item->member[OPS_PLAINTEXT], &plain) &&
        ops_cipher_read(job, item, &parts) && ops_cipher_takes_nonce(list, item) &&
        ops_cipher_takes_data(job, list, item))
        ops_cipher_seal(job, list, item, &parts, buf_slice(&plain));
}

void ops_encrypt_write(const struct ops_list *list, const struct ops_item *item,
                       struct jsonwrite *w)
{
    (void)list;
    if (item->error != NULL)
        return;
    jsonwrite_slice(w, "ciphertext", buf_slice(&item->output));
    jsonwrite_int(w, "key_version", item->number);
}

static const struct ops_kind kind = {
    .reading = OPS_STRICT,
    .main = OPS_PLAINTEXT,
    .mandatory = "missing plaintext to encrypt",
    .fails = true,
    .work = encrypt,
    .write = ops_encrypt_write,
};

/* --- making the key on the way ------------------------------------------------------------------
 */

/* The type of a key that encrypt may make; NULL: answered. */
static const struct keyring_traits *upsert_type(struct vault_job *job)
{
    struct slice type = field_text(&job->fields, "type");
    const struct keyring_traits *traits = keyring_traits_named(type);
    if (traits != NULL && traits->crypto < CRYPTO_CIPHER_COUNT && !traits->hidden)
        return traits;
    if (traits != NULL && traits->hidden)
        call_fault(job, "managed keys are supported within enterprise edition only");
    else if (slice_starts_with(type, "ecdsa-p") && traits != NULL)
        call_fail(job, 400, "key type %s not supported for this operation", traits->type);
    else
        call_fail(job, 400, "unknown key type %.*s", SLICE_FMT(type));
    return NULL;
}

static void plan_upsert(struct vault_job *job, struct ops_list *list)
{
    bool convergent = field_flag(&job->fields, "convergent_encryption");
    bool derived = list->items[0].member[OPS_CONTEXT].len > 0;
    if (convergent && !derived) {
        call_fail(
            job, 400,
            "convergent encryption requires derivation to be enabled, so context is required");
        return;
    }
    const struct keyring_traits *traits = upsert_type(job);
    if (traits == NULL)
        return;
    if (transit_key_upsert_disabled(job)) {
        if (!call_answered(job))
            call_fail(job, 400, NO_KEY);
        return;
    }
    struct ops_upsert *upsert = calloc(1, sizeof *upsert);
    job->no_memory = job->no_memory || upsert == NULL;
    if (upsert == NULL)
        return;
    upsert->spec =
        (struct keyring_spec){.traits = traits, .derived = derived, .convergent = convergent};
    upsert->created_ns = job->now.wall_ns;
    list->upsert = upsert;
    list->key = (struct ops_key){
        .traits = traits,
        .latest_version = 1,
        .min_decryption_version = 1,
        .derived = derived,
        .convergent = convergent,
        .convergent_version = KEYRING_CONVERGENT_VERSION,
        .kdf = KEYRING_KDF_HKDF,
    };
}

static void take_versions(struct ops_list *list, const struct keyring *k)
{
    for (size_t i = 0; i < list->count; i++)
        list->items[i].sealing = ops_list_take(k, list->items[i].wanted_version);
}

static bool read_items(struct vault_job *job, struct ops_list *list)
{
    if (list == NULL || !ops_batch_read(job, list))
        return false;
    if (list->batch || ops_has(&list->one, OPS_PLAINTEXT))
        return ops_cipher_contexts(job, list);
    call_fail(job, 400, "%s", kind.mandatory);
    return false;
}

void ops_encrypt_prepare(struct vault_job *job)
{
    struct ops_list *list = ops_list_new(job, &kind);
    if (!read_items(job, list))
        return;
    if (job->operation == ROUTE_CREATE) {
        plan_upsert(job, list);
    } else {
        const struct keyring *k = ops_list_key(job, list, NO_KEY);
        if (k != NULL)
            take_versions(list, k);
    }
    if (!call_answered(job))
        ops_cipher_nonces(job, list);
}

/* The new key is known to nobody yet, so its references may be counted without the lock. */
static void make_key(struct vault_job *job, struct ops_list *list)
{
    struct ops_upsert *u = list->upsert;
    const struct vault_ports *ports = &job->vault->ports;
    u->code = keyring_version_make(&u->spec, ports->crypto, ports->arena, u->created_ns,
                                   &u->version, &u->why);
    for (size_t i = 0; u->code == ERRC_OK && i < list->count; i++)
        if (list->items[i].wanted_version == 0 || list->items[i].wanted_version == 1)
            list->items[i].sealing = keyring_version_take(u->version);
}

void ops_encrypt_work(struct vault_job *job)
{
    struct ops_list *list = job->state.ptr;
    if (list->upsert == NULL) {
        ops_list_run(job);
        return;
    }
    make_key(job, list);
    if (list->upsert->code == ERRC_OK)
        ops_list_work(job);
}

/* Somebody else made the key meanwhile, and theirs is the one that is kept. What was encrypted with
 * ours could never be read, so it is done again; this once under the lock, because it hardly ever
 * happens. */
static void encrypt_again(struct vault_job *job, struct ops_list *list, const struct keyring *k)
{
    call_warn(job, "Attempted creation of the key during the encrypt operation, but it was created "
                   "beforehand");
    for (size_t i = 0; i < list->count; i++)
        ops_list_reset(&list->items[i]);
    ops_list_know(list, k);
    take_versions(list, k);
    ops_list_work(job);
}

/* The key is kept whatever became of the items, as Vault does. */
static void keep_key(struct vault_job *job, struct ops_list *list)
{
    struct vault *v = job->vault;
    struct ops_upsert *u = list->upsert;
    struct keyring *k = transit_key(job);
    if (call_answered(job))
        return;
    if (k != NULL) {
        encrypt_again(job, list, k);
        return;
    }
    if (u->code == ERRC_OK)
        u->code = keyring_create(&v->keyrings, &v->barrier, job->mount_uuid,
                                 call_capture(job, "name"), &u->spec, u->version, &k, &u->why);
    if (u->code == ERRC_OK)
        u->version = NULL;
    else
        call_trouble(job, u->code, &u->why);
}

/* Of a key that was there, the answer is given already. */
void ops_encrypt_finish(struct vault_job *job)
{
    keep_key(job, job->state.ptr);
    if (!call_answered(job))
        ops_list_finish(job);
}
