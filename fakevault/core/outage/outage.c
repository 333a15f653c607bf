#include "fakevault/core/outage/outage.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

struct outage {
    struct fault_set *faults;
    uint64_t generation;
    uint64_t resumes;
    bool holding;
    bool closed;
    uint64_t closed_by; /* identity of the rule that closed the listener, 0 for the verb */
};

enum errc outage_new(uint64_t seed, struct outage **out, struct errc_why *why)
{
    struct outage *o = calloc(1, sizeof *o);
    if (o == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    enum errc code = fault_set_new(seed, &o->faults, why);
    if (code != ERRC_OK) {
        free(o);
        return code;
    }
    *out = o;
    return ERRC_OK;
}

void outage_free(struct outage *outage)
{
    if (outage == NULL)
        return;
    fault_set_free(outage->faults);
    free(outage);
}

static void changed(struct outage *o, const char *verb, const char *rule,
                    struct outage_orders *orders)
{
    CHECK(orders->change_count < OUTAGE_CHANGES_MAX);
    struct outage_change *change = &orders->changes[orders->change_count++];
    *change = (struct outage_change){.verb = verb, .generation = ++o->generation};
    if (rule != NULL)
        memcpy(change->rule, rule, strlen(rule) + 1);
}

/* ---- the listener ---- */

static void open_listener(struct outage *o, struct outage_orders *orders)
{
    orders->open = orders->open || o->closed;
    o->closed = false;
    o->closed_by = 0;
}

static void close_listener(struct outage *o, uint64_t by, enum outage_turn_away turn_away,
                           struct outage_orders *orders)
{
    if (!o->closed || by == 0)
        o->closed_by = by;
    orders->shut = orders->shut || !o->closed;
    orders->turn_away = turn_away;
    o->closed = true;
}

/* A rule that went takes along what it still does: its held requests go on, the listener that it
 * closed opens again. */
static void settle(struct outage *o, struct outage_orders *orders)
{
    orders->release = true;
    if (o->closed_by == 0 || fault_alive(o->faults, o->closed_by))
        return;
    open_listener(o, orders);
    changed(o, "accept", NULL, orders);
}

/* ---- requests ---- */

void outage_arrive(struct outage *outage, const struct fault_facts *facts, struct instant now,
                   struct outage_decision *out, struct outage_orders *orders)
{
    *out = (struct outage_decision){.resume = outage->resumes};
    (void)outage_tick(outage, now, orders);
    fault_decide(outage->faults, facts, now, &out->fault);
    bool by_rule = out->fault.effect == FAULT_HOLD;
    out->held = by_rule || outage->holding;
    out->owner = by_rule ? out->fault.identity : 0;
}

/* Nobody would open again what a rule closes that is gone already: its request was held, or on its
 * way here. */
static void apply(struct outage *o, const struct effect_apply *apply,
                  const struct fault_decision *by, struct outage_orders *orders)
{
    if (apply->shut && !fault_alive(o->faults, by->identity))
        return;
    if (apply->shut)
        close_listener(o, by->identity, OUTAGE_RESET, orders);
    orders->seal = orders->seal || apply->seal;
    orders->die = orders->die || apply->die;
    changed(o, apply->verb, by->id, orders);
}

enum effect_course outage_take(struct outage *outage, const struct outage_decision *decision,
                               struct outage_orders *orders)
{
    const struct effect *effect = effect_of(decision->fault.effect);
    if (effect == NULL)
        return EFFECT_LET_BY;
    if (effect->apply.verb != NULL)
        apply(outage, &effect->apply, &decision->fault, orders);
    return effect->course;
}

bool outage_may_hold(const struct outage *outage, const struct outage_decision *decision)
{
    return decision->resume == outage->resumes && outage_keeps(outage, decision->owner);
}

bool outage_keeps(const struct outage *outage, uint64_t owner)
{
    return owner == 0 ? outage->holding : fault_alive(outage->faults, owner);
}

void outage_decision_done(struct outage_decision *decision)
{
    if (decision != NULL)
        fault_decision_done(&decision->fault);
}

/* ---- verbs ---- */

void outage_accept(struct outage *outage, struct outage_orders *orders)
{
    open_listener(outage, orders);
    changed(outage, "accept", NULL, orders);
}

void outage_refuse(struct outage *outage, bool drain, struct outage_orders *orders)
{
    close_listener(outage, 0, drain ? OUTAGE_DRAIN : OUTAGE_RESET, orders);
    changed(outage, drain ? "refuse -drain" : "refuse", NULL, orders);
}

void outage_failed_to_open(struct outage *outage, struct outage_orders *orders)
{
    outage->closed = true;
    outage->closed_by = 0;
    changed(outage, "refuse", NULL, orders);
}

void outage_hang(struct outage *outage, struct outage_orders *orders)
{
    outage->holding = true;
    changed(outage, "hang", NULL, orders);
}

void outage_resume(struct outage *outage, struct outage_orders *orders)
{
    outage->holding = false;
    outage->resumes++;
    orders->release_all = true;
    changed(outage, "resume", NULL, orders);
}

void outage_crash(struct outage *outage, struct outage_orders *orders)
{
    changed(outage, "crash", NULL, orders);
    orders->die = true;
}

void outage_reset(struct outage *outage, struct outage_orders *orders)
{
    fault_clear(outage->faults);
    open_listener(outage, orders);
    outage->holding = false;
    outage->resumes++;
    orders->release_all = true;
    changed(outage, "reset", NULL, orders);
}

void outage_seal(struct outage *outage, struct outage_orders *orders)
{
    orders->seal = true;
    changed(outage, "seal", NULL, orders);
}

void outage_unseal(struct outage *outage, struct outage_orders *orders)
{
    changed(outage, "unseal", NULL, orders);
}

/* ---- rules ---- */

static void rules_changed(struct outage *o, const char *verb, const char *id,
                          struct outage_orders *orders)
{
    changed(o, verb, id, orders);
    settle(o, orders);
}

enum errc outage_add(struct outage *outage, const json_t *rule, struct instant now, const char **id,
                     struct outage_orders *orders, struct errc_why *why)
{
    TRY(fault_add(outage->faults, rule, now, id, why));
    rules_changed(outage, "faults add", *id, orders);
    return ERRC_OK;
}

void outage_swap(struct outage *outage, struct fault_set *fresh, struct instant now,
                 struct outage_orders *orders)
{
    fault_swap(outage->faults, fresh, now);
    rules_changed(outage, "faults set", NULL, orders);
}

enum errc outage_patch(struct outage *outage, const char *id, const json_t *change,
                       struct instant now, struct outage_orders *orders, struct errc_why *why)
{
    TRY(fault_patch(outage->faults, id, change, now, why));
    rules_changed(outage, "faults patch", id, orders);
    return ERRC_OK;
}

enum errc outage_remove(struct outage *outage, const char *id, struct outage_orders *orders,
                        struct errc_why *why)
{
    TRY(fault_remove(outage->faults, id, why));
    rules_changed(outage, "faults remove", id, orders);
    return ERRC_OK;
}

void outage_clear(struct outage *outage, struct outage_orders *orders)
{
    fault_clear(outage->faults);
    rules_changed(outage, "faults clear", NULL, orders);
}

int64_t outage_tick(struct outage *outage, struct instant now, struct outage_orders *orders)
{
    if (fault_expire(outage->faults, now) > 0)
        rules_changed(outage, "expire", NULL, orders);
    return fault_next_expiry(outage->faults);
}

/* ---- to look at ---- */

unsigned outage_condition(const struct outage *outage)
{
    return (outage->closed ? OUTAGE_CLOSED : 0u) | (outage->holding ? OUTAGE_HELD : 0u) |
           (fault_count(outage->faults) > 0 ? OUTAGE_RULED : 0u);
}

uint64_t outage_generation(const struct outage *outage)
{
    return outage->generation;
}

const struct fault_set *outage_rules(const struct outage *outage)
{
    return outage->faults;
}
