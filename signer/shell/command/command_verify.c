#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "base/text/jsonwrite.h"
#include "signer/shell/command/command_line.h"
#include "signer/shell/command/commands.h"
#include "signer/shell/files/bundle_folder.h"
#include "signer/shell/files/fallback_file.h"
#include "signer/shell/files/trust_file.h"
#include "signer/shell/keyport_openssl.h"
#include "signer/shell/startup.h"

struct options {
    bool help;
};

static const struct flags_spec specs[] = {
    {"help", FLAGS_SWITCH, offsetof(struct options, help), NULL, "show this"},
};

static const struct command_line command = {
    .verb = "verify",
    .arguments = "FILE|DIR",
    .purpose = "Checks a manifest against the keys in TRUST_FILE, without Vault. Of a folder, it "
               "checks\nmanifest.json, and that bundle.json and the artefacts are still the signed "
               "ones.\nExit: 0 good, 1 not good, 2 no manifest.",
    .flags = {specs, COUNT(specs)},
    .help_offset = offsetof(struct options, help),
    .positionals_min = 1,
    .positionals_max = 1,
};

struct checked {
    const struct startup *startup;
    struct keyport keyport;
    struct trust trust;
    struct manifest manifest;
    struct trust_key key;
};

static const char *const roles[] = {
    [TRUST_VAULT] = "pinned", [TRUST_RETIRED] = "retired", [TRUST_FALLBACK] = "fallback"};

/* While fallback is on, its present key is trusted as it is for signing. */
static bool is_current_fallback(struct checked *c)
{
    const struct config *config = &c->startup->config;
    struct secret seed CLEANUP(secret_done) = {0};
    if (!config->allow_fallback ||
        fallback_file_read(config->fallback_key_file, c->startup->arena, &seed, NULL) !=
            FALLBACK_USABLE ||
        c->keyport.seed_public(c->keyport.context, secret_slice(&seed), &c->key.key, NULL) !=
            ERRC_OK)
        return false;
    c->key.role = TRUST_FALLBACK;
    return strcmp(c->key.key.fingerprint, c->manifest.key_fingerprint) == 0;
}

static enum errc find_key(struct checked *c, struct errc_why *why)
{
    const struct trust_key *known = trust_find(&c->trust, c->manifest.key_fingerprint);
    if (known != NULL)
        c->key = *known;
    else if (!is_current_fallback(c))
        return errc_fail(why, ERRC_CRYPTO, "the key %.80s is not trusted",
                         c->manifest.key_fingerprint);
    bool local = c->key.role == TRUST_FALLBACK;
    if (local != (c->manifest.mode == MANIFEST_FALLBACK))
        return errc_fail(why, ERRC_CRYPTO, "the manifest says mode %s but its key is the %s one",
                         manifest_mode_text(c->manifest.mode), local ? "fallback" : "Vault");
    return ERRC_OK;
}

static enum errc check_signature(struct checked *c, struct errc_why *why)
{
    enum keyport_kind kind = KEYPORT_ED25519;
    int64_t version = 0;
    struct buf raw CLEANUP(buf_done);
    buf_init(&raw, 512);
    TRY(keyport_parse_signature(slice_of(c->manifest.signature), &kind, &version, &raw, why));
    if (kind != c->key.key.kind || version != c->key.version)
        return errc_fail(why, ERRC_CRYPTO,
                         "the signature is of another kind or key version than the key %s",
                         c->key.key.fingerprint);
    return c->keyport.verify(c->keyport.context, &c->key.key, buf_slice(&c->manifest.pae),
                             buf_slice(&raw), why);
}

static enum errc check_folder(const char *folder, const struct manifest *manifest,
                              struct errc_why *why)
{
    char path[LIMIT_PATH_BYTES], hash[MANIFEST_CHECKSUM_BYTES];
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    TRY(bundle_folder_path(folder, BUNDLE_FOLDER_FILE, path, sizeof path, why));
    if (access(path, F_OK) != 0)
        return ERRC_OK;
    if (bundle_folder_read(folder, &bundle, why) != ERRC_OK)
        return ERRC_CRYPTO;
    TRY(manifest_inputs_hash(&bundle, hash, why));
    if (strcmp(hash, manifest->hash) != 0)
        return errc_fail(why, ERRC_CRYPTO, "bundle.json or its artefacts changed after signing");
    return ERRC_OK;
}

static enum errc read_manifest(const char *target, bool *is_folder, struct manifest *out,
                               struct errc_why *why)
{
    char path[LIMIT_PATH_BYTES];
    struct stat st;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_MANIFEST_BYTES + 1024);
    *is_folder = stat(target, &st) == 0 && S_ISDIR(st.st_mode);
    if (*is_folder)
        TRY(bundle_folder_path(target, BUNDLE_FOLDER_MANIFEST, path, sizeof path, why));
    const char *file = *is_folder ? path : target;
    TRY(file_read(file, &text, why));
    enum errc code = manifest_parse(buf_slice(&text), out, why);
    if (code != ERRC_OK)
        errc_prefix(why, "%.200s", file);
    return code;
}

static enum errc check(struct checked *c, const char *target, struct errc_why *why)
{
    bool is_folder = false;
    TRY(read_manifest(target, &is_folder, &c->manifest, why));
    TRY(trust_file_read(c->startup->config.trust_file, &c->keyport, &c->trust, why));
    TRY(find_key(c, why));
    TRY(check_signature(c, why));
    return is_folder ? check_folder(target, &c->manifest, why) : ERRC_OK;
}

static bool print_good(const struct checked *c)
{
    struct jsonwrite w;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 4096);
    jsonwrite_init(&w, &line, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "bundleRunId", c->manifest.bundle_run_id);
    jsonwrite_bool(&w, "valid", true);
    jsonwrite_string(&w, "signingMode", manifest_mode_text(c->manifest.mode));
    jsonwrite_string(&w, "reason", c->manifest.reason);
    jsonwrite_string(&w, "keyFingerprint", c->key.key.fingerprint);
    jsonwrite_string(&w, "key", roles[c->key.role]);
    jsonwrite_end(&w);
    buf_add_char(&line, '\n');
    return command_line_print(&line);
}

static int verify(const struct startup *startup, const char *target)
{
    struct errc_why why = {0};
    struct checked c = {.startup = startup, .keyport = keyport_openssl()};
    enum errc code = check(&c, target, &why);
    int exit_code = COMMANDS_DONE;
    if (code == ERRC_OK)
        exit_code = print_good(&c) ? COMMANDS_DONE : COMMANDS_FAILED;
    else
        exit_code = command_line_fail("verify", &why,
                                      errc_class(code) == ERRC_CLASS_INVALID ||
                                              errc_class(code) == ERRC_CLASS_MISSING
                                          ? COMMANDS_INVALID
                                          : COMMANDS_FAILED);
    manifest_done(&c.manifest);
    trust_done(&c.trust);
    return exit_code;
}

int command_verify(int argc, char *const argv[])
{
    struct options options = {0};
    const char *positionals[COMMAND_LINE_POSITIONALS];
    struct errc_why why = {0};
    struct startup startup CLEANUP(startup_done) = {0};
    int exit_code = COMMANDS_DONE;
    if (!command_line_parse(&command, argc, argv, &options, positionals, &exit_code))
        return exit_code;
    if (startup_open(CONFIG_NEED_TRUST, &startup, &why) != ERRC_OK)
        return command_line_fail("verify", &why, COMMANDS_INVALID);
    return verify(&startup, positionals[0]);
}
