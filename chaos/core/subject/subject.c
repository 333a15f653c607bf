#include "chaos/core/subject/subject.h"

#include <string.h>

const char *const *subject_words(const struct subject *subject, enum subject_list list)
{
    return subject->lists[list];
}

const struct subject_door *subject_door(const struct subject *subject, const char *name)
{
    for (size_t i = 0; name != NULL && i < subject->door_count; i++)
        if (strcmp(subject->doors[i].name, name) == 0)
            return &subject->doors[i];
    return NULL;
}

bool subject_is_command(const struct subject *subject, const char *door)
{
    const struct subject_door *d = subject_door(subject, door);
    return d != NULL && d->kind == SUBJECT_COMMAND;
}

static const struct subject_class *find_class(const struct subject *subject, const char *name)
{
    for (size_t i = 0; name != NULL && i < subject->class_count; i++)
        if (strcmp(subject->classes[i].name, name) == 0)
            return &subject->classes[i];
    return NULL;
}

enum subject_says subject_says(const struct subject *subject, const char *class)
{
    const struct subject_class *c = find_class(subject, class);
    return c == NULL ? SUBJECT_SAYS_NEITHER : c->says;
}

bool subject_waited(const struct subject *subject, const char *class)
{
    const struct subject_class *c = find_class(subject, class);
    return c != NULL && c->waited;
}

bool subject_may_have(const struct subject *subject, const char *class, int64_t status)
{
    const struct subject_class *c = find_class(subject, class);
    for (size_t i = 0; c != NULL && i < c->range_count; i++)
        if (status >= c->ranges[i].from && status <= c->ranges[i].to)
            return true;
    return false;
}

enum subject_status subject_status(const struct subject *subject, const char *word)
{
    for (size_t i = 0; word != NULL && i < subject->status_count; i++)
        if (strcmp(subject->statuses[i].name, word) == 0)
            return subject->statuses[i].means;
    return SUBJECT_STATUS_UNDER_WAY;
}

/* Index of the word, `count` when it is none of them. */
static size_t index_of(const char *const *words, size_t count, const char *word)
{
    size_t i = 0;
    while (i < count && (word == NULL || strcmp(words[i], word) != 0))
        i++;
    return i;
}

enum subject_action subject_action(const struct subject *subject, const char *word)
{
    return (enum subject_action)index_of(subject->actions, SUBJECT_ACTIONS, word);
}

enum subject_mode subject_mode(const struct subject *subject, const char *word)
{
    return (enum subject_mode)index_of(subject->modes, SUBJECT_MODES_KNOWN, word);
}
