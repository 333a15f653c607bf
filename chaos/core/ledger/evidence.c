#include "chaos/core/ledger/evidence.h"

#include <string.h>

enum errc evidence_read_text(const struct world *world, enum world_evidence kind, const char *name,
                             struct pool *pool, struct slice *out, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, EVIDENCE_BYTES_MAX);
    *out = (struct slice){0};
    enum errc code = world->read(world->context, kind, name, &text, why);
    if (code == ERRC_NOT_FOUND)
        return ERRC_OK;
    TRY(code);
    TRY(buf_status(&text, why));
    const char *copy = pool_text(pool, buf_slice(&text));
    TRY(pool_status(pool, why));
    *out = slice_bytes(copy, text.len);
    return ERRC_OK;
}

enum errc evidence_read_client(const struct world *world, struct pool *pool, struct evidence *out,
                               struct errc_why *why)
{
    struct slice text;
    TRY(evidence_read_text(world, WORLD_AUDIT, NULL, pool, &text, why));
    return ledger_read_client(text, pool, &out->client, &out->problems, why);
}

enum errc evidence_read_server(const struct world *world, struct pool *pool, struct evidence *out,
                               struct errc_why *why)
{
    struct slice text;
    TRY(evidence_read_text(world, WORLD_JOURNAL, NULL, pool, &text, why));
    return ledger_read_server(text, pool, &out->server, &out->problems, why);
}

enum errc evidence_read_manifest(const struct world *world, struct pool *pool, const char *bundle,
                                 struct evidence_manifest *out, struct errc_why *why)
{
    struct slice text, asked;
    struct errc_why trouble = {{0}};
    const struct world_key *keys = NULL;
    *out = (struct evidence_manifest){.bundle = bundle, .trouble = ""};
    TRY(evidence_read_text(world, WORLD_MANIFEST, bundle, pool, &text, why));
    TRY(evidence_read_text(world, WORLD_ASKED, bundle, pool, &asked, why));
    TRY(asked_compare(asked, text, &out->asked, why));
    if (text.ptr == NULL)
        return ERRC_OK;
    size_t count = world->keys(world->context, &keys);
    enum errc code = verify_manifest(text, keys, count, &out->checked, &trouble);
    if (code == ERRC_NOMEM)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    out->state = code == ERRC_OK ? EVIDENCE_MANIFEST_READ : EVIDENCE_MANIFEST_BROKEN;
    out->trouble = pool_text(pool, slice_of(trouble.text));
    return pool_status(pool, why);
}

const struct evidence_manifest *evidence_manifest_of(const struct evidence *evidence,
                                                     const char *bundle)
{
    for (size_t i = 0; bundle != NULL && i < evidence->manifest_count; i++)
        if (strcmp(evidence->manifests[i].bundle, bundle) == 0)
            return &evidence->manifests[i];
    return NULL;
}

static enum errc add_manifest(const struct world *world, struct evidence *out, const char *bundle,
                              struct errc_why *why)
{
    if (bundle == NULL || bundle[0] == '\0' || evidence_manifest_of(out, bundle) != NULL)
        return ERRC_OK;
    struct evidence_manifest *manifest = &out->manifests[out->manifest_count];
    TRY(evidence_read_manifest(world, out->pool, bundle, manifest, why));
    out->manifest_count++;
    return ERRC_OK;
}

static enum errc collect_manifests(const struct world *world, const struct record *run,
                                   struct evidence *out, struct errc_why *why)
{
    size_t most = run->call_count + out->client.entry_count;
    out->manifests = pool_array(out->pool, most, sizeof *out->manifests);
    TRY(pool_status(out->pool, why));
    for (size_t i = 0; i < run->call_count; i++)
        TRY(add_manifest(world, out, run->calls[i].told.bundle, why));
    for (size_t i = 0; i < out->client.entry_count; i++)
        TRY(add_manifest(world, out, out->client.entries[i].bundle, why));
    return ERRC_OK;
}

static enum errc add_text(const struct world *world, enum world_evidence kind, const char *name,
                          const char *title, struct evidence *out, struct errc_why *why)
{
    struct evidence_text *text = &out->texts[out->text_count];
    *text = (struct evidence_text){.name = title};
    TRY(evidence_read_text(world, kind, name, out->pool, &text->text, why));
    if (text->text.ptr != NULL)
        out->text_count++;
    return ERRC_OK;
}

static enum errc collect_texts(const struct world *world, struct evidence *out,
                               struct errc_why *why)
{
    static const struct {
        enum world_evidence kind;
        const char *name, *title;
    } files[] = {
        {WORLD_JOURNAL, NULL, LEDGER_JOURNAL}, {WORLD_AUDIT, NULL, LEDGER_AUDIT},
        {WORLD_LOG, "vault", "vault.log"},     {WORLD_LOG, "api", "api.log"},
        {WORLD_LOG, "worker", "worker.log"},   {WORLD_LOG, "cli", "cli.log"},
    };
    size_t count = sizeof files / sizeof files[0];
    out->texts = pool_array(out->pool, count + out->manifest_count, sizeof *out->texts);
    TRY(pool_status(out->pool, why));
    for (size_t i = 0; i < count; i++)
        TRY(add_text(world, files[i].kind, files[i].name, files[i].title, out, why));
    for (size_t i = 0; i < out->manifest_count; i++)
        TRY(add_text(world, WORLD_MANIFEST, out->manifests[i].bundle, "manifest.json", out, why));
    return ERRC_OK;
}

enum errc evidence_collect(const struct world *world, const struct record *run, struct pool *pool,
                           struct evidence *out, struct errc_why *why)
{
    *out = (struct evidence){.pool = pool};
    TRY(evidence_read_client(world, pool, out, why));
    TRY(evidence_read_server(world, pool, out, why));
    TRY(collect_manifests(world, run, out, why));
    TRY(collect_texts(world, out, why));
    out->key_count = world->keys(world->context, &out->keys);
    out->canary_count = world->canaries(world->context, &out->canaries);
    return ERRC_OK;
}
