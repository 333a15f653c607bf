#include "fakevault/core/seal/barrier.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/core/store/pack.h"

/* A sealed record: format, term (0: not of the keyring), nonce, ciphertext and tag. */
#define FORMAT 1
#define HEADER_BYTES (1 + 4 + CRYPTO_AEAD_NONCE_BYTES)

void barrier_init(struct barrier *b, const struct crypto *crypto, const struct store *store,
                  struct entropy entropy, struct secret_arena *arena)
{
    *b = (struct barrier){.crypto = crypto, .store = store, .entropy = entropy, .arena = arena};
}

bool barrier_is_open(const struct barrier *b)
{
    return b->term_count > 0;
}

static void drop_terms(struct barrier *b)
{
    for (size_t i = 0; i < b->term_count; i++)
        secret_done(&b->terms[i].key);
    free(b->terms);
    b->terms = NULL;
    b->term_count = 0;
}

void barrier_close(struct barrier *b)
{
    drop_terms(b);
    secret_done(&b->root);
    b->encryptions = 0;
}

static enum errc add_term(struct barrier *b, struct slice key, int64_t installed_ns)
{
    struct barrier_term *grown = realloc(b->terms, (b->term_count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    b->terms = grown;
    struct barrier_term *t = &b->terms[b->term_count];
    *t = (struct barrier_term){.installed_ns = installed_ns};
    TRY(secret_copy(b->arena, key, &t->key));
    b->term_count++;
    b->encryptions = 0;
    return ERRC_OK;
}

static enum errc new_key(struct barrier *b, struct secret *out)
{
    TRY(secret_new(b->arena, BARRIER_KEY_BYTES, out));
    b->entropy.fill(b->entropy.context, out->ptr, out->len);
    return ERRC_OK;
}

static enum errc seal_record(struct barrier *b, struct slice key, uint32_t term, const char *name,
                             struct slice plain, struct buf *out, struct errc_why *why)
{
    if (plain.len > BARRIER_PLAIN_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "put failed due to value being too large");
    uint8_t header[HEADER_BYTES];
    struct pack p = pack_into(header, sizeof header);
    pack_u8(&p, FORMAT);
    pack_u32(&p, term);
    b->entropy.fill(b->entropy.context, header + p.len, CRYPTO_AEAD_NONCE_BYTES);
    buf_add(out, header, sizeof header);
    return b->crypto->aead_seal(b->crypto->context, CRYPTO_AES256_GCM96, key, header + p.len,
                                slice_of(name), plain, out, why);
}

static enum errc open_record(struct barrier *b, struct slice key, const char *name,
                             struct slice record, struct secret *out, struct errc_why *why)
{
    struct slice nonce = slice_from(record, HEADER_BYTES - CRYPTO_AEAD_NONCE_BYTES),
                 sealed = slice_from(record, HEADER_BYTES);
    size_t len = sealed.len < CRYPTO_AEAD_TAG_BYTES ? 0 : sealed.len - CRYPTO_AEAD_TAG_BYTES;
    if (secret_new(b->arena, len, out) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for secrets");
    enum errc code =
        b->crypto->aead_open(b->crypto->context, CRYPTO_AES256_GCM96, key,
                             (const uint8_t *)nonce.ptr, slice_of(name), sealed, out->ptr, why);
    if (code != ERRC_OK)
        secret_done(out);
    return code;
}

static enum errc read_term(struct slice record, const char *name, uint32_t *term,
                           struct errc_why *why)
{
    struct unpack u = pack_read_from(record);
    uint8_t format = pack_read_u8(&u);
    *term = pack_read_u32(&u);
    if (record.len < HEADER_BYTES + CRYPTO_AEAD_TAG_BYTES || format != FORMAT)
        return errc_fail(why, ERRC_SCHEMA, "the stored record \"%s\" is damaged", name);
    return ERRC_OK;
}

static enum errc fetch(struct barrier *b, const char *name, struct buf *record, uint32_t *term,
                       struct errc_why *why)
{
    TRY(store_get(b->store, slice_of(name), record, why));
    return read_term(buf_slice(record), name, term, why);
}

static enum errc get_under(struct barrier *b, struct slice key, const char *name,
                           struct secret *out, struct errc_why *why)
{
    struct buf record CLEANUP(buf_done);
    buf_init(&record, STORE_VALUE_MAX);
    uint32_t term;
    TRY(fetch(b, name, &record, &term, why));
    return open_record(b, key, name, buf_slice(&record), out, why);
}

static enum errc open_under_term(struct barrier *b, uint32_t term, const char *name,
                                 struct slice record, struct secret *out, struct errc_why *why)
{
    if (term < 1 || term > b->term_count)
        return errc_fail(why, ERRC_CRYPTO, "no decryption key available for term %u", term);
    return open_record(b, secret_slice(&b->terms[term - 1].key), name, record, out, why);
}

enum errc barrier_get(struct barrier *b, const char *name, struct secret *out, struct errc_why *why)
{
    b->gets++;
    CHECK(barrier_is_open(b));
    struct buf record CLEANUP(buf_done);
    buf_init(&record, STORE_VALUE_MAX);
    uint32_t term;
    TRY(fetch(b, name, &record, &term, why));
    return open_under_term(b, term, name, buf_slice(&record), out, why);
}

enum errc barrier_encrypt(struct barrier *b, const char *purpose, struct slice plain,
                          struct buf *out, struct errc_why *why)
{
    CHECK(barrier_is_open(b));
    b->encryptions++;
    TRY(seal_record(b, secret_slice(&b->terms[b->term_count - 1].key), (uint32_t)b->term_count,
                    purpose, plain, out, why));
    return buf_status(out, why);
}

enum errc barrier_decrypt(struct barrier *b, const char *purpose, struct slice sealed,
                          struct secret *out, struct errc_why *why)
{
    uint32_t term;
    CHECK(barrier_is_open(b));
    TRY(read_term(sealed, purpose, &term, why));
    return open_under_term(b, term, purpose, sealed, out, why);
}

void barrier_batch_init(struct barrier_batch *batch)
{
    batch->count = 0;
    batch->status = ERRC_OK;
}

void barrier_batch_done(struct barrier_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        buf_done(&batch->bytes[i]);
    batch->count = 0;
}

/* Starts the next change with its name; the value goes behind it into the same buf. */
static struct buf *batch_next(struct barrier_batch *batch, const char *name)
{
    if (batch->status != ERRC_OK)
        return NULL;
    CHECK(batch->count < STORE_BATCH_MAX);
    struct buf *bytes = &batch->bytes[batch->count++];
    buf_init(bytes, STORE_NAME_MAX + STORE_VALUE_MAX);
    buf_add_text(bytes, name);
    return bytes;
}

static void batch_finish(struct barrier_batch *batch, size_t name_len, bool erase)
{
    struct buf *bytes = &batch->bytes[batch->count - 1];
    if (batch->status == ERRC_OK && bytes->failed)
        batch->status = ERRC_NOMEM; /* it has room for the largest record */
    struct slice all = buf_slice(bytes);
    if (batch->status == ERRC_OK)
        batch->changes[batch->count - 1] = (struct store_change){
            .name = {all.ptr, name_len}, .value = slice_from(all, name_len), .erase = erase};
}

static void batch_seal(struct barrier *b, struct barrier_batch *batch, struct slice key,
                       uint32_t term, const char *name, struct slice plain)
{
    struct buf *bytes = batch_next(batch, name);
    if (bytes == NULL)
        return;
    batch->status = seal_record(b, key, term, name, plain, bytes, NULL);
    batch_finish(batch, strlen(name), false);
}

void barrier_batch_put(struct barrier *b, struct barrier_batch *batch, const char *name,
                       struct slice plain)
{
    CHECK(barrier_is_open(b));
    b->encryptions++;
    batch_seal(b, batch, secret_slice(&b->terms[b->term_count - 1].key), (uint32_t)b->term_count,
               name, plain);
}

void barrier_batch_put_clear(struct barrier_batch *batch, const char *name, struct slice bytes)
{
    struct buf *out = batch_next(batch, name);
    if (out == NULL)
        return;
    buf_add_slice(out, bytes);
    batch_finish(batch, strlen(name), false);
}

void barrier_batch_erase(struct barrier_batch *batch, const char *name)
{
    if (batch_next(batch, name) != NULL)
        batch_finish(batch, strlen(name), true);
}

enum errc barrier_commit(struct barrier *b, struct barrier_batch *batch, struct errc_why *why)
{
    if (batch->status == ERRC_TOO_BIG)
        return errc_fail(why, ERRC_TOO_BIG, "put failed due to value being too large");
    if (batch->status != ERRC_OK)
        return errc_fail(why, batch->status, "cannot encrypt a record: %s",
                         errc_text(batch->status));
    for (size_t i = 0; i < batch->count; i++)
        *(batch->changes[i].erase ? &b->deletes : &b->puts) += 1;
    return store_write(b->store, batch->changes, batch->count, why);
}

enum errc barrier_put(struct barrier *b, const char *name, struct slice plain, struct errc_why *why)
{
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    barrier_batch_put(b, &batch, name, plain);
    return barrier_commit(b, &batch, why);
}

/* The keyring as bytes, straight into the arena. */
static void write_keyring(struct pack *p, const struct barrier *b)
{
    pack_u32(p, (uint32_t)b->term_count);
    for (size_t i = 0; i < b->term_count; i++) {
        pack_i64(p, b->terms[i].installed_ns);
        pack_bytes(p, secret_slice(&b->terms[i].key));
    }
}

static enum errc batch_keyring(struct barrier *b, struct barrier_batch *batch)
{
    struct pack p = {0};
    write_keyring(&p, b);
    struct secret bytes CLEANUP(secret_done) = {0};
    TRY(secret_new(b->arena, p.len, &bytes));
    p = pack_into(bytes.ptr, bytes.len);
    write_keyring(&p, b);
    batch_seal(b, batch, secret_slice(&b->root), 0, BARRIER_KEYRING_NAME, secret_slice(&bytes));
    return batch->status;
}

static enum errc create_keys(struct barrier *b, int64_t wall_ns)
{
    struct secret key CLEANUP(secret_done) = {0};
    TRY(new_key(b, &b->root));
    TRY(new_key(b, &key));
    return add_term(b, secret_slice(&key), wall_ns);
}

enum errc barrier_create(struct barrier *b, struct slice unseal_key, int64_t wall_ns,
                         struct barrier_batch *batch, struct errc_why *why)
{
    CHECK(!barrier_is_open(b) && unseal_key.len == BARRIER_KEY_BYTES);
    enum errc code = create_keys(b, wall_ns);
    if (code == ERRC_OK) {
        batch_seal(b, batch, unseal_key, 0, BARRIER_ROOT_KEY_NAME, secret_slice(&b->root));
        code = batch_keyring(b, batch);
    }
    if (code == ERRC_OK)
        return ERRC_OK;
    barrier_close(b);
    return errc_fail(why, code, "cannot make the barrier's keys: %s", errc_text(code));
}

static enum errc read_keyring(struct barrier *b, struct slice bytes, struct errc_why *why)
{
    struct unpack u = pack_read_from(bytes);
    uint32_t count = pack_read_u32(&u);
    for (uint32_t i = 0; i < count && !u.failed; i++) {
        int64_t installed_ns = pack_read_i64(&u);
        struct slice key = pack_read_bytes(&u);
        if (u.failed || key.len != BARRIER_KEY_BYTES)
            break;
        TRY(add_term(b, key, installed_ns));
    }
    if (!pack_read_complete(&u) || b->term_count != count || count == 0)
        return errc_fail(why, ERRC_SCHEMA, "the stored keyring is damaged");
    return ERRC_OK;
}

static enum errc open_layers(struct barrier *b, struct slice unseal_key, struct errc_why *why)
{
    struct secret keyring CLEANUP(secret_done) = {0};
    TRY(get_under(b, unseal_key, BARRIER_ROOT_KEY_NAME, &b->root, why));
    if (b->root.len != BARRIER_KEY_BYTES)
        return errc_fail(why, ERRC_SCHEMA, "the stored root key is damaged");
    enum errc code = get_under(b, secret_slice(&b->root), BARRIER_KEYRING_NAME, &keyring, why);
    if (code == ERRC_CRYPTO)
        return errc_fail(why, ERRC_SCHEMA, "the stored keyring does not belong to the root key");
    TRY(code);
    return read_keyring(b, secret_slice(&keyring), why);
}

enum errc barrier_open(struct barrier *b, struct slice unseal_key, struct errc_why *why)
{
    CHECK(!barrier_is_open(b));
    if (unseal_key.len != BARRIER_KEY_BYTES)
        return errc_fail(why, ERRC_CRYPTO, "cipher: message authentication failed");
    enum errc code = open_layers(b, unseal_key, why);
    if (code != ERRC_OK)
        barrier_close(b);
    return code;
}

enum errc barrier_check_key(struct slice unseal_key, struct errc_why *why)
{
    size_t len = unseal_key.len;
    if (len == 16 || len == 24 || len == 32)
        return ERRC_OK;
    return errc_fail(why, ERRC_SCHEMA,
                     "failed to setup unseal key: crypto/aes: invalid key size %zu", len);
}

enum errc barrier_verify(struct barrier *b, struct slice unseal_key, struct errc_why *why)
{
    CHECK(barrier_is_open(b));
    TRY(barrier_check_key(unseal_key, why));
    struct secret root CLEANUP(secret_done) = {0};
    enum errc code = ERRC_CRYPTO;
    if (unseal_key.len == BARRIER_KEY_BYTES)
        code = get_under(b, unseal_key, BARRIER_ROOT_KEY_NAME, &root, why);
    bool same = code == ERRC_OK && secret_equal(secret_slice(&root), secret_slice(&b->root));
    if (code == ERRC_CRYPTO || (code == ERRC_OK && !same))
        return errc_fail(why, ERRC_CRYPTO,
                         "invalid key: failed to decrypt keys from storage: cipher: message "
                         "authentication failed");
    return code;
}

enum errc barrier_rekey(struct barrier *b, struct slice unseal_key, struct barrier_batch *batch,
                        struct errc_why *why)
{
    CHECK(barrier_is_open(b) && unseal_key.len == BARRIER_KEY_BYTES);
    struct secret old = b->root;
    b->root = (struct secret){0};
    enum errc code = new_key(b, &b->root);
    if (code == ERRC_OK) {
        batch_seal(b, batch, unseal_key, 0, BARRIER_ROOT_KEY_NAME, secret_slice(&b->root));
        code = batch_keyring(b, batch);
    }
    if (code == ERRC_OK)
        code = barrier_commit(b, batch, why);
    if (code != ERRC_OK) {
        secret_done(&b->root);
        b->root = old;
        return code;
    }
    secret_done(&old);
    return ERRC_OK;
}

static enum errc store_new_term(struct barrier *b, int64_t wall_ns, struct errc_why *why)
{
    struct secret key CLEANUP(secret_done) = {0};
    struct barrier_batch batch CLEANUP(barrier_batch_done);
    barrier_batch_init(&batch);
    TRY(new_key(b, &key));
    TRY(add_term(b, secret_slice(&key), wall_ns));
    enum errc code = batch_keyring(b, &batch);
    if (code == ERRC_OK)
        code = barrier_commit(b, &batch, why);
    if (code != ERRC_OK)
        secret_done(&b->terms[--b->term_count].key);
    return code;
}

enum errc barrier_rotate(struct barrier *b, int64_t wall_ns, struct errc_why *why)
{
    CHECK(barrier_is_open(b));
    if (b->term_count >= BARRIER_TERMS_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "the keyring has %zu terms already", b->term_count);
    uint64_t encryptions = b->encryptions;
    enum errc code = store_new_term(b, wall_ns, why);
    if (code != ERRC_OK)
        b->encryptions = encryptions;
    return code;
}

struct eraser {
    struct barrier_batch *batch;
    const char *prefix;
};

static enum errc collect(void *context, struct slice rest)
{
    struct eraser *e = context;
    if (e->batch->count == STORE_BATCH_MAX)
        return ERRC_STATE; /* full: stop the listing */
    struct buf name CLEANUP(buf_done);
    buf_init(&name, STORE_NAME_MAX);
    buf_add_text(&name, e->prefix);
    buf_add_slice(&name, rest);
    TRY(buf_status(&name, NULL));
    barrier_batch_erase(e->batch, buf_text(&name));
    return e->batch->status;
}

enum errc barrier_erase_all(struct barrier *b, const char *prefix, struct errc_why *why)
{
    for (;;) {
        struct barrier_batch batch CLEANUP(barrier_batch_done);
        barrier_batch_init(&batch);
        struct eraser e = {&batch, prefix};
        enum errc code = store_list(b->store, slice_of(prefix), collect, &e, why);
        if (code != ERRC_OK && code != ERRC_STATE)
            return code;
        if (batch.count == 0)
            return ERRC_OK;
        TRY(barrier_commit(b, &batch, why));
    }
}
