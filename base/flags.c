#include "base/flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define FLAGS_MAX 64
#define WORD_MAX 48

struct parser {
    const struct flags *flags;
    char *options;
    bool seen[FLAGS_MAX];
    struct errc_why *why;
};

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), row[WORD_MAX + 1];
    if (la > WORD_MAX || lb > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[lb];
}

const char *flags_nearest(const char *word, const char *const candidates[], size_t count)
{
    const char *best = NULL;
    size_t best_distance = 4;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, candidates[i]);
        size_t len = strlen(candidates[i]);
        if (d < best_distance && d < len && 2 * d <= len + 1) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}

bool flags_is(const char *word, const char *name)
{
    size_t dashes = strspn(word, "-");
    return dashes >= 1 && dashes <= 2 && strcmp(word + dashes, name) == 0;
}

static enum errc unknown(struct parser *p, const char *name)
{
    const char *names[FLAGS_MAX];
    for (size_t i = 0; i < p->flags->count; i++)
        names[i] = p->flags->specs[i].name;
    const char *nearest = flags_nearest(name, names, p->flags->count);
    if (nearest != NULL)
        return errc_fail(p->why, ERRC_USAGE, "flag \"-%s\" is unknown, did you mean \"-%s\"?", name,
                         nearest);
    return errc_fail(p->why, ERRC_USAGE, "flag \"-%s\" is unknown, see -help", name);
}

static enum errc store_switch(struct parser *p, const struct flags_spec *spec, const char *value)
{
    bool on = value == NULL || strcmp(value, "true") == 0;
    if (!on && strcmp(value, "false") != 0)
        return errc_fail(p->why, ERRC_USAGE,
                         "flag \"-%s\" is a switch, want true or false, got \"%s\"", spec->name,
                         value);
    memcpy(p->options + spec->offset, &on, sizeof on);
    return ERRC_OK;
}

static enum errc store_int(struct parser *p, const struct flags_spec *spec, const char *value)
{
    char *end = NULL;
    errno = 0;
    int64_t n = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0')
        return errc_fail(p->why, ERRC_USAGE, "flag \"-%s\" wants a number, got \"%s\"", spec->name,
                         value);
    memcpy(p->options + spec->offset, &n, sizeof n);
    return ERRC_OK;
}

static enum errc store_count(struct parser *p, const struct flags_spec *spec, const char *value)
{
    if (value != NULL)
        return errc_fail(p->why, ERRC_USAGE, "flag \"-%s\" takes no value, got \"%s\"", spec->name,
                         value);
    int n = 0;
    memcpy(&n, p->options + spec->offset, sizeof n);
    n++;
    memcpy(p->options + spec->offset, &n, sizeof n);
    return ERRC_OK;
}

static enum errc store_another(struct parser *p, const struct flags_spec *spec, const char *value)
{
    struct flags_texts texts;
    memcpy(&texts, p->options + spec->offset, sizeof texts);
    if (texts.count == FLAGS_TEXTS_MAX)
        return errc_fail(p->why, ERRC_USAGE, "flag \"-%s\" is given more than %u times", spec->name,
                         FLAGS_TEXTS_MAX);
    texts.items[texts.count++] = value;
    memcpy(p->options + spec->offset, &texts, sizeof texts);
    return ERRC_OK;
}

static enum errc store(struct parser *p, const struct flags_spec *spec, const char *value)
{
    switch (spec->type) {
    case FLAGS_SWITCH:
        return store_switch(p, spec, value);
    case FLAGS_INT:
        return store_int(p, spec, value);
    case FLAGS_COUNT:
        return store_count(p, spec, value);
    case FLAGS_TEXTS:
        return store_another(p, spec, value);
    case FLAGS_TEXT:
        memcpy(p->options + spec->offset, &value, sizeof value);
        return ERRC_OK;
    }
    return ERRC_INTERNAL;
}

static const struct flags_spec *find(struct parser *p, const char *name)
{
    for (size_t i = 0; i < p->flags->count; i++)
        if (strcmp(p->flags->specs[i].name, name) == 0)
            return &p->flags->specs[i];
    return strcmp(name, "h") == 0 ? find(p, "help") : NULL;
}

static bool wants_value(const struct flags_spec *spec)
{
    return spec->type == FLAGS_TEXT || spec->type == FLAGS_INT || spec->type == FLAGS_TEXTS;
}

/* Reads the flag in arg; *used_next tells whether `next` was its value. */
static enum errc parse_one(struct parser *p, const char *arg, const char *next, bool *used_next)
{
    char name[WORD_MAX + 1] = "";
    const char *body = arg + (arg[1] == '-' ? 2 : 1);
    size_t len = strcspn(body, "=");
    const char *value = body[len] == '=' ? body + len + 1 : NULL;
    if (len > WORD_MAX)
        return errc_fail(p->why, ERRC_USAGE, "flag \"%.40s…\" is unknown, see -help", arg);
    memcpy(name, body, len);
    const struct flags_spec *spec = find(p, name);
    if (spec == NULL)
        return unknown(p, name);
    size_t index = (size_t)(spec - p->flags->specs);
    if (p->seen[index] && spec->type != FLAGS_COUNT && spec->type != FLAGS_TEXTS)
        return errc_fail(p->why, ERRC_USAGE, "flag \"-%s\" is given twice", name);
    p->seen[index] = true;
    if (value == NULL && wants_value(spec)) {
        if (next == NULL)
            return errc_fail(p->why, ERRC_USAGE, "flag \"-%s\" wants a value: -%s=%s", name, name,
                             spec->value);
        *used_next = true;
        value = next;
    }
    return store(p, spec, value);
}

enum errc flags_parse(const struct flags *flags, int argc, char *const argv[], void *options,
                      const char **positionals, size_t *positional_count, struct errc_why *why)
{
    CHECK(flags->count <= FLAGS_MAX);
    struct parser p = {.flags = flags, .options = options, .why = why};
    size_t n = 0;
    bool only_positionals = false;
    for (int i = 0; i < argc; i++) {
        if (!only_positionals && strcmp(argv[i], "--") == 0) {
            only_positionals = true;
        } else if (only_positionals || argv[i][0] != '-' || argv[i][1] == '\0') {
            positionals[n++] = argv[i];
        } else {
            bool used_next = false;
            TRY(parse_one(&p, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used_next));
            i += used_next;
        }
    }
    *positional_count = n;
    return ERRC_OK;
}

static void head_of(const struct flags_spec *spec, struct buf *out)
{
    buf_addf(out, "  -%s", spec->name);
    if (spec->value != NULL)
        buf_addf(out, "=%s", spec->value);
}

void flags_help(const struct flags *flags, struct buf *out)
{
    size_t width = 0;
    struct buf head CLEANUP(buf_done);
    buf_init(&head, 256);
    for (size_t i = 0; i < flags->count; i++) {
        buf_reset(&head);
        head_of(&flags->specs[i], &head);
        width = head.len > width ? head.len : width;
    }
    for (size_t i = 0; i < flags->count; i++) {
        buf_reset(&head);
        head_of(&flags->specs[i], &head);
        buf_addf(out, "%-*s  %s\n", (int)width, buf_text(&head), flags->specs[i].help);
    }
}
