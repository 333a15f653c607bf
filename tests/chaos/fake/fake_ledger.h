/*
 * fake_ledger: what Vault and the signer of a fake world write down.
 */
#pragma once

#include "base/text/stamp.h"
#include "tests/chaos/fake/fake_world.h"

#define FAKE_LEDGER_LINE_BYTES 8192u

/* Writes the time as the client's clock has it; returns room. */
const char *fake_ledger_client_stamp(const struct fake_world *f, int64_t ns,
                                     char room[static STAMP_BYTES]);

/* Takes the next of max lines, empty. */
struct buf *fake_ledger_line(struct buf *lines, size_t *count, size_t max);

/* Adds a record to the journal. rest: its further members. */
void fake_ledger_journal(struct fake_world *f, const char *kind, const char *rest);

/* Adds a sign request and its reply. rule: that took it, or NULL. */
void fake_ledger_request(struct fake_world *f, const char *input, int attempt, int status,
                         const char *signature_sha256, const char *rule);

/* Adds an entry to the trail. payload: its members. */
void fake_ledger_audit(struct fake_world *f, const char *via, const char *action,
                       const char *bundle, const char *payload);

/* Appends the line as the edits leave it; false when it is left out. */
bool fake_ledger_edit(const struct fake_world *f, enum fake_world_file file, size_t line,
                      bool behind, struct slice text, struct buf *out);

/* Appends the manifest that was published for the bundle; ERRC_NOT_FOUND when there is none. */
enum errc fake_ledger_manifest(const struct fake_world *f, const char *bundle, struct buf *out);
