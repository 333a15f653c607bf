#include "chaos/core/language/verb_table.h"

#include <string.h>

#include "chaos/core/scenario/scenario.h"

#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }
#define WITHIN_MS_MAX 60000
#define COUNT_MAX 1000000

static const char *const service_words[] = {"api", "worker", NULL};
static const char *const via_words[] = {"api", "worker", "cli", NULL};
static const char *const log_words[] = {"vault", "api", "worker", "cli", NULL};
static const char *const mode_words[] = {"vault", "fallback", NULL};
static const char *const moment_words[] = {"now", "at_request", NULL};
static const char *const accept_words[] = {"vault_key", NULL};
static const char *const restart_words[] = {"keep", "wipe", NULL};
static const char *const status_words[] = {"pending", "running", "completed",
                                           "failed",  "blocked", NULL};
/* docs/architecture.md, "Classes of an attempt" */
static const char *const class_words[] = {
    "ok",        "refused",      "unreachable", "timeout",      "sealed",      "unavailable",
    "malformed", "rate_limited", "stale",       "denied",       "bad_request", "not_found",
    "key_state", "redirect",     "certificate", "key_mismatch", "interrupted", NULL};
/* docs/architecture.md, "The audit trail": classes, and why fallback could not take over */
static const char *const reason_words[] = {"refused",
                                           "unreachable",
                                           "timeout",
                                           "sealed",
                                           "unavailable",
                                           "malformed",
                                           "rate_limited",
                                           "stale",
                                           "denied",
                                           "bad_request",
                                           "not_found",
                                           "key_state",
                                           "redirect",
                                           "certificate",
                                           "key_mismatch",
                                           "fallback_off",
                                           "fallback_key_missing",
                                           "fallback_key_unsafe",
                                           "interrupted",
                                           NULL};

#define ENVIRONMENT_FIELD(sentence)                                                                \
    {                                                                                              \
        .name = "environment", .type = VERB_MAP, .format = VERB_FORMAT_VARIABLE, .max = 32,        \
        .doc = sentence                                                                            \
    }
#define WITHIN_FIELD(ms)                                                                           \
    {                                                                                              \
        .name = "within_ms", .type = VERB_INT, .min = 0, .max = WITHIN_MS_MAX, .standard = ms,     \
        .doc = "how long to wait for it, in milliseconds"                                          \
    }
#define OF_FIELD(sentence)                                                                         \
    {                                                                                              \
        .name = "of", .type = VERB_TEXT, .format = VERB_FORMAT_NAME, .max = 64, .doc = sentence    \
    }
#define COUNT_FIELD(word, sentence)                                                                \
    {                                                                                              \
        .name = word, .type = VERB_INT, .min = 0, .max = COUNT_MAX, .doc = sentence                \
    }

/* --- fields of the verbs --- */

#define TRIGGER_FIELDS                                                                             \
    {.name = "path",                                                                               \
     .type = VERB_TEXT,                                                                            \
     .min = 1,                                                                                     \
     .max = 200,                                                                                   \
     .standard = "*/sign/*",                                                                       \
     .doc = "which requests: a glob over the path"},                                               \
    {                                                                                              \
        .name = "after", .type = VERB_INT, .min = 0, .max = COUNT_MAX, .standard = "0",            \
        .doc = "how many matching requests to let pass first"                                      \
    }
#define TIMES_FIELD                                                                                \
    {                                                                                              \
        .name = "times", .type = VERB_INT, .min = 1, .max = COUNT_MAX,                             \
        .doc = "how many requests to hit; all when left out"                                       \
    }

static const struct verb_field moment_fields[] = {TRIGGER_FIELDS, END};

static const struct verb_field respond_fields[] = {
    {.name = "errors",
     .type = VERB_TEXTS,
     .max = 10,
     .doc = "texts of Vault's errors list; empty when neither this nor body is given"},
    {.name = "body",
     .type = VERB_TEXT,
     .max = 65536,
     .doc = "the body as it is, instead of errors"},
    {.name = "headers",
     .type = VERB_MAP,
     .format = VERB_FORMAT_HEADER,
     .max = 32,
     .doc = "headers to add"},
    TRIGGER_FIELDS,
    TIMES_FIELD,
    END};

static const struct verb_field refuse_fields[] = {
    {.name = "drain",
     .type = VERB_BOOL,
     .standard = "false",
     .doc = "let requests in flight finish instead of resetting their connections"},
    TRIGGER_FIELDS,
    END};

static const struct verb_field service_restart_fields[] = {
    ENVIRONMENT_FIELD("re-create them with these variables on top of what they had; without it "
                      "they keep their old environment"),
    END};

static const struct verb_field sign_expect_fields[] = {
    {.name = "signed", .type = VERB_BOOL, .doc = "whether there is a signed manifest"},
    {.name = "mode",
     .type = VERB_WORD,
     .words = mode_words,
     .doc = "which key signed, as told to the caller, audited, and as it verifies"},
    {.name = "attempts",
     .type = VERB_INT,
     .min = 0,
     .max = 100,
     .doc = "how many attempts at Vault were audited"},
    {.name = "reason",
     .type = VERB_WORD,
     .words = reason_words,
     .doc = "why it fell back, or why it was refused although fallback might have helped"},
    {.name = "class", .type = VERB_WORD, .words = class_words, .doc = "class of the last attempt"},
    {.name = "status", .type = VERB_WORD, .words = status_words, .doc = "status of the run"},
    {.name = "exit", .type = VERB_INT, .min = 0, .max = 255, .doc = "exit code; via cli only"},
    END};

static const struct verb_field sign_fields[] = {
    {.name = "via",
     .type = VERB_WORD,
     .words = via_words,
     .required = true,
     .doc = "who is asked: a service, or the command"},
    {.name = "as",
     .type = VERB_TEXT,
     .format = VERB_FORMAT_NAME,
     .max = 64,
     .doc = "a name for later steps to refer to"},
    {.name = "retry",
     .type = VERB_TEXT,
     .format = VERB_FORMAT_NAME,
     .max = 64,
     .doc = "sign the bundle of that earlier step again, instead of a new one"},
    {.name = "background",
     .type = VERB_BOOL,
     .standard = "false",
     .doc = "do not wait for the end; wait_for does, and the expectations hold then"},
    ENVIRONMENT_FIELD("variables for this run of the command; via cli only"),
    {.name = "expect",
     .type = VERB_FIELDS,
     .fields = sign_expect_fields,
     .doc = "what must come of it; without it, that there is a signed manifest"},
    END};

static const struct verb_field wait_fields[] = {
    {.name = "sign",
     .type = VERB_TEXT,
     .format = VERB_FORMAT_NAME,
     .required = true,
     .max = 64,
     .doc = "a sign step in the background"},
    {.name = "requests",
     .type = VERB_INT,
     .min = 1,
     .max = COUNT_MAX,
     .doc = "only until Vault has got that many sign requests since the step began; without it, "
            "until the step is done"},
    WITHIN_FIELD("20000"),
    END};

static const struct verb_field audit_fields[] = {
    OF_FIELD("only entries of that sign step's bundle"),
    {.name = "class",
     .type = VERB_WORD,
     .words = class_words,
     .doc = "only failed entries of this class are counted as failed"},
    {.name = "reason",
     .type = VERB_WORD,
     .words = reason_words,
     .doc = "only failed entries with this reason are counted as failed"},
    COUNT_FIELD("started", "entries MANIFEST_SIGNING_STARTED"),
    COUNT_FIELD("vault", "entries MANIFEST_SIGNED with signingMode vault"),
    COUNT_FIELD("fallback", "entries MANIFEST_SIGNED with signingMode fallback"),
    COUNT_FIELD("failed", "entries MANIFEST_SIGNING_FAILED"),
    COUNT_FIELD("repaired", "entries AUDIT_TAIL_REPAIRED"),
    END};

static const struct verb_field backoff_fields[] = {
    {.name = "of",
     .type = VERB_TEXT,
     .format = VERB_FORMAT_NAME,
     .required = true,
     .max = 64,
     .doc = "a sign step"},
    {.name = "waits",
     .type = VERB_INT,
     .required = true,
     .min = 2,
     .max = 100,
     .doc = "how many waits there were, each within the contract; one wait shows no growth"},
    END};

static const struct verb_field journal_fields[] = {
    OF_FIELD("only requests for that sign step's bundle"),
    {.name = "status",
     .type = VERB_INT,
     .min = 100,
     .max = 599,
     .doc = "only requests that were answered so"},
    COUNT_FIELD("requests", "sign requests that reached Vault"),
    COUNT_FIELD("executed", "sign requests that Vault executed, whatever the caller was told"),
    END};

static const struct verb_field log_fields[] = {
    {.name = "service",
     .type = VERB_WORD,
     .words = log_words,
     .required = true,
     .doc = "whose log"},
    {.name = "contains",
     .type = VERB_TEXT,
     .min = 1,
     .required = true,
     .max = 500,
     .doc = "text that a line must contain"},
    COUNT_FIELD("lines", "how many lines contain it; at least one when left out"),
    WITHIN_FIELD("0"),
    END};

static const struct verb_field metrics_fields[] = {{.name = "service",
                                                    .type = VERB_WORD,
                                                    .words = service_words,
                                                    .required = true,
                                                    .doc = "whose metrics"},
                                                   {.name = "name",
                                                    .type = VERB_TEXT,
                                                    .format = VERB_FORMAT_METRIC,
                                                    .required = true,
                                                    .max = 100,
                                                    .doc = "name of the metric"},
                                                   {.name = "labels",
                                                    .type = VERB_MAP,
                                                    .format = VERB_FORMAT_METRIC,
                                                    .max = 10,
                                                    .doc = "labels that it carries"},
                                                   {.name = "equals",
                                                    .type = VERB_INT,
                                                    .required = true,
                                                    .min = 0,
                                                    .max = INT32_MAX,
                                                    .doc = "its value"},
                                                   WITHIN_FIELD("0"),
                                                   END};

static const struct verb_field manifest_fields[] = {
    {.name = "of",
     .type = VERB_TEXT,
     .format = VERB_FORMAT_NAME,
     .required = true,
     .max = 64,
     .doc = "a sign step"},
    {.name = "exists", .type = VERB_BOOL, .standard = "true", .doc = "whether it was published"},
    {.name = "verifies", .type = VERB_BOOL, .doc = "whether its signature is good"},
    {.name = "mode", .type = VERB_WORD, .words = mode_words, .doc = "whose key verifies it"},
    END};

static const struct verb_field state_fields[] = {
    {.name = "sealed", .type = VERB_BOOL, .doc = "whether Vault is sealed"},
    {.name = "accepting", .type = VERB_BOOL, .doc = "whether its listener is open"},
    {.name = "held",
     .type = VERB_INT,
     .min = 0,
     .max = COUNT_MAX,
     .doc = "how many requests it holds"},
    WITHIN_FIELD("0"),
    END};

static const struct verb_field status_fields[] = {{.name = "online",
                                                   .type = VERB_BOOL,
                                                   .required = true,
                                                   .doc = "what `signer status` must say of Vault"},
                                                  END};

static const struct verb_field environment_fields[] = {
    {.name = "service",
     .type = VERB_WORD,
     .words = service_words,
     .required = true,
     .doc = "which running service"},
    {.name = "name",
     .type = VERB_TEXT,
     .format = VERB_FORMAT_VARIABLE,
     .required = true,
     .max = 100,
     .doc = "variable that its process was started with"},
    {.name = "equals", .type = VERB_TEXT, .required = true, .max = 500, .doc = "its value"},
    END};

/* --- what the verbs do to the condition of Vault --- */

/* Who does not run, or is frozen, takes no orders; and does not answer its API either when it is
 * sealed, closed, or holds requests. */
#define UNCONTROLLED (CONDITION_GONE | CONDITION_FROZEN)
#define UNANSWERED (UNCONTROLLED | CONDITION_CLOSED | CONDITION_HELD | CONDITION_SEALED)

static void count_times(const struct scenario_step *step, const struct scenario_stack *stack,
                        struct condition_effect *effect)
{
    (void)stack;
    effect->times = scenario_int(step, "times");
}

static void enter_shares(const struct scenario_step *step, const struct scenario_stack *stack,
                         struct condition_effect *effect)
{
    effect->shares = stack->dev ? stack->threshold : (int)step->main.number;
}

/* With storage Vault comes back sealed. A dev server comes back unsealed and empty, one in memory
 * not even initialised; one that is wiped is set up again, and empty. */
static void start_effect(const struct scenario_step *step, const struct scenario_stack *stack,
                         struct condition_effect *effect)
{
    bool wiped = step->main.text != NULL && strcmp(step->main.text, "wipe") == 0;
    if (wiped || !stack->durable)
        effect->implied |= CONDITION_KEY;
    if (!wiped && !stack->dev)
        effect->implied |= CONDITION_SEALED;
}

/* Only its owner may read and write it; anything else is unsafe. */
static void chmod_effect(const struct scenario_step *step, const struct scenario_stack *stack,
                         struct condition_effect *effect)
{
    (void)stack;
    if (strcmp(step->main.text, "0600") == 0 || strcmp(step->main.text, "0400") == 0)
        *effect = (struct condition_effect){.clears = CONDITION_FALLBACK_KEY};
}

/* --- the verbs --- */

#define MOMENT_MAIN                                                                                \
    {                                                                                              \
        .type = VERB_WORD, .words = moment_words, .standard = "now",                               \
        .doc = "at once, or when a matching request arrives, which then is not executed"           \
    }
#define SERVICES_MAIN                                                                              \
    {                                                                                              \
        .type = VERB_WORDS, .words = service_words, .required = true, .max = 2,                    \
        .doc = "one service, or a list"                                                            \
    }
#define PLAIN(row, who, what, sentence, ...)                                                       \
    [row] = {.id = row, .actor = who, .name = what, .doc = sentence, __VA_ARGS__}

const struct verb verb_table_rows[VERB_COUNT] = {
    [VERB_VAULT_SEAL] = {.id = VERB_VAULT_SEAL,
                         .actor = "vault",
                         .name = "seal",
                         .effect = {.sets = CONDITION_SEALED},
                         .excludes = UNCONTROLLED,
                         .main = MOMENT_MAIN,
                         .fields = moment_fields,
                         .doc = "seals Vault; every request is answered 503 until unseal"},
    [VERB_VAULT_UNSEAL] = {.id = VERB_VAULT_UNSEAL,
                           .actor = "vault",
                           .name = "unseal",
                           .main = {.type = VERB_INT,
                                    .required = true,
                                    .min = 1,
                                    .max = 255,
                                    .doc = "how many of the unseal keys to enter"},
                           .derive = enter_shares,
                           .excludes = UNCONTROLLED | CONDITION_CLOSED,
                           .doc = "enters unseal keys; too few leave it sealed"},
    [VERB_VAULT_RESPOND] = {.id = VERB_VAULT_RESPOND,
                            .actor = "vault",
                            .name = "respond",
                            .effect = {.sets = CONDITION_RULED},
                            .derive = count_times,
                            .excludes = UNCONTROLLED,
                            .main = {.type = VERB_INT,
                                     .required = true,
                                     .min = 200,
                                     .max = 599,
                                     .doc = "HTTP status to answer"},
                            .fields = respond_fields,
                            .doc =
                                "answers requests itself and does not execute them, until reset"},
    [VERB_VAULT_REFUSE] = {.id = VERB_VAULT_REFUSE,
                           .actor = "vault",
                           .name = "refuse",
                           .effect = {.sets = CONDITION_CLOSED},
                           .excludes = UNCONTROLLED,
                           .main = MOMENT_MAIN,
                           .fields = refuse_fields,
                           .doc = "closes the listener and resets open connections, until accept"},
    PLAIN(VERB_VAULT_ACCEPT, "vault", "accept", "opens the listener again",
          .effect = {.clears = CONDITION_CLOSED}, .excludes = UNCONTROLLED),
    [VERB_VAULT_HANG] = {.id = VERB_VAULT_HANG,
                         .actor = "vault",
                         .name = "hang",
                         .effect = {.sets = CONDITION_HELD},
                         .excludes = UNCONTROLLED,
                         .main = MOMENT_MAIN,
                         .fields = moment_fields,
                         .doc = "takes requests and holds them, until resume executes them"},
    PLAIN(VERB_VAULT_RESUME, "vault", "resume", "lets held requests go on",
          .effect = {.clears = CONDITION_HELD}, .excludes = UNCONTROLLED),
    [VERB_VAULT_CRASH] = {.id = VERB_VAULT_CRASH,
                          .actor = "vault",
                          .name = "crash",
                          .effect = {.sets = CONDITION_GONE, .clears = CONDITION_OF_PROCESS},
                          .excludes = UNCONTROLLED,
                          .main = MOMENT_MAIN,
                          .fields = moment_fields,
                          .doc = "makes Vault kill itself without any clean-up, until start"},
    PLAIN(VERB_VAULT_STOP, "vault", "stop", "ends Vault with SIGTERM, until start",
          .effect = {.sets = CONDITION_GONE, .clears = CONDITION_OF_PROCESS},
          .excludes = CONDITION_GONE),
    PLAIN(VERB_VAULT_KILL, "vault", "kill", "ends Vault with SIGKILL, until start",
          .effect = {.sets = CONDITION_GONE, .clears = CONDITION_OF_PROCESS},
          .excludes = CONDITION_GONE),
    PLAIN(VERB_VAULT_START, "vault", "start",
          "starts Vault again on its port: with storage file it comes back sealed",
          .effect = {.clears = CONDITION_GONE | CONDITION_OF_PROCESS}, .derive = start_effect,
          .needs = CONDITION_GONE),
    [VERB_VAULT_RESTART] = {.id = VERB_VAULT_RESTART,
                            .actor = "vault",
                            .name = "restart",
                            .effect = {.sets = CONDITION_RESTARTED,
                                       .clears = CONDITION_GONE | CONDITION_OF_PROCESS},
                            .derive = start_effect,
                            .main = {.type = VERB_WORD,
                                     .words = restart_words,
                                     .standard = "keep",
                                     .doc = "keep its storage, or wipe it and initialise anew"},
                            .doc = "stops Vault and starts it again"},
    PLAIN(VERB_VAULT_PAUSE, "vault", "pause",
          "freezes the process with SIGSTOP: connections succeed and hang, until unpause",
          .effect = {.sets = CONDITION_FROZEN}, .excludes = UNCONTROLLED),
    PLAIN(VERB_VAULT_UNPAUSE, "vault", "unpause", "lets a frozen process go on",
          .effect = {.clears = CONDITION_FROZEN}, .needs = CONDITION_FROZEN),
    PLAIN(VERB_VAULT_RESET, "vault", "reset",
          "takes back all rules, holds and counters; never touches Vault's data",
          .effect = {.clears = CONDITION_RULED | CONDITION_CLOSED | CONDITION_HELD},
          .excludes = UNCONTROLLED),
    [VERB_VAULT_BOOTSTRAP] = {.id = VERB_VAULT_BOOTSTRAP,
                              .actor = "vault",
                              .name = "bootstrap",
                              .excludes = UNANSWERED,
                              .key_event = true,
                              .doc = "what DocuGen's script does: mounts transit, creates the "
                                     "signing key, writes the fallback key file, each if absent"},
    [VERB_VAULT_ROTATE_KEY] = {.id = VERB_VAULT_ROTATE_KEY,
                               .actor = "vault",
                               .name = "rotate_key",
                               .excludes = UNANSWERED,
                               .key_event = true,
                               .doc = "adds a new version to the signing key"},
    [VERB_VAULT_RECREATE_KEY] = {.id = VERB_VAULT_RECREATE_KEY,
                                 .actor = "vault",
                                 .name = "recreate_key",
                                 .effect = {.sets = CONDITION_KEY},
                                 .excludes = UNANSWERED,
                                 .key_event = true,
                                 .doc = "deletes the signing key and creates one of the same name"},
    [VERB_VAULT_DELETE_KEY] = {.id = VERB_VAULT_DELETE_KEY,
                               .actor = "vault",
                               .name = "delete_key",
                               .effect = {.sets = CONDITION_KEY},
                               .excludes = UNANSWERED,
                               .key_event = true,
                               .doc = "deletes the signing key, until bootstrap"},
    [VERB_SERVICE_START] = {.id = VERB_SERVICE_START,
                            .of_subject = true,
                            .actor = "service",
                            .name = "start",
                            .main = SERVICES_MAIN,
                            .doc = "starts services that were ended"},
    [VERB_SERVICE_STOP] = {.id = VERB_SERVICE_STOP,
                           .of_subject = true,
                           .actor = "service",
                           .name = "stop",
                           .main = SERVICES_MAIN,
                           .doc = "ends services with SIGTERM"},
    [VERB_SERVICE_KILL] = {.id = VERB_SERVICE_KILL,
                           .of_subject = true,
                           .actor = "service",
                           .name = "kill",
                           .main = SERVICES_MAIN,
                           .doc = "ends services with SIGKILL"},
    [VERB_SERVICE_PAUSE] = {.id = VERB_SERVICE_PAUSE,
                            .of_subject = true,
                            .actor = "service",
                            .name = "pause",
                            .main = SERVICES_MAIN,
                            .doc = "freezes services with SIGSTOP"},
    [VERB_SERVICE_UNPAUSE] = {.id = VERB_SERVICE_UNPAUSE,
                              .of_subject = true,
                              .actor = "service",
                              .name = "unpause",
                              .main = SERVICES_MAIN,
                              .doc = "lets frozen services go on"},
    [VERB_SERVICE_RESTART] = {.id = VERB_SERVICE_RESTART,
                              .of_subject = true,
                              .actor = "service",
                              .name = "restart",
                              .main = SERVICES_MAIN,
                              .fields = service_restart_fields,
                              .doc = "restarts services; as with docker compose, a changed "
                                     "environment needs them re-created"},
    [VERB_TRUST_ACCEPT] = {.id = VERB_TRUST_ACCEPT,
                           .of_subject = true,
                           .actor = "trust",
                           .name = "accept",
                           .effect = {.clears = CONDITION_KEY},
                           .excludes = UNANSWERED,
                           .key_event = true,
                           .main = {.type = VERB_WORD,
                                    .words = accept_words,
                                    .standard = "vault_key",
                                    .doc = "whose key; there is only Vault's"},
                           .doc = "pins the key that Vault has now (signer trust accept)"},
    PLAIN(VERB_FALLBACK_KEY_WRITE, "fallback_key", "write",
          "puts the first fallback key file back, mode 0600",
          .effect = {.clears = CONDITION_FALLBACK_KEY}),
    PLAIN(VERB_FALLBACK_KEY_REMOVE, "fallback_key", "remove",
          "removes the fallback key file, until write", .effect = {.sets = CONDITION_FALLBACK_KEY}),
    [VERB_FALLBACK_KEY_CHMOD] = {.id = VERB_FALLBACK_KEY_CHMOD,
                                 .actor = "fallback_key",
                                 .name = "chmod",
                                 .main = {.type = VERB_TEXT,
                                          .format = VERB_FORMAT_MODE,
                                          .required = true,
                                          .max = 4,
                                          .doc = "four octal digits, quoted"},
                                 .effect = {.sets = CONDITION_FALLBACK_KEY},
                                 .derive = chmod_effect,
                                 .doc = "changes the permissions of the fallback key file"},
    PLAIN(VERB_FALLBACK_KEY_ROTATE, "fallback_key", "rotate",
          "writes a new fallback key, as DocuGen's script does",
          .effect = {.clears = CONDITION_FALLBACK_KEY}),
    [VERB_SIGN] = {.id = VERB_SIGN,
                   .actor = "sign",
                   .role = VERB_SIGNS,
                   .fields = sign_fields,
                   .doc = "has a bundle signed and judges what came of it"},
    [VERB_WAIT_FOR] = {.id = VERB_WAIT_FOR,
                       .actor = "wait_for",
                       .role = VERB_WAITS,
                       .fields = wait_fields,
                       .doc = "waits for an event"},
    [VERB_AUDIT] = {.id = VERB_AUDIT,
                    .actor = "audit",
                    .role = VERB_OBSERVES,
                    .fields = audit_fields,
                    .doc = "counts entries of the audit trail, from the start of the run on"},
    [VERB_BACKOFF] = {.id = VERB_BACKOFF,
                      .actor = "backoff",
                      .role = VERB_OBSERVES,
                      .fields = backoff_fields,
                      .doc = "checks the waits that a sign step asked for"},
    [VERB_JOURNAL] = {.id = VERB_JOURNAL,
                      .actor = "journal",
                      .role = VERB_OBSERVES,
                      .fields = journal_fields,
                      .doc = "counts sign requests in Vault's journal, from the start of the run "
                             "on"},
    [VERB_LOG] = {.id = VERB_LOG,
                  .actor = "log",
                  .role = VERB_OBSERVES,
                  .fields = log_fields,
                  .doc = "looks for lines of a log"},
    [VERB_METRICS] = {.id = VERB_METRICS,
                      .actor = "metrics",
                      .role = VERB_OBSERVES,
                      .fields = metrics_fields,
                      .doc = "reads a metric of a service"},
    [VERB_MANIFEST] = {.id = VERB_MANIFEST,
                       .actor = "manifest",
                       .role = VERB_OBSERVES,
                       .fields = manifest_fields,
                       .doc = "verifies a published manifest, with the verifier of chaos"},
    [VERB_STATE] = {.id = VERB_STATE,
                    .actor = "state",
                    .role = VERB_OBSERVES,
                    .fields = state_fields,
                    .doc = "reads the state of Vault"},
    [VERB_STATUS] = {.id = VERB_STATUS,
                     .actor = "status",
                     .role = VERB_OBSERVES,
                     .fields = status_fields,
                     .doc = "runs `signer status`"},
    [VERB_ENVIRONMENT] = {.id = VERB_ENVIRONMENT,
                          .actor = "environment",
                          .role = VERB_OBSERVES,
                          .fields = environment_fields,
                          .doc = "reads what a service's process was started with"},
};
