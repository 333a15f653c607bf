#include "chaos/shell/world/gather.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/count.h"
#include "base/os/file.h"
#include "chaos/shell/client/service_client.h"

static enum errc read_in_folder(const struct stack *stack, const char *relative, uint64_t from,
                                struct buf *out, struct errc_why *why)
{
    struct folder_path path;
    TRY(stack_path(stack, relative, &path, why));
    return file_read_from(path.text, from, out, why);
}

static enum errc read_journal(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                              struct errc_why *why)
{
    (void)name;
    return read_in_folder(stack, STACK_JOURNAL, from, out, why);
}

/* Reads a file whose path the subject tells. */
static enum errc read_of_subject(struct stack *stack, const struct subject_door *door,
                                 const char *call, const char *text, uint64_t from, struct buf *out,
                                 struct errc_why *why)
{
    struct stack_values v;
    struct folder_path path;
    TRY(stack_fill_values(stack, door, call, &v, why));
    TRY(stack_subject_path(text, &v.values, &path, why));
    return file_read_from(path.text, from, out, why);
}

static enum errc read_audit(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                            struct errc_why *why)
{
    (void)name;
    return read_of_subject(stack, NULL, NULL, stack->spec->subject->audit, from, out, why);
}

/* What was signed lies with whoever was asked. */
static enum errc read_manifest(struct stack *stack, const char *name, uint64_t from,
                               struct buf *out, struct errc_why *why)
{
    const struct subject *subject = stack->spec->subject;
    for (size_t i = 0; i < subject->door_count; i++) {
        const struct subject_door *door = &subject->doors[i];
        enum errc code = read_of_subject(stack, door, name, door->manifest, from, out, why);
        if (code != ERRC_NOT_FOUND)
            return code;
    }
    return errc_fail(why, ERRC_NOT_FOUND, "there is no manifest of bundle %s", name);
}

static enum errc read_log(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                          struct errc_why *why)
{
    char relative[128];
    (void)snprintf(relative, sizeof relative, "logs/%.60s.log", name);
    return read_in_folder(stack, relative, from, out, why);
}

static enum errc read_metrics(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                              struct errc_why *why)
{
    (void)from; /* it is asked for, not kept */
    const struct stack_service *s = stack_service_of(stack, name);
    if (s == NULL)
        return errc_fail(why, ERRC_NOT_FOUND, "there is no service \"%s\" in this stack", name);
    const struct service_client client = service_client_of(stack, s);
    return service_client_text(&client, &s->door->metrics, await_deadline_ns(STACK_CALL_MS), out,
                               why);
}

static enum errc read_state(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                            struct errc_why *why)
{
    (void)from; /* it is asked for, not kept */
    (void)name;
    return vault_client_control_text(&stack->client, "/state", out, why);
}

static enum errc read_in_run(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                             struct errc_why *why)
{
    return read_in_folder(stack, name, from, out, why);
}

static enum errc read_decoy(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                            struct errc_why *why)
{
    struct folder_path path;
    (void)name;
    TRY(stack_path(stack, STACK_DECOY, &path, why));
    TRY(decoy_drain(&stack->decoy, path.text, why));
    return read_in_folder(stack, STACK_DECOY, from, out, why);
}

typedef enum errc reader(struct stack *stack, const char *name, uint64_t from, struct buf *out,
                         struct errc_why *why);

static reader *const readers[] = {
    [WORLD_JOURNAL] = read_journal,   [WORLD_AUDIT] = read_audit,
    [WORLD_MANIFEST] = read_manifest, [WORLD_LOG] = read_log,
    [WORLD_METRICS] = read_metrics,   [WORLD_STATE] = read_state,
    [WORLD_FILE] = read_in_run,       [WORLD_DECOY] = read_decoy,
};

enum errc gather_read(struct stack *stack, enum world_evidence kind, const char *name,
                      uint64_t from, struct buf *out, struct errc_why *why)
{
    return readers[kind](stack, name, from, out, why);
}

/* The variable of the subject that no record may have; NULL: none. */
static const char *secret_of(const struct subject *subject)
{
    for (size_t i = 0; i < subject->variables.count; i++)
        if (subject->variables.items[i].secret)
            return subject->variables.items[i].name;
    return NULL;
}

size_t gather_environment(struct stack *stack, const char *name,
                          struct scenario_pair pairs[static ENVMAP_MAX])
{
    const struct envmap *map = stack_environment_of(stack, name);
    return map == NULL ? 0 : envmap_pairs(map, secret_of(stack->spec->subject), pairs);
}

void gather_watch_open(struct gather_watch *watch, const struct stack *stack)
{
    static const char *const folders[] = {"ledgers", "logs"};
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    for (size_t i = 0; watch->fd >= 0 && i < COUNT(folders); i++) {
        struct folder_path path;
        if (stack_path(stack, folders[i], &path, NULL) == ERRC_OK)
            (void)inotify_add_watch(watch->fd, path.text, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    }
}

void gather_watch_close(struct gather_watch *watch)
{
    if (watch->fd >= 0)
        (void)close(watch->fd);
    watch->fd = -1;
}

enum errc gather_watch_wait(struct gather_watch *watch, const struct await *await,
                            int64_t deadline_ns)
{
    int64_t soon_ns = await_deadline_ns(GATHER_ASK_AGAIN_MS);
    char events[4096];
    enum errc code = await_readable(await, watch->fd, soon_ns < deadline_ns ? soon_ns : deadline_ns,
                                    "evidence", NULL);
    while (code == ERRC_OK && watch->fd >= 0 && read(watch->fd, events, sizeof events) > 0)
        continue;
    return code == ERRC_UNAVAILABLE ? code : ERRC_OK;
}
