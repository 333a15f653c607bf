#include "fakevault/core/outage/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "fakevault/core/outage/fault_index.h"
#include "fakevault/core/outage/fault_reply.h"

struct fault_set {
    uint64_t seed;
    struct fault_rule **rules; /* by identity, which is the order of their addition */
    size_t count;
    size_t room;
    struct fault_index index;
    int64_t next_expiry; /* no lease ends before that */
    uint64_t identities; /* given so far in this process */
    uint64_t numbers;    /* given since the last swap or clear */
    uint64_t names;      /* ids made up since the last clear */
};

static enum errc no_memory(struct errc_why *why)
{
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

enum errc fault_set_new(uint64_t seed, struct fault_set **out, struct errc_why *why)
{
    struct fault_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return no_memory(why);
    set->seed = seed;
    set->next_expiry = INT64_MAX;
    *out = set;
    return ERRC_OK;
}

void fault_set_free(struct fault_set *set)
{
    if (set == NULL)
        return;
    fault_clear(set);
    free(set);
}

static void free_rule(struct fault_rule *rule)
{
    fault_rule_done(rule);
    free(rule);
}

static enum errc not_found(const char *id, struct errc_why *why)
{
    return errc_fail(why, ERRC_NOT_FOUND, "there is no rule \"%.80s\"", id);
}

static void make_up_id(struct fault_set *set, char out[static FAULT_ID_MAX])
{
    char id[FAULT_ID_MAX];
    do
        (void)snprintf(id, sizeof id, "r%llu", (unsigned long long)++set->names);
    while (fault_index_find(&set->index, id) != NULL);
    memcpy(out, id, sizeof id);
}

static void note_expiry(struct fault_set *set, const struct fault_rule *rule)
{
    int64_t at = fault_rule_expiry(rule);
    set->next_expiry = at < set->next_expiry ? at : set->next_expiry;
}

static enum errc make_room(struct fault_set *set)
{
    if (set->count < set->room)
        return ERRC_OK;
    size_t room = set->room == 0 ? 16 : set->room * 2;
    struct fault_rule **grown = reallocarray(set->rules, room, sizeof(struct fault_rule *));
    if (grown == NULL)
        return ERRC_NOMEM;
    set->rules = grown;
    set->room = room;
    return ERRC_OK;
}

/* Lists a rule that has its place in `rules` already. */
static enum errc name_and_list(struct fault_set *set, struct fault_rule *rule)
{
    if (rule->id[0] == '\0')
        make_up_id(set, rule->id);
    return fault_index_add(&set->index, rule);
}

/* Takes the rule over on success. It is not listed yet. */
static enum errc append(struct fault_set *set, struct fault_rule *rule, struct instant now,
                        struct errc_why *why)
{
    if (set->count == FAULT_RULES_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "there are %u rules already", FAULT_RULES_MAX);
    if (rule->id[0] != '\0' && fault_index_find(&set->index, rule->id) != NULL)
        return errc_fail(why, ERRC_EXISTS, "there is a rule \"%s\" already", rule->id);
    if (make_room(set) != ERRC_OK)
        return no_memory(why);
    rule->identity = set->identities + 1;
    rule->number = set->numbers + 1;
    rule->added_ns = now.mono_ns;
    set->rules[set->count] = rule;
    return ERRC_OK;
}

static void count_in(struct fault_set *set, const struct fault_rule *rule)
{
    set->count++;
    set->identities = rule->identity;
    set->numbers = rule->number;
    note_expiry(set, rule);
}

static enum errc parse_rule(const json_t *value, struct fault_rule **out, struct errc_why *why)
{
    struct fault_rule *rule = calloc(1, sizeof *rule);
    if (rule == NULL)
        return no_memory(why);
    enum errc code = fault_rule_parse(value, rule, why);
    if (code == ERRC_OK)
        *out = rule;
    else
        free(rule);
    return code;
}

enum errc fault_add(struct fault_set *set, const json_t *value, struct instant now, const char **id,
                    struct errc_why *why)
{
    struct fault_rule *rule = NULL;
    TRY(parse_rule(value, &rule, why));
    enum errc code = append(set, rule, now, why);
    if (code == ERRC_OK && name_and_list(set, rule) != ERRC_OK)
        code = no_memory(why);
    if (code != ERRC_OK) {
        free_rule(rule);
        return code;
    }
    count_in(set, rule);
    *id = rule->id;
    return ERRC_OK;
}

/* Names given by users come first, so that a made-up one never takes theirs: rules without one are
 * listed when all others are. */
static enum errc append_one(struct fault_set *set, const json_t *value, struct errc_why *why)
{
    struct fault_rule *rule = NULL;
    TRY(parse_rule(value, &rule, why));
    enum errc code = append(set, rule, (struct instant){0}, why);
    if (code == ERRC_OK && rule->id[0] != '\0' && name_and_list(set, rule) != ERRC_OK)
        code = no_memory(why);
    if (code == ERRC_OK)
        count_in(set, rule);
    else
        free_rule(rule);
    return code;
}

static enum errc append_all(struct fault_set *set, const json_t *rules, struct errc_why *why)
{
    size_t i = 0;
    const json_t *value = NULL;
    json_array_foreach(rules, i, value)
    {
        enum errc code = append_one(set, value, why);
        if (code != ERRC_OK) {
            errc_prefix(why, "rules[%zu]", i);
            return code;
        }
    }
    for (i = 0; i < set->count; i++)
        if (set->rules[i]->id[0] == '\0' && name_and_list(set, set->rules[i]) != ERRC_OK)
            return no_memory(why);
    return ERRC_OK;
}

enum errc fault_set_parse(uint64_t seed, const json_t *rules, struct fault_set **out,
                          struct errc_why *why)
{
    if (!json_is_array(rules))
        return errc_fail(why, ERRC_SCHEMA, "the rules are not an array");
    struct fault_set *set = NULL;
    TRY(fault_set_new(seed, &set, why));
    enum errc code = append_all(set, rules, why);
    if (code == ERRC_OK)
        *out = set;
    else
        fault_set_free(set);
    return code;
}

void fault_swap(struct fault_set *set, struct fault_set *fresh, struct instant now)
{
    uint64_t identities = set->identities;
    struct fault_set old = *set;
    *set = *fresh;
    *fresh = old;
    set->identities += identities;
    set->next_expiry = INT64_MAX;
    for (size_t i = 0; i < set->count; i++) {
        set->rules[i]->identity += identities; /* all by as much: the lists stay in order */
        set->rules[i]->added_ns = now.mono_ns;
        note_expiry(set, set->rules[i]);
    }
}

enum errc fault_patch(struct fault_set *set, const char *id, const json_t *change,
                      struct instant now, struct errc_why *why)
{
    struct fault_rule *rule = fault_index_find(&set->index, id);
    if (rule == NULL)
        return not_found(id, why);
    struct fault_rule changed;
    TRY(fault_rule_merge(rule, change, &changed, why));
    if (fault_index_reserve(&set->index, &changed) != ERRC_OK) {
        fault_rule_done(&changed);
        return no_memory(why);
    }
    changed.identity = rule->identity;
    changed.number = rule->number;
    changed.matched = rule->matched;
    changed.hits = rule->hits;
    changed.added_ns = now.mono_ns;
    fault_index_remove(&set->index, rule);
    fault_rule_done(rule);
    *rule = changed;
    note_expiry(set, rule);
    CHECK(fault_index_add(&set->index, rule) == ERRC_OK);
    return ERRC_OK;
}

/* Returns where the rule with that identity stands, or would stand. */
static size_t place_of(const struct fault_set *set, uint64_t identity)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (set->rules[middle]->identity < identity)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool fault_alive(const struct fault_set *set, uint64_t identity)
{
    size_t at = place_of(set, identity);
    return at < set->count && set->rules[at]->identity == identity;
}

enum errc fault_remove(struct fault_set *set, const char *id, struct errc_why *why)
{
    struct fault_rule *rule = fault_index_find(&set->index, id);
    if (rule == NULL)
        return not_found(id, why);
    size_t at = place_of(set, rule->identity);
    fault_index_remove(&set->index, rule);
    free_rule(rule);
    set->count--;
    memmove(&set->rules[at], &set->rules[at + 1], (set->count - at) * sizeof(struct fault_rule *));
    return ERRC_OK;
}

void fault_clear(struct fault_set *set)
{
    fault_index_done(&set->index);
    for (size_t i = 0; i < set->count; i++)
        free_rule(set->rules[i]);
    free(set->rules);
    set->rules = NULL;
    set->count = 0;
    set->room = 0;
    set->next_expiry = INT64_MAX;
    set->numbers = 0;
    set->names = 0;
}

size_t fault_expire(struct fault_set *set, struct instant now)
{
    size_t kept = 0, count = set->count;
    if (set->next_expiry > now.mono_ns)
        return 0;
    set->next_expiry = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct fault_rule *rule = set->rules[i];
        if (fault_rule_expiry(rule) > now.mono_ns) {
            set->rules[kept++] = rule;
            note_expiry(set, rule);
            continue;
        }
        fault_index_remove(&set->index, rule);
        free_rule(rule);
    }
    set->count = kept;
    return count - kept;
}

int64_t fault_next_expiry(const struct fault_set *set)
{
    return set->next_expiry;
}

static void take(struct fault_rule *rule, int64_t roll, struct fault_decision *out)
{
    rule->hits++;
    out->effect = rule->effect;
    out->identity = rule->identity;
    out->roll = roll;
    out->reply = fault_reply_ref(rule->reply);
    memcpy(out->id, rule->id, sizeof out->id);
}

void fault_decide(struct fault_set *set, const struct fault_facts *facts, struct instant now,
                  struct fault_decision *out)
{
    struct fault_walk walk;
    struct fault_seen seen = {0};
    struct fault_rule *rule = NULL;
    *out = (struct fault_decision){.roll = -1};
    fault_walk_begin(&walk, &set->index, facts);
    while ((rule = fault_walk_next(&walk)) != NULL) {
        int64_t roll = -1;
        if (fault_rule_expiry(rule) <= now.mono_ns || !fault_rule_matches(rule, facts, &seen))
            continue;
        if (fault_rule_fires(rule, set->seed, now.mono_ns, &roll)) {
            take(rule, roll, out);
            return;
        }
    }
}

void fault_decision_done(struct fault_decision *decision)
{
    if (decision == NULL)
        return;
    fault_reply_unref(decision->reply);
    *decision = (struct fault_decision){.roll = -1};
}

void fault_format(const struct fault_set *set, struct jsonwrite *w, const char *key)
{
    jsonwrite_array(w, key);
    for (size_t i = 0; i < set->count; i++)
        fault_rule_format(set->rules[i], w, NULL);
    jsonwrite_end(w);
}

enum errc fault_format_one(const struct fault_set *set, const char *id, struct jsonwrite *w,
                           const char *key, struct errc_why *why)
{
    const struct fault_rule *rule = fault_index_find(&set->index, id);
    if (rule == NULL)
        return not_found(id, why);
    fault_rule_format(rule, w, key);
    return ERRC_OK;
}

size_t fault_count(const struct fault_set *set)
{
    return set->count;
}
