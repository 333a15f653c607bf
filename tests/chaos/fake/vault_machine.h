/*
 * vault_machine: a Vault in a few lines, stepped by the verbs of scenarios: what a verb does to
 * process, listener, seal, rules, keys and files, told once more and in another way than
 * condition.h tells it, so that tests can hold one against the other.
 *
 * It knows nothing of bits that are set and cleared: it has a process that lives or not, and its
 * bits are read off that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VAULT_MACHINE_RULES_MAX 8u

struct vault_machine;

/* A verb with its arguments, as the method of a scenario has it. */
struct vault_machine_verb {
    const char *step;   /* YAML of the step */
    const char *before; /* steps without which lint refuses it; "" */
    unsigned stacks;    /* bits 1 << enum vault_machine_stack */
    void (*act)(struct vault_machine *m);
    bool (*possible)(const struct vault_machine *m); /* NULL: as long as its row allows it */
};

enum vault_machine_stack { VAULT_MACHINE_FILE, VAULT_MACHINE_INMEM, VAULT_MACHINE_DEV };
#define VAULT_MACHINE_STACKS 3u

/* What a rule does to the request that it takes. */
enum vault_machine_effect {
    VAULT_MACHINE_RESPOND,
    VAULT_MACHINE_SEAL,
    VAULT_MACHINE_REFUSE,
    VAULT_MACHINE_HANG,
    VAULT_MACHINE_CRASH,
};

struct vault_machine_rule {
    enum vault_machine_effect effect;
    int left; /* requests that it still takes; -1: all */
    bool taken;
    size_t step; /* that armed it */
};

struct vault_machine {
    enum vault_machine_stack stack;
    int threshold;
    bool alive, frozen, accepting, holding, initialised, sealed;
    bool distrusted; /* serves a certificate that nobody may trust, whoever serves it */
    int entered;     /* unseal keys */
    struct vault_machine_rule rules[VAULT_MACHINE_RULES_MAX];
    size_t rule_count;
    int key, pinned, keys; /* the signing key there is (0: none), the one that is trusted, made */
    bool file_there, file_safe;
    size_t step; /* of now: what is armed belongs to it */
};

/* A healthy Vault. */
void vault_machine_init(struct vault_machine *m, enum vault_machine_stack stack, int threshold);

/* All verbs that change something, with the arguments that matter; returns how many. */
size_t vault_machine_verbs(const struct vault_machine_verb **out);

/* True when the verb can be carried out: its row's needs and excludes are bits of condition.h. */
bool vault_machine_can(const struct vault_machine *m, const struct vault_machine_verb *verb,
                       unsigned needs, unsigned excludes);

/* A request that a rule of that step would take arrives. Returns false when it does not get there,
 * or there is no such rule any more. */
bool vault_machine_request(struct vault_machine *m, size_t step);

/* The bits of condition.h that are so now. */
unsigned vault_machine_bits(const struct vault_machine *m);
