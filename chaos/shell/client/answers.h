/*
 * answers: what the subject's services answered to chaos, kept as text beside the logs: evidence,
 * and to be searched for what must not be in it.
 */
#pragma once

#include "chaos/shell/client/httpcall.h"

#define ANSWERS_FOLDER "answers" /* in the folder of the run */

/* Appends request and answer to answers/NAME.txt; up to 64 MiB, and as well as it can. */
void answers_keep(const char *run_folder, const char *name, const struct httpcall *call,
                  const struct httpcall_reply *reply);
