#include "base/count.h"
#include "signer/shell/command/command_line.h"
#include "signer/shell/command/commands.h"
#include "signer/shell/files/fallback_file.h"
#include "signer/shell/signing.h"
#include "signer/shell/transport_curl.h"

struct options {
    bool help;
};

static const struct flags_spec specs[] = {
    {"help", FLAGS_SWITCH, offsetof(struct options, help), NULL, "show this"},
};

static const struct command_line command = {
    .verb = "status",
    .arguments = "",
    .purpose = "Asks Vault's health and prints \"Vault online\" (exit 0) or \"Vault offline\" "
               "(exit 1) with the reason.\nHealth is not proof that signing works: only a signed "
               "bundle is.",
    .flags = {specs, COUNT(specs)},
    .help_offset = offsetof(struct options, help),
};

/* Says whether the local key could take over now: an incident is too late to find out. */
static void describe_fallback(const struct startup *startup, struct buf *line)
{
    struct errc_why why = {0};
    struct secret seed CLEANUP(secret_done) = {0};
    if (!startup->config.allow_fallback) {
        buf_add_text(line, "fallback signing off\n");
        return;
    }
    enum fallback_verdict verdict =
        fallback_file_read(startup->config.fallback_key_file, startup->arena, &seed, &why);
    if (verdict == FALLBACK_USABLE)
        buf_add_text(line, "fallback signing allowed\n");
    else
        buf_addf(line, "fallback signing allowed, but not possible: %s\n", why.text);
}

int command_status(int argc, char *const argv[])
{
    struct options options = {0};
    const char *positionals[COMMAND_LINE_POSITIONALS];
    struct errc_why why = {0};
    struct startup startup CLEANUP(startup_done) = {0};
    struct transport_curl *curl = NULL;
    enum classify_class class = CLASSIFY_OK;
    struct buf line CLEANUP(buf_done);
    int exit_code = COMMANDS_DONE;
    buf_init(&line, 2 * ERRC_WHY_MAX);
    if (!command_line_parse(&command, argc, argv, &options, positionals, &exit_code))
        return exit_code;
    if (startup_open(0, &startup, &why) != ERRC_OK ||
        transport_curl_open(&startup.config, NULL, &curl, &why) != ERRC_OK)
        return command_line_fail("status", &why, COMMANDS_INVALID);
    const struct transport transport = transport_curl_port(curl);
    enum errc code =
        signing_probe(&transport, startup.config.retry.attempt_timeout_ms, &class, &why);
    transport_curl_close(curl);
    if (code == ERRC_OK)
        buf_addf(&line, "Vault online\n");
    else
        buf_addf(&line, "Vault offline: %s\n", why.text);
    describe_fallback(&startup, &line);
    return command_line_print(&line) && code == ERRC_OK ? COMMANDS_DONE : COMMANDS_FAILED;
}
