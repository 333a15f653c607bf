/* The machine behind all outages: verbs and rules in every order, and that reset ends them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/outage/outage.h"

#define SEED 11
#define HELD_MAX 16

/* A shell without sockets: it carries out what is ordered, as strictly as a kernel would. */
struct world {
    struct outage *outage;
    struct instant now;
    uint64_t generation;
    bool listening;
    bool ordered_shut; /* a verb closed the listener: no rule may open it */
    bool dead;
    struct outage_decision held[HELD_MAX];
    size_t held_count;
    struct outage_decision late; /* has arrived, and is not taken yet */
    bool has_late;
};

static void carry_out(struct world *w, const struct outage_orders *orders);

static void take(struct world *w, struct outage_decision *decision)
{
    struct outage_orders orders = {0};
    (void)outage_take(w->outage, decision, &orders);
    carry_out(w, &orders);
    outage_decision_done(decision);
}

static void release(struct world *w, bool all)
{
    struct outage_decision gone[HELD_MAX];
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < w->held_count; i++)
        if (!all && outage_keeps(w->outage, w->held[i].owner))
            w->held[kept++] = w->held[i];
        else
            gone[count++] = w->held[i];
    w->held_count = kept;
    for (size_t i = 0; i < count; i++)
        take(w, &gone[i]);
}

static void carry_out(struct world *w, const struct outage_orders *orders)
{
    for (size_t i = 0; i < orders->change_count; i++)
        assert_int_equal(orders->changes[i].generation, ++w->generation);
    if (orders->shut) {
        assert_true(w->listening); /* Linux forgives no second shutdown */
        assert_int_not_equal(orders->turn_away, OUTAGE_NOBODY);
        w->listening = false;
    }
    if (orders->open) {
        assert_false(w->listening);
        w->listening = true;
    }
    if (orders->turn_away != OUTAGE_NOBODY)
        assert_false(w->listening);
    w->dead = w->dead || orders->die;
    if (orders->release || orders->release_all)
        release(w, orders->release_all);
}

static void arrive(struct world *w, struct outage_decision *out)
{
    const struct fault_facts sign = {
        .method = slice_of("POST"), .path = slice_of("transit/sign/k"), .key = slice_of("k")};
    struct outage_orders orders = {0};
    outage_arrive(w->outage, &sign, w->now, out, &orders);
    carry_out(w, &orders);
}

static void proceed(struct world *w, struct outage_decision *decision)
{
    if (decision->held && outage_may_hold(w->outage, decision)) {
        assert_true(w->held_count < HELD_MAX);
        w->held[w->held_count++] = *decision;
    } else {
        take(w, decision);
    }
}

/* ---- what can happen, one after another ---- */

static void a_request(struct world *w)
{
    struct outage_decision decision;
    arrive(w, &decision);
    proceed(w, &decision);
}

static void a_request_begins(struct world *w)
{
    if (w->has_late)
        return;
    arrive(w, &w->late);
    w->has_late = true;
}

static void it_goes_on(struct world *w)
{
    if (!w->has_late)
        return;
    w->has_late = false;
    proceed(w, &w->late);
}

static void add(struct world *w, const char *text)
{
    struct outage_orders orders = {0};
    const char *id = NULL;
    json_t *rule CLEANUP(jsonread_done) = NULL;
    assert_int_equal(jsonread_parse(slice_of(text), &rule, NULL), ERRC_OK);
    enum errc code = outage_add(w->outage, rule, w->now, &id, &orders, NULL);
    assert_true(code == ERRC_OK || code == ERRC_EXISTS);
    assert_true(code == ERRC_OK || orders.change_count == 0);
    carry_out(w, &orders);
}

static void add_hold(struct world *w)
{
    add(w, "{\"id\":\"h\",\"effect\":{\"hold\":true}}");
}

static void add_refuse(struct world *w)
{
    add(w, "{\"id\":\"d\",\"effect\":{\"refuse\":true},\"trigger\":{\"times\":1}}");
}

static void add_lease(struct world *w)
{
    add(w, "{\"id\":\"l\",\"effect\":{\"refuse\":true},\"lease_ms\":10}");
}

static void add_seal(struct world *w)
{
    add(w, "{\"effect\":{\"seal\":true}}");
}

static void remove_rule(struct world *w, const char *id)
{
    struct outage_orders orders = {0};
    enum errc code = outage_remove(w->outage, id, &orders, NULL);
    assert_true(code == ERRC_OK || code == ERRC_NOT_FOUND);
    carry_out(w, &orders);
}

static void remove_hold(struct world *w)
{
    remove_rule(w, "h");
}

static void remove_refuse(struct world *w)
{
    remove_rule(w, "d");
}

static void patch_refuse(struct world *w)
{
    struct outage_orders orders = {0};
    json_t *change CLEANUP(jsonread_done) = json_pack("{s:{s:i}}", "trigger", "times", 2);
    enum errc code = outage_patch(w->outage, "d", change, w->now, &orders, NULL);
    assert_true(code == ERRC_OK || code == ERRC_NOT_FOUND);
    carry_out(w, &orders);
}

static void swap_rules(struct world *w)
{
    struct outage_orders orders = {0};
    struct fault_set *fresh = NULL;
    json_t *rules CLEANUP(jsonread_done) =
        json_pack("[{s:s, s:{s:b}}]", "id", "d", "effect", "refuse", 1);
    assert_int_equal(fault_set_parse(SEED, rules, &fresh, NULL), ERRC_OK);
    outage_swap(w->outage, fresh, w->now, &orders);
    fault_set_free(fresh);
    carry_out(w, &orders);
}

static void time_passes(struct world *w)
{
    struct outage_orders orders = {0};
    w->now.mono_ns += 20 * NS_PER_MS;
    assert_true(outage_tick(w->outage, w->now, &orders) > w->now.mono_ns);
    carry_out(w, &orders);
}

static void order(struct world *w, void (*verb)(struct outage *, struct outage_orders *))
{
    struct outage_orders orders = {0};
    verb(w->outage, &orders);
    carry_out(w, &orders);
}

static void accept_again(struct world *w)
{
    w->ordered_shut = false;
    order(w, outage_accept);
}

static void refuse(struct world *w)
{
    struct outage_orders orders = {0};
    w->ordered_shut = true;
    outage_refuse(w->outage, false, &orders);
    assert_int_equal(orders.turn_away, OUTAGE_RESET);
    carry_out(w, &orders);
}

static void drain(struct world *w)
{
    struct outage_orders orders = {0};
    w->ordered_shut = true;
    outage_refuse(w->outage, true, &orders);
    assert_int_equal(orders.turn_away, OUTAGE_DRAIN);
    carry_out(w, &orders);
}

static void hang(struct world *w)
{
    order(w, outage_hang);
}

static void resume(struct world *w)
{
    order(w, outage_resume);
    assert_int_equal(w->held_count, 0);
}

static void crash(struct world *w)
{
    order(w, outage_crash);
    assert_true(w->dead);
}

static void seal(struct world *w)
{
    order(w, outage_seal);
}

static void unseal(struct world *w)
{
    order(w, outage_unseal);
}

static void clear(struct world *w)
{
    order(w, outage_clear);
}

static void reset(struct world *w)
{
    w->ordered_shut = false;
    order(w, outage_reset);
}

static const struct step {
    const char *name;
    void (*run)(struct world *w);
    bool verb; /* twice is once */
} steps[] = {
    {"accept", accept_again, true},
    {"refuse", refuse, true},
    {"refuse -drain", drain, true},
    {"hang", hang, true},
    {"resume", resume, true},
    {"crash", crash, true},
    {"seal", seal, true},
    {"unseal", unseal, true},
    {"reset", reset, true},
    {"faults clear", clear, true},
    {"faults set", swap_rules, true},
    {"faults add hold", add_hold, true},
    {"faults add refuse", add_refuse, true},
    {"faults add lease", add_lease, true},
    {"faults add seal", add_seal, false},
    {"faults patch", patch_refuse, true},
    {"faults rm hold", remove_hold, true},
    {"faults rm refuse", remove_refuse, true},
    {"time passes", time_passes, true},
    {"a request", a_request, false},
    {"a request begins", a_request_begins, true},
    {"it goes on", it_goes_on, true},
};

static bool is(const struct world *w, enum outage_condition bit)
{
    return (outage_condition(w->outage) & bit) != 0;
}

static void check(const struct world *w)
{
    assert_true(w->listening != is(w, OUTAGE_CLOSED));
    assert_false(w->ordered_shut && w->listening);
    assert_int_equal(outage_generation(w->outage), w->generation);
    for (size_t i = 0; i < w->held_count; i++)
        assert_true(outage_keeps(w->outage, w->held[i].owner));
}

static void begin(struct world *w)
{
    *w = (struct world){.listening = true};
    assert_int_equal(outage_new(SEED, &w->outage, NULL), ERRC_OK);
}

static void end(struct world *w)
{
    if (w->has_late)
        outage_decision_done(&w->late);
    for (size_t i = 0; i < w->held_count; i++)
        outage_decision_done(&w->held[i]);
    outage_free(w->outage);
}

/* Nothing is left of whatever was before: not even in what comes. */
static void check_as_at_the_start(struct world *w)
{
    struct outage_decision decision CLEANUP(outage_decision_done);
    check(w);
    assert_int_equal(outage_condition(w->outage), 0);
    assert_int_equal(w->held_count, 0);
    assert_int_equal(fault_next_expiry(outage_rules(w->outage)), INT64_MAX);
    it_goes_on(w); /* even if it was decided before */
    check(w);
    assert_int_equal(outage_condition(w->outage), 0);
    arrive(w, &decision);
    assert_false(decision.held);
    assert_int_equal(decision.fault.effect, FAULT_NONE);
}

static void run(struct world *w, const struct step *step)
{
    step->run(w);
    check(w);
}

static void test_outage__reset_ends_every_sequence_of_three(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(steps) * COUNT(steps) * COUNT(steps); n++) {
        struct world w;
        begin(&w);
        run(&w, &steps[n / COUNT(steps) / COUNT(steps)]);
        run(&w, &steps[n / COUNT(steps) % COUNT(steps)]);
        run(&w, &steps[n % COUNT(steps)]);
        reset(&w);
        check_as_at_the_start(&w);
        end(&w);
    }
}

/* Behind every pair of steps, a verb given twice leaves what it leaves when given once. */
static void test_outage__every_verb_is_idempotent(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(steps) * COUNT(steps) * COUNT(steps); n++) {
        const struct step *last = &steps[n % COUNT(steps)];
        struct world w;
        if (!last->verb)
            continue;
        begin(&w);
        run(&w, &steps[n / COUNT(steps) / COUNT(steps)]);
        run(&w, &steps[n / COUNT(steps) % COUNT(steps)]);
        run(&w, last);
        unsigned condition = outage_condition(w.outage);
        size_t held = w.held_count, rules = fault_count(outage_rules(w.outage));
        run(&w, last);
        assert_int_equal(outage_condition(w.outage), condition);
        assert_int_equal(w.held_count, held);
        assert_int_equal(fault_count(outage_rules(w.outage)), rules);
        end(&w);
    }
}

static void test_outage__a_rule_opens_what_it_closed_and_nothing_else(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    add_refuse(&w);
    a_request(&w);
    assert_true(is(&w, OUTAGE_CLOSED));
    remove_refuse(&w);
    assert_false(is(&w, OUTAGE_CLOSED));
    add_refuse(&w);
    a_request(&w);
    refuse(&w); /* the verb takes over */
    remove_refuse(&w);
    assert_true(is(&w, OUTAGE_CLOSED));
    accept_again(&w);
    assert_false(is(&w, OUTAGE_CLOSED));
    end(&w);
}

static void test_outage__a_rule_that_is_gone_closes_nothing(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    hang(&w);
    add_refuse(&w);
    a_request(&w);
    assert_int_equal(w.held_count, 1);
    remove_refuse(&w);
    resume(&w);
    assert_false(is(&w, OUTAGE_CLOSED));
    end(&w);
}

static void test_outage__resume_lets_go_what_is_on_its_way_to_be_held(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    add_hold(&w);
    a_request_begins(&w);
    assert_true(w.late.held);
    resume(&w);
    it_goes_on(&w);
    assert_int_equal(w.held_count, 0);
    a_request(&w); /* the rule is there still */
    assert_int_equal(w.held_count, 1);
    end(&w);
}

static void test_outage__changes_are_told_with_their_rule(void **state)
{
    (void)state;
    struct world w;
    struct outage_orders orders = {0};
    begin(&w);
    add_lease(&w);
    a_request(&w);
    assert_true(is(&w, OUTAGE_CLOSED));
    w.now.mono_ns += 20 * NS_PER_MS;
    assert_int_equal(outage_tick(w.outage, w.now, &orders), INT64_MAX);
    assert_int_equal(orders.change_count, 2);
    assert_string_equal(orders.changes[0].verb, "expire");
    assert_string_equal(orders.changes[1].verb, "accept");
    assert_true(orders.open);
    carry_out(&w, &orders);
    orders = (struct outage_orders){0};
    add(&w, "{\"id\":\"x\",\"effect\":{\"crash\":true}}");
    struct outage_decision decision;
    arrive(&w, &decision);
    assert_int_equal(outage_take(w.outage, &decision, &orders), EFFECT_DROP);
    assert_true(orders.die);
    assert_string_equal(orders.changes[0].verb, "crash");
    assert_string_equal(orders.changes[0].rule, "x");
    w.generation++;
    outage_decision_done(&decision);
    end(&w);
}

static void test_outage__what_cannot_be_opened_stays_closed(void **state)
{
    (void)state;
    struct outage_orders orders = {0};
    struct world w;
    begin(&w);
    refuse(&w);
    outage_accept(w.outage, &orders);
    assert_true(orders.open);
    outage_failed_to_open(w.outage, &orders);
    assert_true(is(&w, OUTAGE_CLOSED));
    orders = (struct outage_orders){0};
    outage_accept(w.outage, &orders);
    assert_true(orders.open); /* tried again */
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outage__reset_ends_every_sequence_of_three),
        cmocka_unit_test(test_outage__every_verb_is_idempotent),
        cmocka_unit_test(test_outage__a_rule_opens_what_it_closed_and_nothing_else),
        cmocka_unit_test(test_outage__a_rule_that_is_gone_closes_nothing),
        cmocka_unit_test(test_outage__resume_lets_go_what_is_on_its_way_to_be_held),
        cmocka_unit_test(test_outage__changes_are_told_with_their_rule),
        cmocka_unit_test(test_outage__what_cannot_be_opened_stays_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
