#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "fakevault/core/http/gojson.h"
#include "fakevault/core/transit/ops/ops.h"

#define KEY_VERSION "key_version"

static const char *const names[OPS_MEMBER_COUNT] = {
    [OPS_INPUT] = "input",
    [OPS_PLAINTEXT] = "plaintext",
    [OPS_CIPHERTEXT] = "ciphertext",
    [OPS_SIGNATURE] = "signature",
    [OPS_HMAC] = "hmac",
    [OPS_CONTEXT] = "context",
    [OPS_NONCE] = "nonce",
    [OPS_ASSOCIATED_DATA] = "associated_data",
    [OPS_REFERENCE] = "reference",
};

/* The members that each way of reading knows. */
#define BIT(member) (1u << (member))
static const unsigned known[] = {
    [OPS_STRICT] = BIT(OPS_PLAINTEXT) | BIT(OPS_CIPHERTEXT) | BIT(OPS_CONTEXT) | BIT(OPS_NONCE) |
                   BIT(OPS_ASSOCIATED_DATA) | BIT(OPS_REFERENCE),
    [OPS_STRUCT] = BIT(OPS_PLAINTEXT) | BIT(OPS_CIPHERTEXT) | BIT(OPS_CONTEXT) | BIT(OPS_NONCE) |
                   BIT(OPS_ASSOCIATED_DATA) | BIT(OPS_REFERENCE),
    [OPS_MAP] =
        BIT(OPS_INPUT) | BIT(OPS_SIGNATURE) | BIT(OPS_HMAC) | BIT(OPS_CONTEXT) | BIT(OPS_REFERENCE),
};

/* What is wrong with a batch; all of it is told, sorted. */
struct faults {
    char **texts; /* owned */
    size_t count, room;
    bool no_memory;
};

static void faults_done(struct faults *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->texts[i]);
    free(f->texts);
}

static bool faults_grow(struct faults *f)
{
    if (f->count < f->room)
        return true;
    size_t room = f->room == 0 ? 8 : 2 * f->room;
    char **grown = realloc(f->texts, room * sizeof *grown);
    if (grown == NULL)
        return false;
    f->texts = grown;
    f->room = room;
    return true;
}

/* Takes over what is in `text`. */
static void faults_take(struct faults *f, struct buf *text)
{
    size_t len;
    char *bytes = faults_grow(f) ? buf_take(text, &len) : NULL;
    if (bytes != NULL)
        f->texts[f->count++] = bytes;
    else
        f->no_memory = true;
    buf_done(text);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void faults_answer(struct vault_job *job, struct faults *f)
{
    struct buf all CLEANUP(buf_done);
    buf_init(&all, LIMIT_REPLY_BODY_BYTES / 2);
    qsort(f->texts, f->count, sizeof *f->texts, compare_texts);
    for (size_t i = 0; i < f->count; i++)
        buf_addf(&all, "\n* %s", f->texts[i]);
    job->no_memory = job->no_memory || f->no_memory || all.failed;
    call_fault(job, "failed to parse batch input: %zu error(s) decoding:\n%s", f->count,
               buf_text(&all));
}

/* "'[3].nonce' expected type 'string', got unconvertible type 'bool'"; a path is "[3].nonce". */
static void unconvertible(struct faults *f, const char *path, const char *wanted,
                          const json_t *value, bool shown)
{
    struct buf text;
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES * 2);
    buf_addf(&text, "'%s' expected type '%s', got unconvertible type '%s'", path, wanted,
             json_is_null(value) ? "<nil>" : gojson_type_name(value));
    if (shown) {
        buf_add_text(&text, ", value: '");
        gojson_print(value, &text);
        buf_add_char(&text, '\'');
    }
    faults_take(f, &text);
}

static void set_text(struct ops_item *item, enum ops_member member, struct slice text)
{
    item->member[member] = text;
    item->sent |= BIT(member);
}

/* --- encrypt, decrypt and rewrap ---------------------------------------------------------------
 */

static const json_t *find_any_case(json_t *source, const char *name)
{
    const json_t *exact = json_object_get(source, name);
    const char *key;
    json_t *value;
    if (exact != NULL)
        return exact;
    json_object_foreach(source, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return value;
    }
    return NULL;
}

static void read_version(struct ops_item *item, const char *path, const json_t *value, bool exact,
                         struct faults *f)
{
    char room[GOJSON_NUMBER_BYTES];
    struct slice number;
    if (json_is_integer(value)) {
        item->wanted_version = json_integer_value(value);
    } else if (gojson_number(value, room, &number)) {
        struct buf text;
        buf_init(&text, number.len + ERRC_WHY_MAX);
        buf_addf(&text,
                 "error decoding json.Number into %s: strconv.ParseInt: parsing \"%.*s\": invalid "
                 "syntax",
                 path, SLICE_FMT(number));
        faults_take(f, &text);
    } else {
        unconvertible(f, path, "int", value, !exact);
    }
}

struct place {
    size_t index;
    bool exact; /* OPS_STRICT, else OPS_STRUCT */
    char path[64];
};

static const json_t *look_up(struct place *at, json_t *source, const char *name)
{
    (void)snprintf(at->path, sizeof at->path, "[%zu].%s", at->index, name);
    return at->exact ? json_object_get(source, name) : find_any_case(source, name);
}

/* A number passes for the text of it, which stands in its place in the request's tree then. */
static bool number_as_text(json_t *object, const char *name, const json_t *value,
                           struct slice *text, struct faults *f)
{
    char room[GOJSON_NUMBER_BYTES];
    if (!gojson_number(value, room, text))
        return false;
    if (!json_is_integer(value))
        return true;
    json_t *string = json_stringn(text->ptr, text->len);
    if (string == NULL || json_object_set_new(object, name, string) != 0) {
        f->no_memory = true;
        return false;
    }
    return gojson_string(string, text);
}

/* It is there all the same, so it is not missed as well. */
static void unfit(struct ops_item *item, enum ops_member member, const struct place *at,
                  const json_t *value, struct faults *f)
{
    item->sent |= BIT(member);
    unconvertible(f, at->path, "string", value, !at->exact);
}

static void read_text(struct ops_item *item, enum ops_member member, struct place *at,
                      json_t *source, struct faults *f)
{
    const json_t *value = look_up(at, source, names[member]);
    bool null_fits = !at->exact || member != OPS_PLAINTEXT;
    struct slice text = {0};
    if (value == NULL)
        return;
    if (gojson_string(value, &text) ||
        (!at->exact && number_as_text(source, names[member], value, &text, f)))
        set_text(item, member, text);
    else if (json_is_null(value) && null_fits)
        set_text(item, member, (struct slice){0});
    else
        unfit(item, member, at, value, f);
}

static void read_struct(const struct ops_kind *kind, struct ops_item *item, size_t index,
                        json_t *source, struct faults *f)
{
    struct place at = {.index = index, .exact = kind->reading == OPS_STRICT};
    for (enum ops_member m = 0; m < OPS_MEMBER_COUNT; m++)
        if ((known[kind->reading] & BIT(m)) != 0)
            read_text(item, m, &at, source, f);
    const json_t *version = look_up(&at, source, KEY_VERSION);
    if (version != NULL && !json_is_null(version))
        read_version(item, at.path, version, at.exact, f);
    if (at.exact && !ops_has(item, kind->main)) {
        struct buf text;
        buf_init(&text, ERRC_WHY_MAX);
        buf_addf(&text, "'[%zu].%s' %s", index, names[kind->main], kind->mandatory);
        faults_take(f, &text);
    }
}

/* --- sign, verify and hmac ---------------------------------------------------------------------
 */

static void set_member(struct ops_item *item, unsigned members, const char *name, struct slice text)
{
    for (enum ops_member m = 0; m < OPS_MEMBER_COUNT; m++)
        if ((members & BIT(m)) != 0 && strcmp(names[m], name) == 0)
            set_text(item, m, text);
}

static void unconvertible_in_map(struct faults *f, size_t index, const char *name,
                                 const json_t *value)
{
    struct buf path CLEANUP(buf_done);
    buf_init(&path, LIMIT_REQUEST_BODY_BYTES + ERRC_WHY_MAX);
    buf_addf(&path, "[%zu][%s]", index, name);
    f->no_memory = f->no_memory || path.failed;
    unconvertible(f, buf_text(&path), "string", value, true);
}

static void read_map(const struct ops_kind *kind, struct ops_item *item, size_t index,
                     json_t *source, struct faults *f)
{
    const char *name;
    json_t *value;
    json_object_foreach(source, name, value)
    {
        struct slice text = {0};
        if (gojson_string(value, &text) || number_as_text(source, name, value, &text, f))
            set_member(item, known[kind->reading], name, text);
        else if (json_is_null(value))
            set_member(item, known[kind->reading], name, (struct slice){0});
        else
            unconvertible_in_map(f, index, name, value);
    }
}

/* --- the array ---------------------------------------------------------------------------------
 */

static void no_array(struct vault_job *job, const struct ops_list *list, const json_t *batch)
{
    if (list->kind->reading == OPS_STRICT)
        call_fault(job,
                   "failed to parse batch input: source data must be an array or slice, got %s",
                   gojson_type_name(batch));
    else
        call_fault(job,
                   "failed to parse batch input: '': source data must be an array or slice, got %s",
                   gojson_kind_name(batch));
}

/* An item that is no object. False: answered, nothing else matters. */
static bool read_odd(struct vault_job *job, const struct ops_kind *kind, size_t index,
                     const json_t *source, struct faults *f)
{
    if (kind->reading == OPS_STRICT) {
        call_fault(job, "failed to parse batch input: [%zu] expected a map, got '%s'", index,
                   json_is_null(source) ? "<nil>" : gojson_type_name(source));
        return false;
    }
    if (json_is_null(source))
        return true;
    struct buf text;
    buf_init(&text, ERRC_WHY_MAX);
    buf_addf(&text, "'[%zu]' expected a map, got '%s'", index, gojson_kind_name(source));
    faults_take(f, &text);
    return true;
}

static bool read_items(struct vault_job *job, struct ops_list *list, const json_t *batch,
                       struct faults *f)
{
    for (size_t i = 0; i < list->count; i++) {
        json_t *source = json_array_get(batch, i);
        struct ops_item *item = &list->items[i];
        if (!json_is_object(source)) {
            if (!read_odd(job, list->kind, i, source, f))
                return false;
        } else if (list->kind->reading == OPS_MAP) {
            read_map(list->kind, item, i, source, f);
        } else {
            read_struct(list->kind, item, i, source, f);
        }
    }
    job->no_memory = job->no_memory || f->no_memory;
    if (f->count > 0)
        faults_answer(job, f);
    return f->count == 0 && !job->no_memory;
}

static bool read_batch(struct vault_job *job, struct ops_list *list, const json_t *batch)
{
    size_t count = json_array_size(batch);
    list->batch = true;
    if (!json_is_array(batch)) {
        no_array(job, list, batch);
        return false;
    }
    if (count == 0) {
        call_fail(job, 400, "missing batch input to process");
        return false;
    }
    list->items = calloc(count, sizeof *list->items);
    if (list->items == NULL) {
        job->no_memory = true;
        return false;
    }
    list->count = count;
    struct faults f CLEANUP(faults_done) = {0};
    return read_items(job, list, batch, &f);
}

static bool has_field(const struct vault_job *job, const char *name)
{
    return field_known(job->match.endpoint->fields, name);
}

void ops_batch_single(const struct vault_job *job, struct ops_list *list)
{
    struct ops_item *item = &list->one;
    list->items = item;
    list->count = 1;
    for (enum ops_member m = 0; m < OPS_MEMBER_COUNT; m++) {
        if (!has_field(job, names[m]))
            continue;
        const struct field_value *value = field_get(&job->fields, names[m]);
        item->member[m] = value->text;
        item->sent |= value->present ? BIT(m) : 0;
    }
    if (has_field(job, KEY_VERSION))
        item->wanted_version = field_number(&job->fields, KEY_VERSION);
}

bool ops_batch_read(struct vault_job *job, struct ops_list *list)
{
    const json_t *batch = field_get(&job->fields, "batch_input")->tree;
    if (batch != NULL)
        return read_batch(job, list, batch);
    ops_batch_single(job, list);
    return true;
}
