/*
 * envelope: what stands around an endpoint's answer on the wire (vault-api.md 1.3, 1.4, 1.7).
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/vault_reply.h"

/* Writes the reply for an answered job. Out of memory gives a 500 of its own, without a body when
 * even that cannot be had. */
void envelope_format(struct vault_job *job, struct vault_reply *reply);

/* Makes a reply a 500 with this body, whatever it was; what was executed stays so. */
void envelope_replace(struct vault_reply *reply, const char *body);

/* Appends the envelope of a good answer alone, without a newline: what is kept of an answer that is
 * wrapped. */
void envelope_plain(struct vault_job *job, struct buf *out);

/* The reply of a request for which there was no memory at all. */
void envelope_no_memory(struct vault_reply *reply);
