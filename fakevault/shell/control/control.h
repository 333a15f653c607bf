/*
 * control: everything that the control API and the rules can change, behind one lock: the Vault
 * core and the outage (outage.h), whose orders are carried out here.
 *
 * Each verb is atomic, is recorded in the journal, and never waits for traffic: the lock is held
 * for a core call at most, never for the cryptography of a request, for a socket or for the disk.
 *
 * Order of locks: control, then gate or hold or journal.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/outage/outage.h"
#include "fakevault/shell/control/control_ports.h"

struct control;

/* Makes the boot_id, starts the thread that ends leases. Lends the ports. */
MUST_USE enum errc control_new(const struct control_ports *ports, struct control **out,
                               struct errc_why *why);
void control_free(struct control *control); /* NULL allowed */

const char *control_boot_id(const struct control *control);

/* Writes generation and boot_id, which every answer carries. */
void control_format_head(struct control *control, struct jsonwrite *w);

/* Writes the fields of GET /state. */
void control_format_state(struct control *control, struct jsonwrite *w);

/* Appends the same in Prometheus' text format. */
void control_format_metrics(struct control *control, struct buf *out);

/* ---- verbs: each writes the head and its result's fields into w (an open object); nothing on
 * failure ---- */

void control_seal(struct control *control, struct jsonwrite *w);

/* Gives shares until the vault is unsealed. ERRC_SCHEMA, else as vault_unseal_share; shares before
 * a bad one count. */
MUST_USE enum errc control_unseal(struct control *control, const json_t *shares,
                                  struct jsonwrite *w, struct errc_why *why);

MUST_USE enum errc control_listener(struct control *control, bool accept, bool drain,
                                    struct jsonwrite *w, struct errc_why *why);

/* Off lets go what rules hold, too: the requests, not the rules. */
void control_hold(struct control *control, bool active, struct jsonwrite *w);

/* Only records it; the kill is control_die, once the answer is out. */
void control_crash(struct control *control, struct jsonwrite *w);
_Noreturn void control_die(void);

/* Rules, counters, hold and listener as at the start. */
MUST_USE enum errc control_reset(struct control *control, struct jsonwrite *w,
                                 struct errc_why *why);

/* ---- what traffic needs ---- */

struct control_sender {
    uint64_t conn;
    struct slice test;    /* X-Fakevault-Test */
    struct slice attempt; /* X-Signer-Attempt */
};

struct control_arrival {
    uint64_t seq;                    /* of its `request` record */
    struct outage_decision decision; /* to be given to outage_decision_done */
    struct vault_job *job;           /* NULL when it is held or a rule took it */
};

/*
 * A request has arrived: asks the rules, writes its record, begins its job. All under one hold of
 * the lock, so the journal's order is the order of the decisions.
 */
void control_arrive(struct control *control, const struct vault_request *request,
                    const struct control_sender *sender, struct control_arrival *out);

/* Holds a request that was to be held. ERRC_STATE when the reason is gone meanwhile, ERRC_NOMEM: it
 * is not held then. */
MUST_USE enum errc control_hold_put(struct control *control, void *item, int fd,
                                    const struct outage_decision *decision);

/* Applies the effect of the rule that took the request; it may not return. */
enum effect_course control_take(struct control *control, const struct outage_decision *decision);

struct vault_job *control_begin(struct control *control, const struct vault_request *request);
void control_end(struct control *control, struct vault_job *job, struct vault_reply *reply);

/* A request's end. */
void control_replied(struct control *control, const struct journal_reply *reply);

/* A connection's begin and end; recorded, and written by control_write at the latest. */
void control_conn(struct control *control, uint64_t conn, enum journal_how how);
void control_write(struct control *control);
