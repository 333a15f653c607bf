/*
 * rebuild: a signed manifest again, from its bundle and its entry in the audit trail.
 *
 * A crash between the MANIFEST_SIGNED entry and the manifest's rename leaves a signature that
 * counts and a manifest that is not there. Bundle and entry hold all of it; the result is
 * returned only if the signature verifies over it.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"
#include "signer/core/bundle/manifest.h"
#include "signer/core/keys/keyport.h"
#include "signer/core/keys/trust.h"
#include "signer/core/trail/audit.h"

/*
 * Appends the manifest's text. The key is the trusted one with the entry's fingerprint, or for a
 * fallback signature the one that the entry brings. ERRC_EXISTS: it was signed with other
 * content; ERRC_CRYPTO: the signature does not verify; ERRC_NOT_FOUND: its key is not known.
 */
MUST_USE enum errc rebuild_manifest(const struct manifest_bundle *bundle,
                                    const struct audit_signed *entry, const struct trust *trust,
                                    const struct keyport *keyport, struct buf *out,
                                    struct errc_why *why);

/* ERRC_EXISTS when the entry is of other content than the bundle's. */
MUST_USE enum errc rebuild_check_content(const struct manifest_bundle *bundle,
                                         const struct audit_signed *entry, struct errc_why *why);
