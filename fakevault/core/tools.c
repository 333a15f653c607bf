/* Hashes and random bytes on request, as sys/tools and transit both offer them (vault-api.md 2.17,
 * 4.11). Everything happens in `work`, without the lock and without the vault. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/text/base64.h"
#include "base/text/hex.h"
#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

#define RANDOM_BYTES_MAX (128u * 1024u) /* of one request */

static const struct field_spec random_fields[] = {
    {.name = "bytes", .type = FIELD_INT, .number = 32},
    {.name = "format", .type = FIELD_STRING, .text = "base64"},
    {0},
};

static const struct field_spec hash_fields[] = {
    {.name = "input", .type = FIELD_STRING},
    {.name = "algorithm", .type = FIELD_STRING, .text = "sha2-256"},
    {.name = "format", .type = FIELD_STRING, .text = "hex"},
    {0},
};

static bool known_format(struct slice format)
{
    return slice_equal_text(format, "hex") || slice_equal_text(format, "base64");
}

static void answer_bytes(struct vault_job *job, const char *key, struct slice bytes)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * RANDOM_BYTES_MAX);
    if (slice_equal_text(field_text(&job->fields, "format"), "hex"))
        hex_format(bytes, &text);
    else
        base64_format(bytes, BASE64_STANDARD, &text);
    job->no_memory = job->no_memory || text.failed;
    jsonwrite_slice(call_data(job), key, buf_slice(&text));
    call_answer(job, CALL_DATA);
}

/* --- random ----------------------------------------------------------------------------------- */

static bool known_source(struct slice source)
{
    static const char *const sources[] = {"", "platform", "seal", "all"};
    for (size_t i = 0; i < COUNT(sources); i++)
        if (slice_equal_text(source, sources[i]))
            return true;
    return false;
}

/* Go's strconv.Atoi of a part of the path; answers when it is no number. */
static bool parse_count(struct vault_job *job, struct slice text, int64_t *count)
{
    char copy[24];
    struct slice digits =
        slice_from(text, slice_starts_with(text, "-") || slice_starts_with(text, "+") ? 1 : 0);
    const char *wrong = digits.len == 0 ? "invalid syntax" : NULL;
    for (size_t i = 0; i < digits.len; i++)
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            wrong = "invalid syntax";
    if (wrong == NULL && text.len < sizeof copy) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        errno = 0;
        *count = strtoll(copy, NULL, 10);
    }
    if (wrong == NULL && (text.len >= sizeof copy || errno == ERANGE))
        wrong = "value out of range";
    if (wrong != NULL)
        call_fail(job, 400, "error parsing url-set byte count: strconv.Atoi: parsing \"%.*s\": %s",
                  SLICE_FMT(text), wrong);
    return wrong == NULL;
}

/* Path and body both may name the source and the count, so that policies can tell them apart. */
static bool read_request(struct vault_job *job, struct slice *source, int64_t *count)
{
    struct slice first = call_capture(job, "source"), second = call_capture(job, "urlbytes");
    *source = slice_of("platform");
    *count = field_number(&job->fields, "bytes");
    if (first.len == 0)
        return true;
    if (second.len == 0 && !known_source(first))
        return parse_count(job, first, count);
    *source = first;
    return second.len == 0 || parse_count(job, second, count);
}

static bool check_request(struct vault_job *job, struct slice source, int64_t count)
{
    struct slice format = field_text(&job->fields, "format");
    if (count < 1)
        call_fail(job, 400, "\"bytes\" cannot be less than 1");
    else if (count > RANDOM_BYTES_MAX)
        call_fail(job, 400, "\"bytes\" should be less than %u", RANDOM_BYTES_MAX);
    else if (!known_format(format))
        call_fail(job, 400, "unsupported encoding format \"%.*s\"; must be \"hex\" or \"base64\"",
                  SLICE_FMT(format));
    else if (!known_source(source))
        call_fail(job, 400,
                  "unsupported entropy source \"%.*s\"; must be \"platform\" or \"seal\", or "
                  "\"all\"",
                  SLICE_FMT(source));
    return !call_answered(job);
}

static void random_work(struct vault_job *job)
{
    struct slice source;
    int64_t count;
    if (!read_request(job, &source, &count) || !check_request(job, source, count))
        return;
    const struct entropy *entropy = &job->vault->ports.entropy;
    uint8_t *bytes = malloc((size_t)count);
    if (bytes == NULL) {
        job->no_memory = true;
        return;
    }
    entropy->fill(entropy->context, bytes, (size_t)count);
    if (slice_equal_text(source, "seal"))
        call_warn(job, "no seal/entropy augmentation available, using platform entropy source");
    answer_bytes(job, "random_bytes", slice_bytes(bytes, (size_t)count));
    secret_wipe(bytes, (size_t)count);
    free(bytes);
}

/* --- hash ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum crypto_hash hash;
} algorithms[] = {
    {"sha2-224", CRYPTO_HASH_SHA2_224}, {"sha2-256", CRYPTO_HASH_SHA2_256},
    {"sha2-384", CRYPTO_HASH_SHA2_384}, {"sha2-512", CRYPTO_HASH_SHA2_512},
    {"sha3-224", CRYPTO_HASH_SHA3_224}, {"sha3-256", CRYPTO_HASH_SHA3_256},
    {"sha3-384", CRYPTO_HASH_SHA3_384}, {"sha3-512", CRYPTO_HASH_SHA3_512},
};

static enum crypto_hash algorithm_named(struct slice name)
{
    for (size_t i = 0; i < COUNT(algorithms); i++)
        if (slice_equal_text(name, algorithms[i].name))
            return algorithms[i].hash;
    return CRYPTO_HASH_NONE;
}

/* Decodes and checks, in Vault's order; false when answered. */
static bool read_input(struct vault_job *job, struct slice algorithm, struct buf *input)
{
    struct slice format = field_text(&job->fields, "format");
    size_t bad_at = 0;
    if (job->engine == MOUNT_TRANSIT && !field_get(&job->fields, "input")->present) {
        call_fail(job, 400, "input missing");
        return false;
    }
    enum errc code =
        base64_parse(field_text(&job->fields, "input"), BASE64_STANDARD, input, &bad_at);
    if (code == ERRC_SYNTAX)
        call_fail(job, 400,
                  "unable to decode input as base64: illegal base64 data at input byte %zu",
                  bad_at);
    else if (code != ERRC_OK)
        job->no_memory = true;
    else if (!known_format(format))
        call_fail(job, 400, "unsupported encoding format %.*s; must be \"hex\" or \"base64\"",
                  SLICE_FMT(format));
    else if (algorithm_named(algorithm) == CRYPTO_HASH_NONE)
        call_fail(job, 400, "unsupported algorithm %.*s", SLICE_FMT(algorithm));
    return !call_answered(job) && !job->no_memory;
}

/* Transit insists on an input. */
static void hash_work(struct vault_job *job)
{
    const struct crypto *crypto = job->vault->ports.crypto;
    struct slice named = call_capture(job, "urlalgorithm");
    struct slice algorithm = named.len > 0 ? named : field_text(&job->fields, "algorithm");
    struct buf input CLEANUP(buf_done);
    buf_init(&input, LIMIT_REQUEST_BODY_BYTES);
    if (!read_input(job, algorithm, &input))
        return;
    uint8_t sum[CRYPTO_HASH_BYTES_MAX];
    size_t len = 0;
    struct errc_why why = {{0}};
    enum errc code = crypto->hash(crypto->context, algorithm_named(algorithm), buf_slice(&input),
                                  sum, &len, &why);
    if (code == ERRC_OK)
        answer_bytes(job, "sum", slice_bytes(sum, len));
    else
        call_trouble(job, code, &why);
}

/* --- tables ----------------------------------------------------------------------------------- */

#define RANDOM .operation = ROUTE_UPDATE, .fields = random_fields, .work = random_work
#define HASH .operation = ROUTE_UPDATE, .fields = hash_fields, .work = hash_work

/* A word behind "random" is a source, unless it cannot be one. */
#define ROWS(before)                                                                               \
    {                                                                                              \
        {.pattern = before "random!source!urlbytes", RANDOM},                                      \
            {.pattern = before "random/:source!urlbytes", RANDOM},                                 \
            {.pattern = before "random/:source/+urlbytes", RANDOM},                                \
            {.pattern = before "random!source/+urlbytes", RANDOM},                                 \
            {.pattern = before "hash!urlalgorithm", HASH},                                         \
            {.pattern = before "hash/+urlalgorithm", HASH},                                        \
    }

static const struct route_endpoint sys_rows[] = ROWS("tools/");
static const struct route_endpoint transit_rows[] = ROWS("");

const struct route_table tools_sys_table = ROUTE_TABLE(sys_rows);
const struct route_table tools_transit_table = ROUTE_TABLE(transit_rows);
