/*
 * subject_contract: what a subject is bound to by the environment that it was
 * started with.
 */
#pragma once

#include "chaos/core/record.h"
#include "chaos/core/subject/subject.h"

/* Fills the terms of a contract from names and values; what is not set, or no number
 * where one belongs, has its standard. The other members stay as they are. */
void subject_contract(const struct subject *subject, const struct scenario_pair *pairs,
                      size_t count, struct record_contract *out);
