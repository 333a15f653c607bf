/*
 * library: scenario files from the command line, read and checked, all of them
 * before anything is started.
 */
#pragma once

#include <stddef.h>

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/scenario/plan.h"
#include "chaos/core/scenario/scenario.h"
#include "chaos/shell/stack/folder.h"

#define LIBRARY_MAX 1000u /* scenarios of one call */

struct library_entry {
    struct folder_path path;  /* as given, or below the folder that was given */
    struct buf text;          /* as it was read */
    struct scenario scenario; /* usable when sound */
    struct plan plan;         /* made when sound */
    bool sound;
};

struct library {
    struct library_entry **entries;
    size_t count;
    size_t unsound;      /* entries with findings */
    struct buf findings; /* text of all findings, file by file */
};

void library_init(struct library *library);
void library_done(struct library *library); /* fits CLEANUP */

/* Prints all findings on stderr. */
void library_tell_findings(const struct library *library);

/*
 * Reads files, and of each folder its *.yaml, *.yml and *.json in the order of
 * their names. A file that is no scenario is an unsound entry with its
 * findings. ERRC_NOT_FOUND, ERRC_DENIED, ERRC_IO: a path cannot be read;
 * ERRC_NOT_FOUND also for a folder without scenarios; ERRC_USAGE for what is neither file nor
 * folder; ERRC_TOO_BIG; ERRC_NOMEM.
 */
MUST_USE enum errc library_load(struct library *library, const char *const paths[], size_t count,
                                struct errc_why *why);
