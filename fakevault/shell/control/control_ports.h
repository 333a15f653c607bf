/*
 * control_ports: what control has in its hands.
 */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "fakevault/core/vault.h"
#include "fakevault/shell/data/gate.h"
#include "fakevault/shell/data/hold.h"
#include "fakevault/shell/ports/journal_file.h"
#include "fakevault/shell/ports/vault_log.h"

struct control_ports {
    struct vault *vault; /* guarded by the control's lock from now on */
    struct gate *gate;
    struct hold *hold;
    struct journal_file *journal;
    struct clock clock;
    const struct entropy *entropy;
    const char *storage; /* "inmem", "file" */
    uint64_t seed;
    const struct vault_log *log; /* NULL: nothing is told */
};
