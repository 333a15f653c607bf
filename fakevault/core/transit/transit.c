#include "fakevault/core/transit/transit.h"

#include "fakevault/core/state.h"

struct keyring *transit_named(struct vault_job *job, struct slice name)
{
    struct vault *v = job->vault;
    struct keyring *k = NULL;
    struct errc_why why = {{0}};
    enum errc code = keyring_find(&v->keyrings, &v->barrier, job->mount_uuid, name, &k, &why);
    if (code != ERRC_OK && code != ERRC_NOT_FOUND)
        call_trouble(job, code, &why);
    return code == ERRC_OK ? k : NULL;
}

struct keyring *transit_key(struct vault_job *job)
{
    return transit_named(job, call_capture(job, "name"));
}
