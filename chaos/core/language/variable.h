/*
 * variable: the environment variables that a signer reads, as chaos knows them: to tell a misspelt
 * name or a bad value before anything is started, and what holds when one is not set.
 *
 * The signer has its own table (signer/core/config.c), and chaos must not share it; the test
 * chaos.variable holds the two against each other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errc.h"

enum variable_type {
    VARIABLE_TEXT,   /* anything but nothing */
    VARIABLE_SWITCH, /* true or false, letter for letter */
    VARIABLE_NUMBER, /* decimal, min..max */
};

struct variable {
    const char *name;
    enum variable_type type;
    int64_t min, max, standard; /* VARIABLE_NUMBER */
};

/* Returns variable i; NULL behind the last. */
const struct variable *variable_at(size_t i);

/* Returns the signer's variable of that name, or NULL. */
const struct variable *variable_find(const char *name);

/* The value of a number that is not set. CHECK: there is such a number. */
int64_t variable_standard(const char *name);

/* ERRC_OK when the signer reads the name, or it is plainly for somebody else (LANG, or anything
 * that begins with X_); else ERRC_SCHEMA with a sentence that may name the nearest. */
MUST_USE enum errc variable_check_name(const char *name, struct errc_why *why);

/* ERRC_OK when the signer would start with the value, or does not read the variable; else
 * ERRC_RANGE with a sentence. */
MUST_USE enum errc variable_check_value(const char *name, const char *value, struct errc_why *why);
