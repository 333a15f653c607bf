/* sys_remount: moves a mount; its data stay where they are, below the mount's uuid. Vault moves in
 * the background and tells by sys/remount/status how it went; here all is done with the answer. */
#include <string.h>

#include "fakevault/core/http/target.h"
#include "fakevault/core/sys/mounts/mountconf.h"
#include "fakevault/core/sys/mounts/sys_mounts.h"

#define MOVES_MAX 1000u /* that are remembered */

const struct field_spec sys_remount_fields[] = {
    {.name = "from", .type = FIELD_STRING},
    {.name = "to", .type = FIELD_STRING},
    {0},
};

struct move {
    char from[MOUNT_PATH_BYTES];
    char to[MOUNT_PATH_BYTES];
    bool auth;
};

static bool blank_at_end(struct slice text)
{
    return slice_starts_with(text, " ") || slice_ends_with(text, " ");
}

/* A path without its first '/' and with one at its end; answers when it is too long. */
static bool read_path(struct vault_job *job, struct slice text, char out[static MOUNT_PATH_BYTES])
{
    if (sys_mounts_path("", slice_from(text, slice_starts_with(text, "/") ? 1 : 0), out))
        return true;
    call_fail(job, 400, "the path of a mount is limited to %u bytes", MOUNT_PATH_BYTES - 2);
    return false;
}

static bool read_move(struct vault_job *job, struct move *move)
{
    struct slice from = field_text(&job->fields, "from"), to = field_text(&job->fields, "to");
    if (from.len == 0 || to.len == 0)
        call_fail(job, 400, "both 'from' and 'to' path must be specified as a string");
    else if (blank_at_end(from))
        call_fail(job, 400, "'from' path cannot contain trailing whitespace");
    else if (blank_at_end(to))
        call_fail(job, 400, "'to' path cannot contain trailing whitespace");
    if (call_answered(job) || !read_path(job, from, move->from) || !read_path(job, to, move->to))
        return false;
    move->auth = slice_starts_with(slice_of(move->from), MOUNT_AUTH);
    return true;
}

static bool destination_is_sound(struct vault_job *job, const struct move *move)
{
    char memory[MOUNT_PATH_BYTES + 1] = "";
    struct buf clean = {.ptr = memory, .cap = sizeof memory, .max = sizeof memory - 1};
    target_clean(slice_of(move->to), &clean);
    if (strcmp(buf_text(&clean) + 1, move->to) != 0)
        call_fail(job, 400, "invalid destination mount: path '%s' does not match cleaned path '%s'",
                  move->to, buf_text(&clean) + 1);
    for (const char *c = move->to; *c != '\0' && !call_answered(job); c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            call_fail(job, 400,
                      "invalid destination mount: path cannot contain non-printable characters");
    return !call_answered(job);
}

static bool may_move(struct vault_job *job, const struct move *move)
{
    const char *quote = move->auth ? "\"" : "";
    if (move->auth && !slice_starts_with(slice_of(move->to), MOUNT_AUTH))
        call_fail(job, 400, "cannot remount auth mount to non-auth mount \"%s\"", move->to);
    else if (sys_mounts_protected(move->from, move->auth))
        call_fail(job, 400, "cannot remount \"%s\"", move->from);
    else if (sys_mounts_protected(move->to, move->auth))
        call_fail(job, 400, "cannot remount to destination %s%s%s", quote, move->to, quote);
    return !call_answered(job);
}

static bool path_is_free(struct vault_job *job, const struct move *move)
{
    const struct mount *other;
    if (mount_find(&job->vault->mounts, slice_of(move->from)) == NULL)
        call_fail(job, 400, "no matching mount at \"%s\"", move->from);
    else if ((other = sys_mounts_in_the_way(job->vault, move->to)) != NULL)
        call_fail(job, 400, "path already in use at \"%s\"", other->path);
    return !call_answered(job);
}

/* Remembers how a move went and tells its id. */
static void tell(struct vault_job *job, const struct move *move, bool moved)
{
    char id[ENTROPY_UUID_BYTES];
    struct vault *v = job->vault;
    entropy_uuid(&v->ports.entropy, id);
    if (json_object_size(v->moves) >= MOVES_MAX)
        (void)json_object_clear(v->moves);
    if (v->moves == NULL)
        v->moves = json_object();
    json_t *info = json_pack("{s:s,s:s,s:s}", "source_mount", move->from, "status",
                             moved ? "success" : "failure", "target_mount", move->to);
    job->no_memory = job->no_memory || json_object_set_new(v->moves, id, info) != 0;
    call_warn(job, "Mount move has been queued. Progress will be reported in Vault's server log, "
                   "tagged with the returned migration_id");
    call_answer_tree(job, CALL_INJECTED, json_pack("{s:s}", "migration_id", id));
}

/* A path below a mount finds it, but cannot be moved. */
void sys_remount_finish(struct vault_job *job)
{
    struct move move;
    struct mount_table changed CLEANUP(mount_table_done) = {0};
    if (!read_move(job, &move) || !destination_is_sound(job, &move) || !may_move(job, &move) ||
        !path_is_free(job, &move))
        return;
    const struct mount *m = mount_at(&job->vault->mounts, slice_of(move.from));
    if (m == NULL) {
        tell(job, &move, false);
        return;
    }
    struct mount moved = *m;
    memcpy(moved.path, move.to, sizeof moved.path);
    enum errc code = mount_table_copy(&job->vault->mounts, &changed);
    mount_table_remove(&changed, move.from);
    if (code == ERRC_OK)
        code = mount_table_add(&changed, &moved);
    if (!sys_mounts_done(job, code))
        return;
    sys_mounts_commit(job, &changed);
    if (job->executed)
        tell(job, &move, true);
}

void sys_remount_status(struct vault_job *job)
{
    struct slice id = call_capture(job, "migration_id");
    json_t *info = json_object_getn(job->vault->moves, id.ptr, id.len);
    if (info == NULL)
        call_fail_bare(job, 404);
    else
        call_answer_tree(
            job, CALL_DATA,
            json_pack("{s:s%,s:O}", "migration_id", id.ptr, id.len, "migration_info", info));
}
