/*
 * fallback_file: opens the local key, checks what it opened, and reads it into locked memory.
 *
 * To be called only while the switch is on. Nothing is cached: each use opens and checks anew, so
 * that a rotated key needs no restart and a key whose file was opened to others is not used.
 */
#pragma once

#include "base/secret.h"
#include "signer/core/keys/fallback.h"

/* FALLBACK_USABLE and the seed (the caller's to free), or why not. */
enum fallback_verdict fallback_file_read(const char *path, struct secret_arena *arena,
                                         struct secret *seed, struct errc_why *why);
