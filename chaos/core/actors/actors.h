/*
 * actors: who can do something in a scenario, each in a file of its own beside this one
 * (actor_vault.c…): its verbs with their fields, what makes no sense of them, what they do to the
 * condition of whom they act on, and for those that look, the look itself.
 *
 * They drive the reading of scenarios, lint's messages, the JSON Schema and docs/scenarios.md. A
 * new verb is a row in its actor's table; a new actor is a file and a row here.
 */
#pragma once

#include "chaos/core/language/verb.h"

/* In the order of docs/scenarios.md. */
#define ACTORS(X)                                                                                  \
    X(vault)                                                                                       \
    X(service)                                                                                     \
    X(command)                                                                                     \
    X(trust)                                                                                       \
    X(fallback_key)                                                                                \
    X(trail)                                                                                       \
    X(publish)                                                                                     \
    X(sign)                                                                                        \
    X(wait_for)                                                                                    \
    X(audit)                                                                                       \
    X(backoff)                                                                                     \
    X(journal)                                                                                     \
    X(log)                                                                                         \
    X(metrics)                                                                                     \
    X(manifest)                                                                                    \
    X(state)                                                                                       \
    X(status)                                                                                      \
    X(decoy)                                                                                       \
    X(environment)

#define ACTORS_DECLARE(name) extern const struct actor actor_##name;
ACTORS(ACTORS_DECLARE)

#define ACTORS_ONE(name) +1u
#define ACTORS_COUNT (0u ACTORS(ACTORS_ONE))

/* Returns one of them. Requires i < ACTORS_COUNT. */
const struct actor *actors_at(size_t i);

/* Returns the actor of that name, or NULL. */
const struct actor *actors_find(const char *name);

/* Returns the actor's verb of that name (NULL: the only one of an actor that does but one thing),
 * or NULL. */
const struct verb *actors_verb(const struct actor *actor, const char *name);

/* Fills `out` with the names of all actors, for a message that suggests one. */
void actors_names(const char *out[static ACTORS_COUNT]);
