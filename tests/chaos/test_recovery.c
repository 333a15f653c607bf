/*
 * A healthy condition is judged as healthy: whatever two verbs (or three, by a sample) did to
 * Vault, a client that still falls back once it is well again violates `recovery`, and nobody else
 * does.
 *
 * The runs are those of the runner, over the fake world with a Vault that understands every verb. A
 * signer meets the outage, falls back if it must, and is not blamed for it. Then Vault is brought
 * back step by step, and the signer has to sign by Vault, or else be told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/scenario/read/scenario_parse.h"
#include "tests/chaos/fake/case.h"
#include "tests/chaos/fake/fake_vault.h"

#define THRESHOLD 3
#define TRIPLES 300u
#define GOOD_EVERY 8u /* what the broken client meets and falls back from is the same */

struct outage {
    enum vault_machine_stack stack;
    const struct vault_machine_verb *verbs[3];
    size_t count;
    bool between; /* a signer signs behind the first verb, too */
    struct buf text;
    size_t number, signs; /* steps so far in the plan, sign steps so far */
};

/* --- the scenario --- */

static void add_step(struct outage *o, const char *step)
{
    o->number++;
    buf_addf(&o->text, "  - %s\n", step);
}

static void add_sign(struct outage *o)
{
    add_step(o, "sign: {via: api, expect: {status: completed}}");
    o->signs++;
}

/* Takes what a signer's attempts do to the Vault that the scenario is written for. */
static void meet(struct vault_machine *m)
{
    const char *rule = NULL;
    for (int i = 0; i < 3 && fake_vault_answer(m, &rule) != 200; i++)
        continue;
}

/* Writes a step when it can be carried out; false: it cannot. */
static bool do_step(struct outage *o, struct vault_machine *m, const char *step)
{
    const struct vault_machine_verb *verbs = NULL;
    size_t count = vault_machine_verbs(&verbs);
    for (size_t i = 0; i < count; i++)
        if (strcmp(verbs[i].step, step) == 0) {
            add_step(o, step);
            m->step = o->number;
            verbs[i].act(m);
            return true;
        }
    fail_msg("%s is no step", step);
    return false;
}

/* Back to health, as an operator would: process, listener and holds, seal, key, fallback key. */
static void bring_back(struct outage *o, struct vault_machine *m)
{
    if (m->frozen)
        (void)do_step(o, m, "vault: unpause");
    if (!m->alive)
        (void)do_step(o, m, "vault: start");
    if (m->distrusted)
        (void)do_step(o, m, "vault: {certificate: good}");
    if (m->holding && m->rule_count == 0)
        (void)do_step(o, m, "vault: resume");
    if (!m->accepting && m->rule_count == 0)
        (void)do_step(o, m, "vault: accept");
    if (m->rule_count > 0)
        (void)do_step(o, m, "vault: reset");
    if (!m->initialised)
        (void)do_step(o, m, "vault: {restart: wipe}");
    if (m->sealed)
        (void)do_step(o, m,
                      m->stack == VAULT_MACHINE_DEV ? "vault: {unseal: 1}" : "vault: {unseal: 3}");
    if (m->key == 0)
        (void)do_step(o, m, "vault: bootstrap");
    if (m->key != m->pinned)
        (void)do_step(o, m, "trust: accept");
    if (!m->file_safe)
        (void)do_step(o, m, "fallback_key: write");
    assert_int_equal(vault_machine_bits(m), 0);
}

/* Rows of needs and excludes, by the verb's own step. */
static bool can(struct vault_machine *m, const struct vault_machine_verb *verb)
{
    struct slice name = slice_of(verb->step), actor = slice_cut(&name, ':');
    const struct actor *who = actor.len == 5 && memcmp(actor.ptr, "vault", 5) == 0
                                  ? actors_find("vault")
                              : actor.len == 5 ? actors_find("trust")
                                               : actors_find("fallback_key");
    char word[32];
    size_t from = strspn(name.ptr, " {"), len = strcspn(name.ptr + from, ":}");
    (void)snprintf(word, sizeof word, "%.*s", (int)len, name.ptr + from);
    const struct verb *row = actors_verb(who, word);
    assert_non_null(row);
    return vault_machine_can(m, verb, row->needs, row->excludes);
}

/* False when one of the verbs cannot be carried out where it stands. */
static bool write_scenario(struct outage *o)
{
    static const char *const stacks[] = {"{storage: file, tls: true}", "{storage: inmem}",
                                         "{dev: true}"};
    struct vault_machine m;
    vault_machine_init(&m, o->stack, o->stack == VAULT_MACHINE_DEV ? 1 : THRESHOLD);
    buf_reset(&o->text);
    o->number = o->signs = 0;
    buf_addf(&o->text,
             "version: 1\npurpose: p\nstack: {vault: %s, environment: {ALLOW_FALLBACK_SIGNING: "
             "\"true\"}}\nsteady_state:\n",
             stacks[o->stack]);
    add_sign(o);
    buf_add_text(&o->text, "method:\n");
    for (size_t i = 0; i < o->count; i++) {
        if ((o->verbs[i]->stacks & 1u << o->stack) == 0 || !can(&m, o->verbs[i]))
            return false;
        (void)do_step(o, &m, o->verbs[i]->step);
        if (i + 1 < o->count && !o->between)
            continue;
        add_sign(o);
        meet(&m);
    }
    bring_back(o, &m);
    add_sign(o);
    return true;
}

/* --- the runs --- */

/* Lint refuses nothing that can be carried out. */
static void run(struct outage *o, struct case_run *c, bool stuck)
{
    struct fake_world f CLEANUP(fake_world_done);
    struct vault_machine m;
    fake_world_init(&f);
    vault_machine_init(&m, o->stack, o->stack == VAULT_MACHINE_DEV ? 1 : THRESHOLD);
    f.vault = &m;
    f.stuck = stuck;
    f.no_manifests = true; /* to verify them takes most of the time */
    f.stuck_after = (unsigned)o->signs - 1;
    case_run_scenario(c, &f, buf_text(&o->text));
    for (size_t i = 0; i < c->record.step_count; i++)
        if (c->record.steps[i].result == RECORD_ERROR)
            fail_msg("%s\n%s", c->record.steps[i].message, buf_text(&o->text));
}

static const struct verdict_finding *recovery_of(const struct case_run *c)
{
    for (size_t i = 0; i < c->judged.findings.count; i++)
        if (strcmp(c->judged.findings.items[i].rule, "recovery") == 0)
            return &c->judged.findings.items[i];
    return NULL;
}

/* The first step to blame is the last sign step: not one that met the outage. Behind the rollback
 * the client falls back again. */
static void check_broken(struct outage *o)
{
    struct case_run c CLEANUP(case_done);
    run(o, &c, true);
    const struct verdict_finding *found = recovery_of(&c);
    if (found == NULL || found->step != o->number || strstr(found->text, "(and 1 more") == NULL)
        fail_msg("expected recovery to be violated in step %zu, %s in\n%s", o->number,
                 found == NULL ? "it is not" : found->text, buf_text(&o->text));
}

static void check_good(struct outage *o)
{
    struct case_run c CLEANUP(case_done);
    run(o, &c, false);
    const struct verdict_finding *found = recovery_of(&c);
    if (found != NULL)
        fail_msg("%s in\n%s", found->text, buf_text(&o->text));
}

static size_t walk_second(struct outage *o, size_t verb_count,
                          const struct vault_machine_verb *verbs)
{
    size_t count = 0;
    for (size_t i = 0; i < verb_count; i++) {
        o->verbs[1] = &verbs[i];
        if (!write_scenario(o))
            continue;
        check_broken(o);
        if (count++ % GOOD_EVERY == 0)
            check_good(o);
    }
    return count;
}

static void test_recovery__is_judged_behind_all_pairs_of_verbs(void **state)
{
    (void)state;
    const struct vault_machine_verb *verbs = NULL;
    size_t verb_count = vault_machine_verbs(&verbs), count = 0;
    struct outage o = {.count = 2};
    buf_init(&o.text, 1u << 16);
    for (o.stack = 0; o.stack < VAULT_MACHINE_STACKS; o.stack++)
        for (size_t i = 0; i < verb_count; i++) {
            o.verbs[0] = &verbs[i];
            o.between = (i + o.stack) % 2 == 0;
            count += walk_second(&o, verb_count, verbs);
        }
    buf_done(&o.text);
    print_message("%zu pairs\n", count);
    assert_true(count > 1000);
}

static size_t draw(uint64_t *seed, size_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*seed >> 33) % below;
}

static void test_recovery__is_judged_behind_triples_of_verbs(void **state)
{
    (void)state;
    const struct vault_machine_verb *verbs = NULL;
    size_t verb_count = vault_machine_verbs(&verbs), count = 0;
    uint64_t seed = 1;
    struct outage o = {.count = 3};
    buf_init(&o.text, 1u << 16);
    for (size_t n = 0; n < TRIPLES; n++) {
        o.stack = (enum vault_machine_stack)(n % VAULT_MACHINE_STACKS);
        o.between = n % 2 == 0;
        for (size_t i = 0; i < 3; i++)
            o.verbs[i] = &verbs[draw(&seed, verb_count)];
        if (!write_scenario(&o))
            continue;
        check_broken(&o);
        count++;
    }
    buf_done(&o.text);
    print_message("%zu triples\n", count);
    assert_true(count > TRIPLES / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovery__is_judged_behind_all_pairs_of_verbs),
        cmocka_unit_test(test_recovery__is_judged_behind_triples_of_verbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
