#include "fakevault/core/outage/fault_rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/prng.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/outage/effect.h"
#include "fakevault/core/outage/fault_reply.h"

#define MS_MAX (INT64_MAX / NS_PER_MS)
#define PATH_DEFAULT "*/sign/*"
#define WILD (UINT64_C(1) << '*' % 64 | UINT64_C(1) << '?' % 64) /* letters that ask for none */

static enum errc no_memory(struct errc_why *why)
{
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

/* ---- match ---- */

static enum errc optional_text(const json_t *object, const char *field, const char **out,
                               struct errc_why *why)
{
    if (!jsonread_has(object, field))
        return ERRC_OK;
    TRY(jsonread_string(object, field, out, why));
    if (**out == '\0')
        return errc_fail(why, ERRC_RANGE, "field \"%s\" is empty, leave it out to match all",
                         field);
    return ERRC_OK;
}

static enum errc parse_match(const json_t *match, struct fault_rule *out, struct errc_why *why)
{
    static const char *const allowed[] = {"method", "path", "key", "accessor", "test", NULL};
    TRY(jsonread_only(match, allowed, why));
    TRY(optional_text(match, "method", &out->method, why));
    TRY(optional_text(match, "path", &out->path, why));
    TRY(optional_text(match, "key", &out->key, why));
    TRY(optional_text(match, "accessor", &out->accessor, why));
    return optional_text(match, "test", &out->test, why);
}

static bool fits(const char *wanted, struct slice got)
{
    return wanted == NULL || slice_equal_text(got, wanted);
}

/* Patterns may be written with "/v1/" or without it; paths come without. */
static struct slice glob_of(const char *pattern)
{
    struct slice glob = slice_of(pattern == NULL ? PATH_DEFAULT : pattern);
    if (slice_starts_with(glob, "/v1/"))
        return slice_from(glob, 4);
    return slice_from(glob, slice_starts_with(glob, "/") ? 1 : 0);
}

static uint64_t letters_of(struct slice text)
{
    uint64_t letters = 0;
    for (size_t i = 0; i < text.len; i++)
        letters |= UINT64_C(1) << ((unsigned char)text.ptr[i] % 64);
    return letters;
}

/* A path that lacks a letter is told from one that fits in no time, as most of them are. */
static bool path_fits(const struct fault_rule *rule, struct slice path, struct fault_seen *seen)
{
    struct slice glob = rule->glob;
    if (seen->letters == 0)
        seen->letters = letters_of(path) | WILD;
    if ((rule->letters & ~seen->letters) != 0)
        return false;
    if (seen->glob.ptr == NULL || !slice_equal(seen->glob, glob)) {
        seen->glob = glob;
        seen->fits = slice_glob(glob, path);
    }
    return seen->fits;
}

bool fault_rule_matches(const struct fault_rule *rule, const struct fault_facts *facts,
                        struct fault_seen *seen)
{
    return fits(rule->method, facts->method) && fits(rule->key, facts->key) &&
           fits(rule->accessor, facts->accessor) && fits(rule->test, facts->test) &&
           path_fits(rule, facts->path, seen);
}

/* ---- trigger ---- */

static enum errc optional_count(const json_t *object, const char *field, int64_t min, int64_t max,
                                uint64_t *out, struct errc_why *why)
{
    if (!jsonread_has(object, field))
        return ERRC_OK;
    int64_t n = 0;
    TRY(jsonread_int(object, field, min, max, &n, why));
    *out = (uint64_t)n;
    return ERRC_OK;
}

static enum errc optional_ms(const json_t *object, const char *field, int64_t *out,
                             struct errc_why *why)
{
    if (!jsonread_has(object, field))
        return ERRC_OK;
    return jsonread_int(object, field, 0, MS_MAX, out, why);
}

static enum errc parse_trigger(const json_t *trigger, struct fault_rule *out, struct errc_why *why)
{
    static const char *const allowed[] = {"after",   "times", "every", "ppm",
                                          "from_ms", "to_ms", NULL};
    TRY(jsonread_only(trigger, allowed, why));
    TRY(optional_count(trigger, "after", 0, INT64_MAX, &out->after, why));
    TRY(optional_count(trigger, "times", 1, INT64_MAX, &out->times, why));
    TRY(optional_count(trigger, "every", 1, INT64_MAX, &out->every, why));
    TRY(optional_count(trigger, "ppm", 0, FAULT_PPM_ALWAYS, &out->ppm, why));
    TRY(optional_ms(trigger, "from_ms", &out->from_ms, why));
    TRY(optional_ms(trigger, "to_ms", &out->to_ms, why));
    if (out->to_ms <= out->from_ms)
        return errc_fail(why, ERRC_RANGE,
                         "field \"to_ms\" is %lld, want more than \"from_ms\", which is %lld",
                         (long long)out->to_ms, (long long)out->from_ms);
    return ERRC_OK;
}

bool fault_rule_fires(struct fault_rule *rule, uint64_t seed, int64_t now_ns, int64_t *roll)
{
    *roll = -1;
    int64_t age_ms = (now_ns - rule->added_ns) / NS_PER_MS;
    uint64_t n = ++rule->matched;
    if (rule->hits >= rule->times || age_ms < rule->from_ms || age_ms >= rule->to_ms)
        return false;
    if (n <= rule->after || (n - rule->after - 1) % rule->every != 0)
        return false;
    if (rule->ppm == FAULT_PPM_ALWAYS)
        return true;
    *roll = (int64_t)(prng_at(seed, rule->number, n) % FAULT_PPM_ALWAYS);
    return (uint64_t)*roll < rule->ppm;
}

int64_t fault_rule_expiry(const struct fault_rule *rule)
{
    if (rule->lease_ms == 0)
        return INT64_MAX;
    if (rule->lease_ms >= (INT64_MAX - rule->added_ns) / NS_PER_MS)
        return INT64_MAX;
    return rule->added_ns + rule->lease_ms * NS_PER_MS;
}

/* ---- the whole ---- */

static enum errc parse_effect(const json_t *effect, struct fault_rule *out, struct errc_why *why)
{
    return effect_parse(effect, &out->effect, &out->reply, why);
}

static enum errc parse_part(const json_t *source, const char *field,
                            enum errc (*parse)(const json_t *, struct fault_rule *,
                                               struct errc_why *),
                            struct fault_rule *out, struct errc_why *why)
{
    if (!jsonread_has(source, field))
        return ERRC_OK;
    json_t *part = NULL;
    TRY(jsonread_object(source, field, &part, why));
    enum errc code = parse(part, out, why);
    if (code != ERRC_OK)
        errc_prefix(why, "%s", field);
    return code;
}

static enum errc parse_id(const json_t *value, struct fault_rule *out, struct errc_why *why)
{
    const char *id = NULL;
    if (!jsonread_has(value, "id"))
        return ERRC_OK;
    TRY(jsonread_string(value, "id", &id, why));
    size_t len = strlen(id);
    bool sound = len > 0 && len < FAULT_ID_MAX;
    for (size_t i = 0; sound && i < len; i++)
        sound = id[i] > ' ' && id[i] < 0x7f && strchr("/?#%\"\\", id[i]) == NULL;
    if (!sound)
        return errc_fail(why, ERRC_RANGE,
                         "field \"id\" is \"%.80s\", want 1..%u visible ASCII characters without "
                         "/ ? # %% \" \\",
                         id, FAULT_ID_MAX - 1);
    memcpy(out->id, id, len + 1);
    return ERRC_OK;
}

static enum errc no_effect(struct errc_why *why)
{
    struct buf names CLEANUP(buf_done);
    buf_init(&names, ERRC_WHY_MAX);
    effect_format_names(&names);
    return errc_fail(why, ERRC_SCHEMA, "field \"effect\" is missing, want one of %s",
                     buf_text(&names));
}

static enum errc parse_source(struct fault_rule *out, struct errc_why *why)
{
    out->times = UINT64_MAX;
    out->every = 1;
    out->ppm = FAULT_PPM_ALWAYS;
    out->to_ms = INT64_MAX;
    TRY(parse_part(out->source, "match", parse_match, out, why));
    out->glob = glob_of(out->path);
    out->letters = letters_of(out->glob);
    TRY(parse_part(out->source, "trigger", parse_trigger, out, why));
    TRY(optional_ms(out->source, "lease_ms", &out->lease_ms, why));
    if (!jsonread_has(out->source, "effect"))
        return no_effect(why);
    return parse_part(out->source, "effect", parse_effect, out, why);
}

enum errc fault_rule_parse(const json_t *value, struct fault_rule *out, struct errc_why *why)
{
    static const char *const allowed[] = {"id", "match", "trigger", "effect", "lease_ms", NULL};
    *out = (struct fault_rule){0};
    TRY(jsonread_only(value, allowed, why));
    TRY(parse_id(value, out, why));
    out->source = json_deep_copy(value);
    if (out->source == NULL)
        return no_memory(why);
    (void)json_object_del(out->source, "id");
    enum errc code = parse_source(out, why);
    if (code != ERRC_OK)
        fault_rule_done(out);
    return code;
}

static enum errc merge(json_t *target, const json_t *change)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)change, name, value)
    {
        json_t *old = json_object_get(target, name);
        int failed = 0;
        if (json_is_null(value))
            (void)json_object_del(target, name);
        else if (json_is_object(value) && json_is_object(old) && strcmp(name, "effect") != 0)
            TRY(merge(old, value));
        else
            failed = json_object_set_new(target, name, json_deep_copy(value));
        if (failed != 0)
            return ERRC_NOMEM;
    }
    return ERRC_OK;
}

enum errc fault_rule_merge(const struct fault_rule *rule, const json_t *change,
                           struct fault_rule *out, struct errc_why *why)
{
    static const char *const allowed[] = {"id", "match", "trigger", "effect", "lease_ms", NULL};
    *out = (struct fault_rule){0};
    TRY(jsonread_only(change, allowed, why));
    json_t *merged CLEANUP(jsonread_done) = json_deep_copy(rule->source);
    if (merged == NULL || merge(merged, change) != ERRC_OK)
        return no_memory(why);
    (void)json_object_del(merged, "id");
    TRY(fault_rule_parse(merged, out, why));
    memcpy(out->id, rule->id, sizeof out->id);
    return ERRC_OK;
}

void fault_rule_done(struct fault_rule *rule)
{
    if (rule == NULL)
        return;
    json_decref(rule->source);
    fault_reply_unref(rule->reply);
    *rule = (struct fault_rule){0};
}

static void format_part(const struct fault_rule *rule, struct jsonwrite *w, const char *part)
{
    const json_t *value = json_object_get(rule->source, part);
    if (value != NULL && !json_is_null(value)) {
        jsonwrite_value(w, part, value);
        return;
    }
    jsonwrite_object(w, part);
    jsonwrite_end(w);
}

void fault_rule_format(const struct fault_rule *rule, struct jsonwrite *w, const char *key)
{
    jsonwrite_object(w, key);
    jsonwrite_string(w, "id", rule->id);
    format_part(rule, w, "match");
    format_part(rule, w, "trigger");
    format_part(rule, w, "effect");
    jsonwrite_int(w, "lease_ms", rule->lease_ms);
    jsonwrite_int(w, "matched", (int64_t)rule->matched);
    jsonwrite_int(w, "hits", (int64_t)rule->hits);
    jsonwrite_end(w);
}
