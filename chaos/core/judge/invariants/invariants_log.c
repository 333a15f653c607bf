#include "chaos/core/judge/invariants/invariants_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos/core/judge/invariants/invariants_trail.h"
#include "chaos/core/ledger/log_text.h"

/* One line about the end of an operation. */
struct line {
    const char *file; /* "api.log" */
    const char *door; /* whose log it is */
    size_t number;
    struct slice text, bundle;
    bool signed_, used;
};

struct lines {
    struct line *items; /* by bundle, then as they came */
    size_t count, room;
    struct pool *pool;
};

static const struct subject_log *log_of(const struct invariants_case *c)
{
    return &c->record->scenario->stack.subject->log;
}

/* --- reading --- */

static bool is_one_of(struct slice word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (slice_equal_text(word, *words))
            return true;
    return false;
}

/* Takes the line when it tells the end of an operation that the trail has, too. */
static bool take_line(const struct subject_log *log, struct line *line)
{
    struct slice event, error = {0};
    if (!log_text_field(line->text, log->event, &event) ||
        !log_text_field(line->text, log->bundle, &line->bundle))
        return false;
    (void)log_text_field(line->text, log->error, &error);
    line->signed_ =
        slice_equal_text(event, log->signed_event) || slice_equal_text(error, log->unpublished);
    return line->signed_ ||
           (is_one_of(event, log->failed_events) && !is_one_of(error, log->unaudited));
}

static void add_line(struct lines *lines, const struct line *line)
{
    if (lines->count == lines->room) {
        size_t room = lines->room == 0 ? 64 : 2 * lines->room;
        struct line *items = pool_array(lines->pool, room, sizeof *items);
        if (items == NULL)
            return;
        if (lines->count > 0)
            memcpy(items, lines->items, lines->count * sizeof *items);
        lines->items = items;
        lines->room = room;
    }
    lines->items[lines->count++] = *line;
}

static const struct evidence_log *log_named(const struct evidence *evidence, const char *file)
{
    for (size_t i = 0; i < evidence->log_count; i++)
        if (strcmp(evidence->logs[i].file, file) == 0)
            return &evidence->logs[i];
    return NULL;
}

static void read_log(const struct invariants_case *c, const char *door, struct lines *lines)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%.50s.log", door);
    const struct evidence_log *log = log_named(c->evidence, name);
    struct slice rest = log == NULL ? (struct slice){0} : log->text;
    for (size_t number = 1; rest.len > 0; number++) {
        struct line line = {.door = door, .number = number};
        line.text = slice_cut(&rest, '\n');
        line.file = log->file;
        if (take_line(log_of(c), &line))
            add_line(lines, &line);
    }
}

static int compare_texts(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = compare_texts(x->bundle, y->bundle);
    order = order != 0 ? order : strcmp(x->file, y->file);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static struct lines read_logs(struct invariants_case *c)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    struct lines lines = {.pool = &c->out->pool};
    for (size_t i = 0; i < subject->door_count; i++)
        read_log(c, subject->doors[i].name, &lines);
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof *lines.items, compare_lines);
    return lines;
}

/* The first line of the bundle. */
static size_t lines_from(const struct lines *lines, const char *bundle)
{
    size_t low = 0, high = lines->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_texts(lines->items[middle].bundle, slice_of(bundle)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- which entry has a line --- */

/* The first line of this kind that no other entry has. */
static struct line *line_for(const struct lines *lines, const char *bundle, bool is_signed)
{
    for (size_t i = lines_from(lines, bundle);
         i < lines->count && slice_equal_text(lines->items[i].bundle, bundle); i++)
        if (!lines->items[i].used && lines->items[i].signed_ == is_signed)
            return &lines->items[i];
    return NULL;
}

static bool service_was_touched(const struct record *record, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < record->step_count; i++) {
        const struct record_step *step = &record->steps[i];
        if (step->result != RECORD_SKIPPED && step->plan->step->actor->of_services &&
            step->started.wall_ns <= to_ns && step->ended.wall_ns >= from_ns)
            return true;
    }
    return false;
}

/* An operation is logged before its caller hears of it, so a caller that was told of this one makes
 * the line certain; unless the process was ended in between and another one told. */
static bool is_certain(const struct invariants_case *c, const struct join_bundle *b,
                       const struct ledger_entry *e)
{
    for (size_t i = 0; i < b->call_count; i++) {
        const struct world_call *told = &b->calls[i]->told;
        const char *via = b->calls[i]->via;
        char name[64];
        (void)snprintf(name, sizeof name, "%.50s.log", via);
        if (told->finished && told->signal == 0 && e->wall_ns >= told->started.wall_ns &&
            e->wall_ns <= told->ended.wall_ns && log_named(c->evidence, name) != NULL)
            return subject_is_command(c->record->scenario->stack.subject, via) ||
                   !service_was_touched(c->record, e->wall_ns, told->ended.wall_ns);
    }
    return false;
}

/* --- what it says --- */

/* expected NULL: the field is left out. */
static void check_field(struct invariants_case *c, size_t step, const struct ledger_entry *e,
                        const struct line *line, const char *field, const char *expected)
{
    struct slice value = {0};
    bool there = log_text_field(line->text, field, &value);
    if (expected == NULL ? !there : there && slice_equal_text(value, expected))
        return;
    invariants_case_caused(c, field, step,
                           "expected %s%s%s in the log line of bundle %s, as the trail has it "
                           "(" LEDGER_AUDIT ":%zu), found %s%.*s (%s:%zu)",
                           expected == NULL ? "no " : "", field,
                           expected == NULL ? "" : pool_format(&c->out->pool, "=%s", expected),
                           e->bundle, e->line, there ? "" : "none", SLICE_FMT(value), line->file,
                           line->number);
}

static void check_signed(struct invariants_case *c, size_t step, const struct ledger_entry *e,
                         const struct line *line)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    const struct subject_log *log = &subject->log;
    bool fallback = e->mode == LEDGER_MODE_FALLBACK;
    check_field(c, step, e, line, log->level, log->signed_level);
    check_field(c, step, e, line, log->mode,
                subject->modes[fallback ? SUBJECT_MODE_FALLBACK : SUBJECT_MODE_VAULT]);
    if (e->fingerprint != NULL) /* else that is what is wrong */
        check_field(c, step, e, line, log->key, e->fingerprint);
    check_field(c, step, e, line, log->reason, fallback ? e->reason : NULL);
}

static void check_failed(struct invariants_case *c, size_t step, const struct ledger_entry *e,
                         const struct line *line)
{
    const struct subject_log *log = log_of(c);
    const char *error = invariants_trail_error_of(e);
    check_field(c, step, e, line, log->level, log->failed_level);
    check_field(c, step, e, line, log->reason, e->reason);
    if (error == NULL) /* our own trouble: it may have come behind a good answer */
        return;
    check_field(c, step, e, line, log->class, e->class);
    check_field(c, step, e, line, log->error, error);
}

static void check_entry(struct invariants_case *c, const struct lines *lines,
                        const struct join_bundle *b, const struct ledger_entry *e)
{
    bool is_signed = e->action == LEDGER_SIGNED;
    size_t step = invariants_case_step(b, e);
    struct line *line = line_for(lines, b->id, is_signed);
    struct slice error;
    if (line == NULL && is_certain(c, b, e))
        invariants_case_caused(c, "no line", step,
                               "expected a log line of the %s of bundle %s (" LEDGER_AUDIT
                               ":%zu), there is none",
                               is_signed ? "signature" : "failure", b->id, e->line);
    if (line == NULL)
        return;
    line->used = true;
    if (is_signed && log_text_field(line->text, log_of(c)->error, &error))
        return; /* signed, and not published: it says so */
    check_field(c, step, e, line, log_of(c)->actor, line->door);
    check_field(c, step, e, line, log_of(c)->attempts,
                pool_format(&c->out->pool, "%zu", e->attempt_count));
    if (is_signed)
        check_signed(c, step, e, line);
    else
        check_failed(c, step, e, line);
}

static void check_left_over(struct invariants_case *c, const struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        if (!lines->items[i].used)
            invariants_case_caused(c, "left over", 0,
                                   "expected one log line for each result in " LEDGER_AUDIT
                                   ", there is no result for bundle %.*s to go with %s:%zu",
                                   SLICE_FMT(lines->items[i].bundle), lines->items[i].file,
                                   lines->items[i].number);
}

void invariants_log_lines(struct invariants_case *c)
{
    const struct join *join = &c->evidence->join;
    if (log_of(c)->event == NULL) /* a subject that logs nothing of the kind */
        return;
    struct lines lines = read_logs(c);
    for (size_t i = 0; i < join->bundle_count; i++) {
        const struct join_bundle *b = &join->bundles[i];
        for (size_t k = 0; k < b->entry_count; k++)
            if (ledger_client_ends(b->entries[k]) &&
                !invariants_case_was_interrupted(b->entries[k]))
                check_entry(c, &lines, b, b->entries[k]);
    }
    check_left_over(c, &lines);
}
