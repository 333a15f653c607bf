#include "tests/chaos/fake/fake_ledger.h"

#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/units.h"

const char *fake_ledger_client_stamp(const struct fake_world *f, int64_t ns,
                                     char room[static STAMP_BYTES])
{
    stamp_format(ns - f->clock_off_ms * NS_PER_MS, STAMP_NANO, room);
    return room;
}

static const char *stamp_now(struct fake_world *f, char room[static STAMP_BYTES])
{
    stamp_format(f->now_ns, STAMP_NANO, room);
    return room;
}

struct buf *fake_ledger_line(struct buf *lines, size_t *count, size_t max)
{
    CHECK(*count < max);
    struct buf *line = &lines[(*count)++];
    buf_init(line, FAKE_LEDGER_LINE_BYTES);
    return line;
}

void fake_ledger_journal(struct fake_world *f, const char *kind, const char *rest)
{
    char stamp[STAMP_BYTES];
    struct buf *line = fake_ledger_line(f->journal, &f->journal_count, 128);
    f->now_ns += NS_PER_MS;
    buf_addf(line, "{\"seq\":%u,\"kind\":\"%s\",\"wall\":\"%s\",%s}", ++f->seq, kind,
             stamp_now(f, stamp), rest);
}

void fake_ledger_request(struct fake_world *f, const char *input, int attempt, int status,
                         const char *signature_sha256, const char *rule)
{
    char rest[1024];
    (void)snprintf(rest, sizeof rest,
                   "\"path\":\"/v1/transit/sign/docugen-manifest\",\"key\":\"docugen-manifest\","
                   "\"input_sha256\":[\"%s\"],\"attempt\":%d%s%s%s",
                   input, attempt, rule == NULL ? "" : ",\"rule\":\"", rule == NULL ? "" : rule,
                   rule == NULL ? "" : "\"");
    fake_ledger_journal(f, "request", rest);
    unsigned seq = f->seq;
    f->now_ns += status == 200 ? 0 : f->attempt_takes_ms * NS_PER_MS;
    (void)snprintf(rest, sizeof rest, "\"request\":%u,\"status\":%d,\"executed\":%s%s%s%s", seq,
                   status, status == 200 ? "true" : "false",
                   status == 200 ? ",\"signature_sha256\":[\"" : "",
                   status == 200 ? signature_sha256 : "", status == 200 ? "\"]" : "");
    fake_ledger_journal(f, "reply", rest);
}

void fake_ledger_audit(struct fake_world *f, const char *via, const char *action,
                       const char *bundle, const char *payload)
{
    char stamp[STAMP_BYTES];
    struct buf *line = fake_ledger_line(f->audit, &f->audit_count, 64);
    buf_addf(line,
             "{\"action\":\"%s\",\"actor\":{\"id\":\"%s\",\"type\":\"automation\"},\"bundleRunId\":"
             "\"%s\",\"id\":\"e%zu\","
             "\"payload\":{%s,\"previous\":\"@\"},\"timestamp\":\"%s\"}",
             action, via, bundle, f->audit_count, payload,
             fake_ledger_client_stamp(f, f->now_ns, stamp));
}

bool fake_ledger_edit(const struct fake_world *f, enum fake_world_file file, size_t line,
                      bool behind, struct slice text, struct buf *out)
{
    for (size_t i = 0; i < f->edit_count; i++) {
        const struct fake_world_edit *e = &f->edits[i];
        if (e->file != file || (e->line != 0 && e->line != line) || e->behind != behind)
            continue;
        const char *at =
            e->from == NULL ? text.ptr : memmem(text.ptr, text.len, e->from, strlen(e->from));
        if (e->to == NULL)
            return false;
        if (at == NULL)
            continue;
        size_t cut = e->from == NULL ? text.len : strlen(e->from);
        buf_add(out, text.ptr, (size_t)(at - text.ptr));
        buf_add_text(out, e->to);
        buf_add_slice(out, slice_from(text, (size_t)(at - text.ptr) + cut));
        return true;
    }
    buf_add_slice(out, text);
    return true;
}

enum errc fake_ledger_manifest(const struct fake_world *f, const char *bundle, struct buf *out)
{
    for (size_t i = 0; i < f->manifest_count && !f->no_manifests; i++)
        if (strstr(buf_text(&f->manifests[i]), bundle) != NULL) {
            fake_ledger_edit(f, FAKE_MANIFEST, i + 1, false, buf_slice(&f->manifests[i]), out);
            return ERRC_OK;
        }
    return ERRC_NOT_FOUND;
}
