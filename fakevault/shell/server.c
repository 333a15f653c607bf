#include "fakevault/shell/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/os/clock_os.h"
#include "base/os/entropy_os.h"
#include "base/os/file.h"
#include "base/os/harden.h"
#include "base/os/ready.h"
#include "base/secret.h"
#include "base/text/logline.h"
#include "fakevault/core/store/store_memory.h"
#include "fakevault/core/vault.h"
#include "fakevault/shell/control/admin.h"
#include "fakevault/shell/control/control.h"
#include "fakevault/shell/control/sockname.h"
#include "fakevault/shell/data/traffic.h"
#include "fakevault/shell/ports/audit_device_file.h"
#include "fakevault/shell/ports/crypto_openssl.h"
#include "fakevault/shell/ports/store_sqlite.h"
#include "fakevault/shell/ports/vault_log.h"
#include "fakevault/shell/server_options.h"

#define STOP_GRACE_MS 5000 /* for requests in flight */
#define LOOPS_MAX 16
#define TOKEN_ARENA_BYTES 8192u
#define TOKEN_MAX 4096u

/* All parts, in the order in which they are started; each NULL or zeroed until it is there. */
struct server {
    struct server_options options;
    struct clock clock;
    struct entropy entropy;
    uint64_t seed;
    struct vault_log log;
    struct secret_arena *arena;       /* the vault's alone */
    struct secret_arena *token_arena; /* of the control API's token */
    struct secret token;
    struct store store;
    bool has_store;
    struct vault *vault;
    struct vault_state found; /* as the start found it */
    struct audit_files *audit;
    struct journal_file *journal;
    struct gate *gate;
    struct hold *hold;
    struct control *control;
    struct traffic *traffic;
    struct admin *admin;
};

static struct instant now(const struct server *s)
{
    return s->clock.now(s->clock.context);
}

static enum vault_log_level level_named(const char *level)
{
    return strcmp(level, "error") == 0  ? VAULT_LOG_ERROR
           : strcmp(level, "warn") == 0 ? VAULT_LOG_WARN
                                        : VAULT_LOG_INFO;
}

static void log_line(const struct server *s, const char *level, const char *event,
                     const char *message)
{
    const struct vault_log_pair pairs[] = {{"event", event}, {NULL, NULL}};
    if (level_named(level) < s->log.least)
        return;
    if (s->log.json) {
        vault_log_write(&s->log, level_named(level), "fakevault", message, pairs);
        return;
    }
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 4096);
    struct logline l;
    logline_begin(&l, &line, now(s).wall_ns, level, "fakevault", event);
    logline_add(&l, "message", message);
    logline_end(&l);
    (void)fputs(buf_text(&line), stderr);
}

/* ---- starting, part by part ---- */

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum errc open_store(struct server *s, struct errc_why *why)
{
    if (!s->options.durable) {
        TRY(store_memory_new(&s->store, why));
        s->has_store = true;
        return ERRC_OK;
    }
    char path[LIMIT_PATH_BYTES + 16];
    TRY(file_make_folder(s->options.path, 0700, why));
    (void)snprintf(path, sizeof path, "%s/vault.db", s->options.path);
    TRY(store_sqlite_open(path, &s->store, why));
    s->has_store = true;
    return ERRC_OK;
}

static enum errc start_vault(struct server *s, struct errc_why *why)
{
    bool locked = false;
    TRY(secret_arena_new(LIMIT_SECRET_ARENA_BYTES, &s->arena, &locked, why));
    if (!locked)
        log_line(s, "warn", "not_locked", "keys may be swapped to disk: raise RLIMIT_MEMLOCK");
    TRY(open_store(s, why));
    if (audit_device_file_new(&s->log, &s->audit) != ERRC_OK)
        return errc_fail(why, ERRC_NOMEM, "out of memory for audit devices");
    const struct vault_ports ports = {.crypto = crypto_openssl(),
                                      .store = &s->store,
                                      .entropy = s->entropy,
                                      .audit = audit_device_file_port(s->audit),
                                      .arena = s->arena};
    const struct vault_options options = {.report_version = s->options.report_version,
                                          .ui = s->options.dev,

                                          .prometheus = s->options.dev,
                                          .open_metrics = s->options.dev};
    return vault_new(&ports, &options, &s->vault, why);
}

static enum errc read_token(struct server *s, struct errc_why *why)
{
    const char *path = s->options.admin_token_file;
    if (path == NULL)
        return ERRC_OK;
    struct stat st;
    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
        return errc_fail(why, ERRC_USAGE,
                         "admin token file \"%s\" can be read by others: chmod 600", path);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, TOKEN_MAX);
    TRY(file_read(path, &text, why));
    struct slice token = slice_trim(buf_slice(&text));
    if (token.len < 16)
        return errc_fail(why, ERRC_USAGE, "admin token file \"%s\" holds less than 16 characters",
                         path);
    TRY(secret_arena_new(TOKEN_ARENA_BYTES, &s->token_arena, NULL, why));
    return secret_copy(s->token_arena, token, &s->token);
}

static enum errc open_journal(struct server *s, struct errc_why *why)
{
    uint64_t cut = 0;
    TRY(journal_file_open(s->options.journal, s->clock, &s->journal, &cut, why));
    if (cut > 0)
        log_line(s, "warn", "journal_tail_cut", "the journal ended in a torn line");
    return ERRC_OK;
}

static unsigned loops(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > LOOPS_MAX ? LOOPS_MAX : (unsigned)cores;
}

static void record_process(struct server *s, bool start)
{
    const struct journal_record record = {
        .kind = JOURNAL_PROCESS,
        .process = {.start = start,
                    .boot_id = control_boot_id(s->control),
                    .pid = getpid(),
                    .seed = s->seed,
                    .port = gate_port(s->gate),
                    .storage = s->options.storage},
    };
    (void)journal_file_add(s->journal, &record);
}

/* In which state it came back is the first thing that is asked after a crash. */
static void log_state(const struct server *s)
{
    const struct vault_log_pair pairs[] = {
        {"storage", s->options.storage},
        {"initialized", s->found.initialized ? "true" : "false"},
        {"sealed", s->found.sealed ? "true" : "false"},
        {"boot_id", control_boot_id(s->control)},
        {NULL, NULL},
    };
    vault_log_write(&s->log, VAULT_LOG_INFO, "fakevault", "server started", pairs);
}

static enum errc start_serving(struct server *s, struct errc_why *why)
{
    TRY(hold_start(traffic_wake, NULL, &s->hold, why));
    const struct control_ports ports = {
        .vault = s->vault,
        .gate = s->gate,
        .hold = s->hold,
        .journal = s->journal,
        .clock = s->clock,
        .entropy = &s->entropy,
        .storage = s->options.storage,
        .seed = s->seed,
        .log = &s->log,
    };
    TRY(control_new(&ports, &s->control, why));
    vault_state(s->vault, &s->found);
    record_process(s, true);
    const struct admin_options admin = {
        .address = s->options.admin,
        .data_port = gate_port(s->gate),
        .token = secret_slice(&s->token),
    };
    TRY(admin_start(&admin, s->control, s->journal, &s->admin, why));
    return traffic_start(s->control, s->gate, s->hold, loops(), &s->traffic, why);
}

/* ---- what scripts read on standard output (docs of Vault's dev server) ---- */

static const char *scheme(const struct server *s)
{
    return gate_has_tls(s->gate) ? "https" : "http";
}

static void print_dev_secrets(const struct server *s, const struct buf *unseal_key,
                              const struct buf *token)
{
    (void)printf("You may need to set the following environment variables:\n\n"
                 "    $ export VAULT_ADDR='%s://%s'\n\n",
                 scheme(s), gate_address(s->gate));
    if (s->options.as_vault)
        (void)puts("The unseal key and root token are displayed below in case you want to\n"
                   "seal/unseal the Vault or re-authenticate.\n");
    (void)printf("Unseal Key: %s\nRoot Token: %s\n\n", buf_text(unseal_key), buf_text(token));
}

static void print_greeting(const struct server *s, const struct buf *unseal_key,
                           const struct buf *token)
{
    (void)printf("==> fakevault " PROJECT_VERSION " server configuration:\n\n"
                 "             Listener: tcp (addr: \"%s\", tls: \"%s\")\n"
                 "              Storage: %s\n"
                 "      Control address: %s\n"
                 "                 Seed: %llu\n\n",
                 gate_address(s->gate), gate_has_tls(s->gate) ? "enabled" : "disabled",
                 s->options.storage, admin_address(s->admin), (unsigned long long)s->seed);
    if (s->options.dev)
        print_dev_secrets(s, unseal_key, token);
    (void)puts("==> fakevault server started!");
}

/* The lines that scripts look for in Vault's own. */
static void print_greeting_of_vault(const struct server *s, const struct buf *unseal_key,
                                    const struct buf *token)
{
    const char *version = s->options.report_version;
    const char *api = s->options.config.api_address;
    (void)printf("==> Vault server configuration:\n\n"
                 "             Api Address: %s%s%s\n"
                 "         Control address: %s\n"
                 "              Listener 1: tcp (addr: \"%s\", tls: \"%s\")\n"
                 "                 Storage: %s\n"
                 "                 Version: Vault v%s (fakevault " PROJECT_VERSION ")\n\n"
                 "==> Vault server started! Log data will stream in below:\n\n",
                 api == NULL ? scheme(s) : "", api == NULL ? "://" : "",
                 api == NULL ? gate_address(s->gate) : api, admin_address(s->admin),
                 gate_address(s->gate), gate_has_tls(s->gate) ? "enabled" : "disabled",
                 s->options.storage, version == NULL ? "1.14.9" : version);
    if (!s->options.dev)
        return;
    (void)puts("WARNING! dev mode is enabled! In this mode, Vault runs entirely in-memory\n"
               "and starts unsealed with a single unseal key.\n");
    print_dev_secrets(s, unseal_key, token);
    (void)puts("Development mode should NOT be used in production installations!\n");
}

/* ---- what a start leaves for others ---- */

static void warn_of_strangers(const struct server *s)
{
    struct sockname name;
    if (sockname_parse(gate_address(s->gate), &name, NULL) == ERRC_OK &&
        !sockname_is_loopback(&name))
        log_line(s, "warn", "not_loopback",
                 "other machines can reach this server; its keys and tokens are for rehearsals");
}

static void log_notes(const struct server *s)
{
    const char *const *notes = s->options.config.notes;
    for (size_t i = 0; notes[i] != NULL; i++)
        log_line(s, "warn", "configuration", notes[i]);
}

/* So that `vault kv put` needs no login, as behind Vault's own dev server. */
static void store_token(const struct server *s, const struct buf *token)
{
    struct errc_why why = {""};
    char path[LIMIT_PATH_BYTES];
    const char *home = getenv("HOME");
    bool stores = s->options.as_vault && s->options.dev && !s->options.no_store_token;
    if (!stores || home == NULL || *home == '\0')
        return;
    (void)snprintf(path, sizeof path, "%s/.vault-token", home);
    if (file_replace(path, buf_slice(token), 0600, &why) != ERRC_OK)
        log_line(s, "warn", "token_not_stored", why.text);
}

static enum errc write_pid(const struct server *s, struct errc_why *why)
{
    char pid[24];
    const char *path = s->options.config.pid_file;
    int len = snprintf(pid, sizeof pid, "%d", (int)getpid());
    return path == NULL ? ERRC_OK : file_replace(path, slice_bytes(pid, (size_t)len), 0644, why);
}

static void greet(const struct server *s, const struct buf *unseal_key, const struct buf *token)
{
    log_notes(s);
    warn_of_strangers(s);
    store_token(s, token);
    if (s->options.as_vault)
        print_greeting_of_vault(s, unseal_key, token);
    else
        print_greeting(s, unseal_key, token);
    (void)fflush(stdout);
    log_state(s);
}

static enum errc start(struct server *s, struct errc_why *why)
{
    struct buf unseal_key CLEANUP(buf_done);
    struct buf token CLEANUP(buf_done);
    buf_init(&unseal_key, 256);
    buf_init(&token, TOKEN_MAX);
    TRY(read_token(s, why));
    TRY(gate_open(s->options.listen, &s->gate, why));
    if (s->options.tls.cert_file != NULL)
        TRY(gate_use_tls(s->gate, &s->options.tls, loops(), why));
    TRY(start_vault(s, why));
    if (s->options.dev)
        TRY(vault_dev_init(s->vault, slice_of(s->options.dev_root_token_id), now(s), &unseal_key,
                           &token, why));
    TRY(open_journal(s, why));
    TRY(start_serving(s, why));
    TRY(write_pid(s, why));
    greet(s, &unseal_key, &token);
    const struct ready ready = {
        .fd = (int)s->options.ready_fd,
        .port_file = s->options.port_file,
        .port = gate_port(s->gate),
        .admin = admin_address(s->admin),
        .boot_id = control_boot_id(s->control),
    };
    return ready_announce(&ready, why);
}

/* In the reverse order; any part may be missing. */
static void stop(struct server *s)
{
    audit_device_file_stop(s->audit);
    traffic_stop(s->traffic, STOP_GRACE_MS);
    admin_stop(s->admin);
    if (s->control != NULL && s->traffic != NULL)
        record_process(s, false);
    control_free(s->control);
    hold_free(s->hold);
    gate_free(s->gate);
    journal_file_close(s->journal);
    vault_free(s->vault);
    audit_device_file_free(s->audit);
    if (s->has_store)
        store_close(&s->store);
    secret_done(&s->token);
    secret_arena_free(s->token_arena);
    secret_arena_free(s->arena);
    if (s->traffic != NULL && s->options.port_file != NULL)
        file_remove(s->options.port_file);
    if (s->traffic != NULL && s->options.config.pid_file != NULL)
        file_remove(s->options.config.pid_file);
}

/* ---- the process ---- */

static const int known_signals[] = {SIGTERM, SIGINT, SIGHUP};

static sigset_t signal_set(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < COUNT(known_signals); i++)
        (void)sigaddset(&set, known_signals[i]);
    return set;
}

/* What SIGHUP is for in Vault: certificates that were renewed, audit files that were moved away. */
static void reload(struct server *s)
{
    audit_device_file_reopen(s->audit);
    struct errc_why why = {"certificate and key are read anew"};
    bool done = gate_reload_tls(s->gate, &why) == ERRC_OK;
    log_line(s, done ? "info" : "error", done ? "reloaded" : "not_reloaded", why.text);
}

/* A second signal to stop ends a stop that takes too long. */
static void wait_for_stop(struct server *s)
{
    const sigset_t set = signal_set();
    int received = 0;
    for (;;) {
        int failed = sigwait(&set, &received);
        if (failed == 0 && received != SIGHUP)
            break;
        if (failed == 0)
            reload(s);
    }
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int exit_code_of(enum errc code)
{
    switch (errc_class(code)) {
    case ERRC_CLASS_NONE:
        return EX_OK;
    case ERRC_CLASS_INVALID:
    case ERRC_CLASS_MISSING:
        return code == ERRC_USAGE ? EX_USAGE : EX_CONFIG;
    case ERRC_CLASS_CONFLICT:
    case ERRC_CLASS_TRANSIENT:
        return EX_UNAVAILABLE;
    case ERRC_CLASS_DENIED:
    case ERRC_CLASS_FATAL:
        return EX_IOERR;
    }
    return EX_SOFTWARE;
}

static int complain(const struct server *s, enum errc code, const struct errc_why *why)
{
    (void)fprintf(stderr, "%s%s\n", s->options.as_vault ? "" : "fakevault server: ", why->text);
    return exit_code_of(code);
}

static uint64_t pick_seed(const struct server *s)
{
    uint32_t random = 0; /* short enough to be typed again */
    if (s->options.seed >= 0)
        return (uint64_t)s->options.seed;
    s->entropy.fill(s->entropy.context, &random, sizeof random);
    return random;
}

static int serve(struct server *s)
{
    struct errc_why why = {""};
    const sigset_t set = signal_set();
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    s->clock = clock_os();
    s->entropy = entropy_os();
    s->seed = pick_seed(s);
    s->log.clock = s->clock;
    enum errc code = vault_log_set(&s->log, s->options.log_level, s->options.log_format, &why);
    if (code == ERRC_OK)
        code = start(s, &why);
    if (code == ERRC_OK) {
        wait_for_stop(s);
        log_line(s, "info", "stopping", "requests in flight finish");
    }
    stop(s);
    return code == ERRC_OK ? EX_OK : complain(s, code, &why);
}

static int run(int argc, char *const argv[], bool as_vault)
{
    static struct server server;
    struct errc_why why = {""};
    int exit_code = EX_OK;
    enum errc code = server_options_parse(argc, argv, as_vault, &server.options, &why);
    if (code != ERRC_OK)
        exit_code = complain(&server, code, &why);
    else if (server.options.help)
        server_options_print_help();
    else
        exit_code = serve(&server);
    server_options_done(&server.options);
    return exit_code;
}

int server_run(int argc, char *const argv[])
{
    return run(argc, argv, false);
}

int server_run_as_vault(int argc, char *const argv[])
{
    return run(argc, argv, true) == EX_OK ? EX_OK : 1;
}
