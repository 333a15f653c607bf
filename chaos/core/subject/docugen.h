/*
 * docugen: our own signer as a subject (docs/architecture.md, signer).
 */
#pragma once

#include "chaos/core/subject/subject.h"

/* Lends it; there is one, and it never changes. */
const struct subject *docugen_subject(void);
