#include "chaos/core/subject/subject_answer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text/jsonread.h"

/* Follows a JSON pointer through objects; NULL when something on the way is missing. */
static const json_t *follow(const json_t *value, const char *pointer)
{
    while (value != NULL && *pointer == '/') {
        char name[WORLD_WORD_BYTES];
        size_t len = strcspn(pointer + 1, "/");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, pointer + 1);
        value = json_object_get(value, name);
        pointer += 1 + len;
    }
    return value;
}

static void take_word(const json_t *said, const char *pointer, char out[static WORLD_WORD_BYTES])
{
    const char *text = json_string_value(follow(said, pointer));
    (void)snprintf(out, WORLD_WORD_BYTES, "%s", text == NULL ? "" : text);
}

void subject_answer_take(const struct subject_door *door, struct slice answer,
                         struct world_call *told)
{
    const struct subject_pointers *at = &door->answer;
    json_t *said CLEANUP(jsonread_done) = NULL;
    if (jsonread_parse(slice_trim(answer), &said, NULL) != ERRC_OK)
        said = NULL; /* says nothing */
    take_word(said, at->status, told->status);
    take_word(said, at->mode, told->mode);
    take_word(said, at->reason, told->reason);
    take_word(said, at->error, told->error);
    const json_t *attempts = follow(said, at->attempts);
    told->attempts = json_is_integer(attempts) ? (int)json_integer_value(attempts) : -1;
}

bool subject_answer_accepted(int http_status)
{
    return http_status >= 200 && http_status < 300;
}

bool subject_answer_is_last(const struct subject *subject, const struct world_call *told)
{
    return told->http_status != 200 ||
           subject_status(subject, told->status) != SUBJECT_STATUS_UNDER_WAY;
}
