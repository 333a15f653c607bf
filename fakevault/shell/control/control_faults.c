#include "fakevault/shell/control/control_faults.h"

#include "fakevault/shell/control/control_inner.h"

void control_faults_list(struct control *control, struct jsonwrite *w)
{
    control_lock(control);
    control_expire(control);
    control_format_inner_head(control, w);
    fault_format(control->faults, w, "rules");
    control_unlock(control);
}

enum errc control_faults_get(struct control *control, const char *id, struct jsonwrite *w,
                             struct errc_why *why)
{
    control_lock(control);
    control_expire(control);
    enum errc code = fault_format_one(control->faults, id, w, "rule", why);
    if (code == ERRC_OK)
        control_format_inner_head(control, w);
    control_unlock(control);
    return code;
}

/* Ends a change of the rules: record, consequences, answer. */
static void rules_changed(struct control *c, const char *verb, const char *id, struct jsonwrite *w)
{
    control_changed(c, verb, id);
    size_t released = control_settle(c);
    if (id != NULL)
        jsonwrite_string(w, "id", id);
    control_format_inner_head(c, w);
    jsonwrite_int(w, "released", (int64_t)released);
    /* Open connections meet the new rules with their next request; those inside one do not. */
    jsonwrite_int(w, "in_flight", (int64_t)gate_status(c->ports.gate).in_flight);
}

enum errc control_faults_add(struct control *control, const json_t *rule, struct jsonwrite *w,
                             struct errc_why *why)
{
    const char *id = NULL;
    control_lock(control);
    control_expire(control);
    enum errc code = fault_add(control->faults, rule, control_now(control), &id, why);
    if (code == ERRC_OK)
        rules_changed(control, "faults add", id, w);
    control_unlock(control);
    return code;
}

enum errc control_faults_set(struct control *control, const json_t *rules, struct jsonwrite *w,
                             struct errc_why *why)
{
    struct fault_set *fresh = NULL;
    TRY(fault_set_parse(control->ports.seed, rules, &fresh, why));
    control_lock(control);
    control_expire(control);
    fault_swap(control->faults, fresh, control_now(control));
    rules_changed(control, "faults set", NULL, w);
    fault_format(control->faults, w, "rules");
    control_unlock(control);
    fault_set_free(fresh);
    return ERRC_OK;
}

enum errc control_faults_patch(struct control *control, const char *id, const json_t *change,
                               struct jsonwrite *w, struct errc_why *why)
{
    control_lock(control);
    control_expire(control);
    enum errc code = fault_patch(control->faults, id, change, control_now(control), why);
    if (code == ERRC_OK)
        rules_changed(control, "faults patch", id, w);
    control_unlock(control);
    return code;
}

enum errc control_faults_remove(struct control *control, const char *id, struct jsonwrite *w,
                                struct errc_why *why)
{
    control_lock(control);
    control_expire(control);
    enum errc code = fault_remove(control->faults, id, why);
    if (code == ERRC_OK)
        rules_changed(control, "faults remove", id, w);
    control_unlock(control);
    return code;
}

void control_faults_clear(struct control *control, struct jsonwrite *w)
{
    control_lock(control);
    fault_clear(control->faults);
    rules_changed(control, "faults clear", NULL, w);
    control_unlock(control);
}
