#include "fakevault/core/outage/numbering.h"

#include <stdlib.h>

#include "base/bug.h"

void numbering_init(struct numbering *numbering, uint64_t end)
{
    *numbering = (struct numbering){.end = end};
}

void numbering_done(struct numbering *numbering)
{
    free(numbering->places);
    *numbering = (struct numbering){0};
}

static enum errc remember_place(struct numbering *n)
{
    size_t slot = (size_t)(n->newest / NUMBERING_STEP);
    if (n->newest % NUMBERING_STEP != 0)
        return ERRC_OK;
    if (slot >= n->room) {
        size_t room = n->room == 0 ? 64 : n->room * 2;
        uint64_t *grown = reallocarray(n->places, room, sizeof *grown);
        if (grown == NULL)
            return ERRC_NOMEM;
        n->places = grown;
        n->room = room;
    }
    n->places[slot] = n->end;
    return ERRC_OK;
}

enum errc numbering_add(struct numbering *numbering, const struct journal_record *record,
                        struct instant at, struct buf *out, uint64_t *seq, struct errc_why *why)
{
    size_t before = out->len;
    if (remember_place(numbering) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    journal_format(record, numbering->newest + 1, at, out);
    TRY(buf_status(out, why));
    *seq = ++numbering->newest;
    numbering->end += out->len - before;
    return ERRC_OK;
}

struct numbering_place numbering_place(const struct numbering *numbering, uint64_t since)
{
    CHECK(since < numbering->newest);
    uint64_t slot = since / NUMBERING_STEP;
    return (struct numbering_place){.seq = slot * NUMBERING_STEP + 1,
                                    .at = numbering->places[slot]};
}
