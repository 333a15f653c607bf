#include "fakevault/core/fault/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakevault/core/fault/fault_rule.h"

struct fault_set {
    uint64_t seed;
    struct fault_rule *rules; /* room for FAULT_RULES_MAX */
    size_t count;
    uint64_t identities; /* given so far in this process */
    uint64_t numbers;    /* given since the last replace or clear */
    uint64_t names;      /* ids made up since the last clear */
};

enum errc fault_set_new(uint64_t seed, struct fault_set **out, struct errc_why *why)
{
    struct fault_set *set = calloc(1, sizeof *set);
    struct fault_rule *rules = calloc(FAULT_RULES_MAX, sizeof *rules);
    if (set == NULL || rules == NULL) {
        free(set);
        free(rules);
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    }
    set->seed = seed;
    set->rules = rules;
    *out = set;
    return ERRC_OK;
}

void fault_set_free(struct fault_set *set)
{
    if (set == NULL)
        return;
    fault_clear(set);
    free(set->rules);
    free(set);
}

static struct fault_rule *find(const struct fault_set *set, const char *id)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->rules[i].id, id) == 0)
            return &set->rules[i];
    return NULL;
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
    while (find(set, id) != NULL);
    memcpy(out, id, sizeof id);
}

static void begin_life(struct fault_set *set, struct fault_rule *rule, struct instant now)
{
    rule->identity = ++set->identities;
    rule->number = ++set->numbers;
    rule->added_ns = now.mono_ns;
}

/* Takes the rule over, also on failure. */
static enum errc append(struct fault_set *set, struct fault_rule *rule, struct instant now,
                        struct errc_why *why)
{
    enum errc code = ERRC_OK;
    if (set->count == FAULT_RULES_MAX)
        code = errc_fail(why, ERRC_TOO_BIG, "there are %u rules already", FAULT_RULES_MAX);
    else if (rule->id[0] != '\0' && find(set, rule->id) != NULL)
        code = errc_fail(why, ERRC_EXISTS, "there is a rule \"%s\" already", rule->id);
    if (code != ERRC_OK) {
        fault_rule_done(rule);
        return code;
    }
    begin_life(set, rule, now);
    set->rules[set->count++] = *rule;
    return ERRC_OK;
}

/* Names given by users come first, so that a made-up one never takes theirs. */
static void name_all(struct fault_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i].id[0] == '\0')
            make_up_id(set, set->rules[i].id);
}

enum errc fault_add(struct fault_set *set, const json_t *rule, struct instant now, const char **id,
                    struct errc_why *why)
{
    struct fault_rule parsed;
    TRY(fault_rule_parse(rule, &parsed, why));
    TRY(append(set, &parsed, now, why));
    name_all(set);
    *id = set->rules[set->count - 1].id;
    return ERRC_OK;
}

static enum errc append_all(struct fault_set *set, const json_t *rules, struct instant now,
                            struct errc_why *why)
{
    size_t i = 0;
    const json_t *value = NULL;
    json_array_foreach(rules, i, value)
    {
        struct fault_rule parsed;
        enum errc code = fault_rule_parse(value, &parsed, why);
        if (code == ERRC_OK)
            code = append(set, &parsed, now, why);
        if (code != ERRC_OK) {
            errc_prefix(why, "rules[%zu]", i);
            return code;
        }
    }
    name_all(set);
    return ERRC_OK;
}

enum errc fault_replace(struct fault_set *set, const json_t *rules, struct instant now,
                        struct errc_why *why)
{
    if (!json_is_array(rules))
        return errc_fail(why, ERRC_SCHEMA, "the rules are not an array");
    struct fault_set *fresh = NULL;
    TRY(fault_set_new(set->seed, &fresh, why));
    fresh->identities = set->identities;
    enum errc code = append_all(fresh, rules, now, why);
    if (code == ERRC_OK) {
        struct fault_set old = *set;
        *set = *fresh;
        *fresh = old;
    }
    fault_set_free(fresh);
    return code;
}

enum errc fault_patch(struct fault_set *set, const char *id, const json_t *change,
                      struct instant now, struct errc_why *why)
{
    struct fault_rule *rule = find(set, id);
    if (rule == NULL)
        return not_found(id, why);
    struct fault_rule changed;
    TRY(fault_rule_merge(rule, change, &changed, why));
    changed.identity = rule->identity;
    changed.number = rule->number;
    changed.matched = rule->matched;
    changed.hits = rule->hits;
    changed.added_ns = now.mono_ns;
    fault_rule_done(rule);
    *rule = changed;
    return ERRC_OK;
}

static void remove_at(struct fault_set *set, size_t at)
{
    fault_rule_done(&set->rules[at]);
    set->count--;
    memmove(&set->rules[at], &set->rules[at + 1], (set->count - at) * sizeof *set->rules);
}

enum errc fault_remove(struct fault_set *set, const char *id, struct errc_why *why)
{
    struct fault_rule *rule = find(set, id);
    if (rule == NULL)
        return not_found(id, why);
    remove_at(set, (size_t)(rule - set->rules));
    return ERRC_OK;
}

void fault_clear(struct fault_set *set)
{
    while (set->count > 0)
        remove_at(set, set->count - 1);
    set->numbers = 0;
    set->names = 0;
}

size_t fault_expire(struct fault_set *set, struct instant now)
{
    size_t gone = 0;
    for (size_t i = set->count; i-- > 0;) {
        if (fault_rule_expiry(&set->rules[i]) > now.mono_ns)
            continue;
        remove_at(set, i);
        gone++;
    }
    return gone;
}

int64_t fault_next_expiry(const struct fault_set *set)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < set->count; i++) {
        int64_t at = fault_rule_expiry(&set->rules[i]);
        next = at < next ? at : next;
    }
    return next;
}

bool fault_alive(const struct fault_set *set, uint64_t identity)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i].identity == identity)
            return true;
    return false;
}

static enum errc take(struct fault_rule *rule, int64_t roll, struct fault_decision *out)
{
    if (rule->effect == FAULT_RESPOND)
        TRY(fault_rule_copy_reply(&rule->reply, &out->reply));
    rule->hits++;
    out->effect = rule->effect;
    out->identity = rule->identity;
    out->roll = roll;
    memcpy(out->id, rule->id, sizeof out->id);
    return ERRC_OK;
}

enum errc fault_decide(struct fault_set *set, const struct fault_facts *facts, struct instant now,
                       struct fault_decision *out)
{
    *out = (struct fault_decision){.roll = -1};
    for (size_t i = 0; i < set->count; i++) {
        struct fault_rule *rule = &set->rules[i];
        int64_t roll = -1;
        if (fault_rule_expiry(rule) <= now.mono_ns || !fault_rule_matches(rule, facts))
            continue;
        if (fault_rule_fires(rule, set->seed, now.mono_ns, &roll))
            return take(rule, roll, out);
    }
    return ERRC_OK;
}

void fault_decision_done(struct fault_decision *decision)
{
    if (decision == NULL)
        return;
    fault_rule_reply_done(&decision->reply);
    *decision = (struct fault_decision){.roll = -1};
}

void fault_format(const struct fault_set *set, struct jsonwrite *w, const char *key)
{
    jsonwrite_array(w, key);
    for (size_t i = 0; i < set->count; i++)
        fault_rule_format(&set->rules[i], w, NULL);
    jsonwrite_end(w);
}

enum errc fault_format_one(const struct fault_set *set, const char *id, struct jsonwrite *w,
                           const char *key, struct errc_why *why)
{
    const struct fault_rule *rule = find(set, id);
    if (rule == NULL)
        return not_found(id, why);
    fault_rule_format(rule, w, key);
    return ERRC_OK;
}

size_t fault_count(const struct fault_set *set)
{
    return set->count;
}
