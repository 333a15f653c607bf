/* sys_uimounts: internal/ui/mounts, by which clients find out what a path is (vault-api.md 2.13).
 * The paths need no policy; each looks for itself what the token may see. */
#include <string.h>

#include "fakevault/core/api.h"
#include "fakevault/core/http/request.h"
#include "fakevault/core/policy/acl.h"
#include "fakevault/core/policy/authorise.h"
#include "fakevault/core/sys/mounts/mountinfo.h"
#include "fakevault/core/sys/mounts/sys_mounts.h"

static bool shown_to_all(const struct mount *m)
{
    const json_t *visibility = json_object_get(m->tuned, "listing_visibility");
    return slice_equal_text(slice_of(json_string_value(visibility)), "unauth");
}

/* True when the token may do something below the mount. */
static bool token_sees(struct vault_job *job, const struct mount *m)
{
    if (job->token == NULL || token_is_root(job->token))
        return job->token != NULL;
    const struct acl *acl = authorise_acl(job, job->token);
    return acl != NULL && acl_sees_mount(acl, slice_of(m->path));
}

/* Adds a mount to what is shown; false when out of memory. */
static bool add_mount(struct vault_job *job, const struct mount *m, json_t *to)
{
    bool visible = shown_to_all(m) || token_sees(job, m);
    return !visible ||
           json_object_set_new(to, mount_api_path(m),
                               job->token != NULL ? mountinfo_full(m) : mountinfo_brief(m)) == 0;
}

static void list_finish(struct vault_job *job)
{
    const struct mount_table *t = &job->vault->mounts;
    if (job->token == NULL && request_token(&job->request).len > 0) {
        call_fail(job, 403, "permission denied");
        return;
    }
    json_t *secret = json_object(), *auth = json_object();
    bool complete = secret != NULL && auth != NULL;
    for (size_t i = 0; i < t->count && complete; i++)
        complete = add_mount(job, &t->items[i], mount_is_auth(&t->items[i]) ? auth : secret);
    json_t *both = json_pack("{s:o,s:o}", "secret", secret, "auth", auth);
    if (!complete) {
        json_decref(both);
        both = NULL;
    }
    call_answer_tree(job, CALL_DATA, both);
}

static void read_finish(struct vault_job *job)
{
    char path[MOUNT_PATH_BYTES];
    if (job->token == NULL) {
        call_fail(job, 403, "permission denied");
        return;
    }
    bool fits = sys_mounts_path("", call_capture(job, "path"), path);
    const struct mount *m = fits ? mount_find(&job->vault->mounts, slice_of(path)) : NULL;
    if (m == NULL || !token_sees(job, m)) {
        call_fail(job, 403,
                  "preflight capability check returned 403, please ensure client's policies grant "
                  "access to path \"%s\"",
                  path);
        return;
    }
    json_t *tree = mountinfo_full(m);
    if (tree != NULL && json_object_set_new(tree, "path", json_string(mount_api_path(m))) != 0) {
        json_decref(tree);
        tree = NULL;
    }
    call_answer_tree(job, CALL_DATA, tree);
}

static void namespaces_finish(struct vault_job *job)
{
    bool given = request_token(&job->request).len > 0;
    if (job->token == NULL && given)
        call_fail(job, 403, "permission denied");
    else if (job->token == NULL)
        call_fail(job, 500, "client token empty");
    if (call_answered(job))
        return;
    call_answer_tree(job, CALL_DATA, json_pack("{s:[s]}", "keys", ""));
}

static const struct route_endpoint rows[] = {
    {.pattern = "internal/ui/mounts",
     .operation = ROUTE_READ,
     .public = true,
     .finish = list_finish},
    {.pattern = "internal/ui/mounts/+path",
     .operation = ROUTE_READ,
     .public = true,
     .finish = read_finish},
    {.pattern = "internal/ui/namespaces",
     .operation = ROUTE_READ,
     .public = true,
     .finish = namespaces_finish},
};

const struct route_table sys_uimounts_table = ROUTE_TABLE(rows);
