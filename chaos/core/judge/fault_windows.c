#include "chaos/core/judge/fault_windows.h"

#include <string.h>

/* What ends a fault, besides the same fault declared again. */
static const struct {
    enum verb_fault fault;
    enum verb_id closing;
} closers[] = {
    {VERB_FAULT_RULE, VERB_VAULT_RESET},
    {VERB_FAULT_RULE, VERB_VAULT_START},
    {VERB_FAULT_RULE, VERB_VAULT_RESTART},
    {VERB_FAULT_REFUSED, VERB_VAULT_ACCEPT},
    {VERB_FAULT_REFUSED, VERB_VAULT_START},
    {VERB_FAULT_REFUSED, VERB_VAULT_RESTART},
    {VERB_FAULT_HELD, VERB_VAULT_RESUME},
    {VERB_FAULT_HELD, VERB_VAULT_RESET},
    {VERB_FAULT_HELD, VERB_VAULT_START},
    {VERB_FAULT_HELD, VERB_VAULT_RESTART},
    {VERB_FAULT_DEAD, VERB_VAULT_START},
    {VERB_FAULT_DEAD, VERB_VAULT_RESTART},
    {VERB_FAULT_FROZEN, VERB_VAULT_UNPAUSE},
    {VERB_FAULT_FROZEN, VERB_VAULT_KILL},
    {VERB_FAULT_FROZEN, VERB_VAULT_RESTART},
    {VERB_FAULT_KEY, VERB_TRUST_ACCEPT},
    {VERB_FAULT_FALLBACK_KEY, VERB_FALLBACK_KEY_WRITE},
    {VERB_FAULT_FALLBACK_KEY, VERB_FALLBACK_KEY_ROTATE},
};

static bool ends(enum verb_fault fault, enum verb_id id)
{
    for (size_t i = 0; i < sizeof closers / sizeof closers[0]; i++)
        if (closers[i].fault == fault && closers[i].closing == id)
            return true;
    return false;
}

/* What a rule did outlives it: a Vault that crashed at a request stays down, one that was sealed
 * stays sealed. So such a rule ends as its effect does. */
static bool closes(const struct runner_fault *fault, const struct plan_step *plan)
{
    enum verb_fault kind = fault->plan->step->verb->fault;
    enum verb_id id = plan->step->verb->id;
    return fault->kind == VERB_FAULT_RULE && kind != VERB_FAULT_RULE && !fault->implied
               ? ends(kind, id) || (kind == VERB_FAULT_HELD && id == VERB_VAULT_RESET)
               : ends(fault->kind, id);
}

/* Unsealing takes threshold shares, in one step or in several. */
static bool unsealed_by(struct runner *run, const struct plan_step *plan)
{
    if (plan->step->verb->id != VERB_VAULT_UNSEAL)
        return false;
    run->shares_entered += (int)plan->step->main.number;
    if (run->shares_entered < run->scenario->stack.threshold)
        return false;
    run->shares_entered = 0;
    return true;
}

static bool is_sealing(const struct runner_fault *fault)
{
    return fault->kind == VERB_FAULT_SEALED ||
           (!fault->implied && fault->plan->step->verb->fault == VERB_FAULT_SEALED);
}

static void add_window(struct runner *run, const struct plan_step *plan, enum verb_fault kind,
                       bool implied, const char *rule, int64_t from_ns, int64_t made_ns)
{
    run->faults[run->fault_count++] = (struct runner_fault){
        .plan = plan,
        .kind = kind,
        .implied = implied,
        .rule = rule,
        .from_ns = from_ns,
        .made_ns = made_ns,
        .to_ns = INT64_MAX,
        .ending_ns = INT64_MAX,
        .evidence = "",
    };
}

static void end_window(struct runner_fault *fault, int64_t from_ns, int64_t to_ns)
{
    fault->ending_ns = from_ns;
    fault->to_ns = to_ns;
}

/* A Vault with storage is sealed when it comes back, a dev server never. */
static bool starts_sealed(const struct runner *run, enum verb_id id)
{
    return !run->scenario->stack.dev && (id == VERB_VAULT_START || id == VERB_VAULT_RESTART);
}

void fault_windows_note(struct runner *run, const struct plan_step *plan, const char *rule,
                        int64_t from_ns, int64_t to_ns)
{
    const struct verb *verb = plan->step->verb;
    bool unsealed = unsealed_by(run, plan);
    for (size_t i = 0; i < run->fault_count; i++) {
        struct runner_fault *fault = &run->faults[i];
        if (fault->to_ns == INT64_MAX && (closes(fault, plan) || (unsealed && is_sealing(fault))))
            end_window(fault, from_ns, to_ns);
    }
    if (verb->fault != VERB_FAULT_NONE)
        add_window(run, plan, scenario_fault_is_rule(plan->step) ? VERB_FAULT_RULE : verb->fault,
                   false, rule, from_ns, to_ns);
    if (starts_sealed(run, verb->id))
        add_window(run, plan, VERB_FAULT_SEALED, true, NULL, from_ns, to_ns);
}

bool fault_windows_overlap(const struct runner *run, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < run->fault_count; i++)
        if (run->faults[i].from_ns <= to_ns && run->faults[i].to_ns >= from_ns)
            return true;
    return false;
}

/* What keeps requests away from Vault, however the step brought it about. */
static bool keeps_away(enum verb_fault fault)
{
    return fault == VERB_FAULT_REFUSED || fault == VERB_FAULT_DEAD || fault == VERB_FAULT_FROZEN ||
           fault == VERB_FAULT_RESTARTED;
}

bool fault_windows_unreachable(const struct runner *run, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < run->fault_count; i++) {
        const struct runner_fault *fault = &run->faults[i];
        int64_t end_ns = fault->kind == VERB_FAULT_RESTARTED ? fault->made_ns : fault->to_ns;
        bool away = keeps_away(fault->implied ? fault->kind : fault->plan->step->verb->fault);
        if (away && fault->from_ns <= to_ns && end_ns >= from_ns)
            return true;
    }
    return false;
}
