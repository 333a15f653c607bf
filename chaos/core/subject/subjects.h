/*
 * subjects: which subjects there are.
 */
#pragma once

#include "chaos/core/subject/subject.h"

/* The one that a scenario runs with unless it names another: ours. */
const struct subject *subjects_default(void);
