#include "fakevault/core/transit/transit.h"

#include <stdlib.h>

#include "fakevault/core/api.h"
#include "fakevault/core/state.h"

struct keyring *transit_key(struct vault_job *job)
{
    struct vault *v = job->vault;
    struct keyring *k = NULL;
    struct errc_why why = {{0}};
    enum errc code = keyring_find(&v->keyrings, &v->barrier, job->mount_uuid,
                                  call_capture(job, "name"), &k, &why);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        call_trouble(job, code, &why);
    return code == ERRC_OK ? k : NULL;
}

/* Operations that this server has no keys for; the paths exist, so that a wrong verb is told from a
 * wrong path. */
static void not_offered(struct vault_job *job)
{
    call_fail(job, 400, "encryption is not offered by this server: it has signing keys only");
}

/* A key that is not there is told from one that cannot be exported. */
static void export_finish(struct vault_job *job)
{
    const struct keyring *k = transit_key(job);
    if (call_answered(job))
        return;
    if (k == NULL)
        call_fail_bare(job, 404);
    else
        call_fail(job, 400, "exporting keys is not offered by this server");
}

#define SIGN                                                                                       \
    .operation = ROUTE_UPDATE, .fields = transit_sign_fields, .prepare = transit_sign_prepare,     \
    .work = transit_sign_work, .finish = transit_sign_finish, .detached = true
#define VERIFY                                                                                     \
    .operation = ROUTE_UPDATE, .fields = transit_verify_fields, .prepare = transit_verify_prepare, \
    .work = transit_verify_work, .finish = transit_verify_finish, .detached = true

static const struct route_endpoint rows[] = {
    {.pattern = "keys/?", .operation = ROUTE_LIST, .finish = transit_keys_list_finish},
    {.pattern = "keys/:name", .operation = ROUTE_READ, .finish = transit_keys_read_finish},
    {.pattern = "keys/:name",
     .operation = ROUTE_UPDATE,
     .fields = transit_keys_create_fields,
     .prepare = transit_keys_create_prepare,
     .work = transit_keys_make,
     .finish = transit_keys_create_finish},
    {.pattern = "keys/:name", .operation = ROUTE_DELETE, .finish = transit_keys_delete_finish},
    {.pattern = "keys/:name/rotate",
     .operation = ROUTE_UPDATE,
     .prepare = transit_keys_rotate_prepare,
     .work = transit_keys_make,
     .finish = transit_keys_rotate_finish},
    {.pattern = "keys/:name/config",
     .operation = ROUTE_UPDATE,
     .fields = transit_keys_config_fields,
     .finish = transit_keys_config_finish},
    {.pattern = "sign/:name", SIGN},
    {.pattern = "sign/:name/+urlalgorithm", SIGN},
    {.pattern = "verify/:name", VERIFY},
    {.pattern = "verify/:name/+urlalgorithm", VERIFY},
    {.pattern = "export/:type/:name", .operation = ROUTE_READ, .finish = export_finish},
    {.pattern = "encrypt/:name", .operation = ROUTE_UPDATE, .finish = not_offered},
    {.pattern = "decrypt/:name", .operation = ROUTE_UPDATE, .finish = not_offered},
};

const struct route_table transit_table = ROUTE_TABLE(rows);
