/*
 * stack_signer: the services and the command in a stack.
 */
#pragma once

#include <stdbool.h>

#include "base/errc.h"
#include "chaos/shell/stack/stack.h"

/* Fills the environment that every signer of the stack gets. */
MUST_USE enum errc stack_signer_environment(struct stack *stack, struct errc_why *why);

/* Lays variables over an environment. One that is set in place of another takes it away. */
MUST_USE enum errc stack_signer_overlay(const struct stack *stack, struct envmap *map,
                                        const struct scenario_pair *pairs, size_t count,
                                        struct errc_why *why);

/* Starts services with the environment that each was created with, and waits until all serve.
 * ERRC_STATE when one runs already. */
MUST_USE enum errc stack_signer_start(struct stack *stack, struct stack_service *const services[],
                                      size_t count, struct errc_why *why);

/* Starts a service with variables on top of its own, which it must refuse: ERRC_RANGE unless it
 * ends with exit code 2 before it serves. It does not run afterwards, and has its own environment
 * again. ERRC_STATE when it runs already. */
MUST_USE enum errc stack_signer_refused(struct stack *stack, struct stack_service *s,
                                        const struct scenario_pair *pairs, size_t count,
                                        struct errc_why *why);

/* Starts the subject with arguments (templates, NULL-terminated) in the given environment; its
 * standard output goes to out_path, its standard error to logs/NAME.log. */
MUST_USE enum errc stack_signer_spawn(struct stack *stack, const char *name,
                                      const char *const *arguments,
                                      const struct subject_template_values *values,
                                      const struct envmap *environment, const char *out_path,
                                      struct proc *out, struct errc_why *why);

/* The environment of what is not rehearsed, set-up and questions: the scenario's, without its
 * numbers, which may be made for haste. patient: with such that it does not fail because the
 * machine is busy. ERRC_NOMEM. */
MUST_USE enum errc stack_signer_standard(const struct stack *stack, bool patient,
                                         struct envmap *out, struct errc_why *why);

/* Asks the subject whether it reaches Vault; *end has its exit code. With its standard time-outs,
 * not the scenario's. ERRC_TIMEOUT. */
MUST_USE enum errc stack_signer_status(struct stack *stack, struct proc_end *end,
                                       struct errc_why *why);

/* Has the subject pin Vault's key, patiently; Vault's keys are lawful from now on. ERRC_STATE when
 * it refuses. */
MUST_USE enum errc stack_signer_accept(struct stack *stack, struct errc_why *why);
