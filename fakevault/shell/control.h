/*
 * control: everything that the control API and the rules can change, behind one lock: the Vault
 * core, the rules, the listener, the hold, the generation.
 *
 * Each verb is atomic, is recorded in the journal, and never waits for traffic: the lock is held
 * for a core call at most, never for cryptography of a request or for a socket.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/fault.h"
#include "fakevault/shell/gate.h"
#include "fakevault/shell/hold.h"
#include "fakevault/shell/journal_file.h"

struct vault;
struct control;

struct control_ports {
    struct vault *vault; /* guarded by the control's lock from now on */
    struct gate *gate;
    struct hold *hold;
    struct journal_file *journal;
    struct clock clock;
    const struct entropy *entropy;
    const char *storage; /* "inmem", "file" */
    uint64_t seed;
};

/* Makes the boot_id. Lends the ports. */
MUST_USE enum errc control_new(const struct control_ports *ports, struct control **out,
                               struct errc_why *why);
void control_free(struct control *control); /* NULL allowed */

const char *control_boot_id(const struct control *control);

/* Writes generation and boot_id, which every answer carries. */
void control_format_head(struct control *control, struct jsonwrite *w);

/* Writes the fields of GET /state. */
void control_format_state(struct control *control, struct jsonwrite *w);

/* The verbs. Each writes its result's fields into w (an open object). */
MUST_USE enum errc control_seal(struct control *control, struct jsonwrite *w, struct errc_why *why);
MUST_USE enum errc control_unseal(struct control *control, const json_t *shares,
                                  struct jsonwrite *w, struct errc_why *why);
MUST_USE enum errc control_listener(struct control *control, bool accept, bool drain,
                                    struct jsonwrite *w, struct errc_why *why);
MUST_USE enum errc control_hold(struct control *control, bool active, struct jsonwrite *w,
                                struct errc_why *why);
MUST_USE enum errc
control_crash(struct control *control, struct jsonwrite *w,
              struct errc_why *why); /* the record only; the kill is control_die */
MUST_USE enum errc control_reset(struct control *control, struct jsonwrite *w,
                                 struct errc_why *why);
_Noreturn void control_die(void); /* SIGKILL to oneself */

void control_faults_list(struct control *control, struct jsonwrite *w);
MUST_USE enum errc control_faults_get(struct control *control, const char *id, struct jsonwrite *w,
                                      struct errc_why *why);
MUST_USE enum errc control_faults_add(struct control *control, const json_t *rule,
                                      struct jsonwrite *w, struct errc_why *why);
MUST_USE enum errc control_faults_set(struct control *control, const json_t *rules,
                                      struct jsonwrite *w, struct errc_why *why);
MUST_USE enum errc control_faults_patch(struct control *control, const char *id,
                                        const json_t *change, struct jsonwrite *w,
                                        struct errc_why *why);
MUST_USE enum errc control_faults_remove(struct control *control, const char *id,
                                         struct jsonwrite *w, struct errc_why *why);
