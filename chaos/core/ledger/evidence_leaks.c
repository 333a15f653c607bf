#include "chaos/core/ledger/evidence_leaks.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "chaos/core/ledger/secretscan.h"
#include "chaos/core/subject/subjects.h"

struct search {
    struct evidence *evidence;
    const struct world *world;
    const struct world_canary *canaries;
    struct secretscan *scan;
    const char *file; /* whose text is looked through */
};

static void add_leak(struct search *s, size_t line, const char *what)
{
    struct evidence *e = s->evidence;
    if (e->leak_count < EVIDENCE_LEAKS_MAX && what != NULL)
        e->leaks[e->leak_count++] = (struct evidence_leak){s->file, line, what};
}

static const char *missing(struct search *s, size_t count, const char *which)
{
    if (count == 0)
        return "";
    return pool_format(&s->evidence->pool, "its %s %zu character%s", which, count,
                       count == 1 ? "" : "s");
}

static void note(void *context, const struct secretscan_hit *hit)
{
    struct search *s = context;
    const char *first = missing(s, hit->before, "first"), *last = missing(s, hit->after, "last");
    if (first == NULL || last == NULL)
        return; /* the pool says so in its status */
    bool part = hit->before > 0 || hit->after > 0;
    add_leak(s, hit->line,
             pool_format(&s->evidence->pool, "the %s%s%s%s%s%s%s", s->canaries[hit->secret].name,
                         hit->form[0] == '\0' ? "" : " ", hit->form, part ? ", without " : "",
                         first, hit->before > 0 && hit->after > 0 ? " and " : "", last));
}

static size_t line_at(struct slice text, const char *at)
{
    size_t line = 1;
    for (const char *c = text.ptr; c < at; c++)
        line += *c == '\n';
    return line;
}

/* True when a value follows the name of a variable, and no longer name has it as its end. */
static bool is_assigned(struct slice text, const char *at, size_t len)
{
    const char *behind = at + len;
    bool begins = at == text.ptr || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
    return begins && behind < text.ptr + text.len && isgraph((unsigned char)*behind);
}

/* A dump of the environment, whatever token it has. */
static void look_for_dump(struct search *s, struct slice text)
{
    const struct variable_table *table = &subjects_default()->variables;
    for (size_t i = 0; i < table->count; i++) {
        char name[64];
        if (!table->items[i].secret)
            continue;
        int len = snprintf(name, sizeof name, "%s=", table->items[i].name);
        for (struct slice rest = text; rest.len > 0;) {
            const char *at = memmem(rest.ptr, rest.len, name, (size_t)len);
            if (at == NULL)
                break;
            rest = slice_from(text, (size_t)(at - text.ptr) + (size_t)len);
            if (!is_assigned(text, at, (size_t)len))
                continue;
            add_leak(s, line_at(text, at),
                     pool_format(&s->evidence->pool, "a variable %s of the environment",
                                 table->items[i].name));
            break;
        }
    }
}

static enum errc look(struct search *s, enum world_evidence kind, const char *name,
                      const char *title, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    struct errc_why trouble = {{0}};
    buf_init(&text, EVIDENCE_BYTES_MAX);
    enum errc code = s->world->read(s->world->context, kind, name, 0, &text, &trouble);
    if (code == ERRC_OK)
        code = buf_status(&text, &trouble);
    if (code == ERRC_NOT_FOUND)
        return ERRC_OK;
    if (code == ERRC_NOMEM)
        return errc_fail(why, code, "out of memory");
    s->file = pool_text(&s->evidence->pool, slice_of(title));
    TRY(pool_status(&s->evidence->pool, why));
    if (code != ERRC_OK)
        ledger_problems_add(&s->evidence->problems, &s->evidence->pool, s->file, 0,
                            "cannot be read: %s", trouble.text);
    size_t before = s->evidence->leak_count;
    secretscan_text(s->scan, buf_slice(&text), note, s);
    if (s->evidence->leak_count == before) /* else the token of the dump is told */
        look_for_dump(s, buf_slice(&text));
    return pool_status(&s->evidence->pool, why);
}

static enum errc look_at_known(struct search *s, struct errc_why *why)
{
    const struct evidence *e = s->evidence;
    TRY(look(s, WORLD_JOURNAL, NULL, LEDGER_JOURNAL, why));
    TRY(look(s, WORLD_AUDIT, NULL, LEDGER_AUDIT, why));
    for (const char *const *log = subject_words(subjects_default(), SUBJECT_LOGS); *log != NULL;
         log++) {
        char title[64];
        (void)snprintf(title, sizeof title, "%.50s.log", *log);
        TRY(look(s, WORLD_LOG, *log, title, why));
    }
    for (size_t i = 0; i < e->manifest_count; i++)
        TRY(look(s, WORLD_MANIFEST, e->manifests[i].bundle, "manifest.json", why));
    return ERRC_OK;
}

static enum errc look_at_all(struct search *s, struct errc_why *why)
{
    struct evidence *e = s->evidence;
    if (s->world->files == NULL)
        return look_at_known(s, why);
    TRY(s->world->files(s->world->context, &e->files, &e->file_count, why));
    for (size_t i = 0; i < e->file_count; i++)
        if (e->files[i].kind == WORLD_FILE_REGULAR)
            TRY(look(s, WORLD_FILE, e->files[i].name, e->files[i].name, why));
    return ERRC_OK;
}

enum errc evidence_leaks_collect(struct evidence *evidence, const struct world *world,
                                 struct errc_why *why)
{
    struct search s = {.evidence = evidence, .world = world};
    size_t count = world->canaries(world->context, &s.canaries);
    TRY(secretscan_new(s.canaries, count, &s.scan, why));
    enum errc code = look_at_all(&s, why);
    secretscan_free(s.scan);
    return code;
}
