#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/state.h"
#include "fakevault/core/transit/ops/ops.h"
#include "fakevault/core/transit/transit.h"

#define PREFIX "vault:v"
#define PARTIAL_FAILURE "partial_failure_response_code"

static void item_done(struct ops_item *item)
{
    keyring_version_drop(item->version);
    keyring_version_drop(item->sealing);
    buf_done(&item->output);
    buf_done(&item->extra);
    free(item->owned_error);
}

static void list_free(void *ptr)
{
    struct ops_list *list = ptr;
    for (size_t i = 0; i < list->count; i++)
        item_done(&list->items[i]);
    if (list->batch)
        free(list->items);
    free(list->nonces);
    ops_encrypt_drop(list->upsert);
    free(list);
}

struct ops_list *ops_list_new(struct vault_job *job, const struct ops_kind *kind)
{
    struct ops_list *list = calloc(1, sizeof *list);
    job->no_memory = job->no_memory || list == NULL;
    if (list == NULL)
        return NULL;
    list->kind = kind;
    job->state = (struct call_state){list, list_free};
    return list;
}

void ops_list_know(struct ops_list *list, const struct keyring *k)
{
    list->key = (struct ops_key){
        .traits = k->traits,
        .latest_version = k->latest_version,
        .min_decryption_version = k->min_decryption_version,
        .min_encryption_version = k->min_encryption_version,
        .derived = k->derived,
        .convergent = k->convergent,
        .convergent_version = k->convergent_version,
        .kdf = k->kdf,
    };
}

struct keyring *ops_list_key(struct vault_job *job, struct ops_list *list, const char *missing)
{
    struct keyring *k = transit_key(job);
    if (k != NULL)
        ops_list_know(list, k);
    else if (!call_answered(job))
        call_fail(job, 400, "%s", missing);
    return k;
}

struct keyring_version *ops_list_take(const struct keyring *k, int64_t number)
{
    struct keyring_version *version =
        keyring_version_of(k, number == 0 ? k->latest_version : number);
    return version == NULL ? NULL : keyring_version_take(version);
}

void ops_list_fail(struct ops_item *item, enum ops_blame blame, const char *text)
{
    item->error = text;
    item->blame = blame;
}

void ops_list_failf(struct vault_job *job, struct ops_item *item, enum ops_blame blame,
                    const char *format, ...)
{
    char text[2 * ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    free(item->owned_error);
    item->owned_error = strdup(text);
    job->no_memory = job->no_memory || item->owned_error == NULL;
    ops_list_fail(item, blame, item->owned_error != NULL ? item->owned_error : "out of memory");
}

void ops_list_trouble(struct vault_job *job, struct ops_item *item, enum ops_blame blame,
                      enum errc code, const struct errc_why *why)
{
    job->no_memory = job->no_memory || code == ERRC_NOMEM;
    ops_list_failf(job, item, blame, "%s", why->text);
}

void ops_list_reset(struct ops_item *item)
{
    item_done(item);
    item->version = item->sealing = NULL;
    item->error = item->owned_error = NULL;
    item->number = 0;
}

bool ops_list_decode(struct vault_job *job, struct ops_item *item, enum ops_blame blame,
                     const char *before, struct slice text, struct buf *out)
{
    size_t bad_at = 0;
    enum errc code = base64_parse(text, BASE64_STANDARD, out, &bad_at);
    if (code == ERRC_OK)
        return true;
    job->no_memory = job->no_memory || code != ERRC_SYNTAX;
    ops_list_failf(job, item, blame, "%sillegal base64 data at input byte %zu", before, bad_at);
    return false;
}

const char *ops_list_cut(struct slice text, const struct ops_cut_texts *texts, int64_t *version,
                         struct slice *rest)
{
    if (!slice_starts_with(text, PREFIX))
        return texts->prefix;
    *rest = slice_from(text, strlen(PREFIX));
    if (slice_find(*rest, ':') == rest->len)
        return texts->fields;
    return gotext_int(slice_cut(rest, ':'), 10, version, NULL) == ERRC_OK ? NULL : texts->number;
}

void ops_list_output(struct vault_job *job, struct ops_item *item, uint32_t version,
                     struct slice bytes, enum base64_alphabet alphabet)
{
    item->number = version;
    buf_init(&item->output, LIMIT_REPLY_BODY_BYTES);
    buf_addf(&item->output, PREFIX "%u:", version);
    base64_format(bytes, alphabet, &item->output);
    job->no_memory = job->no_memory || item->output.failed;
}

void ops_list_work(struct vault_job *job)
{
    struct ops_list *list = job->state.ptr;
    for (size_t i = 0; i < list->count && !job->no_memory; i++)
        if (list->items[i].error == NULL)
            list->kind->work(job, list, &list->items[i]);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void fail_alone(struct vault_job *job, const struct ops_item *item)
{
    if (item->blame == OPS_INTERNAL)
        call_fault(job, "%s", item->error);
    else
        call_fail(job, 400, "%s", item->error);
}

static void write_batch(struct vault_job *job, const struct ops_list *list)
{
    struct jsonwrite *w = call_data(job);
    jsonwrite_array(w, "batch_results");
    for (size_t i = 0; i < list->count; i++) {
        const struct ops_item *item = &list->items[i];
        jsonwrite_object(w, NULL);
        list->kind->write(list, item, w);
        if (item->error != NULL)
            jsonwrite_string(w, "error", item->error);
        jsonwrite_slice(w, "reference", item->member[OPS_REFERENCE]);
        jsonwrite_end(w);
    }
    jsonwrite_end(w);
}

/* The first item that fails its whole batch, or NULL. */
static const struct ops_item *find_stop(const struct ops_list *list)
{
    for (size_t i = 0; i < list->count && list->kind->stops; i++)
        if (list->items[i].error != NULL && list->items[i].blame == OPS_INTERNAL)
            return &list->items[i];
    return NULL;
}

/* 400 for a user's mistake, 500 for what only went wrong inside, 200 for neither. */
static int batch_status(const struct ops_list *list, bool *some_good)
{
    int status = 200;
    *some_good = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct ops_item *item = &list->items[i];
        if (item->error == NULL)
            *some_good = true;
        else if (item->blame == OPS_USER)
            status = 400;
        else if (item->blame == OPS_INTERNAL && status == 200)
            status = 500;
    }
    return status;
}

/* A client may choose the status of a batch that failed in part. */
static void choose_status(struct vault_job *job)
{
    const struct field_value *chosen = field_get(&job->fields, PARTIAL_FAILURE);
    if (!chosen->present)
        return;
    if (chosen->number >= 1 && chosen->number <= 599)
        job->status = (int)chosen->number;
    else
        call_warn(job,
                  "invalid HTTP response code override from " PARTIAL_FAILURE ", reverting to %d",
                  job->status);
}

static void answer_batch(struct vault_job *job, const struct ops_list *list)
{
    const struct ops_item *stop = find_stop(list);
    bool some_good;
    int status = list->kind->fails ? batch_status(list, &some_good) : 200;
    if (stop != NULL) {
        fail_alone(job, stop);
        return;
    }
    write_batch(job, list);
    if (status == 200) {
        call_answer(job, CALL_DATA);
        return;
    }
    call_answer(job, CALL_DATA);
    call_make_raw(job, status);
    if (some_good)
        choose_status(job);
    job->executed = some_good;
}

static void note_version(struct vault_job *job, const struct ops_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].error == NULL && list->items[i].number > 0)
            job->key_version = (int)list->items[i].number;
}

void ops_list_finish(struct vault_job *job)
{
    const struct ops_list *list = job->state.ptr;
    note_version(job, list);
    if (list->batch) {
        answer_batch(job, list);
    } else if (list->one.error != NULL) {
        fail_alone(job, &list->one);
    } else {
        list->kind->write(list, &list->one, call_data(job));
        call_answer(job, CALL_DATA);
    }
}

void ops_list_run(struct vault_job *job)
{
    ops_list_work(job);
    if (!job->no_memory)
        ops_list_finish(job);
}
