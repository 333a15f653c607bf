#include "chaos/core/scenario/check/scenario_walk.h"

#include <string.h>

#include "base/count.h"

#define RULES_MAX 256u /* of fakevault, at a time */

/* Whom steps act on: Vault, or a service. */
struct place {
    const char *name;
    struct condition condition;
    size_t since[CONDITION_BITS]; /* line that set the bit */
};

struct walk {
    struct check *check;
    struct place vault, services[2];
    unsigned rules; /* armed, as far as it is known */
};

/* Per bit: how to say that it is so, and how to undo it. */
static const struct {
    const char *is, *before, *behind, *remedy;
} words[CONDITION_BITS] = {
    {"does not run", "line", " ended it", "start it first"},
    {"is paused", "since line", "", "unpause it first"},
    {"refuses connections", "since line", "", "accept them first"},
    {"holds requests", "since line", "", "resume it first"},
    {"is sealed", "since line", "", "unseal it first"},
    [10] = {"serves a certificate that nobody trusts", "since line", "", "serve a good one first"},
};

static void say_excluded(struct walk *w, const struct scenario_step *step,
                         const struct place *place, unsigned bits)
{
    for (size_t i = 0; i < CONDITION_BITS; i++) {
        if ((bits & 1u << i) == 0)
            continue;
        check_step(w->check, step, "%s %s here (%s %zu%s): %s", place->name, words[i].is,
                   words[i].before, place->since[i], words[i].behind, words[i].remedy);
        return;
    }
}

static void say_needed(struct walk *w, const struct scenario_step *step, const struct place *place,
                       unsigned bits)
{
    if ((bits & CONDITION_GONE) != 0)
        check_step(w->check, step, "%s runs already: stop or kill it first", place->name);
    else
        check_step(w->check, step, "%s is not paused here: pause it first", place->name);
}

static bool makes_sense(struct walk *w, const struct scenario_step *step, const struct place *place)
{
    const struct condition *c = &place->condition;
    unsigned lacking = step->verb->needs & ~(c->set | c->maybe);
    unsigned in_the_way = step->verb->excludes & c->set;
    if (in_the_way != 0)
        say_excluded(w, step, place, in_the_way);
    else if (lacking != 0)
        say_needed(w, step, place, lacking);
    return in_the_way == 0 && lacking == 0;
}

static void change(struct walk *w, struct place *place, const struct scenario_step *step,
                   const struct condition_effect *effect)
{
    unsigned before = place->condition.set;
    condition_apply(&place->condition, effect, w->check->scenario->stack.threshold);
    for (size_t i = 0; i < CONDITION_BITS; i++)
        if ((place->condition.set & ~before & 1u << i) != 0)
            place->since[i] = step->line;
}

/* --- services --- */

static struct place *service(struct walk *w, const char *name)
{
    for (size_t i = 0; i < 2; i++)
        if (name != NULL && strcmp(w->services[i].name, name) == 0)
            return &w->services[i];
    return NULL;
}

/* The services that a step acts on: those in its argument, the one that signs or is looked at, or
 * the one whose signature is waited for. */
static size_t services_of(struct walk *w, const struct scenario_step *step, struct place *out[2])
{
    size_t count = 0;
    if (step->actor->of_services) {
        for (size_t i = 0; i < step->main.count && count < 2; i++)
            if ((out[count] = service(w, step->main.texts[i])) != NULL)
                count++;
        return count;
    }
    if (step->verb->role == VERB_WAITS) {
        const char *name = scenario_text(step, "sign");
        const struct scenario_step *of = name == NULL ? NULL : check_named(w->check, name, step);
        step = of == NULL || check_given(step, "requests") ? step : of;
    }
    const struct scenario_value *via = scenario_field(step, "via");
    const struct scenario_value *whose = scenario_field(step, "service");
    out[0] = service(w, via != NULL ? via->text : whose != NULL ? whose->text : NULL);
    return out[0] == NULL ? 0 : 1;
}

static bool is_of_services(const struct scenario_step *step)
{
    return step->actor->of_services || scenario_field(step, "via") != NULL ||
           scenario_field(step, "service") != NULL || step->verb->role == VERB_WAITS;
}

static void walk_services(struct walk *w, const struct scenario_step *step)
{
    struct place *places[2];
    size_t count = services_of(w, step, places);
    for (size_t i = 0; i < count; i++)
        if (makes_sense(w, step, places[i]) && step->actor->of_services)
            change(w, places[i], step, &step->verb->effect);
}

/* --- Vault --- */

static void count_rule(struct walk *w, const struct scenario_step *step,
                       const struct condition_effect *effect)
{
    if ((effect->clears & CONDITION_RULED) != 0)
        w->rules = 0;
    if ((effect->sets & CONDITION_RULED) != 0 && ++w->rules == RULES_MAX + 1)
        check_step(w->check, step, "vault takes at most %u rules at a time: reset them in between",
                   RULES_MAX);
}

static void walk_vault(struct walk *w, const struct scenario_step *step)
{
    struct condition_effect effect = scenario_effect(step, &w->check->scenario->stack);
    if (!makes_sense(w, step, &w->vault))
        return;
    if (step->verb->role != VERB_ACTS)
        return;
    count_rule(w, step, &effect);
    change(w, &w->vault, step, &effect);
}

void scenario_walk(struct check *c)
{
    static const enum verb_phase phases[] = {VERB_PHASE_METHOD, VERB_PHASE_ROLLBACK,
                                             VERB_PHASE_EXPECT};
    struct walk w = {
        .check = c,
        .vault = {.name = "vault"},
        .services = {{.name = "api"}, {.name = "worker"}},
    };
    for (size_t p = 0; p < COUNT(phases); p++) {
        const struct scenario_steps *steps = &c->scenario->phases[phases[p]];
        for (size_t i = 0; i < steps->count; i++) {
            const struct scenario_step *step = &steps->items[i];
            if (!verb_allowed_in(step->verb, step->phase))
                continue;
            if (is_of_services(step))
                walk_services(&w, step);
            else
                walk_vault(&w, step);
        }
    }
}
