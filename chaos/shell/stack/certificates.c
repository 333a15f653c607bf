#include "chaos/shell/stack/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/count.h"
#include "base/os/file.h"
#include "chaos/shell/stack/folder.h"

#define FILE_BYTES_MAX 65536u
#define DAY_S 86400L

static const char good_name[] = "IP:127.0.0.1,DNS:localhost";

static const struct kind {
    const char *name;
    const char *alternative; /* whose certificate it is */
    long from_s, to_s;       /* from now */
    bool stranger;           /* signed by an authority that nobody trusts */
} kinds[] = {
    {"good", good_name, -DAY_S, 30 * DAY_S, false},
    {"expired", good_name, -30 * DAY_S, -DAY_S, false},
    {"wrong_name", "DNS:vault.example.com", -DAY_S, 30 * DAY_S, false},
    {"unknown_ca", good_name, -DAY_S, 30 * DAY_S, true},
};

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

static void authority_done(struct authority *a)
{
    EVP_PKEY_free(a->key);
    X509_free(a->certificate);
}

static void key_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void x509_free(X509 **certificate)
{
    X509_free(*certificate);
}

static void bio_free(BIO **bio)
{
    (void)BIO_free(*bio);
}

static enum errc failed(const char *what, struct errc_why *why)
{
    return errc_fail(why, ERRC_CRYPTO, "cannot make %s for TLS", what);
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* A certificate without extensions and signature. */
static X509 *begin(EVP_PKEY *key, const char *name, long serial, long from_s, long to_s)
{
    X509 *x = X509_new();
    X509_NAME *subject = x == NULL ? NULL : X509_get_subject_name(x);
    const unsigned char *text = (const unsigned char *)name;
    if (x != NULL && X509_set_version(x, 2) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(x), serial) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(x), from_s) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(x), to_s) != NULL && X509_set_pubkey(x, key) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1)
        return x;
    X509_free(x);
    return NULL;
}

static enum errc make_authority(const char *name, struct authority *out, struct errc_why *why)
{
    out->key = EVP_EC_gen("P-256");
    X509 *x = out->key == NULL ? NULL : begin(out->key, name, 1, -31 * DAY_S, 31 * DAY_S);
    out->certificate = x;
    if (x == NULL || X509_set_issuer_name(x, X509_get_subject_name(x)) != 1 ||
        !add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE") ||
        !add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(x, x, NID_subject_key_identifier, "hash") ||
        X509_sign(x, out->key, EVP_sha256()) == 0)
        return failed("an authority", why);
    return ERRC_OK;
}

static enum errc put(const char *folder, const char *name, const char *ending, BIO *pem,
                     struct errc_why *why)
{
    struct folder_path path;
    char *bytes = NULL;
    long len = BIO_get_mem_data(pem, &bytes);
    TRY(folder_format(&path, why, "%s/%s%s", folder, name, ending));
    return file_put(path.text, slice_bytes(bytes, (size_t)len), 0600, why);
}

static enum errc put_certificate(const char *folder, const char *name, const char *ending, X509 *x,
                                 struct errc_why *why)
{
    BIO *pem CLEANUP(bio_free) = BIO_new(BIO_s_mem());
    if (pem == NULL || PEM_write_bio_X509(pem, x) != 1)
        return failed("a certificate", why);
    return put(folder, name, ending, pem, why);
}

static enum errc put_key(const char *folder, EVP_PKEY *key, struct errc_why *why)
{
    BIO *pem CLEANUP(bio_free) = BIO_new(BIO_s_secmem());
    if (pem == NULL || PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) != 1)
        return failed("a key", why);
    return put(folder, CERTIFICATES_KEY, "", pem, why);
}

static enum errc make_one(const char *folder, EVP_PKEY *key, const struct authority *by,
                          const struct kind *kind, long serial, struct errc_why *why)
{
    X509 *x CLEANUP(x509_free) = begin(key, "vault", serial, kind->from_s, kind->to_s);
    if (x == NULL || X509_set_issuer_name(x, X509_get_subject_name(by->certificate)) != 1 ||
        !add_extension(x, by->certificate, NID_subject_alt_name, kind->alternative) ||
        !add_extension(x, by->certificate, NID_ext_key_usage, "serverAuth") ||
        !add_extension(x, by->certificate, NID_authority_key_identifier, "keyid") ||
        X509_sign(x, by->key, EVP_sha256()) == 0)
        return failed("a certificate", why);
    return put_certificate(folder, kind->name, ".pem", x, why);
}

enum errc certificates_make(const char *folder, struct errc_why *why)
{
    struct authority trusted CLEANUP(authority_done) = {0};
    struct authority stranger CLEANUP(authority_done) = {0};
    EVP_PKEY *key CLEANUP(key_free) = EVP_EC_gen("P-256");
    if (key == NULL)
        return failed("a key", why);
    TRY(make_authority("chaos", &trusted, why));
    TRY(make_authority("somebody", &stranger, why));
    TRY(put_certificate(folder, CERTIFICATES_AUTHORITY, "", trusted.certificate, why));
    TRY(put_key(folder, key, why));
    for (size_t i = 0; i < COUNT(kinds); i++)
        TRY(make_one(folder, key, kinds[i].stranger ? &stranger : &trusted, &kinds[i], 2 + (long)i,
                     why));
    return certificates_serve(folder, kinds[0].name, why);
}

enum errc certificates_serve(const char *folder, const char *kind, struct errc_why *why)
{
    struct folder_path from, to;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, FILE_BYTES_MAX);
    TRY(folder_format(&from, why, "%s/%s.pem", folder, kind));
    TRY(folder_format(&to, why, "%s/" CERTIFICATES_SERVED, folder));
    TRY(file_read(from.text, &text, why));
    return file_put(to.text, buf_slice(&text), 0600, why);
}
