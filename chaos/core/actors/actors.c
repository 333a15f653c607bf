#include "chaos/core/actors/actors.h"

#include <string.h>

#include "base/bug.h"

#define ADDRESS(name) &actor_##name,

static const struct actor *const all[] = {ACTORS(ADDRESS)};

const struct actor *actors_at(size_t i)
{
    CHECK(i < ACTORS_COUNT);
    return all[i];
}

const struct actor *actors_find(const char *name)
{
    for (size_t i = 0; i < ACTORS_COUNT; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const struct verb *actors_verb(const struct actor *actor, const char *name)
{
    for (size_t i = 0; i < actor->verb_count; i++)
        if (same(actor->verbs[i].name, name))
            return &actor->verbs[i];
    return NULL;
}

void actors_names(const char *out[static ACTORS_COUNT])
{
    for (size_t i = 0; i < ACTORS_COUNT; i++)
        out[i] = all[i]->name;
}
