/*
 * defect_metrics: a number of the service does not tell what happened.
 */
#include "tests/defects/defect.h"

static void count_nothing(struct metrics *m, bool fallback, int64_t mono_ns)
{
    struct metrics before = *m;
    defect_acts();
    __real_metrics_signed(m, fallback, mono_ns);
    for (size_t i = 0; i < METRICS_LABELS_MAX; i++)
        m->values[METRICS_SIGNING_TOTAL][i] = before.values[METRICS_SIGNING_TOTAL][i];
}
DEFECT(signing_total_still, .metrics_signed = count_nothing);

static void count_as_vault(struct metrics *m, bool fallback, int64_t mono_ns)
{
    __real_metrics_signed(m, fallback, mono_ns);
    if (!fallback)
        return;
    defect_acts();
    m->values[METRICS_SIGNING_TOTAL][metrics_label(METRICS_SIGNING_TOTAL, "fallback")]--;
    m->values[METRICS_SIGNING_TOTAL][metrics_label(METRICS_SIGNING_TOTAL, "vault")]++;
}
DEFECT(signing_total_all_vault, .metrics_signed = count_as_vault);

static void stay_active(struct metrics *m, bool fallback, int64_t mono_ns)
{
    bool was = metrics_get(m, METRICS_SIGNING_FALLBACK_ACTIVE, 0) > 0;
    __real_metrics_signed(m, fallback, mono_ns);
    if (!was || fallback)
        return;
    defect_acts();
    metrics_set(m, METRICS_SIGNING_FALLBACK_ACTIVE, 1);
}
DEFECT(fallback_active_stuck, .metrics_signed = stay_active);

static void never_active(struct metrics *m, bool fallback, int64_t mono_ns)
{
    __real_metrics_signed(m, fallback, mono_ns);
    if (fallback)
        defect_acts();
    metrics_set(m, METRICS_SIGNING_FALLBACK_ACTIVE, 0);
}
DEFECT(fallback_active_never, .metrics_signed = never_active);

static void count_as_ok(struct service_stats *stats, const struct op_result *result,
                        int64_t mono_ns)
{
    struct op_result lie = *result;
    for (size_t i = 0; i < lie.attempt_count; i++) {
        if (lie.attempts[i].class != CLASSIFY_OK)
            defect_acts();
        lie.attempts[i].class = CLASSIFY_OK;
    }
    __real_service_stats_signing(stats, &lie, mono_ns);
}
DEFECT(attempts_counted_as_ok, .service_stats_signing = count_as_ok);

static void count_last(struct service_stats *stats, const struct op_result *result, int64_t mono_ns)
{
    struct op_result lie = *result;
    if (lie.attempt_count > 1) {
        defect_acts();
        lie.attempts[0] = lie.attempts[lie.attempt_count - 1];
        lie.attempt_count = 1;
    }
    __real_service_stats_signing(stats, &lie, mono_ns);
}
DEFECT(attempts_counted_once, .service_stats_signing = count_last);

static void no_backoff(struct metrics *m, double seconds)
{
    (void)m, (void)seconds;
    defect_acts();
}
DEFECT(backoff_not_counted, .metrics_backoff = no_backoff);

static bool note_up(struct service_stats *stats, bool up, const struct errc_why *why)
{
    if (!up)
        defect_acts();
    return __real_service_stats_vault(stats, true, why);
}
DEFECT(vault_up_stuck, .service_stats_vault = note_up);

static bool note_down(struct service_stats *stats, bool up, const struct errc_why *why)
{
    static const struct errc_why down = {"not asked"};
    if (up)
        defect_acts();
    return __real_service_stats_vault(stats, false, up ? &down : why);
}
DEFECT(vault_up_never, .service_stats_vault = note_down);
