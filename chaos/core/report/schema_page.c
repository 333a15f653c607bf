#include "chaos/core/report/schema_page.h"

#include <inttypes.h>
#include <string.h>

#include "chaos/core/actors/actors.h"
#include "chaos/core/judge/invariants/invariants.h"
#include "chaos/core/language/verb.h"
#include "chaos/core/language/verb_stack.h"

#define COLUMNS_MAX 120
#define PARAGRAPH_BYTES_MAX 4096u

static void add_type(const struct verb_field *field, struct buf *out)
{
    static const char *const texts[] = {
        [VERB_NOTHING] = "",
        [VERB_INT] = "number",
        [VERB_BOOL] = "true or false",
        [VERB_TEXT] = "text",
        [VERB_WORD] = "one of",
        [VERB_WORDS] = "one or a list of",
        [VERB_TEXTS] = "list of texts",
        [VERB_MAP] = "map of names to texts",
        [VERB_FIELDS] = "map",
        [VERB_STEPS] = "list of steps",
    };
    buf_add_text(out, texts[field->type]);
    if (field->type == VERB_INT)
        buf_addf(out, " %" PRId64 "..%" PRId64, field->min, field->max);
    for (size_t i = 0; field->words != NULL && field->words[i] != NULL; i++)
        buf_addf(out, "%s `%s`", i == 0 ? "" : ",", field->words[i]);
}

/* Appends a paragraph, broken at blanks outside of `code`. */
static void add_paragraph(const char *text, struct buf *out)
{
    const char *line = text;
    const char *blank = NULL;
    bool code = false;
    for (const char *c = text; *c != '\0'; c++) {
        code ^= *c == '`';
        if (c - line >= COLUMNS_MAX && blank != NULL) {
            buf_add(out, line, (size_t)(blank - line));
            buf_add_char(out, '\n');
            line = blank + 1;
            blank = NULL;
        }
        if (*c == ' ' && !code)
            blank = c;
    }
    buf_add_text(out, line);
    buf_add_char(out, '\n');
}

static void add_standard(const struct verb_field *field, struct buf *out)
{
    if (field->standard != NULL)
        buf_addf(out, "; standard: `%s`", field->standard);
}

static void add_field(const struct verb_field *field, const char *prefix, struct buf *out)
{
    buf_addf(out, "| `%s%s`%s | ", prefix, field->name, field->required ? " (needed)" : "");
    add_type(field, out);
    buf_addf(out, " | %s", field->doc);
    add_standard(field, out);
    buf_add_text(out, " |\n");
    for (const struct verb_field *f = field->fields; f != NULL && f->name != NULL; f++) {
        char deeper[64] = "";
        strncat(deeper, prefix, 20);
        strncat(deeper, field->name, 20);
        strcat(deeper, ".");
        add_field(f, deeper, out);
    }
}

static void add_fields(const struct verb_field *fields, struct buf *out)
{
    if (fields == NULL)
        return;
    buf_add_text(out, "\n| field | value | meaning |\n|---|---|---|\n");
    for (const struct verb_field *f = fields; f->name != NULL; f++)
        add_field(f, "", out);
}

static void add_heading(const struct actor *actor, const struct verb *verb, struct buf *out)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, PARAGRAPH_BYTES_MAX);
    char first = verb->doc[0] >= 'a' && verb->doc[0] <= 'z' ? (char)(verb->doc[0] - 'a' + 'A')
                                                            : verb->doc[0];
    buf_addf(out, "\n### `%s%s%s`\n\n", actor->name, verb->name == NULL ? "" : ": ",
             verb->name == NULL ? "" : verb->name);
    buf_addf(&text, "%c%s", first, verb->doc + 1);
    if (verb->effect.sets != 0 && !actor->of_services)
        buf_addf(&text, ". Declares a fault: %s", condition_name(verb->effect.sets));
    buf_add_char(&text, '.');
    add_paragraph(buf_text(&text), out);
    out->failed |= text.failed;
}

static void add_argument(const struct verb_field *main, struct buf *out)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, PARAGRAPH_BYTES_MAX);
    buf_addf(&text, "Argument%s: ", main->required ? "" : " (may be left out)");
    add_type(main, &text);
    buf_addf(&text, "; %s", main->doc);
    add_standard(main, &text);
    buf_add_char(&text, '.');
    buf_add_char(out, '\n');
    add_paragraph(buf_text(&text), out);
    out->failed |= text.failed;
}

static void add_verb(const struct actor *actor, const struct verb *verb, struct buf *out)
{
    add_heading(actor, verb, out);
    if (verb->main.type != VERB_NOTHING)
        add_argument(&verb->main, out);
    add_fields(verb->fields, out);
}

static void add_invariants(struct buf *out)
{
    buf_add_text(out,
                 "\n## What always holds\n\nWhatever a scenario says, these are judged over "
                 "the whole run. A violation names what was expected,\nwhat was found, and the "
                 "line of the ledger.\n\n| invariant | meaning |\n|---|---|\n");
    for (size_t i = 0; invariants_name(i) != NULL; i++)
        buf_addf(out, "| %s | %s |\n", invariants_name(i), invariants_meaning(i));
}

static const char introduction[] =
    "# Scenarios\n\n"
    "Made from the tables in `chaos/core/actors/`; a test compares. `chaos schema` prints the\n"
    "same as JSON Schema for editors, `chaos lint FILE` checks a file, `chaos plan FILE` shows "
    "what\n"
    "it would do.\n\n"
    "A scenario is a file in YAML or JSON. A step is a map with one key, the actor; its value is "
    "a\n"
    "verb (`vault: seal`), a verb with its argument and further fields\n"
    "(`vault: {respond: 503, times: 2}`), or, for an actor that does only one thing, its fields\n"
    "(`sign: {via: api}`). Texts that read as a number or as true or false need quotes. Anchors,\n"
    "aliases and tags are not supported.\n\n"
    "`steady_state` is checked, `method` is run, `rollback` is run whatever happened, "
    "`steady_state`\n"
    "is checked again, and `expect` is compared with the evidence of the whole run.\n\n"
    "## The file\n";

void schema_page_format(struct buf *out)
{
    buf_add_text(out, introduction);
    add_fields(verb_scenario_fields(), out);
    buf_add_text(out, "\n## Steps\n\nSteps of `steady_state` only sign and look, those of `expect` "
                      "only look.\n");
    for (size_t i = 0; i < ACTORS_COUNT; i++)
        for (size_t k = 0; k < actors_at(i)->verb_count; k++)
            add_verb(actors_at(i), &actors_at(i)->verbs[k], out);
    add_invariants(out);
}
