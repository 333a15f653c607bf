#include "fakevault/core/metrics/meter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text/slice.h"
#include "base/text/stamp.h"
#include "base/units.h"

#define PREFIX "vault."

/* --- counting --------------------------------------------------------------------------------- */

static void series_free(struct meter_series *s)
{
    if (s == NULL)
        return;
    free(s->name);
    free(s->labels);
    free(s);
}

void meter_done(struct meter *m)
{
    for (size_t i = 0; i < m->count; i++)
        series_free(m->series[i]);
    free(m->series);
    *m = (struct meter){0};
}

static int compare(const struct meter_series *s, const char *name, const char *labels)
{
    int order = strcmp(s->name, name);
    return order != 0 ? order : strcmp(s->labels, labels);
}

/* Returns where a series stands, or would stand. */
static size_t place_of(const struct meter *m, const char *name, const char *labels, bool *found)
{
    size_t low = 0, high = m->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare(m->series[middle], name, labels);
        *found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *found ? high : low;
}

static struct meter_series *insert(struct meter *m, size_t at, enum meter_kind kind,
                                   const char *name, const char *labels)
{
    if (m->count == METER_SERIES_MAX)
        return NULL;
    struct meter_series **grown = realloc(m->series, (m->count + 1) * sizeof *grown);
    struct meter_series *s = calloc(1, sizeof *s);
    if (grown != NULL)
        m->series = grown;
    if (s != NULL)
        *s = (struct meter_series){.kind = kind, .name = strdup(name), .labels = strdup(labels)};
    if (grown == NULL || s == NULL || s->name == NULL || s->labels == NULL) {
        series_free(s);
        m->failed = true;
        return NULL;
    }
    memmove(&grown[at + 1], &grown[at], (m->count - at) * sizeof *grown);
    grown[at] = s;
    m->count++;
    return s;
}

struct meter_series *meter_series(struct meter *m, enum meter_kind kind, const char *name,
                                  const char *labels)
{
    bool found;
    labels = labels == NULL ? "" : labels;
    size_t at = place_of(m, name, labels, &found);
    return found ? m->series[at] : insert(m, at, kind, name, labels);
}

static void add_to_window(struct meter_series *s, double value, int64_t interval)
{
    struct meter_window *w = &s->now;
    if (w->count > 0 && w->interval != interval) {
        s->before = *w;
        *w = (struct meter_window){0};
    }
    w->interval = interval;
    w->least = w->count == 0 || value < w->least ? value : w->least;
    w->most = w->count == 0 || value > w->most ? value : w->most;
    w->count++;
    w->sum += value;
    w->squares += value * value;
}

void meter_sample(struct meter_series *s, double value, int64_t wall_ns)
{
    if (s == NULL)
        return;
    s->recent[s->count % METER_RECENT].wall_ns = wall_ns;
    s->recent[s->count % METER_RECENT].value = value;
    s->count++;
    s->sum += value;
    add_to_window(s, value, wall_ns / NS_PER_S / METER_INTERVAL_S);
}

void meter_add(struct meter *m, enum meter_kind kind, const char *name, const char *labels,
               double value, int64_t wall_ns)
{
    meter_sample(meter_series(m, kind, name, labels), value, wall_ns);
}

void meter_set(struct meter *m, enum meter_kind kind, const char *name, const char *labels,
               double value, uint64_t count)
{
    struct meter_series *s = meter_series(m, kind, name, labels);
    if (s == NULL)
        return;
    s->sum = value;
    s->count = count;
}

/* --- Prometheus ------------------------------------------------------------------------------- */

/* Go's strconv with format 'g' and the fewest digits: 0.25, 600000, 5.5e+07. */
static void add_number(struct buf *out, double value)
{
    char text[40];
    int digits = 0;
    if (isnan(value)) {
        buf_add_text(out, "NaN");
        return;
    }
    do
        (void)snprintf(text, sizeof text, "%.*e", digits, value);
    while (strtod(text, NULL) != value && ++digits < 17);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    int behind_point = digits > exponent ? digits - exponent : 0;
    if (exponent < -4 || exponent >= 6)
        buf_add_text(out, text);
    else
        buf_addf(out, "%.*f", behind_point, value);
}

/* Appends "vault_route_update_secret_". */
static void add_name(struct buf *out, const char *name)
{
    buf_add_text(out, "vault_");
    for (; *name != '\0'; name++) {
        bool word = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                    (*name >= '0' && *name <= '9');
        buf_add_char(out, word ? *name : '_');
    }
}

/* Appends {cluster="x",quantile="0.5"}; nothing when there is neither. */
static void add_labels(struct buf *out, const char *labels, const char *quantile)
{
    struct slice rest = slice_of(labels);
    const char *before = "{";
    while (rest.len > 0) {
        struct slice value = slice_cut(&rest, '\n'), name = slice_cut(&value, '=');
        buf_addf(out, "%s%.*s=\"", before, SLICE_FMT(name));
        for (size_t i = 0; i < value.len; i++) {
            if (value.ptr[i] == '"' || value.ptr[i] == '\\')
                buf_add_char(out, '\\');
            buf_add_char(out, value.ptr[i]);
        }
        buf_add_char(out, '"');
        before = ",";
    }
    if (quantile != NULL)
        buf_addf(out, "%squantile=\"%s\"", before, quantile);
    if (quantile != NULL || before[0] == ',')
        buf_add_char(out, '}');
}

static void add_sample(struct buf *out, const struct meter_series *s, const char *suffix,
                       const char *quantile, double value)
{
    add_name(out, s->name);
    buf_add_text(out, suffix);
    add_labels(out, s->labels, quantile);
    buf_add_char(out, ' ');
    add_number(out, value);
    buf_add_char(out, '\n');
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Of the samples of the last interval; NaN when there are none. */
static double quantile_of(const struct meter_series *s, double quantile, int64_t wall_ns)
{
    double values[METER_RECENT];
    size_t count = 0, kept = s->count < METER_RECENT ? s->count : METER_RECENT;
    for (size_t i = 0; i < kept; i++)
        if (wall_ns - s->recent[i].wall_ns <= METER_INTERVAL_S * NS_PER_S &&
            s->recent[i].wall_ns != 0)
            values[count++] = s->recent[i].value;
    if (count == 0)
        return (double)NAN;
    qsort(values, count, sizeof values[0], by_value);
    size_t rank = (size_t)ceil(quantile * (double)count);
    return values[rank == 0 ? 0 : rank - 1];
}

static void add_summary(struct buf *out, const struct meter_series *s, int64_t wall_ns)
{
    static const struct {
        const char *text;
        double quantile;
    } quantiles[] = {{"0.5", 0.5}, {"0.9", 0.9}, {"0.99", 0.99}};
    for (size_t i = 0; i < COUNT(quantiles); i++)
        add_sample(out, s, "", quantiles[i].text, quantile_of(s, quantiles[i].quantile, wall_ns));
    add_sample(out, s, "_sum", NULL, s->sum);
    add_sample(out, s, "_count", NULL, (double)s->count);
}

void meter_write_text(const struct meter *m, int64_t wall_ns, struct buf *out)
{
    static const char *const kinds[] = {"gauge", "counter", "summary"};
    for (size_t i = 0; i < m->count; i++) {
        const struct meter_series *s = m->series[i];
        if (i == 0 || strcmp(m->series[i - 1]->name, s->name) != 0) {
            buf_add_text(out, "# HELP ");
            add_name(out, s->name);
            buf_add_char(out, ' ');
            add_name(out, s->name);
            buf_add_text(out, "\n# TYPE ");
            add_name(out, s->name);
            buf_addf(out, " %s\n", kinds[s->kind]);
        }
        if (s->kind == METER_SUMMARY)
            add_summary(out, s, wall_ns);
        else
            add_sample(out, s, "", NULL, s->sum);
    }
}

/* --- Vault's own view ------------------------------------------------------------------------- */

static void write_labels(struct jsonwrite *w, const char *labels)
{
    struct slice rest = slice_of(labels);
    jsonwrite_object(w, "Labels");
    while (rest.len > 0) {
        struct slice value = slice_cut(&rest, '\n'), name = slice_cut(&value, '=');
        char key[64];
        (void)snprintf(key, sizeof key, "%.*s", SLICE_FMT(name));
        jsonwrite_slice(w, key, value);
    }
    jsonwrite_end(w);
}

static void write_head(struct jsonwrite *w, const struct meter_series *s)
{
    char name[256];
    (void)snprintf(name, sizeof name, PREFIX "%s", s->name);
    jsonwrite_object(w, NULL);
    jsonwrite_string(w, "Name", name);
}

/* What was counted in the interval before this one, or NULL. */
static const struct meter_window *finished(const struct meter_series *s, int64_t interval)
{
    const struct meter_window *w = s->now.interval == interval ? &s->before : &s->now;
    return w->count > 0 && w->interval == interval - 1 ? w : NULL;
}

static void write_window(struct jsonwrite *w, const struct meter_series *s,
                         const struct meter_window *x)
{
    double count = (double)x->count, spread = 0;
    if (x->count > 1) {
        double square = (count * x->squares - x->sum * x->sum) / (count * (count - 1));
        spread = square > 0 ? sqrt(square) : 0;
    }
    write_head(w, s);
    jsonwrite_int(w, "Count", (int64_t)x->count);
    jsonwrite_real(w, "Rate", x->sum / METER_INTERVAL_S);
    jsonwrite_real(w, "Sum", x->sum);
    jsonwrite_real(w, "Min", x->least);
    jsonwrite_real(w, "Max", x->most);
    jsonwrite_real(w, "Mean", x->sum / count);
    jsonwrite_real(w, "Stddev", spread);
    write_labels(w, s->labels);
    jsonwrite_end(w);
}

static void write_windows(const struct meter *m, enum meter_kind kind, const char *key,
                          int64_t interval, struct jsonwrite *w)
{
    jsonwrite_array(w, key);
    for (size_t i = 0; i < m->count; i++) {
        const struct meter_window *x = finished(m->series[i], interval);
        if (m->series[i]->kind == kind && x != NULL)
            write_window(w, m->series[i], x);
    }
    jsonwrite_end(w);
}

void meter_write_json(const struct meter *m, int64_t wall_ns, struct jsonwrite *w)
{
    int64_t interval = wall_ns / NS_PER_S / METER_INTERVAL_S;
    char stamp[STAMP_BYTES], text[64];
    stamp_format((interval - 1) * METER_INTERVAL_S * NS_PER_S, STAMP_GO_NANO, stamp);
    /* "2026-11-24T16:13:00Z" is "2026-11-24 16:13:00 +0000 UTC" here. */
    (void)snprintf(text, sizeof text, "%.10s %.8s +0000 UTC", stamp, stamp + 11);
    jsonwrite_string(w, "Timestamp", text);
    jsonwrite_array(w, "Gauges");
    for (size_t i = 0; i < m->count; i++) {
        const struct meter_series *s = m->series[i];
        if (s->kind != METER_GAUGE)
            continue;
        write_head(w, s);
        jsonwrite_real(w, "Value", s->sum);
        write_labels(w, s->labels);
        jsonwrite_end(w);
    }
    jsonwrite_end(w);
    jsonwrite_array(w, "Points");
    jsonwrite_end(w);
    write_windows(m, METER_COUNTER, "Counters", interval, w);
    write_windows(m, METER_SUMMARY, "Samples", interval, w);
}
