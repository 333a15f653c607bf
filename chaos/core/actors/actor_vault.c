#include "chaos/core/actors/actor_vault.h"

#include <inttypes.h>
#include <string.h>

#include "base/count.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/language/fields.h"

/* --- fields --- */

static const char *const moment_words[] = {"now", "at_request", NULL};
static const char *const restart_words[] = {"keep", "wipe", NULL};

#define TRIGGER_FIELDS                                                                             \
    {.name = "path",                                                                               \
     .type = VERB_TEXT,                                                                            \
     .min = 1,                                                                                     \
     .max = 200,                                                                                   \
     .standard = "*/sign/*",                                                                       \
     .doc = "which requests: a glob over the path"},                                               \
    {                                                                                              \
        .name = "after", .type = VERB_INT, .min = 0, .max = FIELDS_COUNT_MAX, .standard = "0",     \
        .doc = "how many matching requests to let pass first"                                      \
    }

static const char *const certificate_words[] = {"good", "expired", "wrong_name", "unknown_ca",
                                                NULL};

static const struct verb_field moment_fields[] = {TRIGGER_FIELDS, FIELDS_END};

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
     .doc = "headers to add; ${DECOY} is the address of the decoy (http://127.0.0.1:PORT)"},
    TRIGGER_FIELDS,
    {.name = "times",
     .type = VERB_INT,
     .min = 1,
     .max = FIELDS_COUNT_MAX,
     .doc = "how many requests to hit; all when left out"},
    FIELDS_END};

static const struct verb_field refuse_fields[] = {
    {.name = "drain",
     .type = VERB_BOOL,
     .standard = "false",
     .doc = "let requests in flight finish instead of resetting their connections"},
    TRIGGER_FIELDS,
    FIELDS_END};

#define MOMENT_MAIN                                                                                \
    {                                                                                              \
        .type = VERB_WORD, .words = moment_words, .standard = "now",                               \
        .doc = "at once, or when a matching request arrives, which then is not executed"           \
    }

/* --- mistakes --- */

static bool is_verb(const struct scenario_step *step, const char *name)
{
    return step->actor == &actor_vault && strcmp(step->verb->name, name) == 0;
}

static bool wipes(const struct scenario_step *step)
{
    return step->main.text != NULL && strcmp(step->main.text, "wipe") == 0;
}

static bool comes_back(const struct check *c, const struct scenario_step *step)
{
    (void)c;
    return is_verb(step, "start") || is_verb(step, "restart");
}

/* Without storage nothing is left behind a restart; only a dev server sets itself up again. */
static bool check_initialised(struct check *c, const struct scenario_step *step)
{
    const struct scenario_stack *stack = &c->scenario->stack;
    const struct scenario_step *before = check_before(c, step, comes_back);
    if (stack->dev || stack->durable || before == NULL || wipes(before))
        return true;
    check_step(c, step,
               "vault is not initialised here: without storage it came back empty (line %zu), use "
               "{restart: wipe}, which sets it up",
               before->line);
    return false;
}

static void check_unseal(struct check *c, const struct scenario_step *step)
{
    if (step->main.number > c->scenario->stack.shares)
        check_value(c, step, &step->main, "there are only %d unseal keys",
                    c->scenario->stack.shares);
    (void)check_initialised(c, step);
}

/* True when the step takes the signing key away or makes one. */
static bool is_about_key(const struct check *c, const struct scenario_step *step)
{
    return is_verb(step, "bootstrap") || is_verb(step, "recreate_key") ||
           is_verb(step, "delete_key") ||
           (comes_back(c, step) && (wipes(step) || !c->scenario->stack.durable));
}

void actor_vault_check_key(struct check *c, const struct scenario_step *step)
{
    const struct scenario_step *before = check_before(c, step, is_about_key);
    if (before == NULL || is_verb(before, "bootstrap") || is_verb(before, "recreate_key"))
        return;
    check_step(c, step, "there is no signing key here (%s in line %zu): bootstrap first",
               is_verb(before, "delete_key") ? "deleted" : "vault came back empty", before->line);
}

#define REPLY_HEAD_MAX                                                                             \
    8192 /* bytes of names and values: what clients take, and fakevault sends                      \
          */

/* The server itself says how the answer is framed; a rule that does is refused. */
static void check_header(struct check *c, const struct scenario_step *step,
                         const struct scenario_value *headers, const struct scenario_pair *pair)
{
    static const char *const framing[] = {"Content-Length", "Transfer-Encoding", "Connection"};
    for (size_t i = 0; i < COUNT(framing); i++)
        if (strcasecmp(pair->name, framing[i]) == 0)
            check_pair(c, step, headers, pair, "\"%s\" is set by the server, leave it out",
                       pair->name);
    const char *open = strstr(pair->value, "${");
    if (open != NULL && strncmp(open, ACTOR_VAULT_DECOY, strlen(ACTOR_VAULT_DECOY)) != 0)
        check_pair(c, step, headers, pair, "there is no value for \"%.20s\", only for %s", open,
                   ACTOR_VAULT_DECOY);
    for (const char *p = pair->value; *p != '\0'; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f) {
            check_pair(c, step, headers, pair,
                       "a header's value is one line without control "
                       "characters");
            return;
        }
}

static void check_headers(struct check *c, const struct scenario_step *step)
{
    const struct scenario_value *headers = scenario_field(step, "headers");
    size_t bytes = 0;
    for (size_t i = 0; i < headers->count; i++) {
        check_header(c, step, headers, &headers->pairs[i]);
        bytes += strlen(headers->pairs[i].name) + strlen(headers->pairs[i].value);
    }
    if (bytes > REPLY_HEAD_MAX)
        check_value(c, step, headers, "%zu bytes of headers, at most %d are sent", bytes,
                    REPLY_HEAD_MAX);
}

static void check_respond(struct check *c, const struct scenario_step *step)
{
    static const char *const bodies[] = {"errors", "body"};
    int64_t status = step->main.number;
    if (check_given(step, "errors") && check_given(step, "body"))
        check_value(c, step, scenario_field(step, "body"), "excludes errors, give one of them");
    for (size_t i = 0; i < 2; i++)
        if ((status == 204 || status == 304) && check_given(step, bodies[i]))
            check_value(c, step, scenario_field(step, bodies[i]),
                        "an answer with status %" PRId64 " has no body", status);
    check_headers(c, step);
}

/* path and after say which request; at once there is none. */
static void check_trigger(struct check *c, const struct scenario_step *step)
{
    static const char *const fields[] = {"path", "after"};
    bool at_request = scenario_at_request(step);
    for (size_t i = 0; i < 2 && !at_request; i++)
        if (check_given(step, fields[i]))
            check_value(c, step, scenario_field(step, fields[i]), "only with at_request");
    if (at_request && check_given(step, "drain"))
        check_value(c, step, scenario_field(step, "drain"), "only with now");
}

/* --- what they do to the condition of Vault --- */

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
static void come_back(const struct scenario_step *step, const struct scenario_stack *stack,
                      struct condition_effect *effect)
{
    bool wiped = step->main.text != NULL && strcmp(step->main.text, "wipe") == 0;
    if (wiped || !stack->durable)
        effect->implied |= CONDITION_KEY;
    if (!wiped && !stack->dev)
        effect->implied |= CONDITION_SEALED;
}

static bool is_good(const struct scenario_step *step)
{
    return step->main.text != NULL && strcmp(step->main.text, "good") == 0;
}

static void trust_or_not(const struct scenario_step *step, const struct scenario_stack *stack,
                         struct condition_effect *effect)
{
    (void)stack;
    if (is_good(step))
        effect->sets = 0;
}

static void check_certificate(struct check *c, const struct scenario_step *step)
{
    if (!c->scenario->stack.tls)
        check_step(c, step, "there is no certificate without stack.vault.tls: true");
}

/* --- the verbs --- */

static const struct verb verbs[] = {
    {.name = "seal",
     .doc = "seals Vault; every request is answered 503 until unseal",
     .main = MOMENT_MAIN,
     .fields = moment_fields,
     .check = check_trigger,
     .effect = {.sets = CONDITION_SEALED},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "unseal",
     .doc = "enters unseal keys, the next ones each time; too few leave it sealed",
     .main = {.type = VERB_INT,
              .required = true,
              .min = 1,
              .max = 255,
              .doc = "how many unseal keys to enter"},
     .check = check_unseal,
     .derive = enter_shares,
     .excludes = CONDITION_UNCONTROLLED | CONDITION_CLOSED | CONDITION_CERTIFICATE},
    {.name = "respond",
     .doc = "answers requests itself and does not execute them, until reset",
     .main = {.type = VERB_INT,
              .required = true,
              .min = 200,
              .max = 599,
              .doc = "HTTP status to answer"},
     .fields = respond_fields,
     .check = check_respond,
     .effect = {.sets = CONDITION_RULED},
     .derive = count_times,
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "refuse",
     .doc = "closes the listener and resets open connections, until accept",
     .main = MOMENT_MAIN,
     .fields = refuse_fields,
     .check = check_trigger,
     .effect = {.sets = CONDITION_CLOSED},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "accept",
     .doc = "opens the listener again",
     .effect = {.clears = CONDITION_CLOSED},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "hang",
     .doc = "takes requests and holds them, until resume executes them",
     .main = MOMENT_MAIN,
     .fields = moment_fields,
     .check = check_trigger,
     .effect = {.sets = CONDITION_HELD},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "resume",
     .doc = "lets held requests go on, and holds no more",
     .effect = {.clears = CONDITION_HELD},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "crash",
     .doc = "makes Vault kill itself without any clean-up, until start",
     .main = MOMENT_MAIN,
     .fields = moment_fields,
     .check = check_trigger,
     .effect = {.sets = CONDITION_GONE, .clears = CONDITION_OF_PROCESS},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "stop",
     .doc = "ends Vault with SIGTERM, until start",
     .effect = {.sets = CONDITION_GONE, .clears = CONDITION_OF_PROCESS},
     .excludes = CONDITION_GONE},
    {.name = "kill",
     .doc = "ends Vault with SIGKILL, until start",
     .effect = {.sets = CONDITION_GONE, .clears = CONDITION_OF_PROCESS},
     .excludes = CONDITION_GONE},
    {.name = "start",
     .doc = "starts Vault again on its port: with storage file it comes back sealed",
     .effect = {.clears = CONDITION_GONE | CONDITION_OF_PROCESS},
     .derive = come_back,
     .needs = CONDITION_GONE},
    {.name = "restart",
     .doc = "stops Vault and starts it again",
     .main = {.type = VERB_WORD,
              .words = restart_words,
              .standard = "keep",
              .doc = "keep its storage, or wipe it and initialise anew"},
     .effect = {.sets = CONDITION_RESTARTED, .clears = CONDITION_GONE | CONDITION_OF_PROCESS},
     .derive = come_back},
    {.name = "pause",
     .doc = "freezes the process with SIGSTOP: connections succeed and hang, until unpause",
     .effect = {.sets = CONDITION_FROZEN},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "unpause",
     .doc = "lets a frozen process go on",
     .effect = {.clears = CONDITION_FROZEN},
     .needs = CONDITION_FROZEN},
    {.name = "certificate",
     .doc = "serves another certificate and drops open connections; all but good are such that "
            "nobody may trust, until good",
     .main = {.type = VERB_WORD,
              .words = certificate_words,
              .required = true,
              .doc = "good, over, of another name, or of an authority that nobody trusts"},
     .check = check_certificate,
     .effect = {.sets = CONDITION_CERTIFICATE, .clears = CONDITION_CERTIFICATE | CONDITION_CLOSED},
     .derive = trust_or_not,
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "reset",
     .doc = "takes back all rules, holds and counters; never touches Vault's data",
     .effect = {.clears = CONDITION_RULED | CONDITION_CLOSED | CONDITION_HELD},
     .excludes = CONDITION_UNCONTROLLED},
    {.name = "bootstrap",
     .doc = "what DocuGen's script does: mounts transit, creates the signing key, writes the "
            "fallback key file, each if absent",
     .effect = {.clears = CONDITION_FALLBACK_GONE},
     .excludes = CONDITION_UNANSWERED},
    {.name = "rotate_key",
     .doc = "adds a new version to the signing key",
     .check = actor_vault_check_key,
     .excludes = CONDITION_UNANSWERED},
    {.name = "recreate_key",
     .doc = "deletes the signing key and creates one of the same name",
     .check = actor_vault_check_key,
     .effect = {.sets = CONDITION_KEY},
     .excludes = CONDITION_UNANSWERED},
    {.name = "delete_key",
     .doc = "deletes the signing key, until bootstrap",
     .check = actor_vault_check_key,
     .effect = {.sets = CONDITION_KEY},
     .excludes = CONDITION_UNANSWERED},
};

const struct actor actor_vault = {.name = "vault", .verbs = verbs, .verb_count = COUNT(verbs)};
