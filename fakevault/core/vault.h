/*
 * vault: HashiCorp Vault 1.14.9 as a pure machine: a request goes in, a reply comes out, and
 * nothing is touched but the ports.
 *
 * A request takes four steps, so that neither a large body nor slow cryptography is ever dealt with
 * under the caller's lock:
 *
 *     job = vault_receive(v, &request);        no lock: read the request line and the body
 *     lock;
 *     vault_begin(v, job, now);                short: route, authorise, refer to keys
 *     facts = vault_job_facts(job);            what the request is about; nothing done yet
 *     unlock;
 *     vault_job_run(job);                      no lock: the cryptography
 *     lock;
 *     vault_end(v, job, now, &reply);          short: write the store, commit, answer
 *     unlock;
 *     vault_deliver(&reply);                   no lock: what the audit devices say about it
 *
 * All functions that take a `struct vault *` are to be called under one lock, but for
 * vault_receive; vault_job_run and vault_job_facts need none. Nothing is changed (in the store or
 * as seen by others) before vault_end, so between begin and run a job may be dropped with
 * vault_cancel: then the operation did not happen.
 *
 * Seal while jobs are open: a job whose vault_job_run has not started loses its keys at once and is
 * answered "Vault is sealed"; one that is inside vault_job_run finishes with its own reference to
 * the key, is answered truthfully when it only computed (sign, verify), and refused when it would
 * have to commit (make a key). A request that was held back for long should be cancelled and begun
 * anew.
 *
 * Facts: vault-api.md 1 to 6, recordings of Vault 1.14.9.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"
#include "fakevault/core/vault_ports.h"
#include "fakevault/core/vault_reply.h"
#include "fakevault/core/vault_request.h"

struct vault;
struct vault_job;

/* Starts on what the store holds: nothing yet (uninitialised) or a sealed vault. ERRC_SCHEMA when
 * the store holds something else, ERRC_IO, ERRC_NOMEM. The caller frees *out. */
MUST_USE enum errc vault_new(const struct vault_ports *ports, const struct vault_options *options,
                             struct vault **out, struct errc_why *why);

/* Seals and frees; no job may be open. NULL allowed. */
void vault_free(struct vault *v);

/* Returns a job, or NULL when out of memory; NULL is fine for all functions below and is answered
 * with a 500. Looks at nothing that changes in the vault, so it needs no lock. vault_begin has to
 * follow. */
struct vault_job *vault_receive(struct vault *v, const struct vault_request *request);

/* Never changes the vault as others see it. Whatever is wrong with the request is told by
 * vault_end. */
void vault_begin(struct vault *v, struct vault_job *job, struct instant now);

/* Borrows the facts; valid until vault_end or vault_cancel. Of a NULL job: all empty. */
const struct vault_facts *vault_job_facts(const struct vault_job *job);

/* Does the cryptography; once, from any thread, without the lock. Before that it writes the request
 * to the audit devices, which may block for as long as they like. */
void vault_job_run(struct vault_job *job);

/* True when a job is written to audit devices: running it and delivering its reply may block. Needs
 * no lock. */
bool vault_job_blocks(const struct vault_job *job);

/* Commits and answers. Frees the job. *reply needs no init; the caller ends it with
 * vault_reply_done.
 */
void vault_end(struct vault *v, struct vault_job *job, struct instant now,
               struct vault_reply *reply);

/* Writes the reply to the audit devices, without the lock; may block. When none of them takes it,
 * the reply becomes a 500, whatever was done. */
void vault_deliver(struct vault_reply *reply);

/* Drops a job that was begun and not run: it was never executed. */
void vault_cancel(struct vault *v, struct vault_job *job);

/* All steps in a row; for tests, simulation and whoever has one thread. */
void vault_handle(struct vault *v, const struct vault_request *request, struct instant now,
                  struct vault_reply *reply);

struct vault_state {
    bool initialized;
    bool sealed;
    int shares;
    int threshold;
    int progress;        /* shares given so far */
    const char *storage; /* "inmem" or "file" */
};

void vault_state(const struct vault *v, struct vault_state *out);

/* Seals at once and wipes every key; a sealed or uninitialised vault stays as it is. */
void vault_seal(struct vault *v);

/* Gives one share (hex or base64 text), as PUT sys/unseal does. ERRC_OK also while shares are still
 * missing (ask vault_state); ERRC_STATE when uninitialised, ERRC_SYNTAX for a share that is none,
 * ERRC_CRYPTO when the threshold was reached with wrong shares (progress is back at 0), ERRC_IO. */
MUST_USE enum errc vault_unseal_share(struct vault *v, struct slice share, struct instant now,
                                      struct errc_why *why);

/* What a dev server does at its start: one share, unsealed, kv version 2 at secret/, and a root
 * token with the given id (empty: one is made up). Appends the unseal key in base64 and the token;
 * the caller wipes them. ERRC_STATE when the store is initialised already. */
MUST_USE enum errc vault_dev_init(struct vault *v, struct slice root_token, struct instant now,
                                  struct buf *unseal_key, struct buf *token, struct errc_why *why);
