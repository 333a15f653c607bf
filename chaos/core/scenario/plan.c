#include "chaos/core/scenario/plan.h"

#include <inttypes.h>
#include <string.h>

#define DESCRIPTION_BYTES_MAX (1u << 20) /* more than a file can hold */
#define LINE_BYTES_MAX 1000u             /* what is shown of it */

static void describe_list(const struct scenario_value *value, struct buf *out)
{
    for (size_t i = 0; i < value->count; i++)
        buf_addf(out, "%s%s", i == 0 ? "" : " and ", value->texts[i]);
}

static void describe_pairs(const struct scenario_value *value, struct buf *out)
{
    for (size_t i = 0; i < value->count; i++)
        buf_addf(out, "%s%s=%s", i == 0 ? "" : " ", value->pairs[i].name, value->pairs[i].value);
}

static void describe_fields(const struct scenario_value *values, size_t count, struct buf *out);

static void describe_value(const struct scenario_value *value, struct buf *out)
{
    switch (value->field->type) {
    case VERB_INT:
        buf_addf(out, "%" PRId64, value->number);
        return;
    case VERB_BOOL:
        buf_add_text(out, value->flag ? "true" : "false");
        return;
    case VERB_TEXT:
        buf_addf(out, "\"%s\"", value->text);
        return;
    case VERB_WORD:
        buf_add_text(out, value->text);
        return;
    case VERB_WORDS:
    case VERB_TEXTS:
        describe_list(value, out);
        return;
    case VERB_MAP:
        describe_pairs(value, out);
        return;
    case VERB_FIELDS:
        describe_fields(value->values, value->count, out);
        return;
    case VERB_NOTHING:
    case VERB_STEPS:
        return;
    }
}

static void describe_fields(const struct scenario_value *values, size_t count, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (!values[i].given)
            continue;
        buf_addf(out, "%s%s ", first ? "" : ", ", values[i].field->name);
        describe_value(&values[i], out);
        first = false;
    }
}

/* Appends one step in words: "vault respond 503, times 2". */
static void describe(const struct scenario_step *step, struct buf *out)
{
    buf_add_text(out, step->actor->name);
    if (step->verb->name != NULL)
        buf_addf(out, " %s", step->verb->name);
    if (step->main.given) {
        buf_add_char(out, ' ');
        describe_value(&step->main, out);
    }
    struct buf fields CLEANUP(buf_done);
    buf_init(&fields, DESCRIPTION_BYTES_MAX);
    describe_fields(step->values, step->count, &fields);
    if (fields.len > 0)
        buf_addf(out, "%s %s", step->main.given ? "," : "", buf_text(&fields));
    if (fields.failed)
        out->failed = true;
}

/* One line of a length that can be read: a text of a scenario may be a whole page. Cuts between
 * characters. */
static const char *line_of(struct pool *pool, const struct scenario_step *step)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, (size_t)2 * DESCRIPTION_BYTES_MAX);
    describe(step, &text);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ')
            text.ptr[i] = ' ';
    if (text.ptr == NULL || text.failed)
        pool->failed = true;
    struct slice line = buf_slice(&text);
    if (line.len <= LINE_BYTES_MAX)
        return pool_text(pool, line);
    line.len = LINE_BYTES_MAX;
    while (line.len > 0 && ((unsigned char)line.ptr[line.len] & 0xc0) == 0x80)
        line.len--;
    return pool_format(pool, "%.*s…", SLICE_FMT(line));
}

enum errc plan_make(struct scenario *scenario, struct plan *out, struct errc_why *why)
{
    size_t total = 0;
    for (unsigned phase = 0; phase < VERB_PHASES; phase++)
        total += scenario->phases[phase].count;
    *out = (struct plan){.steps = pool_array(&scenario->pool, total, sizeof *out->steps)};
    for (unsigned phase = 0; phase < VERB_PHASES && out->steps != NULL; phase++) {
        const struct scenario_steps *steps = &scenario->phases[phase];
        for (size_t i = 0; i < steps->count; i++) {
            out->steps[out->count] =
                (struct plan_step){.number = out->count + 1,
                                   .step = &steps->items[i],
                                   .text = line_of(&scenario->pool, &steps->items[i])};
            out->count++;
        }
    }
    return pool_status(&scenario->pool, why);
}

static void format_stack(const struct scenario_stack *stack, struct buf *out)
{
    buf_add_text(out, "stack: vault (");
    if (stack->dev)
        buf_add_text(out, "dev, in memory");
    else
        buf_addf(out, "storage %s, %d of %d shares", stack->durable ? "file" : "inmem",
                 stack->threshold, stack->shares);
    buf_add_text(out, stack->tls ? ", TLS)" : ")");
    for (size_t i = 0; i < stack->subject->door_count; i++)
        if (stack->services[i])
            buf_addf(out, ", %s", stack->subject->doors[i].name);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < stack->environment_count; i++)
        buf_addf(out, "%s%s=%s%s", i == 0 ? "environment: " : " ", stack->environment[i].name,
                 stack->environment[i].value, i + 1 == stack->environment_count ? "\n" : "");
}

static const char *fault_of(const struct scenario_step *step, const struct scenario_stack *stack)
{
    unsigned declared = scenario_effect(step, stack).sets;
    return declared == 0 ? NULL : condition_name(declared);
}

void plan_format(const struct plan *plan, const struct scenario *scenario, struct buf *out)
{
    static const char *const titles[VERB_PHASES] = {
        [VERB_PHASE_STEADY] = "steady state (checked again behind the rollback)",
        [VERB_PHASE_METHOD] = "method",
        [VERB_PHASE_ROLLBACK] = "rollback (always runs)",
        [VERB_PHASE_EXPECT] = "expect",
    };
    buf_addf(out, "%s: %s\n", scenario->name, scenario->purpose);
    format_stack(&scenario->stack, out);
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_step *s = &plan->steps[i];
        if (i == 0 || plan->steps[i - 1].step->phase != s->step->phase)
            buf_addf(out, "\n%s\n", titles[s->step->phase]);
        buf_addf(out, "  %3zu  line %-3zu  %s", s->number, s->step->line, s->text);
        const char *fault = fault_of(s->step, &scenario->stack);
        if (fault != NULL)
            buf_addf(out, "   [fault: %s]", fault);
        buf_add_char(out, '\n');
    }
}

size_t plan_find_sign(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct scenario_step *step = plan->steps[i].step;
        const char *as = step->verb->role == VERB_SIGNS ? scenario_text(step, "as") : NULL;
        if (as != NULL && strcmp(as, name) == 0)
            return i;
    }
    return plan->count;
}
