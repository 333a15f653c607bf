#include "fakevault/shell/ctl/ctl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/count.h"
#include "base/dispatch.h"
#include "base/flags.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"
#include "fakevault/core/outage/effect.h"
#include "fakevault/shell/ctl/ctl_http.h"
#include "fakevault/shell/ctl/ctl_show.h"

#define WORDS_MAX 4 /* positionals that any verb takes */

struct options {
    const char *admin;
    const char *token_file;
    bool json;
    bool help;
    bool drain;
    bool follow;
    bool all;
    int64_t since;
    const char *id, *method, *path, *key, *accessor, *test;
    int64_t after, times, every, ppm, from_ms, to_ms, lease_ms;
    const char *error, *body, *body_file, *header;
};

#define FIELD(name) offsetof(struct options, name)

static const struct flags_spec specs[] = {
    {"admin", FLAGS_TEXT, FIELD(admin), "PATH|HOST:PORT",
     "the server's control address (FAKEVAULT_ADMIN)"},
    {"token-file", FLAGS_TEXT, FIELD(token_file), "FILE",
     "its token, over TCP (FAKEVAULT_ADMIN_TOKEN_FILE)"},
    {"json", FLAGS_SWITCH, FIELD(json), NULL, "print the answer as it came"},
    {"help", FLAGS_SWITCH, FIELD(help), NULL, "print this"},
    {"drain", FLAGS_SWITCH, FIELD(drain), NULL, "refuse: let requests in flight finish"},
    {"follow", FLAGS_SWITCH, FIELD(follow), NULL, "journal: go on as records come"},
    {"since", FLAGS_INT, FIELD(since), "SEQ", "journal: only what came behind this record"},
    {"all", FLAGS_SWITCH, FIELD(all), NULL, "faults rm: every rule"},
    {"id", FLAGS_TEXT, FIELD(id), "ID", "respond: the rule's name"},
    {"method", FLAGS_TEXT, FIELD(method), "VERB", "respond: only requests with this method"},
    {"path", FLAGS_TEXT, FIELD(path), "GLOB", "respond: only these paths (*/sign/*)"},
    {"key", FLAGS_TEXT, FIELD(key), "NAME", "respond: only requests for this transit key"},
    {"accessor", FLAGS_TEXT, FIELD(accessor), "TEXT", "respond: only requests of this token"},
    {"test", FLAGS_TEXT, FIELD(test), "TEXT", "respond: only requests with this X-Fakevault-Test"},
    {"after", FLAGS_INT, FIELD(after), "N", "respond: let the first N by"},
    {"times", FLAGS_INT, FIELD(times), "K", "respond: K times, then never again"},
    {"every", FLAGS_INT, FIELD(every), "M", "respond: each Mth only"},
    {"ppm", FLAGS_INT, FIELD(ppm), "N", "respond: with a probability of N in a million"},
    {"from-ms", FLAGS_INT, FIELD(from_ms), "N", "respond: not before N ms from now"},
    {"to-ms", FLAGS_INT, FIELD(to_ms), "N", "respond: not after N ms from now"},
    {"lease-ms", FLAGS_INT, FIELD(lease_ms), "N", "respond: the rule goes by itself after N ms"},
    {"error", FLAGS_TEXT, FIELD(error), "TEXT", "respond: {\"errors\":[TEXT]}"},
    {"body", FLAGS_TEXT, FIELD(body), "TEXT", "respond: this body"},
    {"body-file", FLAGS_TEXT, FIELD(body_file), "FILE", "respond: this file as the body"},
    {"header", FLAGS_TEXT, FIELD(header), "NAME:VALUE", "respond: one more header"},
};

static const struct flags flags = {specs, COUNT(specs)};

/* One command line, read. */
struct command {
    const struct options *options;
    const char *words[WORDS_MAX]; /* behind the verb; NULL where none is */
    size_t count;
};

static int complain(int exit_code, const struct errc_why *why)
{
    (void)fprintf(stderr, "fakevault ctl: %s\n", why->text);
    return exit_code;
}

static int exit_code_of(enum errc code)
{
    switch (code) {
    case ERRC_USAGE:
        return EX_USAGE;
    case ERRC_NOT_FOUND:
        return EX_NOINPUT;
    case ERRC_UNAVAILABLE:
    case ERRC_TIMEOUT:
        return EX_UNAVAILABLE;
    case ERRC_SYNTAX:
    case ERRC_RANGE:
    case ERRC_TOO_BIG:
        return EX_DATAERR;
    case ERRC_SCHEMA:
        return EX_PROTOCOL;
    case ERRC_IO:
        return EX_IOERR;
    case ERRC_OK:
    case ERRC_EXISTS:
    case ERRC_STATE:
    case ERRC_DENIED:
    case ERRC_CRYPTO:
    case ERRC_NOMEM:
    case ERRC_INTERNAL:
    case ERRC_COUNT:
        break;
    }
    return EX_SOFTWARE;
}

static int exit_code_of_status(int status)
{
    if (status / 100 == 2)
        return EX_OK;
    if (status == 401 || status == 403)
        return EX_NOPERM;
    if (status == 404)
        return EX_NOINPUT;
    return status / 100 == 4 ? EX_DATAERR : EX_SOFTWARE;
}

static struct ctl_http_call call_of(const struct command *c, const char *method, const char *target,
                                    struct slice body)
{
    const char *file = c->options->token_file;
    return (struct ctl_http_call){
        .address = c->options->admin,
        .token_file = file != NULL ? file : getenv("FAKEVAULT_ADMIN_TOKEN_FILE"),
        .method = method,
        .target = target,
        .body = body,
    };
}

static int call(const struct command *c, const char *method, const char *target, struct slice body)
{
    struct errc_why why;
    struct buf answer CLEANUP(buf_done);
    buf_init(&answer, LIMIT_REPLY_BODY_BYTES);
    int status = 0;
    const struct ctl_http_call request = call_of(c, method, target, body);
    enum errc code = ctl_http_do(&request, &status, &answer, &why);
    if (code != ERRC_OK)
        return complain(exit_code_of(code), &why);
    code = ctl_show_answer(buf_slice(&answer), status, c->options->json, &why);
    if (code != ERRC_OK)
        return complain(exit_code_of(code), &why);
    return exit_code_of_status(status);
}

/* ---- verbs ---- */

static int status(const struct command *c)
{
    return call(c, "GET", "/state", (struct slice){0});
}

static int seal(const struct command *c)
{
    return call(c, "POST", "/seal", (struct slice){0});
}

static int refuse(const struct command *c)
{
    return call(c, "POST", "/listener",
                c->options->drain ? SLICE_LITERAL("{\"accept\":false,\"drain\":true}")
                                  : SLICE_LITERAL("{\"accept\":false,\"drain\":false}"));
}

static int accept_again(const struct command *c)
{
    return call(c, "POST", "/listener", SLICE_LITERAL("{\"accept\":true}"));
}

static int hang(const struct command *c)
{
    return call(c, "POST", "/hold", SLICE_LITERAL("{\"hold\":true}"));
}

static int resume(const struct command *c)
{
    return call(c, "POST", "/hold", SLICE_LITERAL("{\"hold\":false}"));
}

static int crash(const struct command *c)
{
    return call(c, "POST", "/crash", (struct slice){0});
}

static int reset(const struct command *c)
{
    return call(c, "POST", "/reset", (struct slice){0});
}

static enum errc read_input(const char *name, struct buf *out, struct errc_why *why)
{
    if (strcmp(name, "-") == 0)
        return file_read_fd(STDIN_FILENO, "standard input", out, why);
    return file_read(name, out, why);
}

/* Shares stand one a line, or in JSON: a list, or what sys/init answered. */
static enum errc write_shares(struct slice text, struct jsonwrite *w, struct errc_why *why)
{
    struct slice trimmed = slice_trim(text);
    if (trimmed.len == 0)
        return errc_fail(why, ERRC_SYNTAX, "there is no share in it");
    if (trimmed.ptr[0] != '{' && trimmed.ptr[0] != '[') {
        jsonwrite_array(w, "shares");
        while (trimmed.len > 0) {
            struct slice line = slice_trim(slice_cut(&trimmed, '\n'));
            if (line.len > 0)
                jsonwrite_slice(w, NULL, line);
        }
        jsonwrite_end(w);
        return ERRC_OK;
    }
    json_t *value CLEANUP(jsonread_done) = NULL;
    TRY(jsonread_parse(trimmed, &value, why));
    const json_t *list = json_is_array(value) ? value : json_object_get(value, "keys");
    if (list == NULL)
        list =
            json_object_get(value, "unseal_keys_b64"); /* of `vault operator init -format=json` */
    if (!json_is_array(list))
        return errc_fail(why, ERRC_SYNTAX, "there is no list of shares in it (field \"keys\")");
    jsonwrite_value(w, "shares", list);
    return ERRC_OK;
}

static int unseal(const struct command *c)
{
    struct errc_why why;
    struct buf file CLEANUP(buf_done);
    struct buf body CLEANUP(buf_done);
    buf_init(&file, 1u << 20);
    buf_init(&body, 2u << 20);
    struct jsonwrite w;
    jsonwrite_init(&w, &body, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    enum errc code = read_input(c->words[0], &file, &why);
    if (code != ERRC_OK)
        return complain(exit_code_of(code), &why);
    code = write_shares(buf_slice(&file), &w, &why);
    if (code != ERRC_OK) {
        errc_prefix(&why, "\"%s\"", c->words[0]);
        return complain(EX_DATAERR, &why);
    }
    jsonwrite_end(&w);
    return call(c, "POST", "/unseal", buf_slice(&body));
}

static void write_text(struct jsonwrite *w, const char *name, const char *value)
{
    if (value != NULL)
        jsonwrite_string(w, name, value);
}

static void write_number(struct jsonwrite *w, const char *name, int64_t value)
{
    if (value >= 0)
        jsonwrite_int(w, name, value);
}

static enum errc write_reply(const struct options *o, int64_t status_code, struct jsonwrite *w,
                             struct errc_why *why)
{
    jsonwrite_int(w, "status", status_code);
    if ((o->error != NULL) + (o->body != NULL) + (o->body_file != NULL) > 1)
        return errc_fail(why, ERRC_USAGE, "give one of -error, -body and -body-file");
    if (o->body_file != NULL) {
        struct buf file CLEANUP(buf_done);
        buf_init(&file, LIMIT_FILE_BYTES);
        TRY(read_input(o->body_file, &file, why));
        jsonwrite_slice(w, "body", buf_slice(&file));
    } else if (o->body != NULL) {
        jsonwrite_string(w, "body", o->body);
    } else if (status_code != 204 && status_code != 304) {
        jsonwrite_array(w, "errors");
        write_text(w, NULL, o->error);
        jsonwrite_end(w);
    }
    if (o->header == NULL)
        return ERRC_OK;
    struct slice value = slice_of(o->header);
    char name[128] = "";
    struct slice before = slice_cut(&value, ':');
    if (before.len == strlen(o->header) || before.len >= sizeof name)
        return errc_fail(why, ERRC_USAGE, "-header wants NAME:VALUE, got \"%s\"", o->header);
    memcpy(name, before.ptr, before.len);
    jsonwrite_object(w, "headers");
    jsonwrite_slice(w, name, slice_trim(value));
    jsonwrite_end(w);
    return ERRC_OK;
}

static enum errc write_rule(const struct options *o, int64_t status_code, struct jsonwrite *w,
                            struct errc_why *why)
{
    jsonwrite_object(w, NULL);
    write_text(w, "id", o->id);
    jsonwrite_object(w, "match");
    write_text(w, "method", o->method);
    write_text(w, "path", o->path);
    write_text(w, "key", o->key);
    write_text(w, "accessor", o->accessor);
    write_text(w, "test", o->test);
    jsonwrite_end(w);
    jsonwrite_object(w, "trigger");
    write_number(w, "after", o->after);
    write_number(w, "times", o->times);
    write_number(w, "every", o->every);
    write_number(w, "ppm", o->ppm);
    write_number(w, "from_ms", o->from_ms);
    write_number(w, "to_ms", o->to_ms);
    jsonwrite_end(w);
    write_number(w, "lease_ms", o->lease_ms);
    jsonwrite_object(w, "effect");
    jsonwrite_object(w, "respond");
    TRY(write_reply(o, status_code, w, why));
    jsonwrite_end(w);
    jsonwrite_end(w);
    jsonwrite_end(w);
    return ERRC_OK;
}

static int respond(const struct command *c)
{
    struct errc_why why;
    uint64_t status_code = 0;
    if (!slice_to_u64(slice_of(c->words[0]), &status_code) || status_code > 999) {
        (void)errc_fail(&why, ERRC_USAGE, "respond wants an HTTP status, got \"%s\"", c->words[0]);
        return complain(EX_USAGE, &why);
    }
    struct buf body CLEANUP(buf_done);
    buf_init(&body, LIMIT_REQUEST_BODY_BYTES);
    struct jsonwrite w;
    jsonwrite_init(&w, &body, JSONWRITE_PLAIN);
    enum errc code = write_rule(c->options, (int64_t)status_code, &w, &why);
    if (code != ERRC_OK)
        return complain(exit_code_of(code), &why);
    return call(c, "POST", "/faults", buf_slice(&body));
}

static int faults_list(const struct command *c)
{
    return call(c, "GET", "/faults", (struct slice){0});
}

static int send_file(const struct command *c, const char *method)
{
    struct errc_why why;
    struct buf file CLEANUP(buf_done);
    buf_init(&file, LIMIT_FILE_BYTES);
    enum errc code = read_input(c->words[0], &file, &why);
    if (code != ERRC_OK)
        return complain(exit_code_of(code), &why);
    return call(c, method, "/faults", buf_slice(&file));
}

static int faults_add(const struct command *c)
{
    return send_file(c, "POST");
}

static int faults_set(const struct command *c)
{
    return send_file(c, "PUT");
}

static int faults_rm(const struct command *c)
{
    struct errc_why why;
    char target[256];
    if (c->options->all == (c->words[0] != NULL)) {
        (void)errc_fail(&why, ERRC_USAGE, "faults rm wants an ID, or -all");
        return complain(EX_USAGE, &why);
    }
    (void)snprintf(target, sizeof target, "/faults%s%.200s", c->options->all ? "" : "/",
                   c->options->all ? "" : c->words[0]);
    return call(c, "DELETE", target, (struct slice){0});
}

static int journal(const struct command *c)
{
    struct errc_why why;
    char target[128];
    (void)snprintf(target, sizeof target, "/journal?since=%lld%s", (long long)c->options->since,
                   c->options->follow ? "&follow=true" : "");
    struct buf answer CLEANUP(buf_done);
    buf_init(&answer, LIMIT_REPLY_BODY_BYTES);
    int http_status = 0;
    const struct ctl_http_call request = call_of(c, "GET", target, (struct slice){0});
    enum errc code = ctl_http_copy(&request, STDOUT_FILENO, &http_status, &answer, &why);
    if (code == ERRC_OK && http_status != 200)
        code = ctl_show_answer(buf_slice(&answer), http_status, false, &why);
    if (code != ERRC_OK)
        return complain(exit_code_of(code), &why);
    return exit_code_of_status(http_status);
}

static const struct verb {
    const char *name;
    const char *shown;  /* for the help: what follows */
    size_t least, most; /* positionals */
    int (*run)(const struct command *c);
    const char *help;
} verbs[] = {
    {"status", "", 0, 0, status, "seal state, listener, holds, rules with hits, counters"},
    {"seal", "", 0, 0, seal, "seal at once"},
    {"unseal", "FILE", 1, 1, unseal, "unseal with the shares in FILE (- is standard input)"},
    {"respond", "STATUS", 1, 1, respond, "answer STATUS instead of working; see the flags"},
    {"refuse", "[-drain]", 0, 0, refuse, "refuse connections and reset the open ones"},
    {"accept", "", 0, 0, accept_again, "accept connections again"},
    {"hang", "", 0, 0, hang, "hold every request"},
    {"resume", "", 0, 0, resume, "let the held requests go"},
    {"crash", "", 0, 0, crash, "die by SIGKILL"},
    {"faults list", "", 0, 0, faults_list, "print the rules"},
    {"faults add", "FILE", 1, 1, faults_add, "add the rule in FILE"},
    {"faults set", "FILE", 1, 1, faults_set, "replace all rules by those in FILE"},
    {"faults rm", "ID|-all", 0, 1, faults_rm, "take a rule away"},
    {"journal", "[-since=SEQ] [-follow]", 0, 0, journal, "print the journal"},
    {"reset", "", 0, 0, reset, "rules, counters, holds and listener as at the start"},
};

static const struct dispatch dispatch = DISPATCH("verb", "fakevault ctl -help", verbs);

static void print_help(void)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1u << 16);
    buf_add_text(&out, "usage: fakevault ctl VERB [flags]\n\nVerbs:\n");
    for (size_t i = 0; i < COUNT(verbs); i++) {
        char line[80];
        (void)snprintf(line, sizeof line, "%s %s", verbs[i].name, verbs[i].shown);
        buf_addf(&out, "  %-32s %s\n", line, verbs[i].help);
    }
    buf_add_text(&out, "\nEffects of a rule, for faults add and faults set:\n");
    effect_format_help(&out);
    buf_add_text(&out, "\nFlags:\n");
    flags_help(&flags, &out);
    (void)fputs(buf_text(&out), stdout);
}

static int run(const struct options *options, const char *const *words, size_t count)
{
    struct errc_why why;
    size_t row = 0, used = 0;
    if (dispatch_find(&dispatch, words, count, &row, &used, &why) != ERRC_OK)
        return complain(EX_USAGE, &why);
    const struct verb *verb = &verbs[row];
    struct command c = {.options = options, .count = count - used};
    if (c.count < verb->least || c.count > verb->most) {
        (void)errc_fail(&why, ERRC_USAGE, "usage: fakevault ctl %s %s", verb->name, verb->shown);
        return complain(EX_USAGE, &why);
    }
    memcpy(c.words, words + used, c.count * sizeof *c.words);
    return verb->run(&c);
}

static void free_words(const char ***words)
{
    free(*words);
}

int ctl_run(int argc, char *const argv[])
{
    struct errc_why why;
    struct options options = {.after = -1,
                              .times = -1,
                              .every = -1,
                              .ppm = -1,
                              .from_ms = -1,
                              .to_ms = -1,
                              .lease_ms = -1};
    const char **words CLEANUP(free_words) = calloc((size_t)argc + 1, sizeof *words);
    size_t count = 0;
    (void)signal(SIGPIPE, SIG_IGN);
    if (words == NULL)
        return EX_OSERR;
    if (flags_parse(&flags, argc, argv, &options, words, &count, &why) != ERRC_OK)
        return complain(EX_USAGE, &why);
    if (options.help) {
        print_help();
        return EX_OK;
    }
    if (count == 0) {
        (void)errc_fail(&why, ERRC_USAGE, "which verb? see fakevault ctl -help");
        return complain(EX_USAGE, &why);
    }
    return run(&options, words, count);
}
