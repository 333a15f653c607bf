/*
 * wipe: ordinary memory that is overwritten before it is given back, for what libraries keep in it:
 * parsed requests, loaded keys. Secrets of our own are in an arena (secret.h).
 */
#pragma once

#include <stddef.h>

/* free, behind an overwriting of the whole block. NULL allowed. */
void wipe_free(void *ptr);

/* realloc, without leaving a copy behind: always moves. NULL when out of memory; ptr stays then. */
void *wipe_realloc(void *ptr, size_t size);
