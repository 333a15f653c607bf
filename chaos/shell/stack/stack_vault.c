#include "chaos/shell/stack/stack_vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/file.h"
#include "base/text/base64.h"
#include "base/text/jsonread.h"
#include "base/text/jsonwrite.h"

#define OUTPUT_BYTES_MAX (1u << 20)

enum errc stack_vault_common(struct envmap *map, struct errc_why *why)
{
    static const char *const kept[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
                                       "TSAN_OPTIONS", "TMPDIR"};
    TRY(envmap_set(map, "PATH", "/usr/local/bin:/usr/bin:/bin", why));
    for (size_t i = 0; i < COUNT(kept); i++)
        if (getenv(kept[i]) != NULL)
            TRY(envmap_set(map, kept[i], getenv(kept[i]), why));
    return ERRC_OK;
}

struct command {
    const char *argv[14];
    size_t count;
    struct folder_path listen, path, admin, journal, seed, certificate,
        key; /* arguments that are put together */
};

static enum errc make_command(const struct stack *stack, struct command *c, struct errc_why *why)
{
    const char *folder = stack->options.run_folder;
    TRY(folder_format(&c->listen, why, "-listen=127.0.0.1:%u", stack->vault_port.port));
    TRY(folder_format(&c->path, why, "-path=%s/vault", folder));
    TRY(folder_format(&c->admin, why, "-admin=%s", stack->client.admin));
    TRY(folder_format(&c->journal, why, "-journal=%s/" STACK_JOURNAL, folder));
    TRY(folder_format(&c->seed, why, "-seed=%llu",
                      (unsigned long long)(stack->options.seed & INT64_MAX)));
    const char *fixed[] = {stack->options.fakevault, "server",     c->listen.text, c->admin.text,
                           c->journal.text,          c->seed.text, "-ready-fd=3"};
    for (size_t i = 0; i < COUNT(fixed); i++)
        c->argv[c->count++] = fixed[i];
    TRY(folder_format(&c->certificate, why, "-tls-cert=%s/" STACK_TLS "/" CERTIFICATES_SERVED,
                      folder));
    TRY(folder_format(&c->key, why, "-tls-key=%s/" STACK_TLS "/" CERTIFICATES_KEY, folder));
    if (stack->spec->tls) {
        c->argv[c->count++] = c->certificate.text;
        c->argv[c->count++] = c->key.text;
    }
    if (stack->spec->dev)
        c->argv[c->count++] = "-dev";
    if (stack->spec->durable) {
        c->argv[c->count++] = "-storage=file";
        c->argv[c->count++] = c->path.text;
    }
    return ERRC_OK;
}

/* A dev server takes its root token from the environment, as Vault's does; ours is drawn once and
 * survives restarts, as DocuGen's fixed one. */
static enum errc make_environment(struct stack *stack, struct envmap *map, struct errc_why *why)
{
    TRY(stack_vault_common(map, why));
    if (!stack->spec->dev)
        return ERRC_OK;
    if (stack->client.token[0] == '\0') {
        char uuid[ENTROPY_UUID_BYTES];
        entropy_uuid(&stack->entropy, uuid);
        (void)snprintf(stack->client.token, sizeof stack->client.token, "dev-%s", uuid);
    }
    return envmap_set(map, "VAULT_DEV_ROOT_TOKEN_ID", stack->client.token, why);
}

enum errc stack_vault_start(struct stack *stack, struct errc_why *why)
{
    struct command c = {0};
    struct envmap environment CLEANUP(envmap_done) = {0};
    struct folder_path log;
    struct folder_path output;
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 4096);
    if (proc_alive(&stack->vault, NULL))
        return errc_fail(why, ERRC_STATE, "vault runs already");
    TRY(make_command(stack, &c, why));
    TRY(make_environment(stack, &environment, why));
    TRY(stack_path(stack, "logs/vault.log", &log, why));
    TRY(stack_path(stack, "private/vault.out", &output, why));
    const struct proc_spec spec = {.name = "vault",
                                   .argv = c.argv,
                                   .env = envmap_items(&environment),
                                   .out_path = output.text,
                                   .err_path = log.text,
                                   .await = &stack->await,
                                   .tells_ready = true};
    TRY(proc_start(&stack->vault, &spec, why));
    enum errc code = proc_await_ready(&stack->vault, &stack->await,
                                      await_deadline_ns(STACK_READY_MS), &line, why);
    if (code == ERRC_STATE)
        stack_add_last_line(log.text, why);
    if (code != ERRC_OK)
        proc_stop(&stack->vault, 0, NULL);
    return code;
}

static enum errc write_private(const struct stack *stack, const char *name, struct slice bytes,
                               struct errc_why *why)
{
    struct folder_path path;
    TRY(stack_path(stack, name, &path, why));
    return file_put(path.text, bytes, 0600, why);
}

/* As text, and as the bytes that the text stands for. */
static enum errc keep_share(struct stack *stack, size_t number, const char *share,
                            struct errc_why *why)
{
    char name[48];
    struct buf bytes CLEANUP(buf_done);
    buf_init(&bytes, 256);
    (void)snprintf(name, sizeof name, "unseal key %zu", number);
    TRY(knownkeys_add_secret(&stack->known, name, slice_of(share), why));
    if (base64_parse(slice_of(share), BASE64_STANDARD, &bytes, NULL) != ERRC_OK)
        return ERRC_OK;
    (void)snprintf(name, sizeof name, "bytes of unseal key %zu", number);
    return knownkeys_add_secret(&stack->known, name, buf_slice(&bytes), why);
}

static enum errc keep_secrets(struct stack *stack, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&text, OUTPUT_BYTES_MAX);
    jsonwrite_init(&w, &text, JSONWRITE_PLAIN);
    jsonwrite_value(&w, NULL, stack->shares);
    buf_add_char(&text, '\n');
    TRY(buf_status(&text, why));
    TRY(write_private(stack, "private/unseal-keys.json", buf_slice(&text), why));
    for (size_t i = 0; i < json_array_size(stack->shares); i++)
        TRY(keep_share(stack, i + 1, json_string_value(json_array_get(stack->shares, i)), why));
    TRY(knownkeys_add_secret(&stack->known, "root token", slice_of(stack->client.token), why));
    return write_private(stack, STACK_TOKEN_FILE, slice_of(stack->client.token), why);
}

/* The unseal key of a dev server stands only on its standard output: "Unseal Key: …". */
static enum errc read_dev_share(struct stack *stack, struct errc_why *why)
{
    struct folder_path path;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, OUTPUT_BYTES_MAX);
    TRY(stack_path(stack, "private/vault.out", &path, why));
    TRY(file_read(path.text, &text, why));
    jsonread_done(&stack->shares);
    stack->shares = json_array();
    for (struct slice rest = buf_slice(&text); rest.len > 0;) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        if (!slice_starts_with(line, "Unseal Key: "))
            continue;
        struct slice share = slice_from(line, strlen("Unseal Key: "));
        (void)json_array_clear(stack->shares);
        (void)json_array_append_new(stack->shares, json_stringn(share.ptr, share.len));
    }
    return ERRC_OK;
}

enum errc stack_vault_set_up(struct stack *stack, struct errc_why *why)
{
    bool sealed = true;
    int64_t progress = 0;
    if (stack->spec->dev) {
        TRY(read_dev_share(stack, why));
        return keep_secrets(stack, why);
    }
    jsonread_done(&stack->shares);
    stack->shares = NULL;
    stack->client.token[0] = '\0';
    TRY(vault_client_init(&stack->client, stack->spec->shares, stack->spec->threshold,
                          &stack->shares, why));
    TRY(keep_secrets(stack, why));
    return stack_vault_unseal(stack, (size_t)stack->spec->threshold, &sealed, &progress, why);
}

enum errc stack_vault_wipe(struct stack *stack, struct errc_why *why)
{
    struct folder_path path;
    TRY(stack_path(stack, "vault", &path, why));
    TRY(folder_remove(path.text, why));
    return file_make_folder(path.text, 0700, why);
}

enum errc stack_vault_unseal(struct stack *stack, size_t count, bool *sealed, int64_t *progress,
                             struct errc_why *why)
{
    if (stack->spec->dev)
        TRY(read_dev_share(stack, why));
    return vault_client_unseal(&stack->client, stack->shares, count, sealed, progress, why);
}

/* From `from` on the key is in place, and whichever was there before is not any more. */
static enum errc put_in_place(struct stack *stack, const struct fallbackkey *key, int64_t from,
                              struct errc_why *why)
{
    struct buf pem CLEANUP(buf_done);
    buf_init(&pem, 4096);
    TRY(fallbackkey_public(key, &pem, why));
    knownkeys_end(&stack->known, true, 0, buf_text(&pem), stack_wall_ns(stack));
    if (key != &stack->fallback)
        stack->fallback = *key;
    return knownkeys_begin(&stack->known, true, 0, buf_text(&pem), from, why);
}

enum errc stack_vault_fallback_safe(struct stack *stack, bool safe, int64_t from_ns,
                                    struct errc_why *why)
{
    if (safe && stack->fallback.text[0] != '\0')
        return put_in_place(stack, &stack->fallback, from_ns, why);
    knownkeys_end(&stack->known, true, 0, NULL, stack_wall_ns(stack));
    return ERRC_OK;
}

enum errc stack_vault_put_fallback(struct stack *stack, const struct fallbackkey *key,
                                   struct errc_why *why)
{
    struct folder_path path;
    const struct fallbackkey copy = *key;
    TRY(stack_path(stack, STACK_FALLBACK_FILE, &path, why));
    int64_t from = stack_wall_ns(stack);
    TRY(fallbackkey_put(path.text, &copy, why));
    return put_in_place(stack, &copy, from, why);
}

enum errc stack_vault_new_fallback(struct stack *stack, struct fallbackkey *out,
                                   struct errc_why *why)
{
    struct folder_path path;
    TRY(stack_path(stack, STACK_FALLBACK_FILE, &path, why));
    int64_t from = stack_wall_ns(stack);
    TRY(fallbackkey_write(path.text, &stack->entropy, out, why));
    TRY(put_in_place(stack, out, from, why));
    TRY(knownkeys_add_secret(&stack->known, "fallback key", slice_of(out->text), why));
    return knownkeys_add_secret(&stack->known, "fallback key's seed",
                                slice_bytes(out->seed, sizeof out->seed), why);
}

enum errc stack_vault_bootstrap(struct stack *stack, struct errc_why *why)
{
    struct folder_path path;
    struct fallbackkey fresh;
    TRY(vault_client_bootstrap(&stack->client, STACK_KEY, why));
    TRY(stack_vault_notice_keys(stack, why));
    TRY(stack_path(stack, STACK_FALLBACK_FILE, &path, why));
    if (access(path.text, F_OK) == 0)
        return ERRC_OK;
    TRY(stack_vault_new_fallback(stack, &fresh, why));
    if (stack->first_fallback.text[0] == '\0')
        stack->first_fallback = fresh;
    return ERRC_OK;
}

/* The newest version while the keys are gone through. */
struct newest {
    struct stack *stack;
    int version;
    struct buf pem;
};

static enum errc learn(void *context, int version, const char *pem, struct errc_why *why)
{
    struct newest *newest = context;
    if (version > newest->version) {
        newest->version = version;
        buf_reset(&newest->pem);
        buf_add_text(&newest->pem, pem);
        TRY(buf_status(&newest->pem, why));
    }
    return knownkeys_add(&newest->stack->known, false, version, pem, why);
}

static enum errc learn_all(struct stack *stack, struct newest *newest, struct errc_why *why)
{
    *newest = (struct newest){.stack = stack};
    buf_init(&newest->pem, 4096);
    return vault_client_each_key(&stack->client, STACK_KEY, learn, newest, why);
}

enum errc stack_vault_notice_keys(struct stack *stack, struct errc_why *why)
{
    struct newest newest;
    struct errc_why ignored = {{0}};
    enum errc code = learn_all(stack, &newest, &ignored);
    buf_done(&newest.pem);
    return errc_class(code) == ERRC_CLASS_FATAL ? errc_fail(why, code, "%s", ignored.text)
                                                : ERRC_OK;
}

enum errc stack_vault_pinned(struct stack *stack, int64_t from_ns, struct errc_why *why)
{
    struct newest newest;
    enum errc code = learn_all(stack, &newest, why);
    if (code == ERRC_OK && newest.version > 0) {
        const char *pem = buf_text(&newest.pem);
        knownkeys_end(&stack->known, false, newest.version, pem, stack_wall_ns(stack));
        code = knownkeys_begin(&stack->known, false, newest.version, pem, from_ns, why);
    }
    buf_done(&newest.pem);
    return code;
}
