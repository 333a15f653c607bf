#include "chaos/shell/stack/fallbackkey.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/os/file.h"
#include "base/text/base64.h"

enum errc fallbackkey_write(const char *path, const struct entropy *entropy,
                            struct fallbackkey *out, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, FALLBACKKEY_TEXT_BYTES);
    entropy->fill(entropy->context, out->seed, sizeof out->seed);
    base64_format(slice_bytes(out->seed, sizeof out->seed), BASE64_STANDARD, &text);
    TRY(buf_status(&text, why));
    (void)snprintf(out->text, sizeof out->text, "%s", buf_text(&text));
    return fallbackkey_put(path, out, why);
}

enum errc fallbackkey_put(const char *path, const struct fallbackkey *key, struct errc_why *why)
{
    struct buf file CLEANUP(buf_done);
    buf_init(&file, 256);
    buf_addf(&file, "{\"signingKey\": \"%s\"}\n", key->text);
    TRY(buf_status(&file, why));
    return file_put(path, buf_slice(&file), 0600, why);
}

static void key_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void bio_free(BIO **bio)
{
    (void)BIO_free(*bio);
}

enum errc fallbackkey_public(const struct fallbackkey *key, struct buf *pem, struct errc_why *why)
{
    EVP_PKEY *pkey CLEANUP(key_free) =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed, sizeof key->seed);
    BIO *bio CLEANUP(bio_free) = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    if (pkey == NULL || bio == NULL || PEM_write_bio_PUBKEY(bio, pkey) != 1)
        return errc_fail(why, ERRC_CRYPTO, "cannot derive the public half of the fallback key");
    long len = BIO_get_mem_data(bio, &bytes);
    buf_add(pem, bytes, (size_t)len);
    return buf_status(pem, why);
}
