/*
 * sys_rekey: sys/rekey/init, update and verify (vault-api.md 2.15): new shares for a new unseal
 * key. No token is needed: whoever has enough shares may.
 */
#pragma once

#include "fakevault/core/call.h"

/* Answers and returns false while sealed. */
bool sys_rekey_is_open(struct vault_job *job);

/* Reads and checks the share of an update or verify; answers and returns false. */
bool sys_rekey_share(struct vault_job *job, struct secret *out);

/* Writes what a rekey has made to the store, root key and number of shares in one, and takes it
 * over; answers and returns false when it cannot. */
bool sys_rekey_store(struct vault_job *job, const char *trouble, struct slice key);

/* GET, PUT and DELETE sys/rekey/verify; sys_verify.c. */
void sys_verify_prepare(struct vault_job *job);
void sys_verify_read(struct vault_job *job);
void sys_verify_update(struct vault_job *job);
void sys_verify_restart(struct vault_job *job);
