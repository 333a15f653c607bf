#include "chaos/core/subject/subject.h"

#include <string.h>

#include "chaos/core/subject/docugen.h"

const struct subject *subject_default(void)
{
    return docugen_subject();
}

const char *const *subject_words(const struct subject *subject, enum subject_list list)
{
    return subject->lists[list];
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

bool subject_may_have(const struct subject *subject, const char *class, int64_t status)
{
    const struct subject_class *c = find_class(subject, class);
    for (size_t i = 0; c != NULL && i < c->range_count; i++)
        if (status >= c->ranges[i].from && status <= c->ranges[i].to)
            return true;
    return false;
}
