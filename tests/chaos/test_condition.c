/*
 * The condition of Vault over all verb x verb x verb sequences, against a Vault in a few lines
 * (vault_machine.h) that the same verbs step.
 *
 * The rows are the real ones: each verb is read from YAML, and what it does comes from
 * scenario_effect. A rule takes no request, one behind the step that armed it, one behind the next
 * step, or both; several rules take theirs in either order. What the rows exclude, and what cannot
 * be, only has to do no harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/read/scenario_parse.h"
#include "tests/chaos/fake/vault_machine.h"

#define LENGTH_MAX 6u
#define LENGTH_WALKED 3u   /* all of them */
#define LONG_COUNT 100000u /* of those that are longer */
#define VERBS_MAX 48u
#define THRESHOLD 3

/* Each step takes its time, requests come behind it, and at two moments all is compared: before
 * and behind those requests. */
#define STEP_NS 1000
#define TOOK_NS 100
#define EARLY_NS 200
#define REQUESTS_NS 300
#define LATE_NS 600

/* When a rule takes requests, as bits: behind its own step, behind the next one, and while the next
 * one is under way (which is told apart only when that takes the rule back). */
#define BEHIND_OWN 1u
#define BEHIND_NEXT 2u
#define WITHIN_NEXT 4u
#define MODES 5u

static struct scenario scenarios[VAULT_MACHINE_STACKS][VERBS_MAX];
static struct plan_step steps[VAULT_MACHINE_STACKS][VERBS_MAX]; /* step NULL: not for this stack */
static const struct vault_machine_verb *verbs;
static size_t verb_count;

static void read_verb(enum vault_machine_stack stack, size_t i)
{
    static const char *const stacks[] = {"{storage: file, tls: true}", "{storage: inmem}",
                                         "{dev: true}"};
    char text[512];
    struct lint lint CLEANUP(lint_done) = {0};
    struct errc_why why = {{0}};
    if ((verbs[i].stacks & 1u << stack) == 0)
        return;
    (void)snprintf(text, sizeof text,
                   "version: 1\npurpose: p\nstack: {vault: %s}\nsteady_state:\n"
                   "  - sign: {via: api}\nmethod:\n%s  - %s\n",
                   stacks[stack], verbs[i].before, verbs[i].step);
    if (scenario_parse(slice_of(text), "x.yaml", &scenarios[stack][i], &lint, &why) != ERRC_OK)
        fail_msg("%s: %s", verbs[i].step, why.text);
    const struct scenario_steps *method = &scenarios[stack][i].phases[VERB_PHASE_METHOD];
    steps[stack][i] =
        (struct plan_step){.step = &method->items[method->count - 1], .text = verbs[i].step};
}

static int read_all(void **state)
{
    (void)state;
    verb_count = vault_machine_verbs(&verbs);
    assert_in_range(verb_count, 1, VERBS_MAX);
    for (enum vault_machine_stack s = 0; s < VAULT_MACHINE_STACKS; s++)
        for (size_t i = 0; i < verb_count; i++)
            read_verb(s, i);
    return 0;
}

static int forget_all(void **state)
{
    (void)state;
    for (size_t s = 0; s < VAULT_MACHINE_STACKS; s++)
        for (size_t i = 0; i < verb_count; i++)
            scenario_done(&scenarios[s][i]);
    return 0;
}

/* --- one sequence --- */

struct sequence {
    enum vault_machine_stack stack;
    size_t verbs[LENGTH_MAX];
    size_t length;
    unsigned modes[LENGTH_MAX];
    bool backwards; /* rules take their requests in the other order */

    struct condition_change changes[LENGTH_MAX];
    struct condition_hits hits[LENGTH_MAX];
    unsigned begun[LENGTH_MAX];                   /* bits of the machine ahead of each step, */
    unsigned early[LENGTH_MAX], late[LENGTH_MAX]; /* and at both moments behind it */
    struct condition_window windows[LENGTH_MAX * CONDITION_BITS];
    size_t window_count;
};

static const char *const rule_ids[LENGTH_MAX] = {"0", "1", "2", "3", "4", "5"};

static int threshold_of(const struct sequence *s)
{
    return s->stack == VAULT_MACHINE_DEV ? 1 : THRESHOLD;
}

static struct condition_effect effect_of(const struct sequence *s, size_t i)
{
    size_t v = s->verbs[i];
    return scenario_effect(steps[s->stack][v].step, &scenarios[s->stack][v].stack);
}

static int64_t begin_of(size_t step)
{
    return (int64_t)(step + 1) * STEP_NS;
}

static bool fails(const struct sequence *s, size_t step, unsigned bit, const char *what)
{
    char text[512] = "";
    for (size_t i = 0, len = 0; i < s->length && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, " [%s hits %u]",
                                verbs[s->verbs[i]].step, s->modes[i]);
    fail_msg("stack %d,%s%s, behind step %zu: %s %s", (int)s->stack, text,
             s->backwards ? " backwards" : "", step, condition_name(bit), what);
    return false;
}

static struct condition_hits hits_of(void *context, const char *rule)
{
    const struct sequence *s = context;
    return s->hits[rule[0] - '0'];
}

static void note_hit(struct sequence *s, size_t rule, int64_t at_ns)
{
    struct condition_hits *hits = &s->hits[rule];
    if (hits->count++ == 0)
        hits->first_ns = at_ns;
    hits->last_ns = at_ns;
}

static void send_requests(struct sequence *s, struct vault_machine *m, size_t gap)
{
    for (size_t k = 0; k <= gap; k++) {
        size_t rule = s->backwards ? gap - k : k;
        unsigned mode = gap == rule ? BEHIND_OWN : gap == rule + 1 ? BEHIND_NEXT : 0;
        bool due = (s->modes[rule] & mode) != 0;
        if (due && vault_machine_request(m, rule))
            note_hit(s, rule, begin_of(gap) + REQUESTS_NS + (int64_t)k);
    }
}

/* The last request of a rule that the step takes back. */
static void send_request_within(struct sequence *s, struct vault_machine *m, size_t step)
{
    struct vault_machine after = *m;
    if (step == 0 || (s->modes[step - 1] & WITHIN_NEXT) == 0)
        return;
    verbs[s->verbs[step]].act(&after);
    if (after.rule_count < m->rule_count && vault_machine_request(m, step - 1))
        note_hit(s, step - 1, begin_of(step) + TOOK_NS / 2);
}

static void note_step(struct sequence *s, size_t i)
{
    const struct plan_step *plan = &steps[s->stack][s->verbs[i]];
    struct condition_effect effect = effect_of(s, i);
    s->changes[i] = (struct condition_change){
        .plan = plan,
        .from_ns = begin_of(i),
        .to_ns = begin_of(i) + TOOK_NS,
        .effect = effect,
        .rule = (effect.sets & CONDITION_RULED) != 0 ? rule_ids[i] : NULL,
    };
    s->hits[i] = (struct condition_hits){0};
}

/* Steps the machine; false when a step cannot be carried out where it stands. */
static bool play(struct sequence *s)
{
    struct vault_machine m;
    bool good = true;
    vault_machine_init(&m, s->stack, threshold_of(s));
    for (size_t i = 0; i < s->length; i++) {
        const struct vault_machine_verb *verb = &verbs[s->verbs[i]];
        const struct verb *row = steps[s->stack][s->verbs[i]].step->verb;
        note_step(s, i);
        s->begun[i] = vault_machine_bits(&m);
        good = good && vault_machine_can(&m, verb, row->needs, row->excludes);
        if (!good)
            continue;
        m.step = i;
        send_request_within(s, &m, i);
        s->begun[i] = vault_machine_bits(&m);
        verb->act(&m);
        s->early[i] = vault_machine_bits(&m);
        send_requests(s, &m, i);
        s->late[i] = vault_machine_bits(&m);
    }
    return good;
}

static void derive(struct sequence *s)
{
    const struct condition_journal journal = {.hits = hits_of, .context = s};
    s->window_count =
        condition_windows(s->changes, s->length, threshold_of(s), &journal, s->windows);
}

/* --- what must hold --- */

static void check_form(const struct sequence *s)
{
    int64_t begun_ns = 0;
    assert_true(s->window_count <= condition_windows_max(s->length));
    for (size_t i = 0; i < s->window_count; i++) {
        const struct condition_window *w = &s->windows[i];
        bool whole = w->from_ns > 0 && w->from_ns <= w->made_ns && w->from_ns <= w->to_ns &&
                     w->ending_ns <= w->to_ns && w->plan != NULL;
        bool moment = w->bit != CONDITION_RESTARTED ||
                      (w->made_ns == w->from_ns + TOOK_NS && w->to_ns == w->made_ns);
        if (!whole || !moment || w->from_ns < begun_ns)
            (void)fails(s, 0, w->bit, "has a window without form, or out of order");
        begun_ns = w->from_ns;
    }
}

static bool is_open(const struct sequence *s, unsigned bits, int64_t at_ns)
{
    for (size_t i = 0; i < s->window_count; i++)
        if ((s->windows[i].bit & bits) != 0 && s->windows[i].from_ns <= at_ns &&
            s->windows[i].to_ns >= at_ns)
            return true;
    return false;
}

/* The bits that windows have open at a moment are those of the machine, neither more nor fewer. */
static void check_moment(const struct sequence *s, size_t step, int64_t at_ns, unsigned bits)
{
    for (unsigned bit = 1; bit < CONDITION_RESTARTED; bit <<= 1)
        if (is_open(s, bit, at_ns) != ((bits & bit) != 0))
            (void)fails(s, step, bit, (bits & bit) != 0 ? "has no open window" : "is still open");
    assert_int_equal(is_open(s, CONDITION_OUTAGE, at_ns), (bits & CONDITION_OUTAGE) != 0);
}

static void check_windows(const struct sequence *s)
{
    check_form(s);
    for (size_t i = 0; i < s->length; i++) {
        check_moment(s, i, begin_of(i) + EARLY_NS, s->early[i]);
        check_moment(s, i, begin_of(i) + LATE_NS, s->late[i]);
    }
}

/* What is known before anything is run is never wrong, whatever rules take. */
static void check_static(const struct sequence *s)
{
    struct condition c = {0};
    for (size_t i = 0; i < s->length; i++) {
        condition_apply(&c, &s->changes[i].effect, threshold_of(s));
        for (unsigned bit = 1; bit < CONDITION_RESTARTED; bit <<= 1) {
            bool always = (s->early[i] & s->late[i] & bit) != 0;
            bool ever = ((s->early[i] | s->late[i]) & bit) != 0;
            if ((c.set & bit) != 0 && !always)
                (void)fails(s, i, bit, "is taken to be set, and is not");
            if (((c.set | c.maybe) & bit) == 0 && ever)
                (void)fails(s, i, bit, "is taken to be clear, and is not");
        }
    }
}

/* When the last step fails on its way, all is possible that was so before it or would be behind. A
 * request within it would come before or behind, who knows. */
static void check_cut_short(struct sequence *s)
{
    size_t last = s->length - 1;
    if (last > 0 && s->modes[last - 1] == WITHIN_NEXT)
        return;
    unsigned possible = s->begun[last] | s->early[last];
    if ((s->changes[last].effect.sets & CONDITION_RESTARTED) != 0) /* ended, and not begun */
        possible |= CONDITION_GONE;
    s->changes[last].effect = condition_cut_short(s->changes[last].effect);
    s->hits[last] = (struct condition_hits){0};
    derive(s);
    for (unsigned bit = 1; bit < CONDITION_RESTARTED; bit <<= 1)
        if ((possible & bit) != 0 && !is_open(s, bit, begin_of(last) + EARLY_NS))
            (void)fails(s, last, bit, "may be so when the step fails, and has no window");
}

/* --- all sequences --- */

static struct {
    uint64_t sequences, possible, histories;
} walked;

static bool arms(const struct sequence *s, size_t i)
{
    return (effect_of(s, i).sets & CONDITION_RULED) != 0;
}

/* The next way in which the rules take requests; false: that was the last. */
static bool next_modes(struct sequence *s)
{
    for (size_t i = 0; i < s->length; i++) {
        if (!arms(s, i))
            continue;
        s->modes[i] = (s->modes[i] + 1) % MODES;
        if (s->modes[i] != 0)
            return true;
    }
    s->backwards = !s->backwards;
    return s->backwards;
}

/* One history; false when it cannot be. */
static bool check_history(struct sequence *s)
{
    bool good = play(s);
    derive(s);
    check_form(s);
    if (!good)
        return false;
    walked.histories++;
    check_windows(s);
    check_static(s);
    check_cut_short(s);
    return true;
}

static void check_sequence(struct sequence *s)
{
    bool possible = false;
    do
        possible |= check_history(s);
    while (next_modes(s));
    walked.sequences++;
    walked.possible += possible;
}

static void walk(struct sequence *s, size_t length)
{
    for (size_t v = 0; v < verb_count; v++) {
        if (steps[s->stack][v].step == NULL)
            continue;
        s->verbs[length - 1] = v;
        s->length = length;
        check_sequence(s);
        if (length < LENGTH_WALKED)
            walk(s, length + 1);
    }
}

static void test_condition__of_all_sequences_of_three_verbs_is_that_of_vault(void **state)
{
    (void)state;
    for (enum vault_machine_stack stack = 0; stack < VAULT_MACHINE_STACKS; stack++) {
        struct sequence s = {.stack = stack};
        walk(&s, 1);
    }
    print_message("%llu sequences of 1 to %u verbs, %llu of them possible, %llu histories\n",
                  (unsigned long long)walked.sequences, LENGTH_WALKED,
                  (unsigned long long)walked.possible, (unsigned long long)walked.histories);
    assert_true(walked.possible > 50000);
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

/* Draws verbs until one can be carried out behind the others. */
static void draw_step(struct sequence *s, uint64_t *seed)
{
    s->length++;
    for (int i = 0; i < 50; i++) {
        s->verbs[s->length - 1] = (size_t)draw(seed, verb_count);
        s->modes[s->length - 1] = (unsigned)draw(seed, MODES);
        if (steps[s->stack][s->verbs[s->length - 1]].step != NULL && play(s))
            return;
    }
    s->length--;
}

static void test_condition__of_longer_sequences_is_that_of_vault(void **state)
{
    (void)state;
    uint64_t seed = 1, longest = 0;
    for (size_t n = 0; n < LONG_COUNT; n++) {
        struct sequence s = {.stack = (enum vault_machine_stack)(n % VAULT_MACHINE_STACKS),
                             .backwards = n % 2 == 1};
        for (size_t i = 0; i < LENGTH_MAX; i++)
            draw_step(&s, &seed);
        assert_true(check_history(&s));
        longest += s.length == LENGTH_MAX;
    }
    print_message("%llu of them of %u verbs\n", (unsigned long long)longest, LENGTH_MAX);
    assert_true(longest > LONG_COUNT / 2);
}

/* Whoever adds a verb tells the machine of it. */
static bool is_walked(const struct actor *actor, const struct verb *verb)
{
    for (size_t i = 0; i < verb_count; i++)
        if (steps[VAULT_MACHINE_FILE][i].step->actor == actor &&
            steps[VAULT_MACHINE_FILE][i].step->verb == verb)
            return true;
    return false;
}

static void test_condition__knows_every_verb_that_changes_it(void **state)
{
    (void)state;
    const struct actor *seen[VERBS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < verb_count; i++)
        seen[count++] = steps[VAULT_MACHINE_FILE][i].step->actor;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < seen[i]->verb_count; k++)
            if (!is_walked(seen[i], &seen[i]->verbs[k]))
                fail_msg("%s: %s is not among the verbs of vault_machine.c", seen[i]->name,
                         seen[i]->verbs[k].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition__of_all_sequences_of_three_verbs_is_that_of_vault),
        cmocka_unit_test(test_condition__of_longer_sequences_is_that_of_vault),
        cmocka_unit_test(test_condition__knows_every_verb_that_changes_it),
    };
    return cmocka_run_group_tests(tests, read_all, forget_all);
}
