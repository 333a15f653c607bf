#include "fakevault/core/transit/keys/transit_rotate.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/keyring/keyring.h"

struct due {
    char name[KEYRING_NAME_BYTES];
    char mount_uuid[ENTROPY_UUID_BYTES];
    struct keyring_spec spec;
    uint32_t latest_version;
    struct keyring_version *version; /* the new one; NULL: not made */
};

struct transit_rotate {
    struct vault *vault;
    struct instant now;
    const char *mount_uuid; /* that is being listed */
    struct due *items;
    size_t count;
};

static bool is_due(const struct keyring *k, struct instant now)
{
    const struct keyring_version *latest = k->versions[k->latest_version - 1];
    return k->auto_rotate_s > 0 && (!k->imported || k->imported_rotation_allowed) &&
           now.wall_ns - latest->created_ns > k->auto_rotate_s * NS_PER_S;
}

static enum errc add(struct transit_rotate *r, const struct keyring *k)
{
    struct due *grown = realloc(r->items, (r->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERRC_NOMEM;
    r->items = grown;
    struct due *d = &r->items[r->count++];
    *d = (struct due){
        .latest_version = k->latest_version,
        .spec = {.traits = k->traits, .convergent = k->convergent, .key_size = k->key_size}};
    memcpy(d->name, k->name, sizeof d->name);
    memcpy(d->mount_uuid, k->mount_uuid, sizeof d->mount_uuid);
    return ERRC_OK;
}

/* Buffers cannot tell which of the two they met. */
static bool is_memory(enum errc code)
{
    return code == ERRC_NOMEM || code == ERRC_TOO_BIG;
}

/* A key that cannot be read does not keep the others from rotating. */
static enum errc find(struct vault *v, const char *mount_uuid, struct slice name,
                      struct keyring **out)
{
    *out = NULL;
    enum errc code = keyring_find(&v->keyrings, &v->barrier, mount_uuid, name, out, NULL);
    return is_memory(code) ? code : ERRC_OK;
}

static enum errc look_at(void *context, struct slice name)
{
    struct transit_rotate *r = context;
    struct keyring *k;
    TRY(find(r->vault, r->mount_uuid, name, &k));
    return k != NULL && is_due(k, r->now) ? add(r, k) : ERRC_OK;
}

static enum errc look_everywhere(struct transit_rotate *r)
{
    const struct mount_table *mounts = &r->vault->mounts;
    for (size_t i = 0; i < mounts->count; i++) {
        if (mounts->items[i].engine != MOUNT_TRANSIT)
            continue;
        r->mount_uuid = mounts->items[i].uuid;
        TRY(keyring_list(&r->vault->barrier, r->mount_uuid, look_at, r, NULL));
    }
    return ERRC_OK;
}

void transit_rotate_begin(struct vault_job *job)
{
    struct vault *v = job->vault;
    if (job->now.wall_ns < v->rotate_after_ns || v->rotating || state_sealed(v))
        return;
    struct transit_rotate *r = calloc(1, sizeof *r);
    if (r == NULL) {
        job->no_memory = true;
        return;
    }
    *r = (struct transit_rotate){.vault = v, .now = job->now};
    job->rotate = r;
    v->rotating = true;
    if (is_memory(look_everywhere(r)))
        job->no_memory = true;
    else
        v->rotate_after_ns = job->now.wall_ns + NS_PER_HOUR;
    if (job->no_memory || r->count == 0)
        transit_rotate_drop(job);
}

void transit_rotate_work(struct vault_job *job)
{
    struct transit_rotate *r = job->rotate;
    const struct vault_ports *ports = &job->vault->ports;
    for (size_t i = 0; r != NULL && i < r->count; i++) {
        struct due *d = &r->items[i];
        if (keyring_version_make(&d->spec, ports->crypto, ports->arena, r->now.wall_ns, &d->version,
                                 NULL) != ERRC_OK)
            d->version = NULL;
    }
}

/* The key may have been rotated, deleted, or made anew since. */
static void commit(struct vault *v, struct due *d)
{
    struct keyring *k;
    if (d->version == NULL || find(v, d->mount_uuid, slice_of(d->name), &k) != ERRC_OK ||
        k == NULL || k->traits != d->spec.traits || k->latest_version != d->latest_version ||
        keyring_add_version(k, d->version) != ERRC_OK)
        return;
    bool imported = k->imported;
    d->version = NULL;
    k->imported = false;
    if (keyring_store(k, &v->barrier, NULL) == ERRC_OK)
        return;
    k->imported = imported;
    keyring_remove_last(k);
}

void transit_rotate_end(struct vault_job *job)
{
    struct transit_rotate *r = job->rotate;
    for (size_t i = 0; r != NULL && i < r->count && !state_sealed(job->vault); i++)
        commit(job->vault, &r->items[i]);
    transit_rotate_drop(job);
}

void transit_rotate_drop(struct vault_job *job)
{
    struct transit_rotate *r = job->rotate;
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        keyring_version_drop(r->items[i].version);
    free(r->items);
    free(r);
    job->rotate = NULL;
    job->vault->rotating = false;
}
