#include "chaos/core/judge/invariants/invariants_input.h"

#include "chaos/core/actors/actor_sign.h"
#include "chaos/core/subject/subject_answer.h"

/* docs/architecture.md, signer */
#define EXIT_INVALID 2
#define HTTP_CONFLICT 409

static bool was_signed(const struct world_call *told)
{
    return told->mode[0] != '\0' || told->exit == 0;
}

/* --- bundles --- */

static void check_other(struct invariants_case *c, const struct record_call *call)
{
    const struct world_call *told = &call->told;
    if (was_signed(told))
        invariants_case_caused(c, "conflict signed", call->plan->number,
                               "expected no signature for another content of bundle %s, the caller "
                               "was told that it is signed",
                               told->bundle);
    else if (told->http_status != 0 && told->http_status != HTTP_CONFLICT)
        invariants_case_caused(c, "conflict accepted", call->plan->number,
                               "expected status %d for another content of bundle %s, the caller "
                               "got %d",
                               HTTP_CONFLICT, told->bundle, told->http_status);
}

static void check_wrong(struct invariants_case *c, const struct record_call *call)
{
    if (was_signed(&call->told))
        invariants_case_caused(c, "wrong checksum", call->plan->number,
                               "expected no signature for bundle %s, whose checksum does not fit "
                               "its artefact, the caller was told that it is signed",
                               call->told.bundle);
}

void invariants_input_refused(struct invariants_case *c)
{
    for (size_t i = 0; i < c->record->call_count; i++) {
        const struct record_call *call = &c->record->calls[i];
        if (call->told.finished && actor_sign_is_other(call->plan->step))
            check_other(c, call);
        if (call->told.finished && actor_sign_is_wrong(call->plan->step))
            check_wrong(c, call);
    }
}

/* --- environments --- */

/* The first variable whose value none may have; NULL: all are good. */
static const struct scenario_pair *odd_one(const struct subject *subject,
                                           const struct record_contract *contract)
{
    for (size_t i = 0; i < contract->environment_count; i++) {
        const struct scenario_pair *pair = &contract->environment[i];
        if (variable_check_value(&subject->variables, pair->name, pair->value, NULL) != ERRC_OK)
            return pair;
    }
    return NULL;
}

void invariants_input_environment(struct invariants_case *c)
{
    const struct subject *subject = c->record->scenario->stack.subject;
    for (size_t i = 0; i < c->record->call_count; i++) {
        const struct record_call *call = &c->record->calls[i];
        const struct world_call *told = &call->told;
        const struct scenario_pair *odd = odd_one(subject, &call->contract);
        if (odd == NULL || !told->finished || told->signal != 0)
            continue;
        if (told->exit >= 0 && told->exit != EXIT_INVALID)
            invariants_case_caused(c, "exit", call->plan->number,
                                   "expected exit code %d with %s=%.40s, which it must refuse, got "
                                   "%d",
                                   EXIT_INVALID, odd->name, odd->value, told->exit);
        else if (told->exit < 0)
            invariants_case_caused(c, "service", call->plan->number,
                                   "expected no service to run with %s=%.40s, %s took a bundle",
                                   odd->name, odd->value, call->via);
    }
}
