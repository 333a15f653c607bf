/*
 * startup: what every command and service does first: harden the process, read the environment
 * once, move the token into locked memory.
 */
#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "base/secret.h"
#include "signer/core/config.h"

struct startup {
    struct config config;
    struct clock clock;
    struct entropy entropy;
    struct secret_arena *arena;
    struct secret token; /* empty when none was needed and none was given */
};

/*
 * Reads environment, token file and system ports. `needs` is a set of enum config_need. The
 * token is wiped from the environment. ERRC_USAGE or ERRC_IO with one line.
 */
MUST_USE enum errc startup_open(unsigned needs, struct startup *out, struct errc_why *why);

/* Fits CLEANUP. Whatever borrowed from it is closed before. */
void startup_done(struct startup *startup);
