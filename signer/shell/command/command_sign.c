#include <stdio.h>
#include <unistd.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/text/jsonwrite.h"
#include "signer/shell/command/command_line.h"
#include "signer/shell/command/commands.h"
#include "signer/shell/files/bundle_folder.h"
#include "signer/shell/signing.h"

struct options {
    bool help;
    const char *actor;
};

static const struct flags_spec specs[] = {
    {"actor", FLAGS_TEXT, offsetof(struct options, actor), "TYPE:ID",
     "who asks: cli-user, admin-user or automation, and an id (default cli-user:UID)"},
    {"help", FLAGS_SWITCH, offsetof(struct options, help), NULL, "show this"},
};

static const struct command_line command = {
    .verb = "sign",
    .arguments = "DIR [flags]",
    .purpose = "Signs the bundle DIR/bundle.json with Vault and writes DIR/manifest.json. Signed "
               "before: says so.\nExit: 0 signed, 1 refused or blocked, 2 invalid input.",
    .flags = {specs, COUNT(specs)},
    .help_offset = offsetof(struct options, help),
    .positionals_min = 1,
    .positionals_max = 1,
};

static void write_error(struct jsonwrite *w, const struct op_result *op)
{
    if (op->reason != NULL)
        jsonwrite_string(w, "reason", op->reason);
    jsonwrite_object(w, "error");
    jsonwrite_string(w, "code", op_error_text(op->error));
    jsonwrite_string(w, "message", op->message);
    jsonwrite_end(w);
}

static bool print_result(const struct manifest_bundle *bundle, const char *path,
                         const struct signing_result *result)
{
    bool good = result->op.status == OP_COMPLETED;
    struct jsonwrite w;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 4 * LIMIT_PATH_BYTES);
    jsonwrite_init(&w, &line, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "bundleRunId", bundle->bundle_run_id);
    jsonwrite_string(&w, "status", op_status_text(result->op.status));
    jsonwrite_string(&w, "signingMode", good ? manifest_mode_text(result->op.mode) : NULL);
    jsonwrite_int(&w, "attempts", result->attempts);
    jsonwrite_string(&w, "manifest", good ? path : NULL);
    jsonwrite_bool(&w, "already", result->already);
    if (good && result->reason[0] != '\0')
        jsonwrite_string(&w, "reason", result->reason);
    if (!good)
        write_error(&w, &result->op);
    jsonwrite_end(&w);
    buf_add_char(&line, '\n');
    return command_line_print(&line);
}

static enum errc choose_actor(const char *text, struct ids_actor *out, struct errc_why *why)
{
    char uid[24];
    if (text != NULL)
        return ids_actor_parse(text, out, why);
    (void)snprintf(uid, sizeof uid, "%lu", (unsigned long)geteuid());
    return ids_actor_make(IDS_CLI_USER, uid, out, why);
}

static int sign(const struct startup *startup, const struct manifest_bundle *bundle,
                const char *folder, const struct ids_actor *actor)
{
    char path[LIMIT_PATH_BYTES];
    struct errc_why why = {0};
    struct signing *signing = NULL;
    struct signing_result result;
    if (bundle_folder_path(folder, BUNDLE_FOLDER_MANIFEST, path, sizeof path, &why) != ERRC_OK)
        return command_line_fail("sign", &why, COMMANDS_INVALID);
    enum errc code = signing_open(startup, "cli", &signing, &why);
    if (code != ERRC_OK)
        return command_line_fail("sign", &why,
                                 code == ERRC_USAGE ? COMMANDS_INVALID : COMMANDS_FAILED);
    const struct signing_request request = {
        .bundle = bundle, .actor = actor, .manifest_path = path};
    signing_run(signing, &request, &result);
    signing_close(signing);
    bool printed = print_result(bundle, path, &result);
    if (result.code == ERRC_EXISTS)
        return COMMANDS_INVALID;
    return printed && result.op.status == OP_COMPLETED ? COMMANDS_DONE : COMMANDS_FAILED;
}

int command_sign(int argc, char *const argv[])
{
    struct options options = {0};
    const char *positionals[COMMAND_LINE_POSITIONALS];
    struct errc_why why = {0};
    struct startup startup CLEANUP(startup_done) = {0};
    struct manifest_bundle bundle CLEANUP(manifest_bundle_done) = {0};
    struct ids_actor actor;
    int exit_code = COMMANDS_DONE;
    if (!command_line_parse(&command, argc, argv, &options, positionals, &exit_code))
        return exit_code;
    if (choose_actor(options.actor, &actor, &why) != ERRC_OK ||
        startup_open(CONFIG_NEED_TOKEN | CONFIG_NEED_TRUST | CONFIG_NEED_AUDIT, &startup, &why) !=
            ERRC_OK)
        return command_line_fail("sign", &why, COMMANDS_INVALID);
    enum errc code = bundle_folder_read(positionals[0], &bundle, &why);
    bool ours = errc_class(code) == ERRC_CLASS_FATAL || errc_class(code) == ERRC_CLASS_TRANSIENT;
    if (code != ERRC_OK)
        return command_line_fail("sign", &why, ours ? COMMANDS_FAILED : COMMANDS_INVALID);
    return sign(&startup, &bundle, positionals[0], &actor);
}
