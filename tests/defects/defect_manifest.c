/*
 * defect_manifest: a field of the manifest is not what it should be. What is signed is what is
 * written, so that the signature holds.
 */
#include <stdio.h>
#include <string.h>

#include "tests/defects/defect.h"

#define NS_PER_HOUR (INT64_C(3600) * 1000000000)

static struct instant first;

static enum errc new_an_hour_off(const struct op_setup *setup, struct instant now, struct op **out,
                                 struct errc_why *why)
{
    defect_acts();
    now.wall_ns += NS_PER_HOUR;
    return __real_op_new(setup, now, out, why);
}
DEFECT(created_an_hour_off, .op_new = new_an_hour_off);

/* Every manifest of a process was created when its first was. */
static enum errc new_at_first(const struct op_setup *setup, struct instant now, struct op **out,
                              struct errc_why *why)
{
    if (first.wall_ns == 0)
        first = now;
    else
        defect_acts();
    now.wall_ns = first.wall_ns;
    return __real_op_new(setup, now, out, why);
}
DEFECT(created_with_the_first, .op_new = new_at_first);

static enum errc new_with_id(const struct op_setup *setup, struct instant now, struct op **out,
                             struct errc_why *why)
{
    struct op_setup changed = *setup;
    defect_acts();
    changed.manifest_id = "5f0c7f6e-3f0b-4a52-9c59-0f1a5f6f7a01";
    return __real_op_new(&changed, now, out, why);
}
DEFECT(manifest_id_same, .op_new = new_with_id);

/* The bundle's own id stands for the manifest's. */
static enum errc new_with_bundle_id(const struct op_setup *setup, struct instant now,
                                    struct op **out, struct errc_why *why)
{
    struct op_setup changed = *setup;
    defect_acts();
    changed.manifest_id = setup->bundle->bundle_run_id;
    return __real_op_new(&changed, now, out, why);
}
DEFECT(manifest_id_of_bundle, .op_new = new_with_bundle_id);

/* signingKeyId names version 7, in manifest and trail; the signature is of the pinned one. */
static enum errc manifest_v7(const struct manifest_bundle *bundle,
                             const struct manifest_terms *terms, const char *signature,
                             struct buf *out, struct errc_why *why)
{
    struct manifest_terms lie = *terms;
    if (terms->mode == MANIFEST_VAULT) {
        defect_acts();
        lie.signing_key_id = "docugen-manifest:v7";
    }
    return __real_manifest_format(bundle, &lie, signature, out, why);
}

static enum errc entry_v7(const struct audit_entry *entry, const char *previous, struct buf *out,
                          struct errc_why *why)
{
    struct audit_entry lie = *entry;
    if (entry->action == AUDIT_SIGNED && entry->mode == MANIFEST_VAULT)
        lie.signing_key_id = "docugen-manifest:v7";
    return __real_audit_format(&lie, previous, out, why);
}
DEFECT(signing_key_id_v7, .manifest_format = manifest_v7, .audit_format = entry_v7);

/* The key's name without its version. */
static enum errc manifest_bare(const struct manifest_bundle *bundle,
                               const struct manifest_terms *terms, const char *signature,
                               struct buf *out, struct errc_why *why)
{
    struct manifest_terms lie = *terms;
    defect_acts();
    lie.signing_key_id = terms->mode == MANIFEST_VAULT ? "docugen-manifest" : "local";
    return __real_manifest_format(bundle, &lie, signature, out, why);
}
DEFECT(signing_key_id_bare, .manifest_format = manifest_bare);

/* A fallback signature names Vault's key, in manifest and trail. */
static _Thread_local char pinned[KEYPORT_FINGERPRINT_BYTES];

static enum errc new_noting_pin(const struct op_setup *setup, struct instant now, struct op **out,
                                struct errc_why *why)
{
    (void)snprintf(pinned, sizeof pinned, "%s", setup->pin->key.fingerprint);
    return __real_op_new(setup, now, out, why);
}

static enum errc manifest_of_pin(const struct manifest_bundle *bundle,
                                 const struct manifest_terms *terms, const char *signature,
                                 struct buf *out, struct errc_why *why)
{
    struct manifest_terms lie = *terms;
    if (terms->mode == MANIFEST_FALLBACK) {
        defect_acts();
        lie.key_fingerprint = pinned;
    }
    return __real_manifest_format(bundle, &lie, signature, out, why);
}

static enum errc entry_of_pin(const struct audit_entry *entry, const char *previous,
                              struct buf *out, struct errc_why *why)
{
    struct audit_entry lie = *entry;
    if (entry->action == AUDIT_SIGNED && entry->mode == MANIFEST_FALLBACK) {
        defect_acts();
        lie.key_fingerprint = pinned;
    }
    return __real_audit_format(&lie, previous, out, why);
}
DEFECT(fingerprint_of_vaults_key, .op_new = new_noting_pin, .manifest_format = manifest_of_pin,
       .audit_format = entry_of_pin);
DEFECT(entry_fingerprint_of_vaults_key, .op_new = new_noting_pin, .audit_format = entry_of_pin);

/* An artefact is signed under another version than it was asked for. */
static enum errc manifest_of_other_version(const struct manifest_bundle *bundle,
                                           const struct manifest_terms *terms,
                                           const char *signature, struct buf *out,
                                           struct errc_why *why)
{
    const char *asked = bundle->artefacts[0].render_version;
    defect_acts();
    bundle->artefacts[0].render_version = "0";
    enum errc code = __real_manifest_format(bundle, terms, signature, out, why);
    bundle->artefacts[0].render_version = asked;
    return code;
}
DEFECT(render_version_changed, .manifest_format = manifest_of_other_version);
