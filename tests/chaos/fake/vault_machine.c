#include "tests/chaos/fake/vault_machine.h"

#include "base/bug.h"
#include "base/count.h"
#include "chaos/core/condition.h"

#define ALL_STACKS 7u
#define WITH_TLS (1u << VAULT_MACHINE_FILE)
#define NOT_DEV (1u << VAULT_MACHINE_FILE | 1u << VAULT_MACHINE_INMEM)

void vault_machine_init(struct vault_machine *m, enum vault_machine_stack stack, int threshold)
{
    *m = (struct vault_machine){
        .stack = stack,
        .threshold = threshold,
        .alive = true,
        .accepting = true,
        .initialised = true,
        .key = 1,
        .pinned = 1,
        .keys = 1,
        .file_there = true,
        .file_safe = true,
    };
}

/* --- the process --- */

static void die(struct vault_machine *m)
{
    m->alive = m->frozen = m->accepting = m->holding = false;
    m->rule_count = 0;
    m->entered = 0;
}

static void be_born(struct vault_machine *m)
{
    die(m);
    m->alive = m->accepting = true;
    m->sealed = m->stack != VAULT_MACHINE_DEV;
    if (m->stack == VAULT_MACHINE_FILE)
        return;
    m->key = 0;
    m->initialised = m->stack == VAULT_MACHINE_DEV;
}

static void be_born_anew(struct vault_machine *m)
{
    be_born(m);
    m->initialised = true;
    m->sealed = false;
    m->key = 0;
}

static void freeze(struct vault_machine *m)
{
    m->frozen = true;
}

static void thaw(struct vault_machine *m)
{
    m->frozen = false;
}

/* --- seal --- */

static void seal(struct vault_machine *m)
{
    m->sealed = true;
    m->entered = 0;
}

static void unseal(struct vault_machine *m)
{
    if (m->sealed && ++m->entered >= m->threshold) {
        m->sealed = false;
        m->entered = 0;
    }
}

static void unseal_one(struct vault_machine *m)
{
    unseal(m);
}

static void unseal_two(struct vault_machine *m)
{
    unseal(m);
    unseal(m);
}

static void unseal_all(struct vault_machine *m)
{
    for (int i = 0; i < m->threshold; i++)
        unseal(m);
}

static bool is_initialised(const struct vault_machine *m)
{
    return m->initialised;
}

/* --- listener, holds and rules --- */

static void close_listener(struct vault_machine *m)
{
    m->accepting = false;
}

static void open_listener(struct vault_machine *m)
{
    m->accepting = true;
}

static void serve_another(struct vault_machine *m)
{
    m->distrusted = true;
    m->accepting = true; /* it listens anew */
}

static void serve_good(struct vault_machine *m)
{
    m->distrusted = false;
    m->accepting = true;
}

static void hold(struct vault_machine *m)
{
    m->holding = true;
}

static void remove_rules(struct vault_machine *m, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->rule_count && !all; i++)
        if (m->rules[i].effect != VAULT_MACHINE_HANG)
            m->rules[kept++] = m->rules[i];
    m->rule_count = kept;
}

static void let_go(struct vault_machine *m)
{
    m->holding = false;
    remove_rules(m, false);
}

static void reset(struct vault_machine *m)
{
    m->holding = false;
    m->accepting = true;
    remove_rules(m, true);
}

static void arm(struct vault_machine *m, enum vault_machine_effect effect, int times)
{
    CHECK(m->rule_count < VAULT_MACHINE_RULES_MAX);
    m->rules[m->rule_count++] =
        (struct vault_machine_rule){.effect = effect, .left = times, .step = m->step};
}

static void respond(struct vault_machine *m)
{
    arm(m, VAULT_MACHINE_RESPOND, -1);
}

static void respond_once(struct vault_machine *m)
{
    arm(m, VAULT_MACHINE_RESPOND, 1);
}

static void respond_twice(struct vault_machine *m)
{
    arm(m, VAULT_MACHINE_RESPOND, 2);
}

static void arm_seal(struct vault_machine *m)
{
    arm(m, VAULT_MACHINE_SEAL, 1);
}

static void arm_refuse(struct vault_machine *m)
{
    arm(m, VAULT_MACHINE_REFUSE, 1);
}

static void arm_hang(struct vault_machine *m)
{
    arm(m, VAULT_MACHINE_HANG, -1);
}

static void arm_crash(struct vault_machine *m)
{
    arm(m, VAULT_MACHINE_CRASH, 1);
}

static void nothing(struct vault_machine *m)
{
    (void)m;
}

bool vault_machine_request(struct vault_machine *m, size_t step)
{
    static void (*const effects[])(struct vault_machine * m) = {
        [VAULT_MACHINE_RESPOND] = nothing,
        [VAULT_MACHINE_SEAL] = seal,
        [VAULT_MACHINE_REFUSE] = close_listener,
        [VAULT_MACHINE_HANG] = nothing,
        [VAULT_MACHINE_CRASH] = die,
    };
    if (!m->alive || m->frozen || !m->accepting || m->holding || m->distrusted)
        return false;
    for (size_t i = 0; i < m->rule_count; i++) {
        struct vault_machine_rule *rule = &m->rules[i];
        if (rule->step != step || rule->left == 0)
            continue;
        rule->left -= rule->left > 0;
        rule->taken = true;
        effects[rule->effect](m);
        return true;
    }
    return false;
}

/* --- keys --- */

static void make_key(struct vault_machine *m)
{
    m->key = ++m->keys;
}

static void delete_key(struct vault_machine *m)
{
    m->key = 0;
}

static bool has_key(const struct vault_machine *m)
{
    return m->key != 0;
}

static void pin(struct vault_machine *m)
{
    m->pinned = m->key;
}

static void put_file(struct vault_machine *m)
{
    m->file_there = m->file_safe = true;
}

static void remove_file(struct vault_machine *m)
{
    m->file_there = m->file_safe = false;
}

static void open_file(struct vault_machine *m)
{
    m->file_safe = false;
}

static void shut_file(struct vault_machine *m)
{
    m->file_safe = true;
}

static bool has_file(const struct vault_machine *m)
{
    return m->file_there;
}

static void bootstrap(struct vault_machine *m)
{
    if (m->key == 0)
        make_key(m);
    if (!m->file_there)
        put_file(m);
}

/* --- all --- */

static const struct vault_machine_verb verbs[] = {
    {"vault: seal", "", ALL_STACKS, seal, NULL},
    {"vault: {seal: at_request}", "", ALL_STACKS, arm_seal, NULL},
    {"vault: {unseal: 1}", "", ALL_STACKS, unseal_one, is_initialised},
    {"vault: {unseal: 2}", "", NOT_DEV, unseal_two, is_initialised},
    {"vault: {unseal: 3}", "", NOT_DEV, unseal_all, is_initialised},
    {"vault: {respond: 503}", "", ALL_STACKS, respond, NULL},
    {"vault: {respond: 503, times: 1}", "", ALL_STACKS, respond_once, NULL},
    {"vault: {respond: 503, times: 2}", "", ALL_STACKS, respond_twice, NULL},
    {"vault: refuse", "", ALL_STACKS, close_listener, NULL},
    {"vault: {refuse: now, drain: true}", "", ALL_STACKS, close_listener, NULL},
    {"vault: {refuse: at_request}", "", ALL_STACKS, arm_refuse, NULL},
    {"vault: accept", "", ALL_STACKS, open_listener, NULL},
    {"vault: hang", "", ALL_STACKS, hold, NULL},
    {"vault: {hang: at_request}", "", ALL_STACKS, arm_hang, NULL},
    {"vault: resume", "", ALL_STACKS, let_go, NULL},
    {"vault: crash", "", ALL_STACKS, die, NULL},
    {"vault: {crash: at_request}", "", ALL_STACKS, arm_crash, NULL},
    {"vault: stop", "", ALL_STACKS, die, NULL},
    {"vault: kill", "", ALL_STACKS, die, NULL},
    {"vault: start", "  - vault: stop\n", ALL_STACKS, be_born, NULL},
    {"vault: restart", "", ALL_STACKS, be_born, NULL},
    {"vault: {restart: wipe}", "", ALL_STACKS, be_born_anew, NULL},
    {"vault: pause", "", ALL_STACKS, freeze, NULL},
    {"vault: unpause", "  - vault: pause\n", ALL_STACKS, thaw, NULL},
    {"vault: {certificate: expired}", "", WITH_TLS, serve_another, NULL},
    {"vault: {certificate: good}", "", WITH_TLS, serve_good, NULL},
    {"vault: reset", "", ALL_STACKS, reset, NULL},
    {"vault: bootstrap", "", ALL_STACKS, bootstrap, NULL},
    {"vault: rotate_key", "", ALL_STACKS, nothing, has_key},
    {"vault: recreate_key", "", ALL_STACKS, make_key, has_key},
    {"vault: delete_key", "", ALL_STACKS, delete_key, has_key},
    {"trust: accept", "", ALL_STACKS, pin, has_key},
    {"fallback_key: write", "", ALL_STACKS, put_file, NULL},
    {"fallback_key: remove", "", ALL_STACKS, remove_file, has_file},
    {"fallback_key: {chmod: \"0644\"}", "", ALL_STACKS, open_file, has_file},
    {"fallback_key: {chmod: \"0600\"}", "", ALL_STACKS, shut_file, has_file},
    {"fallback_key: rotate", "", ALL_STACKS, put_file, NULL},
};

size_t vault_machine_verbs(const struct vault_machine_verb **out)
{
    *out = verbs;
    return COUNT(verbs);
}

bool vault_machine_can(const struct vault_machine *m, const struct vault_machine_verb *verb,
                       unsigned needs, unsigned excludes)
{
    unsigned bits = vault_machine_bits(m);
    return (needs & ~bits) == 0 && (excludes & bits) == 0 &&
           (verb->possible == NULL || verb->possible(m));
}

static bool is_armed(const struct vault_machine *m)
{
    for (size_t i = 0; i < m->rule_count; i++)
        if (m->rules[i].left != 0)
            return true;
    return false;
}

static bool is_holding(const struct vault_machine *m)
{
    bool holding = m->holding;
    for (size_t i = 0; i < m->rule_count; i++)
        holding |= m->rules[i].effect == VAULT_MACHINE_HANG && m->rules[i].taken;
    return holding;
}

unsigned vault_machine_bits(const struct vault_machine *m)
{
    unsigned bits = 0;
    bits |= m->key != m->pinned ? CONDITION_KEY : 0u;
    bits |= !m->file_there ? CONDITION_FALLBACK_GONE : 0u;
    bits |= m->file_there && !m->file_safe ? CONDITION_FALLBACK_KEY : 0u;
    bits |= m->distrusted ? CONDITION_CERTIFICATE : 0u;
    if (!m->alive)
        return bits | CONDITION_GONE;
    bits |= m->frozen ? CONDITION_FROZEN : 0u;
    bits |= !m->accepting ? CONDITION_CLOSED : 0u;
    bits |= is_holding(m) ? CONDITION_HELD : 0u;
    bits |= m->sealed ? CONDITION_SEALED : 0u;
    bits |= is_armed(m) ? CONDITION_RULED : 0u;
    return bits;
}
