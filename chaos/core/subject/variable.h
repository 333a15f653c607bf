/*
 * variable: the environment variables that a subject reads, as chaos knows them: to tell a misspelt
 * name or a bad value before anything is started, what holds when one is not set, and what a value
 * binds the subject to.
 *
 * Our signer has its own table (signer/core/config.c), and chaos must not share it; the test
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

/* What a variable binds the subject to: a term of its contract (record.h). */
enum variable_binds {
    VARIABLE_BINDS_NOTHING,
    VARIABLE_BINDS_FALLBACK,
    VARIABLE_BINDS_ATTEMPTS,
    VARIABLE_BINDS_BASE,
    VARIABLE_BINDS_MAX,
    VARIABLE_BINDS_ATTEMPT_TIMEOUT,
    VARIABLE_BINDS_TOTAL_TIMEOUT,
};

struct variable {
    const char *name;
    enum variable_type type;
    int64_t min, max, standard; /* VARIABLE_NUMBER */
    enum variable_binds binds;
    const char *given;      /* what a stack sets it to (subject_template.h); NULL: nothing */
    const char *instead_of; /* the variable that it takes the place of; NULL: none */
    const char *patient;    /* what set-up sets it to: it is not rehearsed; NULL: its standard */
    bool fixed;             /* a scenario cannot set it */
    bool secret;            /* its value is kept out of every record */
};

struct variable_table {
    const struct variable *items;
    size_t count;
};

/* Returns the variable of that name, or NULL. */
const struct variable *variable_find(const struct variable_table *table, const char *name);

/* ERRC_OK when the subject reads the name and a scenario may set it, or when it is plainly for
 * somebody else (LANG, or anything that begins with X_); else ERRC_SCHEMA with a sentence that may
 * name the nearest. */
MUST_USE enum errc variable_check_name(const struct variable_table *table, const char *name,
                                       struct errc_why *why);

/* ERRC_OK when the subject would start with the value, or does not read the variable; else
 * ERRC_RANGE with a sentence. */
MUST_USE enum errc variable_check_value(const struct variable_table *table, const char *name,
                                        const char *value, struct errc_why *why);
