/*
 * control_log: what the log tells of the state that control keeps: sealed, listener, hold.
 *
 * Whoever lets go of control's lock takes the changes under it and tells them without it, so that
 * a log that nobody reads holds up no verb.
 */
#pragma once

#include <stdbool.h>

#include "fakevault/shell/ports/vault_log.h"

struct control_log_state {
    bool sealed;
    bool closed;  /* the listener */
    bool holding; /* all requests, by the verb */
};

/* Tells what became different. */
void control_log_changes(const struct vault_log *log, const struct control_log_state *before,
                         const struct control_log_state *after, const char *address);

/* Tells that the process is about to be killed. */
void control_log_crash(const struct vault_log *log);
