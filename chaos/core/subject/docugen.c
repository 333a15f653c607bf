#include "chaos/core/subject/docugen.h"

#include "base/count.h"

#define MINUTE_MS 60000
#define HOUR_MS (60 * MINUTE_MS)

/* --- the environment: the header signer/core/config.h --- */

#define TEXT(word, ...)                                                                            \
    {                                                                                              \
        .name = (word), .type = VARIABLE_TEXT, __VA_ARGS__                                         \
    }
#define NUMBER(word, least, most, usual, what, ...)                                                \
    {                                                                                              \
        .name = (word), .type = VARIABLE_NUMBER, .min = (least), .max = (most),                    \
        .standard = (usual), .binds = VARIABLE_BINDS_##what, __VA_ARGS__                           \
    }

#define AUDIT "${RUN}/ledgers/audit.ndjson"

/* clang-format off */
static const struct variable variables[] = {
    TEXT("VAULT_ADDR", .given = "${VAULT_ADDR}", .fixed = true),
    TEXT("VAULT_TOKEN", .instead_of = "VAULT_TOKEN_FILE", .secret = true),
    TEXT("VAULT_TOKEN_FILE", .given = "${VAULT_TOKEN_FILE}"),
    TEXT("VAULT_CACERT", .given = "${VAULT_CACERT}"),
    TEXT("VAULT_NAMESPACE"),
    TEXT("SIGNING_KEY", .given = "${KEY}"),
    {.name = "ALLOW_FALLBACK_SIGNING", .type = VARIABLE_SWITCH, .binds = VARIABLE_BINDS_FALLBACK},
    TEXT("FALLBACK_KEY_FILE", .given = "${FALLBACK_FILE}"),
    TEXT("TRUST_FILE", .given = "${RUN}/trust.json"),
    TEXT("AUDIT_LOG", .given = AUDIT),
    NUMBER("SIGNER_ATTEMPTS", 1, 10, 3, ATTEMPTS),
    NUMBER("SIGNER_BACKOFF_BASE_MS", 1, MINUTE_MS, 250, BASE),
    NUMBER("SIGNER_BACKOFF_MAX_MS", 1, 10 * MINUTE_MS, 2000, MAX),
    NUMBER("SIGNER_ATTEMPT_TIMEOUT_MS", 1, 10 * MINUTE_MS, 2000, ATTEMPT_TIMEOUT,
           .patient = "30000"),
    NUMBER("SIGNER_TOTAL_TIMEOUT_MS", 1, HOUR_MS, 10000, TOTAL_TIMEOUT),
    NUMBER("SIGNER_HEALTH_INTERVAL_MS", 10, HOUR_MS, 1000, NOTHING),
    TEXT("FAKEVAULT_TEST"),
};
/* clang-format on */

/* --- doors: docs/architecture.md, signer --- */

/* The bundle that is asked for. A service never sees the artefact itself: it is told the hash of no
 * bytes. The command reads the file, and hashes it by itself. */
#define BUNDLE                                                                                     \
    "{\"bundleRunId\":\"${call}\",\"operatorId\":\"chaos\",\"artefacts\":[${artefacts}],"          \
    "\"metadata\":${metadata}}"
#define ARTEFACT(bytes)                                                                            \
    "{\"id\":\"artefact-${n}\",\"type\":\"bank_statement\"," bytes                                 \
    "\"storageKey\":\"bundles/${call}/" FILE_NAME "\",\"renderVersion\":\"${revision}\"}"
#define NO_BYTES                                                                                   \
    "\"checksum\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
#define FILE_NAME "statement-${n}.pdf"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define NO_FILE "\"checksum\":\"sha256:" ZEROS "\","
#define BUNDLES "/api/v1/bundles"

static const char *const serve[] = {
    "serve",  "--name", "${NAME}",    "--listen", "127.0.0.1:${PORT}",
    "--data", "${DIR}", "--ready-fd", "3",        NULL};
static const char *const sign[] = {"sign", "${DIR}/${call}", "--actor", "cli-user:chaos", NULL};
static const char *const accept[] = {"trust", "accept", NULL};
static const char *const status[] = {"status", NULL};
static const char *const verify[] = {"verify", "${call}", NULL};
static const char *const pinned[] = {"trust", "show", NULL};

#define SERVICE(word)                                                                              \
    {                                                                                              \
        .name = (word), .kind = SUBJECT_SERVICE, .start = serve,                                   \
        .submit = {"POST", BUNDLES, NULL, BUNDLE},                                                 \
        .await = {"GET", BUNDLES "/${call}", "Prefer: wait=${seconds}", NULL},                     \
        .retry = {"POST", BUNDLES "/${call}/retry", NULL, NULL}, .retry_needless = 409,            \
        .metrics = {"GET", "/metrics", NULL, NULL}, .health = {"GET", "/healthz", NULL, NULL},     \
        .run = {"GET", BUNDLES "/${call}", NULL, NULL},                                            \
        .served = {"GET", BUNDLES "/${call}/manifest", NULL, NULL},                                \
        .answer = {"/status", "/signing/mode", "/signing/reason", "/error/code",                   \
                   "/signing/attempts"},                                                           \
        .asked = BUNDLE, .artefact = ARTEFACT(NO_BYTES), .asked_artefact = ARTEFACT(NO_BYTES),     \
        .manifest = "${DIR}/manifests/${call}.json"                                                \
    }

static const struct subject_door doors[] = {
    SERVICE("api"),
    SERVICE("worker"),
    {.name = "cli",
     .kind = SUBJECT_COMMAND,
     .sign = sign,
     .folder = "${DIR}/${call}",
     .files = {{FILE_NAME, "${call} ${n}", .of_each_artefact = true}, {"bundle.json", BUNDLE}},
     .answer = {"/status", "/signingMode", "/reason", "/error/code", "/attempts"},
     .asked = BUNDLE,
     .artefact = ARTEFACT("\"path\":\"" FILE_NAME "\",${wrong_checksum}"),
     .asked_artefact = ARTEFACT("\"checksum\":\"sha256:${artefact_sha256}\","),
     .wrong_checksum = NO_FILE,
     .manifest = "${DIR}/${call}/manifest.json"},
};

/* --- places: signer/shell/service/run_store.c, files/audit_file.h, publish.h, trust_file.h --- */

#define STAYS(name, bits)                                                                          \
    {                                                                                              \
        .path = (name), .mode = (bits)                                                             \
    }
#define UNTIL(name, bits, end)                                                                     \
    {                                                                                              \
        .path = (name), .mode = (bits), .stays = SUBJECT_STAYS_UNTIL_##end                         \
    }
#define FOLDER(name)                                                                               \
    {                                                                                              \
        .path = (name), .mode = 0700, .folder = true                                               \
    }

/* clang-format off */
static const struct subject_place places[] = {
    STAYS("trust.json", 0644),
    STAYS("ledgers/audit.ndjson", 0600),
    STAYS("ledgers/audit.ndjson.lock", 0600),
    STAYS("${NAME}/${NAME}.lock", 0600),
    STAYS("${NAME}/store.lock", 0600),
    FOLDER("${NAME}/runs"),
    STAYS("${NAME}/runs/${call}.json", 0600),
    UNTIL("${NAME}/runs/${call}.json.??????", 0600, START),
    FOLDER("${NAME}/manifests"),
    STAYS("${NAME}/manifests/${call}.json", 0644),
    UNTIL("${NAME}/manifests/.${call}.json.signing", 0644, TAKEN_UP),
    STAYS("${COMMAND}/${call}/manifest.json", 0644),
    UNTIL("${COMMAND}/${call}/.manifest.json.signing", 0644, TAKEN_UP),
};
/* clang-format on */
/* --- its log: docs/architecture.md, "Log lines" --- */

static const char *const failed_events[] = {"failed", "blocked", NULL};
static const char *const unaudited[] = {"audit_unavailable", "publish_failed", "key_not_trusted",
                                        "bundle_conflict",   "bundle_busy",    NULL};

/* --- what it asks of Vault --- */

static const struct subject_asking askings[] = {
    {"POST PUT", "/v1/transit/sign/*", SUBJECT_WHEN_SIGNING, NULL, "SIGNING_KEY"},
    {"GET HEAD", "/v1/sys/health", SUBJECT_WHEN_POLLING, "SIGNER_HEALTH_INTERVAL_MS", NULL},
    {"GET", "/v1/transit/keys/*", SUBJECT_WHEN_PINNING, NULL, NULL},
};

/* --- classes: docs/architecture.md, "Classes of an attempt"; failures.md 0 --- */

#define CLASS(word, what, n, ...)                                                                  \
    {                                                                                              \
        .name = (word), .says = SUBJECT_SAYS_##what, .range_count = (n), .ranges = { __VA_ARGS__ } \
    }

/* clang-format off */
static const struct subject_class classes[] = {
    CLASS("ok", NEITHER, 1, {200, 200}),
    CLASS("refused", OUTAGE, 1, {0, 0}),
    CLASS("unreachable", OUTAGE, 1, {0, 0}),
    {.name = "timeout", .says = SUBJECT_SAYS_OUTAGE, .waited = true,
     .range_count = 3, .ranges = {{0, 299}, {500, 500}, {502, 599}}},
    CLASS("sealed", OUTAGE, 2, {500, 500}, {503, 503}),
    CLASS("unavailable", OUTAGE, 4, {408, 408}, {472, 474}, {500, 500}, {502, 599}),
    CLASS("malformed", OUTAGE, 5, {0, 299}, {408, 408}, {472, 474}, {500, 500}, {502, 999}),
    CLASS("rate_limited", NEITHER, 1, {429, 429}),
    CLASS("stale", NEITHER, 1, {412, 412}),
    CLASS("denied", REFUSAL, 4, {401, 401}, {403, 403}, {407, 407}, {503, 503}),
    CLASS("bad_request", REFUSAL, 2, {400, 499}, {500, 501}),
    CLASS("not_found", REFUSAL, 2, {404, 404}, {410, 410}),
    CLASS("key_state", REFUSAL, 1, {500, 500}),
    CLASS("redirect", REFUSAL, 1, {300, 399}),
    CLASS("certificate", REFUSAL, 2, {0, 0}, {500, 500}),
    CLASS("key_mismatch", REFUSAL, 1, {200, 200}),
    CLASS("internal", REFUSAL, 1, {0, 999}),
};

/* --- lists of words --- */

/* clang-format off */
#define FAILURES                                                                                   \
    "refused", "unreachable", "timeout", "sealed", "unavailable", "malformed", "rate_limited",     \
    "stale", "denied", "bad_request", "not_found", "key_state", "redirect", "certificate",         \
    "key_mismatch", "internal"
/* clang-format on */

/* The classes of attempts, and that of a run which a crash ended. */
static const char *const class_words[] = {"ok", FAILURES, "interrupted", NULL};

/* docs/architecture.md, "The audit trail": classes, and why fallback could not take over */
static const char *const reason_words[] = {
    FAILURES, "fallback_off", "fallback_key_missing", "fallback_key_unsafe", "interrupted", NULL};

static const char *const door_words[] = {"api", "worker", "cli", NULL};
static const char *const service_words[] = {"api", "worker", NULL};
static const char *const log_words[] = {"vault", "api", "worker", "cli", NULL};
static const char *const status_words[] = {"pending", "running", "completed",
                                           "failed",  "blocked", NULL};
static const char *const mode_words[] = {"vault", "fallback", NULL};
/* clang-format on */

static const struct subject_status_word statuses[] = {
    {"pending", SUBJECT_STATUS_UNDER_WAY},  {"running", SUBJECT_STATUS_UNDER_WAY},
    {"completed", SUBJECT_STATUS_SIGNED},   {"failed", SUBJECT_STATUS_NOT_SIGNED},
    {"blocked", SUBJECT_STATUS_NOT_SIGNED},
};

static const struct subject docugen = {
    .name = "docugen",
    .doors = doors,
    .door_count = COUNT(doors),
    .variables = {variables, COUNT(variables)},
    .audit = AUDIT,
    .places = places,
    .place_count = COUNT(places),
    .accept = accept,
    .status = status,
    .verify = verify,
    .pinned = pinned,
    .key_mark = "\"keyFingerprint\":\"",
    .honest = "\"operatorId\":\"chaos\"",
    .tampered = "\"operatorId\":\"chaot\"",
    .poll_interval = "SIGNER_HEALTH_INTERVAL_MS",
    .poll_most_ms = 5000,
    .poll_first_ms = 1000,
    .log = {.event = "event",
            .level = "level",
            .actor = "actor",
            .bundle = "bundle",
            .mode = "signing_mode",
            .attempts = "attempts",
            .key = "key",
            .reason = "reason",
            .class = "class",
            .error = "error",
            .signed_event = "signed",
            .signed_level = "info",
            .failed_events = failed_events,
            .failed_level = "error",
            .unaudited = unaudited,
            .unpublished = "publish_failed"},
    .askings = askings,
    .asking_count = COUNT(askings),
    .classes = classes,
    .class_count = COUNT(classes),
    .statuses = statuses,
    .status_count = COUNT(statuses),
    .actions =
        {
            [SUBJECT_ACTION_STARTED] = "MANIFEST_SIGNING_STARTED",
            [SUBJECT_ACTION_SIGNED] = "MANIFEST_SIGNED",
            [SUBJECT_ACTION_FAILED] = "MANIFEST_SIGNING_FAILED",
            [SUBJECT_ACTION_REPAIRED] = "AUDIT_TAIL_REPAIRED",
        },
    .modes = {[SUBJECT_MODE_VAULT] = "vault", [SUBJECT_MODE_FALLBACK] = "fallback"},
    .lists =
        {
            [SUBJECT_DOORS] = door_words,
            [SUBJECT_SERVICES] = service_words,
            [SUBJECT_LOGS] = log_words,
            [SUBJECT_CLASSES] = class_words,
            [SUBJECT_REASONS] = reason_words,
            [SUBJECT_STATUSES] = status_words,
            [SUBJECT_MODES] = mode_words,
        },
};

const struct subject *docugen_subject(void)
{
    return &docugen;
}
