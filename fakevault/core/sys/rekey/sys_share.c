#include "fakevault/core/sys/rekey/sys_share.h"

#include "base/limits.h"
#include "base/text/base64.h"
#include "base/text/hex.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/sys_body.h"

#define REPLY_BYTES (64u << 10) /* more than 255 shares take, hex and base64 */

bool sys_share_read(struct vault_job *job, const char *or_else, struct secret *out)
{
    struct errc_why why = {{0}};
    struct slice text = sys_body_text(job, "Key");
    if (text.len == 0) {
        call_fail(job, 400, "'key' must be specified in request body as JSON%s", or_else);
        return false;
    }
    enum errc code = seal_parse_share(text, job->vault->ports.arena, out, &why);
    if (code == ERRC_NOMEM)
        job->no_memory = true;
    else if (code != ERRC_OK)
        call_fail(job, 400, "%s", why.text);
    return code == ERRC_OK;
}

/* The writer's memory is reserved at once: a buf that grows leaves copies of a secret behind. */
void sys_share_write(struct vault_job *job, struct jsonwrite *w, const uint8_t *pieces,
                     unsigned shares)
{
    size_t size = seal_share_bytes(shares);
    char text[2 * (SEAL_SHARE_BYTES_MAX + 1)];
    struct buf line = {.ptr = text, .cap = sizeof text, .max = sizeof text - 1};
    (void)buf_reserve(&job->data_out, REPLY_BYTES);
    jsonwrite_array(w, "keys");
    for (unsigned i = 0; i < shares; i++, buf_reset(&line)) {
        hex_format(slice_bytes(pieces + i * size, size), &line);
        jsonwrite_slice(w, NULL, buf_slice(&line));
    }
    jsonwrite_end(w);
    jsonwrite_array(w, "keys_base64");
    for (unsigned i = 0; i < shares; i++, buf_reset(&line)) {
        base64_format(slice_bytes(pieces + i * size, size), BASE64_STANDARD, &line);
        jsonwrite_slice(w, NULL, buf_slice(&line));
    }
    jsonwrite_end(w);
    secret_wipe(text, sizeof text);
}

void sys_share_refuse_pgp(struct vault_job *job, const json_t *key, int status, const char *before)
{
    size_t bad = 0;
    struct buf bytes CLEANUP(buf_done);
    buf_init(&bytes, LIMIT_REQUEST_BODY_BYTES);
    enum errc code = base64_parse(slice_bytes(json_string_value(key), json_string_length(key)),
                                  BASE64_STANDARD, &bytes, &bad);
    if (code == ERRC_SYNTAX)
        call_fail(job, status,
                  "%serror decoding given PGP key: illegal base64 data at input byte %zu", before,
                  bad);
    else
        call_fail(job, status, "%sencrypting with PGP keys is not offered by this server", before);
}

enum errc sys_share_draw(struct vault *v, unsigned shares, unsigned threshold, struct secret *key,
                         struct secret *pieces)
{
    const struct entropy *entropy = &v->ports.entropy;
    TRY(secret_new(v->ports.arena, BARRIER_KEY_BYTES, key));
    TRY(secret_new(v->ports.arena, shares * seal_share_bytes(shares), pieces));
    entropy->fill(entropy->context, key->ptr, key->len);
    seal_split(secret_slice(key), shares, threshold, entropy, pieces->ptr);
    return ERRC_OK;
}
