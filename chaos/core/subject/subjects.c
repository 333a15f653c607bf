#include "chaos/core/subject/subjects.h"

#include "chaos/core/subject/docugen.h"

const struct subject *subjects_default(void)
{
    return docugen_subject();
}
