#include "chaos/core/language/schema.h"

#include <string.h>

#include "base/text/jsonwrite.h"
#include "chaos/core/actors/actors.h"
#include "chaos/core/language/verb.h"
#include "chaos/core/language/verb_stack.h"
#include "chaos/core/scenario/scenario.h"

#define SCHEMA_BYTES_MAX (1u << 20)

/* --- JSON Schema --- */

static void write_field(struct jsonwrite *w, const char *key, const struct verb_field *field);

static void write_text_rules(struct jsonwrite *w, const struct verb_field *field, int64_t min,
                             int64_t max)
{
    jsonwrite_string(w, "type", "string");
    if (min > 0)
        jsonwrite_int(w, "minLength", min);
    if (max > 0)
        jsonwrite_int(w, "maxLength", max);
    if (verb_format_pattern(field->format) != NULL)
        jsonwrite_string(w, "pattern", verb_format_pattern(field->format));
}

static void write_words(struct jsonwrite *w, const struct verb_field *field)
{
    jsonwrite_array(w, "enum");
    for (size_t i = 0; field->words[i] != NULL; i++)
        jsonwrite_string(w, NULL, field->words[i]);
    jsonwrite_end(w);
}

static void write_count_rules(struct jsonwrite *w, const struct verb_field *field)
{
    jsonwrite_int(w, "minItems", 1);
    jsonwrite_int(w, "maxItems", field->max);
}

/* One word alone, or a list. */
static void write_word_list(struct jsonwrite *w, const struct verb_field *field)
{
    jsonwrite_array(w, "oneOf");
    jsonwrite_object(w, NULL);
    write_words(w, field);
    jsonwrite_end(w);
    jsonwrite_object(w, NULL);
    jsonwrite_string(w, "type", "array");
    write_count_rules(w, field);
    jsonwrite_bool(w, "uniqueItems", true);
    jsonwrite_object(w, "items");
    write_words(w, field);
    jsonwrite_end(w);
    jsonwrite_end(w);
    jsonwrite_end(w);
}

static void write_text_list(struct jsonwrite *w, const struct verb_field *field)
{
    jsonwrite_string(w, "type", "array");
    write_count_rules(w, field);
    jsonwrite_object(w, "items");
    write_text_rules(w, field, 0, 65536);
    jsonwrite_end(w);
}

static void write_pairs(struct jsonwrite *w, const struct verb_field *field)
{
    jsonwrite_string(w, "type", "object");
    jsonwrite_int(w, "minProperties", 1);
    jsonwrite_int(w, "maxProperties", field->max);
    jsonwrite_object(w, "propertyNames");
    jsonwrite_string(w, "pattern", verb_format_pattern(field->format));
    jsonwrite_end(w);
    jsonwrite_object(w, "additionalProperties");
    jsonwrite_string(w, "type", "string");
    jsonwrite_int(w, "maxLength", 4096);
    jsonwrite_end(w);
}

/* The members of an object: those of `fields`, and `main` under the name of its verb. */
static void write_members(struct jsonwrite *w, const struct verb_field *fields, const char *verb,
                          const struct verb_field *main)
{
    jsonwrite_string(w, "type", "object");
    jsonwrite_object(w, "properties");
    if (verb != NULL)
        write_field(w, verb, main);
    for (const struct verb_field *f = fields; f != NULL && f->name != NULL; f++)
        write_field(w, f->name, f);
    jsonwrite_end(w);
    jsonwrite_array(w, "required");
    if (verb != NULL)
        jsonwrite_string(w, NULL, verb);
    for (const struct verb_field *f = fields; f != NULL && f->name != NULL; f++)
        if (f->required)
            jsonwrite_string(w, NULL, f->name);
    jsonwrite_end(w);
    jsonwrite_bool(w, "additionalProperties", false);
}

static void write_steps(struct jsonwrite *w, const char *phase)
{
    jsonwrite_string(w, "type", "array");
    jsonwrite_int(w, "minItems", 1);
    jsonwrite_int(w, "maxItems", SCENARIO_STEPS_MAX);
    jsonwrite_object(w, "items");
    char reference[64] = "#/$defs/";
    strncat(reference, phase, sizeof reference - strlen(reference) - 1);
    jsonwrite_string(w, "$ref", reference);
    jsonwrite_end(w);
}

static void write_rules(struct jsonwrite *w, const struct verb_field *field)
{
    switch (field->type) {
    case VERB_INT:
        jsonwrite_string(w, "type", "integer");
        jsonwrite_int(w, "minimum", field->min);
        jsonwrite_int(w, "maximum", field->max);
        return;
    case VERB_BOOL:
        jsonwrite_string(w, "type", "boolean");
        return;
    case VERB_TEXT:
        write_text_rules(w, field, field->min, field->max);
        return;
    case VERB_WORD:
        write_words(w, field);
        return;
    case VERB_WORDS:
        write_word_list(w, field);
        return;
    case VERB_TEXTS:
        write_text_list(w, field);
        return;
    case VERB_MAP:
        write_pairs(w, field);
        return;
    case VERB_FIELDS:
        jsonwrite_int(w, "minProperties", 1);
        write_members(w, field->fields, NULL, NULL);
        return;
    case VERB_STEPS:
        write_steps(w, field->name);
        return;
    case VERB_NOTHING:
        return;
    }
}

static void write_standard(struct jsonwrite *w, const struct verb_field *field)
{
    if (field->standard == NULL)
        return;
    if (field->type == VERB_INT || field->type == VERB_BOOL)
        jsonwrite_raw(w, "default", slice_of(field->standard));
    else
        jsonwrite_string(w, "default", field->standard);
}

static void write_field(struct jsonwrite *w, const char *key, const struct verb_field *field)
{
    jsonwrite_object(w, key);
    jsonwrite_string(w, "description", field->doc);
    write_rules(w, field);
    write_standard(w, field);
    jsonwrite_end(w);
}

/* The forms of one verb: the word alone, if it needs no argument, and the map. */
static void write_verb(struct jsonwrite *w, const struct verb *verb)
{
    if (verb->name != NULL && !verb->main.required) {
        jsonwrite_object(w, NULL);
        jsonwrite_string(w, "description", verb->doc);
        jsonwrite_string(w, "const", verb->name);
        jsonwrite_end(w);
    }
    if (verb->name != NULL && verb->main.type == VERB_NOTHING)
        return;
    jsonwrite_object(w, NULL);
    jsonwrite_string(w, "description", verb->doc);
    write_members(w, verb->fields, verb->name, &verb->main);
    jsonwrite_end(w);
}

static bool has_verb_in(const struct actor *actor, enum verb_phase phase)
{
    for (size_t i = 0; i < actor->verb_count; i++)
        if (verb_allowed_in(&actor->verbs[i], phase))
            return true;
    return false;
}

static void write_actor(struct jsonwrite *w, const struct actor *actor)
{
    jsonwrite_object(w, actor->name);
    jsonwrite_array(w, "oneOf");
    for (size_t i = 0; i < actor->verb_count; i++)
        write_verb(w, &actor->verbs[i]);
    jsonwrite_end(w);
    jsonwrite_end(w);
}

/* One step of a phase: a map of one actor. */
static void write_phase(struct jsonwrite *w, enum verb_phase phase)
{
    jsonwrite_object(w, verb_phase_name(phase));
    jsonwrite_string(w, "type", "object");
    jsonwrite_int(w, "minProperties", 1);
    jsonwrite_int(w, "maxProperties", 1);
    jsonwrite_bool(w, "additionalProperties", false);
    jsonwrite_object(w, "properties");
    for (size_t i = 0; i < ACTORS_COUNT; i++) {
        char reference[64] = "#/$defs/actors/$defs/";
        const struct actor *actor = actors_at(i);
        if (!has_verb_in(actor, phase))
            continue;
        strncat(reference, actor->name, sizeof reference - strlen(reference) - 1);
        jsonwrite_object(w, actor->name);
        jsonwrite_string(w, "$ref", reference);
        jsonwrite_end(w);
    }
    jsonwrite_end(w);
    jsonwrite_end(w);
}

static void write_definitions(struct jsonwrite *w)
{
    jsonwrite_object(w, "$defs");
    for (unsigned phase = 0; phase < VERB_PHASES; phase++)
        write_phase(w, (enum verb_phase)phase);
    jsonwrite_object(w, "actors");
    jsonwrite_object(w, "$defs");
    for (size_t i = 0; i < ACTORS_COUNT; i++)
        write_actor(w, actors_at(i));
    jsonwrite_end(w);
    jsonwrite_end(w);
    jsonwrite_end(w);
}

/* Breaks the one line into an indented text. Our own output: strings hold no surprises but
 * escapes. */
static void indent(struct slice json, struct buf *out)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        bool opens = !in_string && (c == '{' || c == '['),
             closes = !in_string && (c == '}' || c == ']');
        if (closes)
            buf_addf(out, "\n%*s", (int)(2 * --depth), "");
        buf_add_char(out, c);
        if (in_string && c == '\\')
            buf_add_char(out, json.ptr[++i]);
        else if (c == '"')
            in_string = !in_string;
        depth += opens;
        bool empty = opens && (json.ptr[i + 1] == '}' || json.ptr[i + 1] == ']');
        if ((opens && !empty) || (!in_string && c == ','))
            buf_addf(out, "\n%*s", (int)(2 * depth), "");
        else if (!in_string && c == ':')
            buf_add_char(out, ' ');
    }
}

void schema_format_json(struct buf *out)
{
    struct buf line CLEANUP(buf_done);
    struct jsonwrite w;
    buf_init(&line, SCHEMA_BYTES_MAX);
    jsonwrite_init(&w, &line, JSONWRITE_PLAIN);
    jsonwrite_object(&w, NULL);
    jsonwrite_string(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jsonwrite_string(&w, "title", "scenario of chaos, version 1");
    write_members(&w, verb_scenario_fields(), NULL, NULL);
    write_definitions(&w);
    jsonwrite_end(&w);
    if (line.failed)
        out->failed = true;
    indent(buf_slice(&line), out);
    buf_add_char(out, '\n');
}
