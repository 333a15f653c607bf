/*
 * transit: what the endpoints of the transit engine share (vault-api.md 4). Those that make and
 * change keys are in keys/, those that use them in ops/.
 */
#pragma once

#include "fakevault/core/call.h"
#include "fakevault/core/transit/keyring/keyring.h"

#define TRANSIT_WRAPPING_KEY "import/wrapping-key" /* its name: no user's key has a '/' */

/* Finds a key of the mount by name. NULL: not there (not answered), or trouble (answered). */
struct keyring *transit_named(struct vault_job *job, struct slice name);

/* Finds the key that the path names. NULL: not there (not answered), or trouble (answered). */
struct keyring *transit_key(struct vault_job *job);
