/*
 * verb_table: the rows behind verb.h, apart from the code that reads them. To
 * add to the language, edit verb_table.c.
 */
#pragma once

#include "chaos/core/language/verb.h"

extern const struct verb verb_table_rows[VERB_COUNT];
