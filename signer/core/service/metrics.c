#include "signer/core/service/metrics.h"

#include <string.h>

#include "base/bug.h"
#include "base/count.h"
#include "signer/core/attempt/classify.h"

enum kind { GAUGE, COUNTER, HISTOGRAM };

static const char *const no_label[] = {NULL};
static const char *const modes[] = {"vault", "fallback", NULL};
static const char *const classes[] = {
#define METRICS_CLASS(id, text) text,
    CLASSIFY_LIST(METRICS_CLASS)
#undef METRICS_CLASS
        NULL,
};
static const char *const settled[] = {"completed", "failed", "blocked", NULL};
static const char *const statuses[] = {"2xx", "4xx", "5xx", NULL};
static const char *const versions[] = {PROJECT_VERSION, NULL};

static const struct family {
    const char *name;
    const char *help;
    enum kind kind;
    const char *label;         /* NULL for none */
    const char *const *values; /* of the label, NULL-terminated */
} families[METRICS_FAMILY_COUNT] = {
    [METRICS_VAULT_UP] = {"vault_up", "1 when the last poll of sys/health found a usable Vault.",
                          GAUGE, NULL, no_label},
    [METRICS_SIGNING_TOTAL] = {"signing_total", "Manifests signed, by the key that signed.",
                               COUNTER, "mode", modes},
    [METRICS_SIGNING_ATTEMPTS_TOTAL] = {"signing_attempts_total",
                                        "Requests to Vault's sign endpoint, by how they ended.",
                                        COUNTER, "class", classes},
    [METRICS_SIGNING_FALLBACK_ACTIVE] = {"signing_fallback_active",
                                         "1 when the last signature came from the fallback key.",
                                         GAUGE, NULL, no_label},
    [METRICS_SIGNING_FALLBACK_ALLOWED] =
        {"signing_fallback_allowed",
         "1 when this process was started with ALLOW_FALLBACK_SIGNING=true.", GAUGE, NULL,
         no_label},
    [METRICS_SIGNING_FALLBACK_SECONDS] =
        {"signing_fallback_active_seconds",
         "Seconds since the first of the last unbroken row of fallback signatures.", GAUGE, NULL,
         no_label},
    [METRICS_SIGNING_BACKOFF_SECONDS] = {"signing_backoff_seconds",
                                         "Waits before a repeated attempt.", HISTOGRAM, NULL,
                                         no_label},
    [METRICS_RUNS_TOTAL] = {"signing_runs_total", "Runs brought to an end, by their state.",
                            COUNTER, "status", settled},
    [METRICS_RUNS_QUEUED] = {"signing_runs_queued", "Runs that wait for a signing thread.", GAUGE,
                             NULL, no_label},
    [METRICS_HTTP_REQUESTS_TOTAL] = {"http_requests_total", "Requests answered, by status.",
                                     COUNTER, "status", statuses},
    [METRICS_BUILD_INFO] = {"signer_build_info", "Always 1; the label tells the version.", GAUGE,
                            "version", versions},
};

/* Upper bounds in seconds: the default contract waits 0.125..1 s, the longest configured 60 s. */
static const double bounds[] = {0.01, 0.05, 0.1, 0.125, 0.25, 0.5, 1, 2, 5, 10, 30, 60};
_Static_assert(COUNT(bounds) <= METRICS_BUCKETS_MAX, "the histogram has room for every bound");

void metrics_init(struct metrics *m)
{
    *m = (struct metrics){0};
    m->values[METRICS_BUILD_INFO][0] = 1;
}

static size_t label_count(enum metrics_family family)
{
    size_t n = 0;
    while (families[family].values[n] != NULL)
        n++;
    return families[family].label == NULL ? 1 : n;
}

void metrics_add(struct metrics *m, enum metrics_family family, size_t label, double amount)
{
    CHECK(families[family].kind == COUNTER && label < label_count(family) && amount >= 0);
    m->values[family][label] += amount;
}

void metrics_set(struct metrics *m, enum metrics_family family, double value)
{
    CHECK(families[family].kind == GAUGE);
    m->values[family][0] = value;
}

size_t metrics_label(enum metrics_family family, const char *value)
{
    const char *const *values = families[family].values;
    for (size_t i = 0; values[i] != NULL; i++)
        if (strcmp(values[i], value) == 0)
            return i;
    return METRICS_LABELS_MAX;
}

double metrics_get(const struct metrics *m, enum metrics_family family, size_t label)
{
    CHECK(label < METRICS_LABELS_MAX);
    return m->values[family][label];
}

void metrics_backoff(struct metrics *m, double seconds)
{
    size_t i = 0;
    while (i < COUNT(bounds) && seconds > bounds[i])
        i++;
    m->backoff.buckets[i]++;
    m->backoff.count++;
    m->backoff.sum += seconds;
}

void metrics_signed(struct metrics *m, bool fallback, int64_t mono_ns)
{
    bool was = m->values[METRICS_SIGNING_FALLBACK_ACTIVE][0] > 0;
    metrics_add(m, METRICS_SIGNING_TOTAL,
                metrics_label(METRICS_SIGNING_TOTAL, fallback ? "fallback" : "vault"), 1);
    if (fallback && !was)
        m->fallback_since_ns = mono_ns;
    metrics_set(m, METRICS_SIGNING_FALLBACK_ACTIVE, fallback);
}

double metrics_fallback_seconds(const struct metrics *m, int64_t mono_ns)
{
    bool active = m->values[METRICS_SIGNING_FALLBACK_ACTIVE][0] > 0;
    return active ? (double)(mono_ns - m->fallback_since_ns) / 1e9 : 0;
}

static void format_series(const struct metrics *m, enum metrics_family family, struct buf *out)
{
    const struct family *f = &families[family];
    for (size_t i = 0; i < label_count(family); i++) {
        buf_add_text(out, f->name);
        if (f->label != NULL)
            buf_addf(out, "{%s=\"%s\"}", f->label, f->values[i]);
        buf_addf(out, " %.17g\n", m->values[family][i]);
    }
}

static void format_histogram(const struct family *f, const struct metrics_histogram *h,
                             struct buf *out)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < COUNT(bounds); i++) {
        sum += h->buckets[i];
        buf_addf(out, "%s_bucket{le=\"%g\"} %llu\n", f->name, bounds[i], (unsigned long long)sum);
    }
    buf_addf(out, "%s_bucket{le=\"+Inf\"} %llu\n", f->name, (unsigned long long)h->count);
    buf_addf(out, "%s_sum %.17g\n%s_count %llu\n", f->name, h->sum, f->name,
             (unsigned long long)h->count);
}

void metrics_format(const struct metrics *m, int64_t mono_ns, struct buf *out)
{
    static const char *const kinds[] = {
        [GAUGE] = "gauge", [COUNTER] = "counter", [HISTOGRAM] = "histogram"};
    struct metrics now = *m;
    now.values[METRICS_SIGNING_FALLBACK_SECONDS][0] = metrics_fallback_seconds(m, mono_ns);
    for (int i = 0; i < METRICS_FAMILY_COUNT; i++) {
        const struct family *f = &families[i];
        buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, kinds[f->kind]);
        if (f->kind == HISTOGRAM)
            format_histogram(f, &now.backoff, out);
        else
            format_series(&now, (enum metrics_family)i, out);
    }
}
