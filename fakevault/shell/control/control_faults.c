#include "fakevault/shell/control/control_faults.h"

#include "fakevault/shell/control/control_inner.h"

void control_faults_list(struct control *control, struct jsonwrite *w)
{
    control_lock(control);
    control_expire(control);
    control_format_inner_head(control, w);
    fault_format(outage_rules(control->outage), w, "rules");
    control_unlock(control);
}

enum errc control_faults_get(struct control *control, const char *id, struct jsonwrite *w,
                             struct errc_why *why)
{
    control_lock(control);
    control_expire(control);
    enum errc code = fault_format_one(outage_rules(control->outage), id, w, "rule", why);
    if (code == ERRC_OK)
        control_format_inner_head(control, w);
    control_unlock(control);
    return code;
}

/* Ends a change of the rules: record, consequences, answer. */
static void rules_changed(struct control *c, struct outage_orders *orders, const char *id,
                          struct jsonwrite *w)
{
    struct control_done done;
    control_carry_out(c, orders, &done, NULL);
    if (id != NULL)
        jsonwrite_string(w, "id", id);
    control_format_inner_head(c, w);
    jsonwrite_int(w, "released", (int64_t)done.released);
    /* Open connections meet the new rules with their next request; those inside one do not. */
    jsonwrite_int(w, "in_flight", (int64_t)gate_status(c->ports.gate).in_flight);
}

enum errc control_faults_add(struct control *control, const json_t *rule, struct jsonwrite *w,
                             struct errc_why *why)
{
    struct outage_orders orders = {0};
    const char *id = NULL;
    control_lock(control);
    control_expire(control);
    enum errc code = outage_add(control->outage, rule, control_now(control), &id, &orders, why);
    if (code == ERRC_OK)
        rules_changed(control, &orders, id, w);
    control_unlock(control);
    return code;
}

enum errc control_faults_set(struct control *control, const json_t *rules, struct jsonwrite *w,
                             struct errc_why *why)
{
    struct outage_orders orders = {0};
    struct fault_set *fresh = NULL;
    TRY(fault_set_parse(control->ports.seed, rules, &fresh, why));
    control_lock(control);
    control_expire(control);
    outage_swap(control->outage, fresh, control_now(control), &orders);
    rules_changed(control, &orders, NULL, w);
    fault_format(outage_rules(control->outage), w, "rules");
    control_unlock(control);
    fault_set_free(fresh);
    return ERRC_OK;
}

enum errc control_faults_patch(struct control *control, const char *id, const json_t *change,
                               struct jsonwrite *w, struct errc_why *why)
{
    struct outage_orders orders = {0};
    control_lock(control);
    control_expire(control);
    enum errc code = outage_patch(control->outage, id, change, control_now(control), &orders, why);
    if (code == ERRC_OK)
        rules_changed(control, &orders, id, w);
    control_unlock(control);
    return code;
}

enum errc control_faults_remove(struct control *control, const char *id, struct jsonwrite *w,
                                struct errc_why *why)
{
    struct outage_orders orders = {0};
    control_lock(control);
    control_expire(control);
    enum errc code = outage_remove(control->outage, id, &orders, why);
    if (code == ERRC_OK)
        rules_changed(control, &orders, id, w);
    control_unlock(control);
    return code;
}

void control_faults_clear(struct control *control, struct jsonwrite *w)
{
    struct outage_orders orders = {0};
    control_lock(control);
    outage_clear(control->outage, &orders);
    rules_changed(control, &orders, NULL, w);
    control_unlock(control);
}
