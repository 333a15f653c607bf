#include "fakevault/core/transit/transit.h"

#include "fakevault/core/transit/keys/transit_key.h"

struct keyring *transit_key(struct vault_job *job)
{
    return transit_key_named(job, call_capture(job, "name"));
}
