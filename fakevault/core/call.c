#include "fakevault/core/call.h"

#include <stdlib.h>

#include "base/bug.h"
#include "base/limits.h"
#include "fakevault/core/state.h"

#define TEXT_MAX 4096u

struct slice call_capture(const struct vault_job *job, const char *name)
{
    for (size_t i = 0; i < job->match.capture_count; i++)
        if (slice_equal_text(job->match.captures[i].name, name))
            return job->match.captures[i].value;
    bool in_pattern = false;
    CHECK(in_pattern); /* a name that the endpoint's pattern does not have */
    return (struct slice){0};
}

const char *call_identify(struct vault_job *job)
{
    if (job->request_id[0] == '\0')
        entropy_uuid(&job->vault->ports.entropy, job->request_id);
    return job->request_id;
}

bool call_answered(const struct vault_job *job)
{
    return job->shape != CALL_UNANSWERED;
}

static void answer(struct vault_job *job, enum call_shape shape, int status)
{
    job->shape = shape;
    job->status = status;
    job->executed = status < 400;
}

__attribute__((format(printf, 3, 0))) static void write_text(struct vault_job *job,
                                                             const char *before, const char *format,
                                                             va_list args, const char *after)
{
    va_list again;
    va_copy(again, args);
    size_t len = (size_t)vsnprintf(NULL, 0, format, again);
    va_end(again);
    buf_done(&job->text);
    buf_init(&job->text, LIMIT_REPLY_BODY_BYTES / 2);
    buf_add_text(&job->text, before);
    char *room = buf_reserve(&job->text, len);
    if (room != NULL) {
        (void)vsnprintf(room, len + 1, format, args);
        buf_commit(&job->text, len);
    }
    buf_add_text(&job->text, after);
    job->no_memory = job->no_memory || job->text.failed;
    job->with_errors = true;
}

void call_fail(struct vault_job *job, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_text(job, "", format, args, "");
    va_end(args);
    answer(job, CALL_ERROR, status);
}

void call_wrapped(struct vault_job *job, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_text(job, "1 error occurred:\n\t* ", format, args, "\n\n");
    va_end(args);
    answer(job, CALL_ERROR, status);
}

void call_fault(struct vault_job *job, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_text(job, "1 error occurred:\n\t* ", format, args, "\n\n");
    va_end(args);
    answer(job, CALL_ERROR, 500);
}

void call_fail_bare(struct vault_job *job, int status)
{
    job->with_errors = false;
    answer(job, CALL_ERROR, status);
}

void call_trouble(struct vault_job *job, enum errc code, const struct errc_why *why)
{
    job->no_memory = job->no_memory || code == ERRC_NOMEM;
    call_fault(job, "%s", why->text[0] == '\0' ? errc_text(code) : why->text);
}

void call_empty(struct vault_job *job)
{
    answer(job, CALL_EMPTY, 204);
}

void call_done(struct vault_job *job, enum errc code, const struct errc_why *why)
{
    if (code == ERRC_OK)
        call_empty(job);
    else
        call_trouble(job, code, why);
}

struct jsonwrite *call_data(struct vault_job *job)
{
    buf_done(&job->data_out);
    buf_init(&job->data_out, LIMIT_REPLY_BODY_BYTES / 2);
    jsonwrite_init(&job->writer, &job->data_out, JSONWRITE_GO_HTML);
    jsonwrite_object(&job->writer, NULL);
    return &job->writer;
}

enum errc call_list_name(void *writer, struct slice name)
{
    jsonwrite_slice(writer, NULL, name);
    return ERRC_OK;
}

void call_answer_status(struct vault_job *job, enum call_shape shape, int status)
{
    jsonwrite_end(&job->writer);
    job->no_memory = job->no_memory || job->data_out.failed;
    answer(job, shape, status);
}

void call_answer(struct vault_job *job, enum call_shape shape)
{
    call_answer_status(job, shape, 200);
}

void call_answer_tree(struct vault_job *job, enum call_shape shape, json_t *data)
{
    buf_done(&job->data_out);
    buf_init(&job->data_out, LIMIT_REPLY_BODY_BYTES / 2);
    jsonwrite_init(&job->writer, &job->data_out, JSONWRITE_GO_HTML);
    if (data != NULL)
        jsonwrite_value(&job->writer, NULL, data);
    job->no_memory = job->no_memory || data == NULL || job->data_out.failed;
    json_decref(data);
    answer(job, shape, 200);
}

void call_redirect(struct vault_job *job, int status, struct slice location)
{
    buf_done(&job->text);
    buf_init(&job->text, LIMIT_PATH_BYTES * 4);
    buf_add_slice(&job->text, location);
    job->no_memory = job->no_memory || job->text.failed;
    answer(job, CALL_REDIRECT, status);
}

static void answer_text(struct vault_job *job, enum call_shape shape, int status, const char *text)
{
    buf_done(&job->text);
    buf_init(&job->text, TEXT_MAX);
    buf_add_text(&job->text, text);
    job->no_memory = job->no_memory || job->text.failed;
    answer(job, shape, status);
}

void call_plain(struct vault_job *job, int status, bool api, const char *text)
{
    job->foreign = !api;
    answer_text(job, CALL_PLAIN, status, text);
}

void call_page(struct vault_job *job, const char *html)
{
    answer_text(job, CALL_PAGE, 200, html);
}

void call_warn(struct vault_job *job, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct jsonwrite w;
    jsonwrite_init(&w, &job->warnings, JSONWRITE_GO_HTML);
    if (job->warnings.len > 0)
        buf_add_char(&job->warnings, ',');
    jsonwrite_string(&w, NULL, text);
    job->no_memory = job->no_memory || job->warnings.failed;
}

/* Hashes into a list that doubles its room. */
static enum errc note(char (**list)[DIGEST_HEX_BYTES], size_t *count, struct slice bytes)
{
    bool full = (*count & (*count - 1)) == 0; /* 0 or a power of two */
    size_t room = *count == 0 ? 1 : 2 * *count;
    if (*count == CALL_NOTES_MAX)
        return ERRC_OK;
    char(*grown)[DIGEST_HEX_BYTES] = full ? realloc(*list, room * sizeof *grown) : *list;
    if (grown == NULL)
        return ERRC_NOMEM;
    *list = grown;
    digest_sha256_hex(bytes, grown[(*count)++]);
    return ERRC_OK;
}

enum errc call_note_input(struct vault_job *job, struct slice input)
{
    TRY(note(&job->input_sha256, &job->facts.input_count, input));
    job->facts.input_sha256 = (const char(*)[DIGEST_HEX_BYTES])job->input_sha256;
    return ERRC_OK;
}

enum errc call_note_signature(struct vault_job *job, struct slice signature)
{
    return note(&job->signature_sha256, &job->signature_count, signature);
}

void call_answer_none(struct vault_job *job, int status)
{
    buf_done(&job->data_out);
    answer(job, CALL_DATA, status);
}

void call_answer_json(struct vault_job *job, struct slice data)
{
    buf_done(&job->data_out);
    buf_init(&job->data_out, LIMIT_REPLY_BODY_BYTES / 2);
    buf_add_slice(&job->data_out, data);
    job->no_memory = job->no_memory || job->data_out.failed;
    answer(job, CALL_DATA, 200);
}

void call_make_raw(struct vault_job *job, int status)
{
    buf_reset(&job->warnings);
    job->raw = true;
    answer(job, job->shape, status);
}

void call_bare_status(struct vault_job *job, int status)
{
    answer(job, CALL_EMPTY, status);
}

void call_answer_stored(struct vault_job *job, int status, struct slice body)
{
    call_answer_json(job, body);
    job->raw = true;
    answer(job, CALL_BARE, status);
}
