#include "fakevault/core/outage/fault_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define ROOM_MIN 64u

/* Under what a rule stands; a part of the hash, so that a key is never taken for a test. */
enum under {
    UNDER_ID,
    UNDER_TEST,
    UNDER_KEY,
    UNDER_ACCESSOR,
    UNDER_PATH,
    UNDER_BEGIN,
    UNDER_END,
    UNDER_ALL
};

/* FNV-1a */
static uint64_t hash_begin(enum under under)
{
    return (14695981039346656037u ^ (uint64_t)under) * 1099511628211u;
}

static uint64_t hash_add(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * 1099511628211u;
}

static uint64_t hash_of(enum under under, struct slice text)
{
    uint64_t hash = hash_begin(under);
    for (size_t i = 0; i < text.len; i++)
        hash = hash_add(hash, text.ptr[i]);
    return hash;
}

/* Of the last len bytes, from behind. */
static uint64_t hash_of_end(struct slice text, size_t len)
{
    uint64_t hash = hash_begin(UNDER_END);
    for (size_t i = 0; i < len; i++)
        hash = hash_add(hash, text.ptr[text.len - 1 - i]);
    return hash;
}

/* ---- where a rule stands ---- */

static bool is_wild(char c)
{
    return c == '*' || c == '?';
}

static size_t literal_begin(struct slice glob)
{
    size_t n = 0;
    while (n < glob.len && !is_wild(glob.ptr[n]))
        n++;
    return n;
}

static size_t literal_end(struct slice glob)
{
    size_t n = 0;
    while (n < glob.len && !is_wild(glob.ptr[glob.len - 1 - n]))
        n++;
    return n;
}

struct place {
    uint64_t hash;
    size_t begin, end; /* bytes of the path's beginning or end, when it stands under one */
};

static struct place place_by_path(struct slice glob)
{
    size_t begin = literal_begin(glob), end = literal_end(glob);
    if (begin == glob.len)
        return (struct place){.hash = hash_of(UNDER_PATH, glob)};
    begin = begin < FAULT_STEM_MAX ? begin : FAULT_STEM_MAX;
    end = end < FAULT_STEM_MAX ? end : FAULT_STEM_MAX;
    if (begin > 0 && begin >= end)
        return (struct place){hash_of(UNDER_BEGIN, slice_bytes(glob.ptr, begin)), begin, 0};
    if (end > 0)
        return (struct place){hash_of_end(glob, end), 0, end};
    return (struct place){.hash = hash_begin(UNDER_ALL)};
}

static struct place place_of(const struct fault_rule *rule)
{
    if (rule->test != NULL)
        return (struct place){.hash = hash_of(UNDER_TEST, slice_of(rule->test))};
    if (rule->key != NULL)
        return (struct place){.hash = hash_of(UNDER_KEY, slice_of(rule->key))};
    if (rule->accessor != NULL)
        return (struct place){.hash = hash_of(UNDER_ACCESSOR, slice_of(rule->accessor))};
    return place_by_path(rule->glob);
}

/* ---- the lists ---- */

static struct fault_list *slot_of(struct fault_list *slots, size_t room, uint64_t hash)
{
    size_t at = (size_t)(hash ^ hash >> 32) & (room - 1);
    while (slots[at].rules != NULL && slots[at].hash != hash)
        at = (at + 1) & (room - 1);
    return &slots[at];
}

static const struct fault_list *list_at(const struct fault_index *index, uint64_t hash)
{
    static const struct fault_list none;
    return index->room == 0 ? &none : slot_of(index->slots, index->room, hash);
}

/* Leaves behind the lists that have become empty. */
static enum errc make_room(struct fault_index *index)
{
    size_t live = 0;
    if (index->used * 2 < index->room)
        return ERRC_OK;
    for (size_t i = 0; i < index->room; i++)
        live += index->slots[i].count > 0;
    size_t room = ROOM_MIN;
    while (room < live * 4)
        room *= 2;
    struct fault_list *slots = calloc(room, sizeof *slots);
    if (slots == NULL)
        return ERRC_NOMEM;
    for (size_t i = 0; i < index->room; i++) {
        if (index->slots[i].count > 0)
            *slot_of(slots, room, index->slots[i].hash) = index->slots[i];
        else
            free(index->slots[i].rules);
    }
    free(index->slots);
    index->slots = slots;
    index->room = room;
    index->used = live;
    return ERRC_OK;
}

static enum errc grow(struct fault_list *list)
{
    size_t room = list->room == 0 ? 2 : list->room * 2;
    struct fault_rule **grown = reallocarray(list->rules, room, sizeof(struct fault_rule *));
    if (grown == NULL)
        return ERRC_NOMEM;
    list->rules = grown;
    list->room = room;
    return ERRC_OK;
}

/* Finds or makes the list, with room for one rule more. */
static enum errc reserve(struct fault_index *index, uint64_t hash, struct fault_list **out)
{
    bool known = index->room > 0 && slot_of(index->slots, index->room, hash)->rules != NULL;
    if (!known)
        TRY(make_room(index));
    struct fault_list *list = slot_of(index->slots, index->room, hash);
    if (list->count == list->room)
        TRY(grow(list));
    list->hash = hash;
    index->used += !known;
    *out = list;
    return ERRC_OK;
}

/* Rules come in the order of their identities nearly always. */
static enum errc enter(struct fault_index *index, uint64_t hash, struct fault_rule *rule)
{
    struct fault_list *list = NULL;
    TRY(reserve(index, hash, &list));
    size_t at = list->count++;
    for (; at > 0 && list->rules[at - 1]->identity > rule->identity; at--)
        list->rules[at] = list->rules[at - 1];
    list->rules[at] = rule;
    return ERRC_OK;
}

static void leave(struct fault_index *index, uint64_t hash, const struct fault_rule *rule)
{
    struct fault_list *list = slot_of(index->slots, index->room, hash);
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list->rules[middle]->identity < rule->identity)
            low = middle + 1;
        else
            high = middle;
    }
    CHECK(low < list->count && list->rules[low] == rule);
    list->count--;
    memmove(&list->rules[low], &list->rules[low + 1],
            (list->count - low) * sizeof(struct fault_rule *));
}

enum errc fault_index_add(struct fault_index *index, struct fault_rule *rule)
{
    struct place place = place_of(rule);
    uint64_t id = hash_of(UNDER_ID, slice_of(rule->id));
    TRY(enter(index, id, rule));
    enum errc code = enter(index, place.hash, rule);
    if (code != ERRC_OK) {
        leave(index, id, rule);
        return code;
    }
    index->begins[place.begin]++;
    index->ends[place.end]++;
    return ERRC_OK;
}

enum errc fault_index_reserve(struct fault_index *index, const struct fault_rule *rule)
{
    struct fault_list *list = NULL;
    return reserve(index, place_of(rule).hash, &list);
}

void fault_index_remove(struct fault_index *index, const struct fault_rule *rule)
{
    struct place place = place_of(rule);
    leave(index, hash_of(UNDER_ID, slice_of(rule->id)), rule);
    leave(index, place.hash, rule);
    index->begins[place.begin]--;
    index->ends[place.end]--;
}

void fault_index_done(struct fault_index *index)
{
    for (size_t i = 0; i < index->room; i++)
        free(index->slots[i].rules);
    free(index->slots);
    *index = (struct fault_index){0};
}

struct fault_rule *fault_index_find(const struct fault_index *index, const char *id)
{
    const struct fault_list *list = list_at(index, hash_of(UNDER_ID, slice_of(id)));
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rules[i]->id, id) == 0)
            return list->rules[i];
    return NULL;
}

/* ---- a walk ---- */

static void visit(struct fault_walk *walk, const struct fault_index *index, uint64_t hash)
{
    const struct fault_list *list = list_at(index, hash);
    if (list->count == 0)
        return;
    walk->lists[walk->count].at = list->rules;
    walk->lists[walk->count].end = list->rules + list->count;
    walk->count++;
}

static void visit_text(struct fault_walk *walk, const struct fault_index *index, enum under under,
                       struct slice text)
{
    if (text.len > 0)
        visit(walk, index, hash_of(under, text));
}

void fault_walk_begin(struct fault_walk *walk, const struct fault_index *index,
                      const struct fault_facts *facts)
{
    struct slice path = facts->path;
    uint64_t begin = hash_begin(UNDER_BEGIN), end = hash_begin(UNDER_END);
    walk->count = 0;
    if (index->used == 0)
        return;
    visit_text(walk, index, UNDER_TEST, facts->test);
    visit_text(walk, index, UNDER_KEY, facts->key);
    visit_text(walk, index, UNDER_ACCESSOR, facts->accessor);
    visit(walk, index, hash_of(UNDER_PATH, path));
    for (size_t len = 1; len <= FAULT_STEM_MAX && len <= path.len; len++) {
        begin = hash_add(begin, path.ptr[len - 1]);
        end = hash_add(end, path.ptr[path.len - len]);
        if (index->begins[len] > 0)
            visit(walk, index, begin);
        if (index->ends[len] > 0)
            visit(walk, index, end);
    }
    visit(walk, index, hash_begin(UNDER_ALL));
}

struct fault_rule *fault_walk_next(struct fault_walk *walk)
{
    size_t first = walk->count;
    for (size_t i = 0; i < walk->count; i++)
        if (walk->lists[i].at < walk->lists[i].end &&
            (first == walk->count ||
             (*walk->lists[i].at)->identity < (*walk->lists[first].at)->identity))
            first = i;
    return first == walk->count ? NULL : *walk->lists[first].at++;
}
