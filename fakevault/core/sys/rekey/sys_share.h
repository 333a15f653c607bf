/*
 * sys_share: what init, unseal, rekey and generate-root have in common: a share in a request, new
 * shares in an answer, PGP keys.
 */
#pragma once

#include "fakevault/core/call.h"

/* Reads "key" of the body; answers and returns false when it is missing or unreadable. `or_else`
 * goes on the sentence that asks for it. */
bool sys_share_read(struct vault_job *job, const char *or_else, struct secret *out);

/* Writes "keys" and "keys_base64" of `shares` pieces that seal_split made. */
void sys_share_write(struct vault_job *job, struct jsonwrite *w, const uint8_t *pieces,
                     unsigned shares);

/* Refuses a PGP key, with which this server does not encrypt; `before` is put before the sentence.
 */
void sys_share_refuse_pgp(struct vault_job *job, const json_t *key, int status, const char *before);

/* Makes a new unseal key and its pieces, both in the arena. ERRC_NOMEM. */
MUST_USE enum errc sys_share_draw(struct vault *v, unsigned shares, unsigned threshold,
                                  struct secret *key, struct secret *pieces);
