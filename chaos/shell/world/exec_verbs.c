#include "chaos/shell/world/exec_verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "chaos/shell/stack/stack_signer.h"
#include "chaos/shell/stack/stack_vault.h"

#define RULE_BYTES_MAX (128u << 10)
#define JOURNAL_BYTES_MAX (256u << 20)

struct run {
    struct exec_verbs *exec;
    struct stack *stack;
    const struct world_step *at;
    const struct scenario_step *step;
    struct world_outcome *out;
};

typedef enum errc execute(const struct run *r, struct errc_why *why);

static void note(const struct run *r, const char *format, ...) PRINTF_LIKE(2, 3);

static void note(const struct run *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->out->note, sizeof r->out->note, format, args);
    va_end(args);
}

/* --- fault rules of fakevault (docs/architecture.md, control API) --- */

static void write_match(struct jsonwrite *w, const struct run *r)
{
    jsonwrite_object(w, "match");
    jsonwrite_string(w, "path", scenario_text(r->step, "path"));
    jsonwrite_end(w);
}

static void write_trigger(struct jsonwrite *w, const struct run *r, int64_t times)
{
    jsonwrite_object(w, "trigger");
    jsonwrite_int(w, "after", scenario_int(r->step, "after"));
    if (times > 0)
        jsonwrite_int(w, "times", times);
    jsonwrite_end(w);
}

static void write_respond(struct jsonwrite *w, const struct run *r)
{
    const struct scenario_value *errors = scenario_field(r->step, "errors");
    const struct scenario_value *headers = scenario_field(r->step, "headers");
    jsonwrite_object(w, "respond");
    jsonwrite_int(w, "status", r->step->main.number);
    if (scenario_given(r->step, "body")) {
        jsonwrite_string(w, "body", scenario_text(r->step, "body"));
    } else {
        jsonwrite_array(w, "errors");
        for (size_t i = 0; i < errors->count; i++)
            jsonwrite_string(w, NULL, errors->texts[i]);
        jsonwrite_end(w);
    }
    jsonwrite_object(w, "headers");
    for (size_t i = 0; i < headers->count; i++)
        jsonwrite_string(w, headers->pairs[i].name, headers->pairs[i].value);
    jsonwrite_end(w);
    jsonwrite_end(w);
}

/* Sets the step's rule. `effect` is the name of a plain effect, NULL for respond. */
static enum errc add_rule(const struct run *r, const char *effect, int64_t times,
                          struct errc_why *why)
{
    struct buf body CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&body, RULE_BYTES_MAX);
    jsonwrite_init(&w, &body, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "id", r->at->rule);
    write_match(&w, r);
    write_trigger(&w, r, times);
    jsonwrite_object(&w, "effect");
    if (effect != NULL)
        jsonwrite_bool(&w, effect, true);
    else
        write_respond(&w, r);
    jsonwrite_end(&w);
    jsonwrite_end(&w);
    TRY(buf_status(&body, why));
    TRY(vault_client_control(&r->stack->client, "POST", "/faults", buf_slice(&body), NULL, why));
    note(r, "rule %s is set", r->at->rule);
    return ERRC_OK;
}

/* A fault that waits for a request is a rule; else it is done now. The state that the request
 * brings about lasts, so one hit is enough; only holding has to be done to each request. */
static enum errc fault(const struct run *r, const char *effect, const char *path, struct slice body,
                       struct errc_why *why)
{
    if (scenario_at_request(r->step))
        return add_rule(r, effect, (r->step->verb->effect.sets & CONDITION_HELD) != 0 ? 0 : 1, why);
    return vault_client_control(&r->stack->client, "POST", path, body, NULL, why);
}

/* --- vault --- */

static enum errc vault_seal(const struct run *r, struct errc_why *why)
{
    return fault(r, "seal", "/seal", slice_of(NULL), why);
}

static enum errc vault_unseal(const struct run *r, struct errc_why *why)
{
    bool sealed = true;
    int64_t progress = 0;
    TRY(stack_vault_unseal(r->stack, (size_t)r->step->main.number, &sealed, &progress, why));
    if (sealed)
        note(r, "still sealed, %lld of %d unseal keys entered", (long long)progress,
             r->stack->spec->threshold);
    else
        note(r, "unsealed with %lld unseal keys", (long long)r->step->main.number);
    return ERRC_OK;
}

static enum errc vault_respond(const struct run *r, struct errc_why *why)
{
    return add_rule(r, NULL, scenario_int(r->step, "times"), why);
}

static enum errc vault_refuse(const struct run *r, struct errc_why *why)
{
    bool drain = scenario_bool(r->step, "drain");
    struct slice body = drain ? SLICE_LITERAL("{\"accept\":false,\"drain\":true}")
                              : SLICE_LITERAL("{\"accept\":false,\"drain\":false}");
    return fault(r, "refuse", "/listener", body, why);
}

static enum errc vault_accept(const struct run *r, struct errc_why *why)
{
    return vault_client_control(&r->stack->client, "POST", "/listener",
                                SLICE_LITERAL("{\"accept\":true}"), NULL, why);
}

static enum errc vault_hang(const struct run *r, struct errc_why *why)
{
    return fault(r, "hold", "/hold", SLICE_LITERAL("{\"hold\":true}"), why);
}

static enum errc vault_resume(const struct run *r, struct errc_why *why)
{
    return vault_client_control(&r->stack->client, "POST", "/hold",
                                SLICE_LITERAL("{\"hold\":false}"), NULL, why);
}

static enum errc vault_crash(const struct run *r, struct errc_why *why)
{
    struct proc_end end = {0};
    struct buf how CLEANUP(buf_done);
    buf_init(&how, 128);
    TRY(fault(r, "crash", "/crash", slice_of(NULL), why));
    if (scenario_at_request(r->step))
        return ERRC_OK;
    TRY(proc_await_end(&r->stack->vault, &r->stack->await, await_deadline_ns(STACK_CALL_MS), &end,
                       why));
    proc_end_format(&end, &how);
    note(r, "vault %s", buf_text(&how));
    return ERRC_OK;
}

static enum errc end_vault(const struct run *r, int64_t grace_ms, struct errc_why *why)
{
    struct proc_end end = {0};
    struct buf how CLEANUP(buf_done);
    buf_init(&how, 128);
    if (!proc_alive(&r->stack->vault, NULL))
        return errc_fail(why, ERRC_STATE, "vault does not run");
    if (grace_ms > 0)
        (void)stack_end(r->stack, &r->stack->vault, &end);
    else
        proc_stop(&r->stack->vault, 0, &end);
    proc_end_format(&end, &how);
    note(r, "vault %s", buf_text(&how));
    return ERRC_OK;
}

static enum errc vault_stop(const struct run *r, struct errc_why *why)
{
    return end_vault(r, STACK_GRACE_MS, why);
}

static enum errc vault_kill(const struct run *r, struct errc_why *why)
{
    return end_vault(r, 0, why);
}

static enum errc vault_start(const struct run *r, struct errc_why *why)
{
    return stack_vault_start(r->stack, why);
}

static enum errc vault_restart(const struct run *r, struct errc_why *why)
{
    bool wipe = strcmp(r->step->main.text, "wipe") == 0;
    proc_stop(&r->stack->vault, STACK_GRACE_MS, NULL);
    if (wipe)
        TRY(stack_vault_wipe(r->stack, why));
    TRY(stack_vault_start(r->stack, why));
    return wipe ? stack_vault_set_up(r->stack, why) : ERRC_OK;
}

static enum errc vault_pause(const struct run *r, struct errc_why *why)
{
    return proc_freeze(&r->stack->vault, why);
}

static enum errc vault_unpause(const struct run *r, struct errc_why *why)
{
    return proc_thaw(&r->stack->vault, why);
}

static enum errc vault_reset(const struct run *r, struct errc_why *why)
{
    return vault_client_control(&r->stack->client, "POST", "/reset", slice_of(NULL), NULL, why);
}

static enum errc vault_bootstrap(const struct run *r, struct errc_why *why)
{
    return stack_vault_bootstrap(r->stack, why);
}

static enum errc vault_rotate_key(const struct run *r, struct errc_why *why)
{
    return vault_client_rotate_key(&r->stack->client, STACK_KEY, why);
}

static enum errc vault_delete_key(const struct run *r, struct errc_why *why)
{
    return vault_client_delete_key(&r->stack->client, STACK_KEY, why);
}

static enum errc vault_recreate_key(const struct run *r, struct errc_why *why)
{
    TRY(vault_client_delete_key(&r->stack->client, STACK_KEY, why));
    return vault_client_bootstrap(&r->stack->client, STACK_KEY, why);
}

/* --- service --- */

static struct stack_service *service_at(const struct run *r, size_t i)
{
    return stack_service_of(r->stack, r->step->main.texts[i]);
}

static enum errc start_services(const struct run *r, struct errc_why *why)
{
    struct stack_service *services[STACK_SERVICES];
    size_t count = r->step->main.count;
    for (size_t i = 0; i < count; i++) {
        services[i] = service_at(r, i);
        if (services[i] == NULL)
            return errc_fail(why, ERRC_NOT_FOUND, "there is no service \"%s\" in this stack",
                             r->step->main.texts[i]);
    }
    return stack_signer_start(r->stack, services, count, why);
}

typedef enum errc change_service(const struct run *r, struct stack_service *s,
                                 struct errc_why *why);

/* Does `change` to each service of the step that runs. */
static enum errc each_service(const struct run *r, change_service *change, struct errc_why *why)
{
    for (size_t i = 0; i < r->step->main.count; i++) {
        struct stack_service *s = service_at(r, i);
        if (s == NULL || !proc_alive(&s->proc, NULL))
            return errc_fail(why, ERRC_STATE, "%s does not run", r->step->main.texts[i]);
        TRY(change(r, s, why));
    }
    return ERRC_OK;
}

/* One that has to be killed although it was asked has not been stopped: what it does at its end
 * did not happen. */
static enum errc end_gently(const struct run *r, struct stack_service *s, struct errc_why *why)
{
    struct proc_end end;
    struct buf how CLEANUP(buf_done);
    buf_init(&how, 128);
    if (stack_end(r->stack, &s->proc, &end))
        return ERRC_OK;
    proc_end_format(&end, &how);
    return errc_fail(why, ERRC_STATE, "%s %s when it was to stop (SIGTERM, SIGKILL after %d ms)",
                     s->name, buf_text(&how), STACK_GRACE_MS);
}

static enum errc end_at_once(const struct run *r, struct stack_service *s, struct errc_why *why)
{
    (void)r;
    (void)why;
    proc_stop(&s->proc, 0, NULL);
    return ERRC_OK;
}

static enum errc freeze(const struct run *r, struct stack_service *s, struct errc_why *why)
{
    (void)r;
    return proc_freeze(&s->proc, why);
}

static enum errc thaw(const struct run *r, struct stack_service *s, struct errc_why *why)
{
    (void)r;
    return proc_thaw(&s->proc, why);
}

static enum errc service_stop(const struct run *r, struct errc_why *why)
{
    return each_service(r, end_gently, why);
}

static enum errc service_kill(const struct run *r, struct errc_why *why)
{
    return each_service(r, end_at_once, why);
}

static enum errc service_pause(const struct run *r, struct errc_why *why)
{
    return each_service(r, freeze, why);
}

static enum errc service_unpause(const struct run *r, struct errc_why *why)
{
    return each_service(r, thaw, why);
}

/* As docker compose does it: a restart keeps the environment that the service was created with;
 * only being created anew gives it another one. One that has died is started all the same. */
static enum errc service_restart(const struct run *r, struct errc_why *why)
{
    const struct scenario_value *environment = scenario_field(r->step, "environment");
    for (size_t i = 0; i < r->step->main.count; i++) {
        struct stack_service *s = service_at(r, i);
        if (s == NULL)
            return errc_fail(why, ERRC_NOT_FOUND, "there is no service \"%s\" in this stack",
                             r->step->main.texts[i]);
        TRY(end_gently(r, s, why));
        TRY(stack_signer_overlay(&s->environment, environment->pairs, environment->count, why));
    }
    note(r, environment->given ? "re-created with a new environment" : "environment unchanged");
    return start_services(r, why);
}

/* --- trust and the fallback key --- */

static enum errc trust_accept(const struct run *r, struct errc_why *why)
{
    return stack_signer_accept(r->stack, why);
}

static enum errc fallback_path(const struct run *r, struct folder_path *path, struct errc_why *why)
{
    return stack_path(r->stack, "private/fallback.json", path, why);
}

static enum errc fallback_key_write(const struct run *r, struct errc_why *why)
{
    struct folder_path path;
    TRY(fallback_path(r, &path, why));
    return fallbackkey_put(path.text, &r->stack->first_fallback, why);
}

static enum errc fallback_key_remove(const struct run *r, struct errc_why *why)
{
    struct folder_path path;
    TRY(fallback_path(r, &path, why));
    if (unlink(path.text) != 0)
        return errc_fail(why, ERRC_STATE, "cannot remove the fallback key file: %s",
                         strerror(errno));
    return ERRC_OK;
}

static enum errc fallback_key_chmod(const struct run *r, struct errc_why *why)
{
    struct folder_path path;
    mode_t mode = (mode_t)strtoul(r->step->main.text, NULL, 8);
    TRY(fallback_path(r, &path, why));
    if (chmod(path.text, mode) != 0)
        return errc_fail(why, ERRC_STATE, "cannot change the fallback key file: %s",
                         strerror(errno));
    return ERRC_OK;
}

static enum errc fallback_key_rotate(const struct run *r, struct errc_why *why)
{
    struct fallbackkey fresh;
    return stack_vault_new_fallback(r->stack, &fresh, why);
}

/* --- sign, wait_for, status --- */

static enum errc sign(const struct run *r, struct errc_why *why)
{
    return signcall_begin(r->exec->calls, r->step, r->at->bundle, &r->out->call, why);
}

static bool is_sign_request(struct slice line)
{
    json_t *record CLEANUP(jsonread_done) = NULL;
    if (jsonread_parse(line, &record, NULL) != ERRC_OK)
        return false;
    return strcmp(jsonread_string_or(record, "kind", ""), "request") == 0 &&
           strstr(jsonread_string_or(record, "path", ""), "/sign/") != NULL;
}

static enum errc count_requests(const struct run *r, uint64_t from, int64_t *out,
                                struct errc_why *why)
{
    struct buf journal CLEANUP(buf_done);
    buf_init(&journal, JOURNAL_BYTES_MAX);
    TRY(gather_read(r->stack, WORLD_JOURNAL, NULL, 0, &journal, why));
    struct slice rest = slice_from(buf_slice(&journal), (size_t)from);
    *out = 0;
    while (rest.len > 0)
        *out += is_sign_request(slice_cut(&rest, '\n'));
    return ERRC_OK;
}

static enum errc wait_for_requests(const struct run *r, int64_t wanted, int64_t deadline_ns,
                                   struct errc_why *why)
{
    const struct signcall *call = signcall_find(r->exec->calls, r->at->bundle);
    int64_t seen = 0;
    while (await_left_ms(deadline_ns) > 0) {
        TRY(count_requests(r, call != NULL ? call->journal_bytes : 0, &seen, why));
        if (seen >= wanted)
            return ERRC_OK;
        gather_watch_wait(r->exec->watch, &r->stack->await, deadline_ns);
    }
    return errc_fail(why, ERRC_TIMEOUT, "vault got %lld of %lld sign requests", (long long)seen,
                     (long long)wanted);
}

static enum errc wait_for(const struct run *r, struct errc_why *why)
{
    int64_t deadline_ns = await_deadline_ns(scenario_int(r->step, "within_ms"));
    if (scenario_given(r->step, "requests"))
        return wait_for_requests(r, scenario_int(r->step, "requests"), deadline_ns, why);
    return signcall_await(r->exec->calls, r->at->bundle, deadline_ns, &r->out->call, why);
}

static enum errc status(const struct run *r, struct errc_why *why)
{
    static const char *const arguments[] = {"status", NULL};
    struct proc_end end = {0};
    TRY(stack_signer_run(r->stack, "status", arguments, &end, why));
    r->out->exit = end.exited ? end.code : 128 + end.code;
    note(r, "signer status: exit code %d", r->out->exit);
    return ERRC_OK;
}

/* --- the table --- */

static execute *const table[VERB_COUNT] = {
    [VERB_VAULT_SEAL] = vault_seal,
    [VERB_VAULT_UNSEAL] = vault_unseal,
    [VERB_VAULT_RESPOND] = vault_respond,
    [VERB_VAULT_REFUSE] = vault_refuse,
    [VERB_VAULT_ACCEPT] = vault_accept,
    [VERB_VAULT_HANG] = vault_hang,
    [VERB_VAULT_RESUME] = vault_resume,
    [VERB_VAULT_CRASH] = vault_crash,
    [VERB_VAULT_STOP] = vault_stop,
    [VERB_VAULT_KILL] = vault_kill,
    [VERB_VAULT_START] = vault_start,
    [VERB_VAULT_RESTART] = vault_restart,
    [VERB_VAULT_PAUSE] = vault_pause,
    [VERB_VAULT_UNPAUSE] = vault_unpause,
    [VERB_VAULT_RESET] = vault_reset,
    [VERB_VAULT_BOOTSTRAP] = vault_bootstrap,
    [VERB_VAULT_ROTATE_KEY] = vault_rotate_key,
    [VERB_VAULT_RECREATE_KEY] = vault_recreate_key,
    [VERB_VAULT_DELETE_KEY] = vault_delete_key,
    [VERB_SERVICE_START] = start_services,
    [VERB_SERVICE_STOP] = service_stop,
    [VERB_SERVICE_KILL] = service_kill,
    [VERB_SERVICE_PAUSE] = service_pause,
    [VERB_SERVICE_UNPAUSE] = service_unpause,
    [VERB_SERVICE_RESTART] = service_restart,
    [VERB_TRUST_ACCEPT] = trust_accept,
    [VERB_FALLBACK_KEY_WRITE] = fallback_key_write,
    [VERB_FALLBACK_KEY_REMOVE] = fallback_key_remove,
    [VERB_FALLBACK_KEY_CHMOD] = fallback_key_chmod,
    [VERB_FALLBACK_KEY_ROTATE] = fallback_key_rotate,
    [VERB_SIGN] = sign,
    [VERB_WAIT_FOR] = wait_for,
    [VERB_STATUS] = status,
};

bool exec_verbs_known(enum verb_id id)
{
    return id < VERB_COUNT && table[id] != NULL;
}

enum errc exec_verbs_run(struct exec_verbs *exec, const struct world_step *step,
                         struct world_outcome *out, struct errc_why *why)
{
    const struct run r = {
        .exec = exec, .stack = exec->stack, .at = step, .step = step->step, .out = out};
    enum verb_id id = step->step->verb->id;
    if (!exec_verbs_known(id))
        return errc_fail(why, ERRC_INTERNAL, "the live world cannot carry out \"%s\"",
                         step->step->verb->actor);
    return table[id](&r, why);
}
