#include "chaos/core/ledger/evidence.h"

#include <string.h>

#include "base/text/jsonread.h"
#include "chaos/core/subject/subjects.h"

enum errc evidence_read_text(const struct world *world, enum world_evidence kind, const char *name,
                             struct pool *pool, struct slice *out, struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, EVIDENCE_BYTES_MAX);
    *out = (struct slice){0};
    enum errc code = world->read(world->context, kind, name, 0, &text, why);
    if (code == ERRC_NOT_FOUND)
        return ERRC_OK;
    TRY(code);
    TRY(buf_status(&text, why));
    const char *copy = pool_text(pool, buf_slice(&text));
    TRY(pool_status(pool, why));
    *out = slice_bytes(copy, text.len);
    return ERRC_OK;
}

void evidence_init(struct evidence *evidence)
{
    *evidence = (struct evidence){0};
    pool_init(&evidence->pool, 4u * EVIDENCE_BYTES_MAX);
    ledger_client_init(&evidence->client, &evidence->pool, &evidence->problems);
    ledger_server_init(&evidence->server, &evidence->pool, &evidence->problems);
}

void evidence_done(struct evidence *evidence)
{
    ledger_client_done(&evidence->client);
    ledger_server_done(&evidence->server);
    pool_done(&evidence->pool);
}

/* Reads a ledger from a byte on; *found: there is one. */
static enum errc read_on(const struct world *world, enum world_evidence kind, uint64_t from,
                         struct buf *out, bool *found, struct errc_why *why)
{
    buf_init(out, EVIDENCE_BYTES_MAX);
    enum errc code = world->read(world->context, kind, NULL, from, out, why);
    *found = code != ERRC_NOT_FOUND;
    return *found ? code : ERRC_OK;
}

enum errc evidence_refresh_client(struct evidence *evidence, const struct world *world,
                                  struct errc_why *why)
{
    bool found = false;
    struct buf text CLEANUP(buf_done);
    TRY(read_on(world, WORLD_AUDIT, evidence->client.lines.consumed, &text, &found, why));
    return found ? ledger_client_feed(&evidence->client, buf_slice(&text)) : ERRC_OK;
}

enum errc evidence_refresh_server(struct evidence *evidence, const struct world *world,
                                  struct errc_why *why)
{
    bool found = false;
    struct buf text CLEANUP(buf_done);
    TRY(read_on(world, WORLD_JOURNAL, evidence->server.lines.consumed, &text, &found, why));
    return found ? ledger_server_feed(&evidence->server, buf_slice(&text)) : ERRC_OK;
}

static enum errc compare_bytes(struct slice text, bool *canonical, struct errc_why *why)
{
    struct buf bytes CLEANUP(buf_done);
    json_t *manifest CLEANUP(jsonread_done) = NULL;
    buf_init(&bytes, EVIDENCE_BYTES_MAX);
    TRY(jsonread_parse(text, &manifest, why));
    TRY(verify_manifest_canonical(manifest, NULL, &bytes, why));
    TRY(buf_status(&bytes, why));
    *canonical = slice_equal(buf_slice(&bytes), text);
    return ERRC_OK;
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
    out->text = text;
    size_t count = world->keys(world->context, &keys);
    enum errc code = verify_manifest(text, keys, count, &out->checked, &trouble);
    if (code == ERRC_NOMEM)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    out->state = code == ERRC_OK ? EVIDENCE_MANIFEST_READ : EVIDENCE_MANIFEST_BROKEN;
    out->trouble = pool_text(pool, slice_of(trouble.text));
    TRY(pool_status(pool, why));
    return out->state == EVIDENCE_MANIFEST_READ ? compare_bytes(text, &out->canonical, why)
                                                : ERRC_OK;
}

/* One for each bundle that the trail or a call names. */
static enum errc collect_manifests(struct evidence *out, const struct world *world,
                                   struct errc_why *why)
{
    struct join *join = &out->join;
    out->manifests = pool_array(&out->pool, join->bundle_count, sizeof *out->manifests);
    TRY(pool_status(&out->pool, why));
    for (size_t i = 0; i < join->bundle_count; i++) {
        struct evidence_manifest *manifest = &out->manifests[out->manifest_count];
        TRY(evidence_read_manifest(world, &out->pool, join->bundles[i].id, manifest, why));
        join->bundles[i].manifest = manifest;
        out->manifest_count++;
    }
    return ERRC_OK;
}

/* A trail only grows: what was read of it must still be there, line by line. */
static enum errc compare_trail(struct evidence *out, const struct world *world,
                               struct errc_why *why)
{
    bool found = false;
    struct buf text CLEANUP(buf_done);
    struct slice line;
    TRY(read_on(world, WORLD_AUDIT, 0, &text, &found, why));
    struct slice rest = buf_slice(&text);
    for (size_t i = 0; i + 1 < out->client.entry_count && !out->trail_changed; i++) {
        char hash[DIGEST_HEX_BYTES];
        out->trail_changed = rest.len == 0;
        line = slice_cut(&rest, '\n');
        digest_sha256_hex(line, hash);
        out->trail_changed |= strcmp(hash, out->client.entries[i + 1].expected) != 0;
    }
    return ERRC_OK;
}

static enum errc collect_logs(struct evidence *out, const struct world *world, struct errc_why *why)
{
    const char *const *names = subject_words(subjects_default(), SUBJECT_LOGS);
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    out->logs = pool_array(&out->pool, count, sizeof *out->logs);
    TRY(pool_status(&out->pool, why));
    for (size_t i = 0; i < count; i++) {
        struct evidence_log *log = &out->logs[out->log_count];
        log->file = pool_format(&out->pool, "%s.log", names[i]);
        TRY(evidence_read_text(world, WORLD_LOG, names[i], &out->pool, &log->text, why));
        out->log_count += log->text.ptr != NULL;
    }
    return pool_status(&out->pool, why);
}

enum errc evidence_collect(struct evidence *evidence, const struct world *world,
                           const struct record *record, struct errc_why *why)
{
    TRY(evidence_refresh_client(evidence, world, why));
    TRY(evidence_refresh_server(evidence, world, why));
    TRY(ledger_client_end(&evidence->client));
    ledger_server_end(&evidence->server);
    TRY(compare_trail(evidence, world, why));
    TRY(join_make(&evidence->client, &evidence->server, record, &evidence->pool, &evidence->join));
    TRY(collect_manifests(evidence, world, why));
    TRY(collect_logs(evidence, world, why));
    TRY(evidence_read_text(world, WORLD_DECOY, NULL, &evidence->pool, &evidence->decoy, why));
    if (world->growth != NULL)
        evidence->growth_count = world->growth(world->context, &evidence->growth);
    if (world->samples != NULL)
        evidence->sample_count = world->samples(world->context, &evidence->samples);
    if (world->mark != NULL)
        evidence->mark = world->mark(world->context);
    evidence->key_count = world->keys(world->context, &evidence->keys);
    return ERRC_OK;
}

bool evidence_written_after(const struct evidence *evidence, const struct ledger_entry *entry,
                            const struct ledger_request *request)
{
    size_t low = 0, high = evidence->growth_count; /* the first look that found the request there */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (evidence->growth[middle].journal < request->end_offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < evidence->growth_count && evidence->growth[low].trail <= entry->offset;
}
