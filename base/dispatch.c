#include "base/dispatch.h"

#include <stdbool.h>
#include <string.h>

#include "base/bug.h"
#include "base/flags.h"
#include "base/text/slice.h"

#define ROWS_MAX 64u
#define WORD_MAX 32u /* of a name, with its NUL */
#define FOLLOWING_MAX 200u

static const char *name_of(const struct dispatch *d, size_t row)
{
    const char *name = NULL;
    memcpy(&name, (const char *)d->rows + row * d->row_bytes, sizeof name);
    return name;
}

size_t dispatch_matches(const char *name, const char *const words[], size_t count)
{
    struct slice rest = slice_of(name);
    size_t used = 0;
    while (rest.len > 0) {
        struct slice word = slice_cut(&rest, ' ');
        if (used >= count || !slice_equal_text(word, words[used]))
            return 0;
        used++;
    }
    return used;
}

/* Appends what may follow the word, with commas. */
static void add_following(const struct dispatch *d, const char *word, struct buf *out)
{
    for (size_t i = 0; i < d->count; i++) {
        struct slice rest = slice_of(name_of(d, i));
        if (slice_equal_text(slice_cut(&rest, ' '), word))
            buf_addf(out, "%s%.*s", out->len > 0 ? ", " : "", SLICE_FMT(rest));
    }
}

static enum errc unknown(const struct dispatch *d, const char *word, struct errc_why *why)
{
    char first[ROWS_MAX][WORD_MAX];
    const char *candidates[ROWS_MAX];
    CHECK(d->count <= ROWS_MAX);
    for (size_t i = 0; i < d->count; i++) {
        const char *name = name_of(d, i);
        size_t len = strcspn(name, " ");
        CHECK(len < WORD_MAX);
        memcpy(first[i], name, len);
        first[i][len] = '\0';
        candidates[i] = first[i];
    }
    const char *nearest = flags_nearest(word, candidates, d->count);
    if (nearest != NULL)
        return errc_fail(why, ERRC_USAGE, "%s \"%.40s\" is unknown, did you mean \"%s\"?", d->kind,
                         word, nearest);
    return errc_fail(why, ERRC_USAGE, "%s \"%.40s\" is unknown, see %s", d->kind, word, d->help);
}

enum errc dispatch_find(const struct dispatch *d, const char *const words[], size_t count,
                        size_t *row, size_t *used, struct errc_why *why)
{
    struct buf following CLEANUP(buf_done);
    buf_init(&following, FOLLOWING_MAX);
    *used = 0;
    for (size_t i = 0; i < d->count; i++) {
        size_t n = dispatch_matches(name_of(d, i), words, count);
        if (n > *used) {
            *used = n;
            *row = i;
        }
    }
    if (*used > 0)
        return ERRC_OK;
    add_following(d, words[0], &following);
    if (following.len == 0)
        return unknown(d, words[0], why);
    return errc_fail(why, ERRC_USAGE, "%s wants one of: %s", words[0], buf_text(&following));
}
