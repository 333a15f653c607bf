/* rekey and generate-root: operations to which the holders of shares add theirs, one at a time. */
#include <string.h>

#include "base/os/entropy_os.h"
#include "base/text/base64.h"
#include "fakevault/shell/cli/cli_args.h"
#include "fakevault/shell/cli/cli_output.h"
#include "fakevault/shell/cli/cli_shape.h"
#include "fakevault/shell/cli/commands/cli_commands.h"

#define TOKEN_MAX 4096u

static const char *text(const json_t *from, const char *field)
{
    const char *value = json_string_value(json_object_get(from, field));
    return value == NULL ? "" : value;
}

static long long number(const json_t *from, const char *field)
{
    return json_integer_value(json_object_get(from, field));
}

static bool flag(const json_t *from, const char *field)
{
    return json_is_true(json_object_get(from, field));
}

static bool is_on(const struct cli *cli, const char *name)
{
    return cli_flags_get(&cli->flags, name)->number != 0;
}

static void row(struct cli_text_table *table, const char *key, const char *value)
{
    cli_text_cell(table, key);
    cli_text_cell(table, value);
}

static void row_bool(struct cli_text_table *table, const char *key, bool value)
{
    row(table, key, value ? "true" : "false");
}

static void row_progress(struct cli_text_table *table, const char *key, const json_t *status,
                         const char *of, const char *remark)
{
    cli_text_cell(table, key);
    cli_text_cellf(table, "%lld/%lld%s", number(status, "progress"), number(status, of), remark);
}

static void row_number(struct cli_text_table *table, const char *key, long long value)
{
    cli_text_cell(table, key);
    cli_text_cellf(table, "%lld", value);
}

/* The share: the first word, "-" for standard input, else asked for. */
static int get_share(struct cli *cli, const json_t *status, const char **share, const char **nonce)
{
    struct errc_why why = {""};
    const char *given = cli->arg_count > 0 ? cli->args[0] : "";
    *nonce = *given == '\0' ? text(status, "nonce") : cli_flags_get(&cli->flags, "nonce")->text;
    *share = given;
    if (strcmp(given, "-") == 0 && cli_args_stdin(cli, share, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to read from stdin: %s", why.text);
    if (*given == '\0') {
        cli_output_line("Operation nonce: %s", *nonce);
        if (cli_args_hidden(cli, "Unseal Key (will be hidden): ", share, &why) != ERRC_OK)
            return cli_output_error(CLI_EXIT_USAGE,
                                    "The unseal key could not be asked for: %s. Give \"-\" as the "
                                    "argument to read it from standard input.",
                                    why.text);
    }
    *share = cli_pool_copy(&cli->pool, slice_trim(slice_of(*share)));
    if (**nonce == '\0')
        return cli_output_error(CLI_EXIT_USAGE,
                                "Missing nonce value: specify it via the -nonce flag");
    return 0;
}

static json_t *share_body(struct cli *cli, const char *share, const char *nonce)
{
    json_t *body = cli_pool_object(&cli->pool);
    cli_pool_set(body, "key", cli_pool_new_text(share));
    cli_pool_set(body, "nonce", cli_pool_new_text(nonce));
    return body;
}

/* ---- rekey ---- */

static const struct cli_shape rekey_fields[] = {
    {"nonce", CLI_SHAPE_TEXT, false, NULL},
    {"started", CLI_SHAPE_BOOL, false, NULL},
    {"t", CLI_SHAPE_NUMBER, false, NULL},
    {"n", CLI_SHAPE_NUMBER, false, NULL},
    {"progress", CLI_SHAPE_NUMBER, false, NULL},
    {"required", CLI_SHAPE_NUMBER, false, NULL},
    {"pgp_fingerprints", CLI_SHAPE_ANY, false, NULL},
    {"backup", CLI_SHAPE_BOOL, false, NULL},
    {"verification_required", CLI_SHAPE_BOOL, false, NULL},
    {"verification_nonce", CLI_SHAPE_TEXT, false, NULL},
    {0},
};

static const struct cli_shape verify_fields[] = {
    {"nonce", CLI_SHAPE_TEXT, false, NULL},      {"started", CLI_SHAPE_BOOL, false, NULL},
    {"t", CLI_SHAPE_NUMBER, false, NULL},        {"n", CLI_SHAPE_NUMBER, false, NULL},
    {"progress", CLI_SHAPE_NUMBER, false, NULL}, {0},
};

static const struct cli_shape rekeyed_fields[] = {
    {"nonce", CLI_SHAPE_TEXT, false, NULL},
    {"complete", CLI_SHAPE_BOOL, false, NULL},
    {"keys", CLI_SHAPE_ANY, false, NULL},
    {"keys_base64", CLI_SHAPE_ANY, false, NULL},
    {"pgp_fingerprints", CLI_SHAPE_ANY, false, NULL},
    {"backup", CLI_SHAPE_BOOL, false, NULL},
    {"verification_required", CLI_SHAPE_BOOL, false, NULL},
    {"verification_nonce", CLI_SHAPE_TEXT, true, NULL},
    {0},
};

static void add_rekey_rows(struct cli_text_table *table, const json_t *status)
{
    bool verifying = number(status, "progress") == number(status, "required");
    row(table, "Nonce", text(status, "nonce"));
    row_bool(table, "Started", flag(status, "started"));
    if (!flag(status, "started"))
        return;
    row_progress(table, "Rekey Progress", status, "required",
                 verifying ? " (verification in progress)" : "");
    row_number(table, "New Shares", number(status, "n"));
    row_number(table, "New Threshold", number(status, "t"));
    row_bool(table, "Verification Required", flag(status, "verification_required"));
    if (*text(status, "verification_nonce") != '\0')
        row(table, "Verification Nonce", text(status, "verification_nonce"));
}

static void add_verify_rows(struct cli_text_table *table, const json_t *status)
{
    row_bool(table, "Started", flag(status, "started"));
    row_number(table, "New Shares", number(status, "n"));
    row_number(table, "New Threshold", number(status, "t"));
    row(table, "Verification Nonce", text(status, "nonce"));
    row_progress(table, "Verification Progress", status, "t", "");
}

static int print_rekey(struct cli *cli, const json_t *status, bool verifying)
{
    struct cli_text_table table;
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(
            cli, cli_shape_apply(&cli->pool, verifying ? verify_fields : rekey_fields, status));
    cli_text_table_init(&table, 2);
    row(&table, "Key", "Value");
    if (verifying)
        add_verify_rows(&table, status);
    else
        add_rekey_rows(&table, status);
    cli_output_table(&table, true);
    return 0;
}

static const char *rekey_path(bool verifying)
{
    return verifying ? "sys/rekey/verify" : "sys/rekey/init";
}

static int rekey_status(struct cli *cli, bool verifying)
{
    struct cli_answer answer = cli_api_call(cli, "GET", rekey_path(verifying), NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error reading rekey status: %s", answer.error);
    return print_rekey(cli, answer.tree, verifying);
}

static int rekey_init(struct cli *cli)
{
    json_t *body = cli_pool_object(&cli->pool);
    const struct cli_flags *flags = &cli->flags;
    cli_pool_set(body, "secret_shares", json_integer(cli_flags_get(flags, "key-shares")->number));
    cli_pool_set(body, "secret_threshold",
                 json_integer(cli_flags_get(flags, "key-threshold")->number));
    cli_pool_set(body, "stored_shares", json_integer(0));
    cli_pool_set(body, "pgp_keys", json_null());
    cli_pool_set(body, "Backup", json_false());
    cli_pool_set(body, "require_verification", json_boolean(is_on(cli, "verify")));
    struct cli_answer answer = cli_api_call(cli, "PUT", "sys/rekey/init", body);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error initializing rekey: %s", answer.error);
    if (cli->format == CLI_FORMAT_TABLE)
        (void)cli_output_advice(
            0, "WARNING! The new keys will come as they are, without PGP encryption: "
               "whoever sees them has them.\n");
    return print_rekey(cli, answer.tree, false);
}

static int rekey_cancel(struct cli *cli)
{
    struct cli_answer answer = cli_api_call(cli, "DELETE", rekey_path(is_on(cli, "verify")), NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error canceling rekey: %s", answer.error);
    cli_output_line("Success! Canceled rekeying (if it was started)");
    return 0;
}

static int print_new_keys(struct cli *cli, const json_t *before, const json_t *answer)
{
    size_t i;
    json_t *share;
    long long shares = number(before, "n"), threshold = number(before, "t");
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(cli, cli_shape_apply(&cli->pool, rekeyed_fields, answer));
    cli_output_line("%s", "");
    json_array_foreach(json_object_get(answer, "keys_base64"), i, share)
        cli_output_line("Key %zu: %s", i + 1, json_string_value(share));
    cli_output_line("\nOperation nonce: %s\n", text(answer, "nonce"));
    if (!flag(before, "verification_required")) {
        cli_output_wrapped(
            "Vault unseal keys rekeyed with %lld key shares and a key threshold of %lld. Please "
            "securely distribute the key shares printed above. When Vault is re-sealed, "
            "restarted, or stopped, you must supply at least %lld of these keys to unseal it "
            "before it can start servicing requests.",
            shares, threshold, threshold);
        return 0;
    }
    cli_output_wrapped("Vault has created a new unseal key, split into %lld key shares and a key "
                       "threshold of %lld. They are not valid until they have been verified: give "
                       "%lld of them to \"vault operator rekey -verify\". Keep the old ones until "
                       "then.",
                       shares, threshold, threshold);
    cli_output_line("%s", "");
    return rekey_status(cli, true);
}

static int rekey_provide(struct cli *cli)
{
    bool verifying = is_on(cli, "verify");
    const char *share, *nonce;
    struct cli_answer status = cli_api_call(cli, "GET", rekey_path(verifying), NULL);
    if (status.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error getting rekey status: %s", status.error);
    if (!flag(status.tree, "started"))
        return cli_output_advice(
            CLI_EXIT_USAGE, "No rekey is in progress. Start a rekey process by running \"vault "
                            "operator rekey -init\".");
    int exit_code = get_share(cli, status.tree, &share, &nonce);
    if (exit_code != 0)
        return exit_code;
    struct cli_answer answer =
        cli_api_call(cli, "PUT", verifying ? "sys/rekey/verify" : "sys/rekey/update",
                     share_body(cli, share, nonce));
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error posting unseal key: %s", answer.error);
    if (!flag(answer.tree, "complete"))
        return rekey_status(cli, verifying);
    if (!verifying)
        return print_new_keys(cli, status.tree, answer.tree);
    cli_output_wrapped("Rekey verification successful. The rekey operation is complete and the "
                       "new keys are now active.");
    return 0;
}

static int run_rekey(struct cli *cli)
{
    const char *target = cli_flags_get(&cli->flags, "target")->text;
    if (strcmp(target, "barrier") != 0)
        return cli_output_error(CLI_EXIT_USAGE, "Unknown target: %s", target);
    if (is_on(cli, "cancel"))
        return rekey_cancel(cli);
    if (is_on(cli, "init"))
        return rekey_init(cli);
    if (is_on(cli, "status"))
        return rekey_status(cli, is_on(cli, "verify"));
    return rekey_provide(cli);
}

/* ---- generate-root ---- */

static const struct cli_shape root_fields[] = {
    {"nonce", CLI_SHAPE_TEXT, false, NULL},
    {"started", CLI_SHAPE_BOOL, false, NULL},
    {"progress", CLI_SHAPE_NUMBER, false, NULL},
    {"required", CLI_SHAPE_NUMBER, false, NULL},
    {"complete", CLI_SHAPE_BOOL, false, NULL},
    {"encoded_token", CLI_SHAPE_TEXT, false, NULL},
    {"encoded_root_token", CLI_SHAPE_TEXT, false, NULL},
    {"pgp_fingerprint", CLI_SHAPE_TEXT, false, NULL},
    {"otp", CLI_SHAPE_TEXT, false, NULL},
    {"otp_length", CLI_SHAPE_NUMBER, false, NULL},
    {0},
};

static int print_root(struct cli *cli, const json_t *status)
{
    struct cli_text_table table;
    if (cli->format != CLI_FORMAT_TABLE)
        return cli_output_data(cli, cli_shape_apply(&cli->pool, root_fields, status));
    cli_text_table_init(&table, 2);
    row(&table, "Nonce", text(status, "nonce"));
    row_bool(&table, "Started", flag(status, "started"));
    row_progress(&table, "Progress", status, "required", "");
    row_bool(&table, "Complete", flag(status, "complete"));
    if (*text(status, "encoded_token") != '\0')
        row(&table, "Encoded Token", text(status, "encoded_token"));
    if (*text(status, "otp") != '\0') {
        (void)cli_output_advice(
            0, "A One-Time-Password has been generated for you and is shown in the OTP "
               "field. You will need this value to decode the resulting root token, "
               "so keep it safe.");
        row(&table, "OTP", text(status, "otp"));
    }
    if (number(status, "otp_length") != 0)
        row_number(&table, "OTP Length", number(status, "otp_length"));
    cli_output_table(&table, false);
    return 0;
}

static int root_call(struct cli *cli, const char *method, const char *path, const json_t *body,
                     const char *failed)
{
    struct cli_answer answer = cli_api_call(cli, method, path, body);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "%s: %s", failed, answer.error);
    return print_root(cli, answer.tree);
}

static int root_init(struct cli *cli)
{
    json_t *body = cli_pool_object(&cli->pool);
    cli_pool_set(body, "otp", cli_pool_new_text(cli_flags_get(&cli->flags, "otp")->text));
    cli_pool_set(body, "pgp_key", json_string(""));
    return root_call(cli, "PUT", "sys/generate-root/attempt", body,
                     "Error initializing root generation");
}

static int root_cancel(struct cli *cli)
{
    struct cli_answer answer = cli_api_call(cli, "DELETE", "sys/generate-root/attempt", NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error canceling root token generation: %s",
                                answer.error);
    cli_output_line("Success! Root token generation canceled (if it was started)");
    return 0;
}

/* The token comes XORed with the one-time password, base64 without padding. */
static int root_decode(struct cli *cli, const char *encoded, const char *otp)
{
    struct errc_why why = {""};
    struct buf token CLEANUP(buf_done);
    buf_init(&token, TOKEN_MAX);
    if (*otp == '\0')
        return cli_output_error(CLI_EXIT_USAGE, "Missing otp: use -otp to supply it");
    if (strcmp(encoded, "-") == 0 && cli_args_stdin(cli, &encoded, &why) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Failed to read from stdin: %s", why.text);
    struct slice bare = slice_trim(slice_of(encoded));
    const char *padded =
        cli_pool_text(&cli->pool, "%.*s%.*s", SLICE_FMT(bare), (int)(-bare.len & 3), "===");
    if (base64_parse(slice_of(padded), BASE64_STANDARD, &token, NULL) != ERRC_OK)
        return cli_output_error(CLI_EXIT_USAGE, "Error decoding root token: no base64");
    if (token.len != strlen(otp))
        return cli_output_error(CLI_EXIT_USAGE,
                                "Error decoding root token: error xoring token: length of byte "
                                "slices is not equivalent: %zu != %zu",
                                token.len, strlen(otp));
    for (size_t i = 0; i < token.len; i++)
        token.ptr[i] = (char)(token.ptr[i] ^ otp[i]);
    const char *plain = cli_pool_take(&cli->pool, &token);
    if (cli->format == CLI_FORMAT_TABLE)
        return cli_output_raw(plain);
    json_t *out = cli_pool_object(&cli->pool);
    cli_pool_set(out, "token", cli_pool_new_text(plain));
    return cli_output_data(cli, out);
}

/* A letter or digit, each as likely as the others. */
static char random_letter(const struct entropy *entropy)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint8_t byte;
    do
        entropy->fill(entropy->context, &byte, sizeof byte);
    while ((byte & 63u) >= sizeof letters - 1);
    return letters[byte & 63u];
}

static int root_otp(struct cli *cli)
{
    const struct entropy entropy = entropy_os();
    struct cli_answer answer = cli_api_call(cli, "GET", "sys/generate-root/attempt", NULL);
    if (answer.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error getting root generation status: %s",
                                answer.error);
    size_t len = (size_t)number(answer.tree, "otp_length") % TOKEN_MAX;
    char *otp = cli_pool_bytes(&cli->pool, len + 1);
    for (size_t i = 0; i < len; i++)
        otp[i] = random_letter(&entropy);
    if (cli->format == CLI_FORMAT_TABLE)
        return cli_output_raw(otp);
    json_t *out = cli_pool_object(&cli->pool);
    cli_pool_set(out, "otp", json_string(otp));
    cli_pool_set(out, "otp_length", json_integer((json_int_t)len));
    return cli_output_data(cli, out);
}

static int root_provide(struct cli *cli)
{
    const char *share, *nonce;
    struct cli_answer status = cli_api_call(cli, "GET", "sys/generate-root/attempt", NULL);
    if (status.error != NULL)
        return cli_output_error(CLI_EXIT_REFUSED, "Error getting root generation status: %s",
                                status.error);
    if (!flag(status.tree, "started")) {
        (void)cli_output_advice(0, "No root generation is in progress. Start a root generation by "
                                   "running \"vault operator generate-root -init\".");
        return CLI_EXIT_USAGE;
    }
    int exit_code = get_share(cli, status.tree, &share, &nonce);
    if (exit_code != 0)
        return exit_code;
    return root_call(cli, "PUT", "sys/generate-root/update", share_body(cli, share, nonce),
                     "Error posting unseal key");
}

static int run_generate_root(struct cli *cli)
{
    const char *encoded = cli_flags_get(&cli->flags, "decode")->text;
    if (is_on(cli, "generate-otp"))
        return root_otp(cli);
    if (*encoded != '\0')
        return root_decode(cli, encoded, cli_flags_get(&cli->flags, "otp")->text);
    if (is_on(cli, "cancel"))
        return root_cancel(cli);
    if (is_on(cli, "init"))
        return root_init(cli);
    if (is_on(cli, "status"))
        return root_call(cli, "GET", "sys/generate-root/attempt", NULL,
                         "Error getting root generation status");
    return root_provide(cli);
}

/* ---- the table ---- */

static const struct cli_flag rekey_flags[] = {
    {"init", CLI_FLAG_SWITCH, NULL, "begin", NULL},
    {"cancel", CLI_FLAG_SWITCH, NULL, "give it up", NULL},
    {"status", CLI_FLAG_SWITCH, NULL, "only tell how far it is", NULL},
    {"key-shares", CLI_FLAG_INT, "5", "how many new shares", "n"},
    {"key-threshold", CLI_FLAG_INT, "3", "how many of them unseal", "t"},
    {"nonce", CLI_FLAG_TEXT, NULL, "of the operation", NULL},
    {"target", CLI_FLAG_TEXT, "barrier", "what to rekey", NULL},
    {"verify", CLI_FLAG_SWITCH, NULL, "demand, or do, the verification of the new shares", NULL},
    {0},
};

static const struct cli_flag root_flags[] = {
    {"init", CLI_FLAG_SWITCH, NULL, "begin", NULL},
    {"cancel", CLI_FLAG_SWITCH, NULL, "give it up", NULL},
    {"status", CLI_FLAG_SWITCH, NULL, "only tell how far it is", NULL},
    {"decode", CLI_FLAG_TEXT, NULL, "decode this token with -otp; - reads standard input", NULL},
    {"generate-otp", CLI_FLAG_SWITCH, NULL, "make a one-time password", NULL},
    {"otp", CLI_FLAG_TEXT, NULL, "the one-time password", NULL},
    {"nonce", CLI_FLAG_TEXT, NULL, "of the operation", NULL},
    {0},
};

const struct cli_command cli_rekey_commands[] = {
    {"operator rekey", run_rekey, CLI_HAS_FORMAT, rekey_flags, 0, 1, NULL, "[KEY]",
     "Makes new unseal keys"},
    {"operator generate-root", run_generate_root, CLI_HAS_FORMAT, root_flags, 0, 1, NULL, "[KEY]",
     "Makes a new root token"},
    {0},
};
