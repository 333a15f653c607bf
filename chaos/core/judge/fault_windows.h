/*
 * fault_windows: when Vault was not healthy by the scenario's own doing.
 *
 * A step that declares a fault opens a window; another one closes it (seal by
 * unseal, refuse by accept …). A durable Vault that starts is sealed until it
 * is unsealed: that window is implied, and need not be met.
 */
#pragma once

#include <stdbool.h>

#include "chaos/core/runner.h"

/* Takes note of a step that was carried out at from_ns..to_ns (wall clock). rule: the id that its
 * fault rule got. Requires room in run->faults for two more. */
void fault_windows_note(struct runner *run, const struct plan_step *plan, const char *rule,
                        int64_t from_ns, int64_t to_ns);

/* True when any window overlaps the stretch of time. */
bool fault_windows_overlap(const struct runner *run, int64_t from_ns, int64_t to_ns);

/* True when any window in which no request could reach Vault overlaps it: it was dead, frozen,
 * restarting, or refused connections. */
bool fault_windows_unreachable(const struct runner *run, int64_t from_ns, int64_t to_ns);
