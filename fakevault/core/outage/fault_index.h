/*
 * fault_index: finds the rules that a request can match, and rules by id, without asking all.
 *
 * A rule stands in one list, under the part of its match that tells requests apart best: test, key,
 * accessor, a path without wildcards, a path's beginning (up to its first wildcard) or its end
 * (behind the last one); rules with none of these stand in the list of all requests. A request
 * walks the lists of its own parts, merged in the rules' order. Lists are found by a hash alone:
 * two texts with one hash share a list, so whoever walks asks each rule all the same.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"
#include "fakevault/core/outage/fault_rule.h"

#define FAULT_STEM_MAX 32u /* bytes of a path's beginning or end that are looked at */

struct fault_list {
    uint64_t hash;
    struct fault_rule **rules; /* by identity; NULL in a free slot */
    size_t count;
    size_t room;
};

struct fault_index {
    struct fault_list *slots; /* open addressing */
    size_t room;              /* a power of two, or 0 */
    size_t used;
    size_t begins[FAULT_STEM_MAX + 1]; /* rules that stand under a beginning of that length */
    size_t ends[FAULT_STEM_MAX + 1];
};

/* Lists the rule under its id and its match, both of which have to stay as they are from now on.
 * ERRC_NOMEM: it is not listed. */
MUST_USE enum errc fault_index_add(struct fault_index *index, struct fault_rule *rule);

/* Makes sure that a rule that takes the place of a listed one, under the same id, can be added once
 * that one is removed. ERRC_NOMEM. */
MUST_USE enum errc fault_index_reserve(struct fault_index *index, const struct fault_rule *rule);

void fault_index_remove(struct fault_index *index, const struct fault_rule *rule);

/* Frees the lists, not the rules. A zeroed index is fine, and is empty. */
void fault_index_done(struct fault_index *index);

/* Returns the rule with this id, or NULL. */
struct fault_rule *fault_index_find(const struct fault_index *index, const char *id);

/* A walk over the rules that may match; the index must not change meanwhile. */
struct fault_walk {
    struct {
        struct fault_rule **at;
        struct fault_rule **end;
    } lists[2 * FAULT_STEM_MAX + 5];
    size_t count;
};

void fault_walk_begin(struct fault_walk *walk, const struct fault_index *index,
                      const struct fault_facts *facts);

/* Returns the next rule in the order of addition, NULL behind the last. */
struct fault_rule *fault_walk_next(struct fault_walk *walk);
