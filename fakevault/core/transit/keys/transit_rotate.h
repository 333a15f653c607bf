/*
 * transit_rotate: keys that rotate by themselves (auto_rotate_period, vault-api.md 4.2).
 *
 * Vault looks once an hour for keys whose last version is older than their period, and rotates each
 * once. So does this: there is no clock but that of the requests, so the first request behind the
 * hour carries the work along, whatever else it asks for. A key that was due for several periods
 * gets one new version. The hour begins at the unsealing.
 */
#pragma once

#include "fakevault/core/call.h"

/* Starts a look when it is time and none is under way; leaves what is due in job->rotate, and
 * changes nothing yet. Sets no_memory when memory is short: the next request tries again. Under the
 * lock, as end and drop. */
void transit_rotate_begin(struct vault_job *job);

/* Makes the new versions; without the lock. */
void transit_rotate_work(struct vault_job *job);

/* Stores them, unless the vault was sealed meanwhile. A key that cannot be made or stored stays as
 * it is until the next hour. */
void transit_rotate_end(struct vault_job *job);

/* Frees job->rotate. */
void transit_rotate_drop(struct vault_job *job);
