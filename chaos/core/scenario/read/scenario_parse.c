#include "chaos/core/scenario/read/scenario_parse.h"

#include <string.h>

#include "base/bug.h"
#include "base/count.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/language/verb_stack.h"
#include "chaos/core/scenario/check/scenario_check.h"
#include "chaos/core/scenario/read/scenario_read.h"
#include "chaos/core/scenario/read/yamltree.h"
#include "chaos/core/subject/subjects.h"

#define VERBS_MAX 64u
#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* some editors begin a file with it */

/* --- steps --- */

/* Complains that the actor has no such verb, and names the nearest. */
static void complain_verb(struct scenario_read *r, const struct actor *actor, size_t line,
                          size_t column, const char *word)
{
    const char *names[VERBS_MAX];
    size_t count = 0;
    CHECK(actor->verb_count <= VERBS_MAX);
    for (size_t i = 0; i < actor->verb_count; i++)
        names[count++] = actor->verbs[i].name;
    scenario_read_unknown(r, line, column, word, names, count);
}

static void complain_actor(struct scenario_read *r, const struct yamltree_node *entry)
{
    const char *names[ACTORS_COUNT];
    actors_names(names);
    scenario_read_unknown(r, entry->key_line, entry->key_column, entry->key, names, ACTORS_COUNT);
}

/* `vault: seal`: all is left out. */
static bool read_word_step(struct scenario_read *r, const struct yamltree_node *node,
                           struct scenario_step *out)
{
    const struct verb *verb = actors_verb(out->actor, node->text);
    if (node->scalar == YAMLTREE_NULL || verb == NULL) {
        complain_verb(r, out->actor, node->line, node->column, node->text);
        return false;
    }
    if (verb->main.required) {
        lint_add(r->lint, node->line, node->column, r->path, "%s wants an argument: {%s: …}, %s",
                 verb->name, verb->name, verb->main.doc);
        return false;
    }
    const struct yamltree_node nothing = {.kind = YAMLTREE_MAP};
    out->verb = verb;
    scenario_read_standard(r, &verb->main, &out->main);
    out->values = scenario_read_fields(r, verb->fields, NULL, &nothing, &out->count);
    return out->values != NULL;
}

/* Returns the entry whose key is the step's verb; NULL with a complaint when it is not one. */
static const struct yamltree_node *find_verb(struct scenario_read *r, const struct actor *actor,
                                             const struct yamltree_node *node)
{
    const struct yamltree_node *found = NULL;
    for (const struct yamltree_node *n = node->first; n != NULL; n = n->next) {
        if (actors_verb(actor, n->key) == NULL)
            continue;
        if (found != NULL) {
            lint_add(r->lint, n->key_line, n->key_column, r->path,
                     "one verb per step, got %s and %s", found->key, n->key);
            return NULL;
        }
        found = n;
    }
    if (found == NULL && node->first != NULL)
        complain_verb(r, actor, node->first->key_line, node->first->key_column, node->first->key);
    else if (found == NULL)
        lint_add(r->lint, node->line, node->column, r->path, "want a verb, got an empty map");
    return found;
}

/* `vault: {respond: 503, times: 2}` */
static bool read_verb_step(struct scenario_read *r, const struct yamltree_node *node,
                           struct scenario_step *out)
{
    const struct yamltree_node *entry = find_verb(r, out->actor, node);
    if (entry == NULL)
        return false;
    const struct verb *verb = actors_verb(out->actor, entry->key);
    out->verb = verb;
    scenario_read_standard(r, &verb->main, &out->main);
    if (verb->main.type == VERB_NOTHING) {
        lint_add(r->lint, entry->key_line, entry->key_column, r->path,
                 "%s takes no argument, write \"%s: %s\"", verb->name, out->actor->name,
                 verb->name);
        return false;
    }
    size_t mark = scenario_read_push(r, verb->name);
    scenario_read_value(r, &verb->main, entry, &out->main);
    scenario_read_pop(r, mark);
    out->values = scenario_read_fields(r, verb->fields, verb->name, node, &out->count);
    return out->values != NULL;
}

/* `sign: {via: api}` */
static bool read_plain_step(struct scenario_read *r, const struct verb *verb,
                            const struct yamltree_node *node, struct scenario_step *out)
{
    char room[120];
    if (node->kind != YAMLTREE_MAP) {
        lint_add(r->lint, node->line, node->column, r->path, "want a map of fields, got %s",
                 scenario_read_kind(node, room, sizeof room));
        return false;
    }
    out->verb = verb;
    scenario_read_standard(r, &verb->main, &out->main);
    out->values = scenario_read_fields(r, verb->fields, NULL, node, &out->count);
    return out->values != NULL;
}

static bool read_actor(struct scenario_read *r, const struct yamltree_node *node,
                       struct scenario_step *out)
{
    out->actor = actors_find(node->key);
    if (out->actor == NULL) {
        complain_actor(r, node);
        return false;
    }
    const struct verb *plain = actors_verb(out->actor, NULL);
    size_t mark = scenario_read_push(r, node->key);
    bool good = false;
    if (plain != NULL)
        good = read_plain_step(r, plain, node, out);
    else if (node->kind == YAMLTREE_SCALAR)
        good = read_word_step(r, node, out);
    else if (node->kind == YAMLTREE_MAP)
        good = read_verb_step(r, node, out);
    else
        lint_add(r->lint, node->line, node->column, r->path,
                 "want a verb or a map of a verb and its fields, got a list");
    scenario_read_pop(r, mark);
    return good;
}

static bool read_step(struct scenario_read *r, const struct yamltree_node *node,
                      struct scenario_step *out)
{
    char room[120];
    if (node->kind != YAMLTREE_MAP) {
        lint_add(r->lint, node->line, node->column, r->path,
                 "want a step like {vault: seal}, got %s",
                 scenario_read_kind(node, room, sizeof room));
        return false;
    }
    if (node->count != 1) {
        lint_add(r->lint, node->line, node->column, r->path, "want one actor per step, got %zu%s%s",
                 node->count, node->count > 1 ? ", a second one is " : "",
                 node->count > 1 ? node->first->next->key : "");
        return false;
    }
    out->line = node->line;
    out->column = node->column;
    return read_actor(r, node->first, out);
}

static void read_steps(struct scenario_read *r, enum verb_phase phase,
                       const struct yamltree_node *node, struct scenario_steps *out)
{
    const char *name = verb_phase_name(phase);
    if (node->kind != YAMLTREE_LIST || node->count == 0 || node->count > SCENARIO_STEPS_MAX) {
        lint_add(r->lint, node->line, node->column, name,
                 node->kind == YAMLTREE_LIST && node->count == 0 ? "is empty, want steps"
                 : node->kind == YAMLTREE_LIST                   ? "has too many steps"
                                                                 : "want a list of steps");
        return;
    }
    struct scenario_step *steps = pool_array(r->pool, node->count, sizeof *steps);
    if (steps == NULL)
        return;
    size_t mark = scenario_read_push(r, name), index = 0;
    for (const struct yamltree_node *n = node->first; n != NULL; n = n->next, index++) {
        size_t inner = scenario_read_push_index(r, index);
        steps[out->count] = (struct scenario_step){.phase = phase, .index = index};
        if (read_step(r, n, &steps[out->count]))
            out->count++;
        scenario_read_pop(r, inner);
    }
    scenario_read_pop(r, mark);
    out->items = steps;
}

/* --- the whole --- */

static const char *stem_of(struct pool *pool, const char *file)
{
    const char *slash = strrchr(file, '/');
    struct slice name = slice_of(slash == NULL ? file : slash + 1);
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    for (size_t i = 0; i < COUNT(endings); i++)
        if (slice_ends_with(name, endings[i]) && name.len > strlen(endings[i]))
            name.len -= strlen(endings[i]);
    return pool_text(pool, name);
}

static bool is_among(const struct scenario_value *value, const char *word)
{
    for (size_t i = 0; i < value->count; i++)
        if (strcmp(value->texts[i], word) == 0)
            return true;
    return false;
}

static void take_stack(const struct scenario_value *stack, struct scenario_stack *out)
{
    const struct scenario_value *vault = scenario_member(stack, "vault");
    const struct scenario_value *services = scenario_member(stack, "services");
    const struct scenario_value *environment = scenario_member(stack, "environment");
    out->dev = scenario_member(vault, "dev")->flag;
    out->tls = scenario_member(vault, "tls")->flag;
    const char *storage = scenario_member(vault, "storage")->text;
    out->durable = !out->dev && storage != NULL && strcmp(storage, "file") == 0;
    out->shares = out->dev ? 1 : (int)scenario_member(vault, "shares")->number;
    out->threshold = out->dev ? 1 : (int)scenario_member(vault, "threshold")->number;
    out->subject = subjects_default();
    for (size_t i = 0; i < out->subject->door_count; i++)
        out->services[i] = out->subject->doors[i].kind == SUBJECT_SERVICE &&
                           (!services->given || is_among(services, out->subject->doors[i].name));
    out->environment = environment->pairs;
    out->environment_count = environment->count;
}

static void take_values(const struct scenario_value *values, struct scenario *out)
{
    const struct verb_field *fields = verb_scenario_fields();
    const struct scenario_value *tags = &values[verb_field_find(fields, "tags") - fields];
    out->purpose = values[verb_field_find(fields, "purpose") - fields].text;
    out->tags = tags->texts;
    out->tag_count = tags->count;
    take_stack(&values[verb_field_find(fields, "stack") - fields], &out->stack);
}

static void read_root(struct scenario_read *r, const struct yamltree_node *root,
                      struct scenario *out)
{
    if (root->kind != YAMLTREE_MAP) {
        lint_add(r->lint, root->line, root->column, "", "want a map with version, purpose, method");
        return;
    }
    size_t count = 0;
    const struct scenario_value *values =
        scenario_read_fields(r, verb_scenario_fields(), NULL, root, &count);
    if (values == NULL)
        return;
    take_values(values, out);
    for (unsigned phase = 0; phase < VERB_PHASES; phase++) {
        const struct yamltree_node *steps =
            yamltree_get(root, verb_phase_name((enum verb_phase)phase));
        if (steps != NULL)
            read_steps(r, (enum verb_phase)phase, steps, &out->phases[phase]);
    }
    if (!out->pool.failed)
        scenario_check(out, values, r->lint);
}

enum errc scenario_parse(struct slice text, const char *file, struct scenario *out,
                         struct lint *lint, struct errc_why *why)
{
    *out = (struct scenario){0};
    pool_init(&out->pool, SCENARIO_POOL_MAX);
    if (slice_starts_with(text, BYTE_ORDER_MARK))
        text = slice_from(text, strlen(BYTE_ORDER_MARK));
    out->file = pool_text(&out->pool, slice_of(file));
    out->name = stem_of(&out->pool, file);
    if (text.len > SCENARIO_BYTES_MAX) {
        lint_add(lint, 1, 1, "", "the file has %zu bytes, at most %u are allowed", text.len,
                 SCENARIO_BYTES_MAX);
    } else {
        struct yamltree_node *root = NULL;
        TRY(yamltree_parse(text, &out->pool, lint, &root, why));
        struct scenario_read reader = {.pool = &out->pool, .lint = lint};
        if (root != NULL)
            read_root(&reader, root, out);
    }
    TRY(pool_status(&out->pool, why));
    if (lint->failed)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    if (lint->count == 0)
        return ERRC_OK;
    lint_sort(lint);
    const struct lint_finding *first = &lint->items[0];
    return errc_fail(why, ERRC_SCHEMA, "%s:%zu:%zu: %s%s%s", file, first->line, first->column,
                     first->field, first->field[0] == '\0' ? "" : ": ", first->reason.text);
}
