#include "fakevault/shell/server_options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/flags.h"

#define FIELD(name) offsetof(struct server_options, name)
#define LISTEN_DEFAULT "127.0.0.1:8200"

static const struct flags_spec specs[] = {
    {"dev", FLAGS_SWITCH, FIELD(dev), NULL, "start initialised and unsealed, in memory"},
    {"dev-root-token-id", FLAGS_TEXT, FIELD(dev_root_token_id), "TOKEN",
     "dev: the root token (VAULT_DEV_ROOT_TOKEN_ID keeps it out of the process list)"},
    {"dev-listen-address", FLAGS_TEXT, FIELD(dev_listen_address), "HOST:PORT",
     "dev: where to serve (VAULT_DEV_LISTEN_ADDRESS)"},
    {"dev-no-store-token", FLAGS_SWITCH, FIELD(no_store_token), NULL,
     "dev, under the name vault: do not write ~/.vault-token"},
    {"config", FLAGS_TEXTS, FIELD(config_paths), "FILE|FOLDER",
     "Vault's configuration, HCL or JSON; may be repeated"},
    {"listen", FLAGS_TEXT, FIELD(listen), "HOST:PORT",
     "where to serve, port 0 picks one (" LISTEN_DEFAULT ")"},
    {"storage", FLAGS_TEXT, FIELD(storage), "inmem|file", "what survives the process (inmem)"},
    {"path", FLAGS_TEXT, FIELD(path), "FOLDER", "where -storage=file keeps its data"},
    {"tls-cert", FLAGS_TEXT, FIELD(tls.cert_file), "FILE", "serve TLS with this PEM certificate"},
    {"tls-key", FLAGS_TEXT, FIELD(tls.key_file), "FILE", "and this key"},
    {"tls-client-ca", FLAGS_TEXT, FIELD(tls.client_ca_file), "FILE",
     "demand client certificates that this CA signed"},
    {"admin", FLAGS_TEXT, FIELD(admin), "PATH|HOST:PORT",
     "control socket, or loopback TCP ($XDG_RUNTIME_DIR/fakevault-PORT.sock)"},
    {"admin-token-file", FLAGS_TEXT, FIELD(admin_token_file), "FILE",
     "holds the bearer token of the control API over TCP"},
    {"port-file", FLAGS_TEXT, FIELD(port_file), "FILE", "gets the port once the server serves"},
    {"ready-fd", FLAGS_INT, FIELD(ready_fd), "N", "descriptor that gets a line of JSON then"},
    {"journal", FLAGS_TEXT, FIELD(journal), "FILE",
     "ledger of all requests (FOLDER/journal.ndjson, without a folder a temporary file)"},
    {"seed", FLAGS_INT, FIELD(seed), "N", "decides what rules with a probability do (random)"},
    {"report-version", FLAGS_TEXT, FIELD(report_version), "VERSION",
     "the Vault version to claim (1.14.9)"},
    {"log-level", FLAGS_TEXT, FIELD(log_level), "LEVEL",
     "trace, debug, info, warn or error ($VAULT_LOG_LEVEL, else info)"},
    {"log-format", FLAGS_TEXT, FIELD(log_format), "FORMAT",
     "standard or json ($VAULT_LOG_FORMAT, else standard)"},
    {"log-file", FLAGS_TEXT, FIELD(ignored_text), "FILE", "accepted, as is the next one, because"},
    {"exit-on-core-shutdown", FLAGS_SWITCH, FIELD(ignored_switch), NULL,
     "scripts give them to Vault, and means nothing here"},
    {"help", FLAGS_SWITCH, FIELD(help), NULL, "print this"},
};

/* Flags of Vault that would change what the server is. */
static const struct {
    const char *name, *why;
} refused[] = {
    {"dev-ha", "there is one server"},           {"dev-three-node", "there is one server"},
    {"dev-four-cluster", "there is one server"}, {"dev-transactional", "there is one storage"},
    {"dev-tls", "give -tls-cert and -tls-key"},  {"dev-kv-v1", "enable kv yourself"},
    {"dev-no-kv", "disable kv yourself"},        {"recovery", "there is no recovery mode"},
};

static const struct flags flags = {specs, COUNT(specs)};

void server_options_print_help(void)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1u << 16);
    buf_add_text(&out, "usage: fakevault server [flags]\n\n");
    flags_help(&flags, &out);
    (void)fputs(buf_text(&out), stdout);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

static enum errc refuse_flags(int argc, char *const argv[], struct errc_why *why)
{
    for (int i = 0; i < argc; i++) {
        struct slice name = slice_of(argv[i] + strspn(argv[i], "-"));
        name = slice_cut(&name, '=');
        for (size_t r = 0; argv[i][0] == '-' && r < COUNT(refused); r++)
            if (slice_equal_text(name, refused[r].name))
                return errc_fail(why, ERRC_USAGE, "flag \"-%s\" is not supported: %s",
                                 refused[r].name, refused[r].why);
    }
    return ERRC_OK;
}

/* Vault takes an empty text for none, and Docker's entry point gives it. */
static void drop_empty(const char **text)
{
    if (*text != NULL && **text == '\0')
        *text = NULL;
}

/* Vault ignores them with a warning, and Docker's entry point always gives them. */
static enum errc check_not_dev(struct server_options *o, struct errc_why *why)
{
    if (!o->as_vault && o->dev_root_token_id != NULL)
        return errc_fail(why, ERRC_USAGE, "flag \"-dev-root-token-id\" needs -dev");
    if (!o->as_vault && o->dev_listen_address != NULL)
        return errc_fail(why, ERRC_USAGE, "flag \"-dev-listen-address\" needs -dev");
    if (o->as_vault && o->config_paths.count == 0)
        return errc_fail(why, ERRC_USAGE, "Must specify at least one config path using -config");
    o->dev_root_token_id = o->dev_listen_address = NULL;
    return ERRC_OK;
}

static enum errc check_dev(struct server_options *o, struct errc_why *why)
{
    drop_empty(&o->dev_root_token_id);
    drop_empty(&o->dev_listen_address);
    if (!o->dev)
        return check_not_dev(o, why);
    if (o->storage != NULL && strcmp(o->storage, "inmem") != 0)
        return errc_fail(why, ERRC_USAGE, "a -dev server is in memory, leave -storage=%.40s out",
                         o->storage);
    if (o->listen != NULL && o->dev_listen_address != NULL)
        return errc_fail(why, ERRC_USAGE, "give one of -listen and -dev-listen-address");
    if (o->dev_root_token_id == NULL)
        o->dev_root_token_id = environment("VAULT_DEV_ROOT_TOKEN_ID");
    if (o->dev_listen_address == NULL && o->listen == NULL)
        o->dev_listen_address = environment("VAULT_DEV_LISTEN_ADDRESS");
    if (o->listen == NULL)
        o->listen = o->dev_listen_address;
    return ERRC_OK;
}

/* What flags leave open. A -dev server keeps its storage, whatever the files say. */
static enum errc use_config(struct server_options *o, struct errc_why *why)
{
    struct server_config *config = &o->config;
    for (size_t i = 0; i < o->config_paths.count; i++)
        TRY(server_config_load(o->config_paths.items[i], config, why));
    if (o->config_paths.count == 0)
        return ERRC_OK;
    if (o->dev || o->storage != NULL)
        config->storage = "inmem";
    TRY(server_config_check(config, why));
    if (!o->dev && o->storage == NULL) {
        o->storage = config->storage;
        if (o->path == NULL && strcmp(o->storage, "file") == 0)
            o->path = config->path;
    }
    if (o->listen == NULL && (config->has_listener || !o->dev))
        o->listen = config->address;
    if (o->tls.cert_file == NULL && o->tls.key_file == NULL)
        o->tls = config->tls;
    return ERRC_OK;
}

/* Flags win over the environment, that over the files. */
static void choose_log(struct server_options *o)
{
    drop_empty(&o->log_level);
    drop_empty(&o->log_format);
    if (o->log_level == NULL)
        o->log_level = environment("VAULT_LOG_LEVEL");
    if (o->log_format == NULL)
        o->log_format = environment("VAULT_LOG_FORMAT");
    if (o->log_level == NULL)
        o->log_level = o->config.log_level;
    if (o->log_format == NULL)
        o->log_format = o->config.log_format;
}

static enum errc check_storage(struct server_options *o, struct errc_why *why)
{
    if (o->storage == NULL)
        o->storage = "inmem";
    o->durable = strcmp(o->storage, "file") == 0;
    if (!o->durable && strcmp(o->storage, "inmem") != 0)
        return errc_fail(why, ERRC_USAGE, "flag \"-storage\" is \"%.40s\", want inmem or file",
                         o->storage);
    if (o->durable == (o->path == NULL))
        return errc_fail(why, ERRC_USAGE, "%s",
                         o->durable ? "flag \"-storage=file\" needs -path=FOLDER"
                                    : "flag \"-path\" needs -storage=file");
    if (o->durable && o->journal == NULL) {
        int n =
            snprintf(o->journal_default, sizeof o->journal_default, "%s/journal.ndjson", o->path);
        if (n < 0 || (size_t)n >= sizeof o->journal_default)
            return errc_fail(why, ERRC_USAGE, "flag \"-path\" is longer than %u bytes",
                             LIMIT_PATH_BYTES);
        o->journal = o->journal_default;
    }
    return ERRC_OK;
}

static enum errc check_tls(struct server_options *o, struct errc_why *why)
{
    if ((o->tls.cert_file == NULL) != (o->tls.key_file == NULL))
        return errc_fail(why, ERRC_USAGE, "flags \"-tls-cert\" and \"-tls-key\" need each other");
    if (o->tls.client_ca_file != NULL && o->tls.cert_file == NULL)
        return errc_fail(why, ERRC_USAGE, "flag \"-tls-client-ca\" needs -tls-cert");
    if (o->tls.client_ca_file != o->config.tls.client_ca_file)
        o->tls.require_client_cert = true;
    return ERRC_OK;
}

static enum errc check_numbers(const struct server_options *o, struct errc_why *why)
{
    if (o->seed < -1)
        return errc_fail(why, ERRC_USAGE, "flag \"-seed\" is %lld, want 0 or more",
                         (long long)o->seed);
    if (o->ready_fd == -1)
        return ERRC_OK;
    if (o->ready_fd < 1 || o->ready_fd > 1 << 20 || fcntl((int)o->ready_fd, F_GETFD) < 0)
        return errc_fail(why, ERRC_USAGE, "flag \"-ready-fd\" is %lld, which is no open descriptor",
                         (long long)o->ready_fd);
    return ERRC_OK;
}

static enum errc parse(int argc, char *const argv[], const char **words, struct server_options *o,
                       struct errc_why *why)
{
    size_t count = 0;
    TRY(refuse_flags(argc, argv, why));
    TRY(flags_parse(&flags, argc, argv, o, words, &count, why));
    if (count > 0)
        return errc_fail(why, ERRC_USAGE, "\"%.80s\" is no flag, see fakevault server -help",
                         words[0]);
    if (o->help)
        return ERRC_OK;
    TRY(check_dev(o, why));
    TRY(use_config(o, why));
    choose_log(o);
    TRY(check_storage(o, why));
    TRY(check_tls(o, why));
    if (o->listen == NULL)
        o->listen = LISTEN_DEFAULT;
    return check_numbers(o, why);
}

enum errc server_options_parse(int argc, char *const argv[], bool as_vault,
                               struct server_options *out, struct errc_why *why)
{
    *out = (struct server_options){.as_vault = as_vault, .seed = -1, .ready_fd = -1};
    const char **words = calloc((size_t)argc + 1, sizeof *words);
    if (words == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    enum errc code = parse(argc, argv, words, out, why);
    free(words);
    return code;
}

void server_options_done(struct server_options *options)
{
    server_config_done(&options->config);
}
