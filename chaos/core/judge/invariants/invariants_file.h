/*
 * invariants_file: what lies in the folder of the run when all is over: who may
 * write it, and what should not be there any more. See invariants.c for what it
 * means.
 *
 * The subject's table of places says what lies where. A file beside another one
 * for the moment of its writing may stay only when a kill came in between.
 */
#pragma once

#include "chaos/core/judge/invariants/invariants_case.h"

void invariants_file_all(struct invariants_case *c);
