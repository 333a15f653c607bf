/*
 * subject: all that chaos knows of a signing client, behind one port.
 *
 * A subject is data: its words and what they mean. Judges ask here instead of
 * knowing a word themselves; ours (docugen.h) is the first one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the class of a failed attempt says: whether the local key may take over. */
enum subject_says {
    SUBJECT_SAYS_NEITHER, /* ok, a limit, or a class that we do not know */
    SUBJECT_SAYS_OUTAGE,  /* Vault is not available: fallback may follow */
    SUBJECT_SAYS_REFUSAL, /* Vault or the client said no: it never may */
};

struct subject_range {
    int64_t from, to; /* HTTP statuses; 0: none came */
};

#define SUBJECT_RANGES 6u

struct subject_class {
    const char *name;
    enum subject_says says;
    size_t range_count;
    struct subject_range ranges[SUBJECT_RANGES]; /* the statuses that an attempt of it may have */
};

/* Lists of words, for those who offer a choice of them. */
enum subject_list {
    SUBJECT_CLASSES,  /* of attempts and failures */
    SUBJECT_REASONS,  /* why a run failed, or fell back */
    SUBJECT_STATUSES, /* of a run */
    SUBJECT_MODES,    /* whose key signed */
    SUBJECT_LISTS,
};

struct subject {
    const char *name;
    const struct subject_class *classes;
    size_t class_count;
    const char *const *lists[SUBJECT_LISTS]; /* NULL-terminated */
};

/* The subject that scenarios run with. */
const struct subject *subject_default(void);

/* Lends a list of words, NULL-terminated. */
const char *const *subject_words(const struct subject *subject, enum subject_list list);

/* What an attempt of this class says; NULL and unknown ones say neither. */
enum subject_says subject_says(const struct subject *subject, const char *class);

/* True when an attempt of this class may have ended with the status: an outage must not be made of
 * a refusal by its name. */
bool subject_may_have(const struct subject *subject, const char *class, int64_t status);
