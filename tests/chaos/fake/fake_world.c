#include "tests/chaos/fake/fake_world.h"

#include <openssl/pem.h>

#include "base/bug.h"
#include "chaos/core/ledger/verify_manifest.h"

static const char token[] = "hvs.fake-world-canary";

static void add_key(struct fake_world *f, size_t i, EVP_PKEY *key, bool fallback, int version)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    CHECK(PEM_write_bio_PUBKEY(bio, key) == 1);
    long len = BIO_get_mem_data(bio, &text);
    buf_init(&f->pems[i], 4096);
    buf_add(&f->pems[i], text, (size_t)len);
    BIO_free(bio);
    f->keys[i] =
        (struct world_key){.fallback = fallback, .version = version, .pem = buf_text(&f->pems[i])};
}

/* Made once: to make keys, and to read them again from PEM, takes longer than to run a scenario. */
static struct {
    EVP_PKEY *vault[2], *stranger, *fallback;
    char fingerprints[3][VERIFY_MANIFEST_FINGERPRINT_BYTES]; /* as in keys */
} made;

static void make_keys(void)
{
    if (made.fallback != NULL)
        return;
    made.vault[0] = EVP_EC_gen("P-256");
    made.vault[1] = EVP_EC_gen("P-256");
    made.stranger = EVP_EC_gen("P-256");
    made.fallback = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static EVP_PKEY *share(EVP_PKEY *key)
{
    CHECK(EVP_PKEY_up_ref(key) == 1);
    return key;
}

const char *fake_world_fingerprint(const struct fake_world *f, size_t key)
{
    char *made_once = made.fingerprints[key];
    if (made_once[0] == '\0')
        CHECK(verify_manifest_fingerprint(f->keys[key].pem, made_once, NULL) == ERRC_OK);
    return made_once;
}

void fake_world_init(struct fake_world *f)
{
    *f = (struct fake_world){.attempts = 3,
                             .refusal = 503,
                             .wait_factor = 1,
                             .stuck_after = 2,
                             .now_ns = FAKE_WORLD_BEGINNING};
    make_keys();
    f->vault_keys[0] = share(made.vault[0]);
    f->vault_keys[1] = share(made.vault[1]);
    f->stranger = share(made.stranger);
    f->fallback_key = share(made.fallback);
    add_key(f, 0, f->vault_keys[0], false, 1);
    add_key(f, 1, f->vault_keys[1], false, 1);
    add_key(f, 2, f->fallback_key, true, 0);
    f->keys[0].since_wall_ns = f->keys[2].since_wall_ns = FAKE_WORLD_BEGINNING;
    f->canary = (struct world_canary){.name = "token", .bytes = slice_of(token)};
    buf_init(&f->log, 1u << 16);
}

void fake_world_done(struct fake_world *f)
{
    for (size_t i = 0; i < f->sample_count; i++)
        buf_done(&f->texts[i]);
    for (size_t i = 0; i < f->audit_count; i++)
        buf_done(&f->audit[i]);
    for (size_t i = 0; i < f->journal_count; i++)
        buf_done(&f->journal[i]);
    for (size_t i = 0; i < f->manifest_count; i++)
        buf_done(&f->manifests[i]);
    for (size_t i = 0; i < 3; i++)
        buf_done(&f->pems[i]);
    buf_done(&f->log);
    EVP_PKEY_free(f->vault_keys[0]);
    EVP_PKEY_free(f->vault_keys[1]);
    EVP_PKEY_free(f->fallback_key);
    EVP_PKEY_free(f->stranger);
}

void fake_world_edit(struct fake_world *f, struct fake_world_edit edit)
{
    CHECK(f->edit_count < FAKE_WORLD_EDITS_MAX);
    f->edits[f->edit_count++] = edit;
}
