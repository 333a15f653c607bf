#include "fakevault/core/transit/transit.h"

#include "fakevault/core/api.h"
#include "fakevault/core/transit/keys/transit_key.h"

struct keyring *transit_key(struct vault_job *job)
{
    return transit_key_named(job, call_capture(job, "name"));
}

/* Operations that this server has no keys for; the paths exist, so that a wrong verb is told from a
 * wrong path. */
static void not_offered(struct vault_job *job)
{
    call_fail(job, 400, "encryption is not offered by this server: it has signing keys only");
}

#define SIGN                                                                                       \
    .operation = ROUTE_UPDATE, .fields = transit_sign_fields, .prepare = transit_sign_prepare,     \
    .work = transit_sign_work, .finish = transit_sign_finish, .detached = true
#define VERIFY                                                                                     \
    .operation = ROUTE_UPDATE, .fields = transit_verify_fields, .prepare = transit_verify_prepare, \
    .work = transit_verify_work, .finish = transit_verify_finish, .detached = true

static const struct route_endpoint rows[] = {
    {.pattern = "sign/:name", SIGN},
    {.pattern = "sign/:name/+urlalgorithm", SIGN},
    {.pattern = "verify/:name", VERIFY},
    {.pattern = "verify/:name/+urlalgorithm", VERIFY},
    {.pattern = "encrypt/:name", .operation = ROUTE_UPDATE, .finish = not_offered},
    {.pattern = "decrypt/:name", .operation = ROUTE_UPDATE, .finish = not_offered},
};

const struct route_table transit_table = ROUTE_TABLE(rows);
