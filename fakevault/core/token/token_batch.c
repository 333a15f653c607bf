#include "fakevault/core/token/token_batch.h"

#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/text/base64.h"

#define NAME "token/batch" /* what the record is sealed for */

static const char *const prefixes[] = {"hvb.", "b."}; /* the second is that of older versions */

static const char *prefix_of(struct slice id)
{
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (slice_starts_with(id, prefixes[i]))
            return prefixes[i];
    return NULL;
}

bool token_batch_is(struct slice id)
{
    return prefix_of(id) != NULL;
}

enum errc token_batch_format(struct barrier *b, const struct token *draft, struct buf *id,
                             struct errc_why *why)
{
    struct buf record CLEANUP(buf_done), sealed CLEANUP(buf_done);
    buf_init(&record, BARRIER_PLAIN_MAX);
    buf_init(&sealed, 2 * BARRIER_PLAIN_MAX);
    token_format(draft, &record);
    TRY(buf_status(&record, why));
    TRY(barrier_encrypt(b, NAME, buf_slice(&record), &sealed, why));
    buf_add_text(id, prefixes[0]);
    base64_format(buf_slice(&sealed), BASE64_URL_RAW, id);
    return buf_status(id, why);
}

static bool parent_lives(const struct token_table *t, const struct token *token, int64_t wall_ns)
{
    if (token->orphan)
        return true;
    const struct token *parent = token_table_find_digest(t, token->parent_digest);
    return parent != NULL && token_usable(parent, wall_ns);
}

enum errc token_batch_open(struct barrier *b, const struct token_table *t, struct slice id,
                           int64_t wall_ns, struct token **out)
{
    struct buf sealed CLEANUP(buf_done);
    struct secret record CLEANUP(secret_done) = {0};
    const char *prefix = prefix_of(id);
    buf_init(&sealed, LIMIT_REQUEST_BODY_BYTES);
    if (prefix == NULL)
        return ERRC_NOT_FOUND;
    enum errc code = base64_parse(slice_from(id, strlen(prefix)), BASE64_URL_RAW, &sealed, NULL);
    if (code == ERRC_OK)
        code = barrier_decrypt(b, NAME, buf_slice(&sealed), &record, NULL);
    if (code == ERRC_OK)
        code = token_parse(secret_slice(&record), out);
    if (code != ERRC_OK)
        return code == ERRC_NOMEM ? code : ERRC_NOT_FOUND;
    if (parent_lives(t, *out, wall_ns))
        return ERRC_OK;
    token_release(*out);
    return ERRC_NOT_FOUND;
}
