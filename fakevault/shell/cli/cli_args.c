#include "fakevault/shell/cli/cli_args.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/limits.h"
#include "base/os/file.h"
#include "base/secret.h"
#include "fakevault/core/http/gojson.h"

#define LINE_MAX_BYTES 16384u

const char *cli_args_path(struct cli *cli, const char *text)
{
    struct slice path = slice_trim(slice_of(text));
    while (slice_starts_with(path, "/"))
        path = slice_from(path, 1);
    while (slice_ends_with(path, "/"))
        path.len--;
    return cli_pool_copy(&cli->pool, path);
}

const char *cli_args_folder(struct cli *cli, const char *text)
{
    struct slice path = slice_trim(slice_of(text));
    bool slash = path.len == 0 || slice_ends_with(path, "/");
    return cli_pool_text(&cli->pool, "%.*s%s", SLICE_FMT(path), slash ? "" : "/");
}

/* ---- sources ---- */

enum errc cli_args_stdin(struct cli *cli, const char **out, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    if (cli->stdin_used)
        return errc_fail(why, ERRC_USAGE, "stdin already consumed");
    cli->stdin_used = true;
    TRY(file_read_fd(STDIN_FILENO, "standard input", &text, why));
    *out = cli_pool_take(&cli->pool, &text);
    return ERRC_OK;
}

enum errc cli_args_file(struct cli *cli, const char *path, const char **out, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    enum errc code = file_read(path, &text, why);
    if (code == ERRC_NOT_FOUND)
        return errc_fail(why, code, "open %s: no such file or directory", path);
    TRY(code);
    *out = cli_pool_take(&cli->pool, &text);
    return ERRC_OK;
}

/* Only ends the wait, so that the terminal is itself again before the command ends. */
static void wake(int signal)
{
    (void)signal;
}

enum errc cli_args_hidden(struct cli *cli, const char *question, const char **out,
                          struct errc_why *why)
{
    struct sigaction ends, wakes = {.sa_handler = wake};
    struct termios before, quiet;
    char line[LINE_MAX_BYTES];
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return errc_fail(why, ERRC_STATE, "file descriptor 0 is not a terminal");
    /* Before the question: what is typed at once must neither be shown nor thrown away. */
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    sigset_t mask, interrupt;
    struct pollfd typed = {.fd = STDIN_FILENO, .events = POLLIN};
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &interrupt, &mask); /* it comes in ppoll and nowhere else */
    (void)sigaction(SIGINT, &wakes, &ends);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
    (void)fputs(question, stderr);
    bool interrupted = ppoll(&typed, 1, NULL, &mask) < 0;
    bool came = !interrupted && fgets(line, sizeof line, stdin) != NULL;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    (void)sigaction(SIGINT, &ends, NULL);
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    if (interrupted)
        (void)raise(SIGINT);
    (void)fputc('\n', stderr);
    if (!came)
        return errc_fail(why, ERRC_STATE, "EOF");
    *out = cli_pool_copy(&cli->pool, slice_trim(slice_of(line)));
    secret_wipe(line, sizeof line);
    return ERRC_OK;
}

/* ---- key=value ---- */

static enum errc merge_json(struct cli *cli, json_t *data, const char *text, struct errc_why *why)
{
    json_t *tree = NULL;
    TRY(gojson_parse(slice_of(text), &tree, why));
    cli_pool_tree(&cli->pool, tree);
    if (!json_is_object(tree))
        return errc_fail(why, ERRC_USAGE,
                         "json: cannot unmarshal %s into Go value of type map[string]interface {}",
                         json_is_array(tree)    ? "array"
                         : json_is_string(tree) ? "string"
                         : json_is_number(tree) ? "number"
                                                : "bool");
    return json_object_update(data, tree) == 0 ? ERRC_OK : ERRC_NOMEM;
}

static enum errc value_of(struct cli *cli, const char *text, const char **out, struct errc_why *why)
{
    CHECK(text != NULL);
    *out = text;
    if (text[0] == '\\' && text[1] == '@')
        *out = text + 1;
    if (strcmp(text, "-") == 0)
        return cli_args_stdin(cli, out, why);
    if (text[0] != '@')
        return ERRC_OK;
    enum errc code = cli_args_file(cli, text + 1, out, why);
    if (code != ERRC_OK)
        errc_prefix(why, "error reading file");
    return code;
}

static void add_value(json_t *data, const char *key, const char *value)
{
    json_t *before = json_object_get(data, key);
    if (before == NULL) {
        cli_pool_set(data, key, cli_pool_new_text(value));
        return;
    }
    if (!json_is_array(before)) {
        json_t *list = json_array();
        cli_pool_append(list, json_incref(before));
        cli_pool_set(data, key, list);
        before = list;
    }
    cli_pool_append(before, cli_pool_new_text(value));
}

static enum errc add_word(struct cli *cli, json_t *data, const char *word, struct errc_why *why)
{
    const char *equals = strchr(word, '=');
    const char *text = NULL;
    if (*word == '\0')
        return ERRC_OK;
    if (equals == NULL && strcmp(word, "-") == 0)
        TRY(cli_args_stdin(cli, &text, why));
    else if (equals == NULL && *word == '@')
        TRY(cli_args_file(cli, word + 1, &text, why));
    else if (equals == NULL)
        return errc_fail(why, ERRC_USAGE, "format must be key=value");
    if (text != NULL)
        return merge_json(cli, data, text, why);
    TRY(value_of(cli, equals + 1, &text, why));
    add_value(data, cli_pool_copy(&cli->pool, slice_bytes(word, (size_t)(equals - word))), text);
    return ERRC_OK;
}

enum errc cli_args_data(struct cli *cli, int first, json_t **out, struct errc_why *why)
{
    *out = cli_pool_object(&cli->pool);
    for (int i = first; i < cli->arg_count; i++) {
        enum errc code = add_word(cli, *out, cli->args[i], why);
        if (code != ERRC_OK) {
            errc_prefix(why, "invalid key/value pair \"%s\"", cli->args[i]);
            return code;
        }
    }
    return ERRC_OK;
}

/* ---- as texts ---- */

static json_t *text_of(struct cli *cli, const json_t *value)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    if (json_is_boolean(value)) /* as mapstructure's weak decoding has it */
        buf_add_char(&text, json_is_true(value) ? '1' : '0');
    else if (!json_is_null(value))
        gojson_print(value, &text);
    return cli_pool_new_text(cli_pool_take(&cli->pool, &text));
}

static json_t *texts_of(struct cli *cli, const json_t *value)
{
    size_t i;
    json_t *item, *list;
    if (!json_is_array(value))
        return text_of(cli, value);
    list = json_array();
    json_array_foreach(value, i, item) cli_pool_append(list, text_of(cli, item));
    return list;
}

static enum errc convert(struct cli *cli, int first, json_t **out, struct errc_why *why,
                         json_t *(*to)(struct cli *, const json_t *))
{
    json_t *data, *value;
    const char *key;
    TRY(cli_args_data(cli, first, &data, why));
    *out = cli_pool_object(&cli->pool);
    json_object_foreach(data, key, value) cli_pool_set(*out, key, to(cli, value));
    return ERRC_OK;
}

enum errc cli_args_texts(struct cli *cli, int first, json_t **out, struct errc_why *why)
{
    return convert(cli, first, out, why, text_of);
}

enum errc cli_args_lists(struct cli *cli, int first, json_t **out, struct errc_why *why)
{
    return convert(cli, first, out, why, texts_of);
}
