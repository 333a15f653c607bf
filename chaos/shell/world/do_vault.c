#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "chaos/core/actors/actor_vault.h"
#include "chaos/core/scenario/read/scenario_parse.h"
#include "chaos/shell/stack/stack_vault.h"
#include "chaos/shell/world/exec_verbs.h"

#define RULE_BYTES_MAX (8u * SCENARIO_BYTES_MAX) /* what JSON makes of a scenario's texts */

/* --- fault rules of fakevault (docs/architecture.md, control API) --- */

static void write_match(struct jsonwrite *w, const struct exec_run *r)
{
    jsonwrite_object(w, "match");
    jsonwrite_string(w, "path", scenario_text(r->step, "path"));
    jsonwrite_end(w);
}

static void write_trigger(struct jsonwrite *w, const struct exec_run *r, int64_t times)
{
    jsonwrite_object(w, "trigger");
    jsonwrite_int(w, "after", scenario_int(r->step, "after"));
    if (times > 0)
        jsonwrite_int(w, "times", times);
    jsonwrite_end(w);
}

/* An answer with one of these never has a body; fakevault refuses a rule that gives one. */
static bool has_body(int64_t status)
{
    return status != 204 && status != 304;
}

/* The decoy's address is known only now. */
static void write_header(struct jsonwrite *w, const struct exec_run *r,
                         const struct scenario_pair *pair)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4u * SCENARIO_BYTES_MAX);
    const char *rest = pair->value;
    for (const char *at = strstr(rest, ACTOR_VAULT_DECOY); at != NULL;
         at = strstr(rest, ACTOR_VAULT_DECOY)) {
        buf_add(&text, rest, (size_t)(at - rest));
        buf_addf(&text, "http://127.0.0.1:%u", r->stack->decoy.port);
        rest = at + strlen(ACTOR_VAULT_DECOY);
    }
    buf_add_text(&text, rest);
    jsonwrite_string(w, pair->name, buf_text(&text));
}

static void write_respond(struct jsonwrite *w, const struct exec_run *r)
{
    const struct scenario_value *errors = scenario_field(r->step, "errors");
    const struct scenario_value *headers = scenario_field(r->step, "headers");
    jsonwrite_object(w, "respond");
    jsonwrite_int(w, "status", r->step->main.number);
    if (scenario_given(r->step, "body")) {
        jsonwrite_string(w, "body", scenario_text(r->step, "body"));
    } else if (has_body(r->step->main.number)) {
        jsonwrite_array(w, "errors");
        for (size_t i = 0; i < errors->count; i++)
            jsonwrite_string(w, NULL, errors->texts[i]);
        jsonwrite_end(w);
    }
    jsonwrite_object(w, "headers");
    for (size_t i = 0; i < headers->count; i++)
        write_header(w, r, &headers->pairs[i]);
    jsonwrite_end(w);
    jsonwrite_end(w);
}

/* Sets the step's rule. `effect` is the name of a plain effect, NULL for respond. */
static enum errc add_rule(const struct exec_run *r, const char *effect, int64_t times,
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
    exec_verbs_note(r, "rule %s is set", r->at->rule);
    return ERRC_OK;
}

/* A fault that waits for a request is a rule; else it is done now. The state that the request
 * brings about lasts, so one hit is enough; only holding has to be done to each request. */
static enum errc fault(const struct exec_run *r, const char *effect, const char *path,
                       struct slice body, struct errc_why *why)
{
    if (scenario_at_request(r->step))
        return add_rule(r, effect, (r->step->verb->effect.sets & CONDITION_HELD) != 0 ? 0 : 1, why);
    return vault_client_control(&r->stack->client, "POST", path, body, NULL, why);
}

/* --- the verbs --- */

static enum errc vault_seal(const struct exec_run *r, struct errc_why *why)
{
    return fault(r, "seal", "/seal", slice_of(NULL), why);
}

static enum errc vault_unseal(const struct exec_run *r, struct errc_why *why)
{
    bool sealed = true;
    int64_t progress = 0;
    TRY(exec_verbs_on_the_way(
        stack_vault_unseal(r->stack, (size_t)r->step->main.number, &sealed, &progress, why)));
    if (sealed)
        exec_verbs_note(r, "still sealed, %lld of %d unseal keys entered", (long long)progress,
                        r->stack->spec->threshold);
    else
        exec_verbs_note(r, "unsealed");
    return ERRC_OK;
}

static enum errc vault_respond(const struct exec_run *r, struct errc_why *why)
{
    return add_rule(r, NULL, scenario_int(r->step, "times"), why);
}

static enum errc vault_refuse(const struct exec_run *r, struct errc_why *why)
{
    bool drain = scenario_bool(r->step, "drain");
    struct slice body = drain ? SLICE_LITERAL("{\"accept\":false,\"drain\":true}")
                              : SLICE_LITERAL("{\"accept\":false,\"drain\":false}");
    return fault(r, "refuse", "/listener", body, why);
}

static enum errc vault_accept(const struct exec_run *r, struct errc_why *why)
{
    return vault_client_control(&r->stack->client, "POST", "/listener",
                                SLICE_LITERAL("{\"accept\":true}"), NULL, why);
}

static enum errc vault_hang(const struct exec_run *r, struct errc_why *why)
{
    return fault(r, "hold", "/hold", SLICE_LITERAL("{\"hold\":true}"), why);
}

/* Takes back what `hang: at_request` set: it would go on holding what comes behind the resume. */
static enum errc remove_holding_rules(const struct exec_run *r, struct errc_why *why)
{
    json_t *answer CLEANUP(jsonread_done) = NULL;
    const struct vault_client *client = &r->stack->client;
    TRY(vault_client_control(client, "GET", "/faults", slice_of(NULL), &answer, why));
    const json_t *rules = json_object_get(answer, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        char path[64];
        if (json_object_get(json_object_get(rule, "effect"), "hold") == NULL)
            continue;
        (void)snprintf(path, sizeof path, "/faults/%.40s", jsonread_string_or(rule, "id", ""));
        TRY(vault_client_control(client, "DELETE", path, slice_of(NULL), NULL, why));
    }
    return ERRC_OK;
}

static enum errc vault_resume(const struct exec_run *r, struct errc_why *why)
{
    TRY(exec_verbs_on_the_way(remove_holding_rules(r, why)));
    return exec_verbs_on_the_way(vault_client_control(
        &r->stack->client, "POST", "/hold", SLICE_LITERAL("{\"hold\":false}"), NULL, why));
}

static enum errc vault_crash(const struct exec_run *r, struct errc_why *why)
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
    exec_verbs_note(r, "vault %s", buf_text(&how));
    return ERRC_OK;
}

static enum errc end_vault(const struct exec_run *r, int64_t grace_ms, struct errc_why *why)
{
    struct proc_end end = {0};
    struct buf how CLEANUP(buf_done);
    buf_init(&how, 128);
    (void)why;
    if (grace_ms > 0)
        (void)stack_end(r->stack, &r->stack->vault, &end);
    else
        proc_stop(&r->stack->vault, 0, &end);
    proc_end_format(&end, &how);
    exec_verbs_note(r, "vault %s", buf_text(&how));
    return ERRC_OK;
}

static enum errc vault_stop(const struct exec_run *r, struct errc_why *why)
{
    return end_vault(r, STACK_GRACE_MS, why);
}

static enum errc vault_kill(const struct exec_run *r, struct errc_why *why)
{
    return end_vault(r, 0, why);
}

static enum errc vault_start(const struct exec_run *r, struct errc_why *why)
{
    return exec_verbs_on_the_way(stack_vault_start(r->stack, why));
}

static enum errc vault_restart(const struct exec_run *r, struct errc_why *why)
{
    bool wipe = strcmp(r->step->main.text, "wipe") == 0;
    proc_stop(&r->stack->vault, STACK_GRACE_MS, NULL);
    if (wipe)
        TRY(stack_vault_wipe(r->stack, why));
    TRY(exec_verbs_on_the_way(stack_vault_start(r->stack, why)));
    return wipe ? exec_verbs_on_the_way(stack_vault_set_up(r->stack, why)) : ERRC_OK;
}

static enum errc vault_pause(const struct exec_run *r, struct errc_why *why)
{
    return proc_freeze(&r->stack->vault, &r->stack->await, why);
}

static enum errc vault_unpause(const struct exec_run *r, struct errc_why *why)
{
    return proc_thaw(&r->stack->vault, &r->stack->await, why);
}

#define LOG_BYTES_MAX (64u << 20)

/* How often Vault has told that it read its certificate, or could not. */
static enum errc count_reloads(const struct exec_run *r, size_t *done, size_t *failed,
                               struct errc_why *why)
{
    struct folder_path path;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LOG_BYTES_MAX);
    TRY(stack_path(r->stack, "logs/vault.log", &path, why));
    TRY(file_read(path.text, &text, why));
    *done = *failed = 0;
    for (struct slice rest = buf_slice(&text); rest.len > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        *done += memmem(line.ptr, line.len, "event=reloaded", 14) != NULL;
        *failed += memmem(line.ptr, line.len, "event=not_reloaded", 18) != NULL;
    }
    return ERRC_OK;
}

/* Vault reads it on SIGHUP, and says so. */
static enum errc reload(const struct exec_run *r, struct errc_why *why)
{
    size_t before = 0, failed_before = 0, done = 0, failed = 0;
    int64_t deadline_ns = await_deadline_ns(STACK_CALL_MS);
    TRY(count_reloads(r, &before, &failed_before, why));
    if (kill(r->stack->vault.pid, SIGHUP) != 0)
        return errc_fail(why, ERRC_STATE, "vault does not run");
    for (;;) {
        TRY(count_reloads(r, &done, &failed, why));
        if (failed > failed_before)
            return errc_fail(why, ERRC_UNAVAILABLE, "vault could not read its certificate");
        if (done > before)
            return ERRC_OK;
        if (await_left_ms(deadline_ns) == 0)
            return errc_fail(why, ERRC_TIMEOUT, "vault did not read its certificate in time");
        TRY(gather_watch_wait(r->exec->watch, &r->stack->await, deadline_ns));
    }
}

/* Who is connected has seen the former certificate: they have to connect anew. */
static enum errc vault_certificate(const struct exec_run *r, struct errc_why *why)
{
    struct folder_path folder;
    const struct vault_client *client = &r->stack->client;
    TRY(stack_path(r->stack, STACK_TLS, &folder, why));
    TRY(certificates_serve(folder.text, r->step->main.text, why));
    TRY(exec_verbs_on_the_way(reload(r, why)));
    TRY(exec_verbs_on_the_way(vault_client_control(
        client, "POST", "/listener", SLICE_LITERAL("{\"accept\":false}"), NULL, why)));
    return exec_verbs_on_the_way(vault_client_control(
        client, "POST", "/listener", SLICE_LITERAL("{\"accept\":true}"), NULL, why));
}

static enum errc vault_reset(const struct exec_run *r, struct errc_why *why)
{
    return vault_client_control(&r->stack->client, "POST", "/reset", slice_of(NULL), NULL, why);
}

static enum errc vault_bootstrap(const struct exec_run *r, struct errc_why *why)
{
    return exec_verbs_on_the_way(stack_vault_bootstrap(r->stack, why));
}

static enum errc vault_rotate_key(const struct exec_run *r, struct errc_why *why)
{
    TRY(vault_client_rotate_key(&r->stack->client, STACK_KEY, why));
    return stack_vault_notice_keys(r->stack, why);
}

static enum errc vault_delete_key(const struct exec_run *r, struct errc_why *why)
{
    return exec_verbs_on_the_way(vault_client_delete_key(&r->stack->client, STACK_KEY, why));
}

static enum errc vault_recreate_key(const struct exec_run *r, struct errc_why *why)
{
    TRY(exec_verbs_on_the_way(vault_client_delete_key(&r->stack->client, STACK_KEY, why)));
    TRY(exec_verbs_on_the_way(vault_client_bootstrap(&r->stack->client, STACK_KEY, why)));
    return stack_vault_notice_keys(r->stack, why);
}

static const struct exec_verb verbs[] = {
    {"seal", vault_seal},
    {"unseal", vault_unseal},
    {"respond", vault_respond},
    {"refuse", vault_refuse},
    {"accept", vault_accept},
    {"hang", vault_hang},
    {"resume", vault_resume},
    {"crash", vault_crash},
    {"stop", vault_stop},
    {"kill", vault_kill},
    {"start", vault_start},
    {"restart", vault_restart},
    {"pause", vault_pause},
    {"unpause", vault_unpause},
    {"certificate", vault_certificate},
    {"reset", vault_reset},
    {"bootstrap", vault_bootstrap},
    {"rotate_key", vault_rotate_key},
    {"recreate_key", vault_recreate_key},
    {"delete_key", vault_delete_key},
};

const struct exec_actor do_vault = {
    .name = "vault", .verbs = verbs, .verb_count = COUNT(verbs), .needs_vault = true};
