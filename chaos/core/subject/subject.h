/*
 * subject: all that chaos knows of a signing client, behind one port.
 *
 * A subject is data: its doors (ways to make it sign), its environment, its
 * words and what they mean. The shell carries out what a door says and knows no
 * word of it; judges ask here instead of knowing one themselves. Ours is
 * docugen.h; that it is a table leaves room for one that is read from a file.
 *
 * Texts are templates where it says so (subject_template.h). Which client
 * actually runs is a path that the shell has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chaos/core/subject/variable.h"

#define SUBJECT_DOORS_MAX 8u

/* --- words --- */

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
    bool waited; /* the attempt lasted as long as it may: a wait by design */
    size_t range_count;
    struct subject_range ranges[SUBJECT_RANGES]; /* the statuses that an attempt of it may have */
};

/* What a run's status says. */
enum subject_status {
    SUBJECT_STATUS_UNDER_WAY, /* or a word that we do not know */
    SUBJECT_STATUS_SIGNED,
    SUBJECT_STATUS_NOT_SIGNED,
};

struct subject_status_word {
    const char *name;
    enum subject_status means;
};

/* What an entry of the trail tells. */
enum subject_action {
    SUBJECT_ACTION_STARTED,
    SUBJECT_ACTION_SIGNED,
    SUBJECT_ACTION_FAILED,
    SUBJECT_ACTION_REPAIRED, /* the trail itself */
    SUBJECT_ACTION_OTHER,    /* one that we do not know */
};
#define SUBJECT_ACTIONS ((size_t)SUBJECT_ACTION_OTHER)

/* Whose key signed. */
enum subject_mode { SUBJECT_MODE_VAULT, SUBJECT_MODE_FALLBACK, SUBJECT_MODE_OTHER };
#define SUBJECT_MODES_KNOWN ((size_t)SUBJECT_MODE_OTHER)

/* Lists of words, for those who offer a choice of them. */
enum subject_list {
    SUBJECT_DOORS,
    SUBJECT_SERVICES, /* the doors that are services */
    SUBJECT_LOGS,     /* of Vault, and of each door */
    SUBJECT_CLASSES,  /* of attempts and failures */
    SUBJECT_REASONS,  /* why a run failed, or fell back */
    SUBJECT_STATUSES, /* of a run */
    SUBJECT_MODES,
    SUBJECT_LISTS,
};

/* --- doors --- */

enum subject_door_kind {
    SUBJECT_SERVICE, /* runs, and is asked over HTTP */
    SUBJECT_COMMAND, /* is run for each call */
};

/* Templates; NULL: nothing of the kind. */
struct subject_request {
    const char *method, *path;
    const char *header; /* "Name: value" */
    const char *body;   /* JSON; of submit: a bundle (subject_bundle.h) */
};

/* A file that is put into the folder of a call before the command runs. */
struct subject_file {
    const char *name, *text; /* templates */
    bool of_each_artefact;   /* there is one for each; else one that describes the bundle */
};

#define SUBJECT_FILES 4u

/* Where the words of an answer stand: JSON pointers. */
struct subject_pointers {
    const char *status, *mode, *reason, *error, *attempts;
};

/* Templates but for name; ${DIR} is the door's own folder, ${call} what is to be signed. */
struct subject_door {
    const char *name;
    enum subject_door_kind kind;

    const char *const *start; /* SERVICE: arguments; it says that it serves on descriptor 3 */
    struct subject_request submit, await, retry, metrics;
    struct subject_request health, run, served; /* WORLD_HEALTH, WORLD_RUN, WORLD_SERVED */

    int retry_needless; /* HTTP status of a retry of a run that is under way or over: what came of
                           it is the answer */

    const char *const *sign;                  /* COMMAND: arguments */
    const char *folder;                       /* of a call */
    struct subject_file files[SUBJECT_FILES]; /* in it; ends with the first without a name */

    struct subject_pointers answer; /* of a service's run, or in what the command prints */
    const char *asked;              /* what a call asks to be signed, as JSON (world.h) */

    const char *artefact, *asked_artefact; /* one of ${artefacts}: as the client is told of it, and
                                              as it is to be signed */
    const char *wrong_checksum;            /* ${wrong_checksum}; NULL: the client could not know */
    const char *manifest;                  /* the path of what was signed */
};

/* --- places: what the subject writes, and where --- */

enum subject_stays {
    SUBJECT_STAYS,
    SUBJECT_STAYS_UNTIL_START, /* temporary; one that a kill leaves goes when its service starts */
    SUBJECT_STAYS_UNTIL_TAKEN_UP, /* temporary; one that a kill leaves goes with its bundle's next
                                     run */
};

struct subject_place {
    const char *path; /* in the folder of the run; ${NAME} is a service, ${COMMAND} a door that is a
                         command, ${call} a bundle, ? any character */
    bool folder;
    unsigned mode; /* that it has */
    enum subject_stays stays;
};

/* --- what it asks of Vault --- */

/* When a client may ask something of Vault. */
enum subject_when {
    SUBJECT_WHEN_SIGNING, /* as often as it signs; other judges count these requests */
    SUBJECT_WHEN_POLLING, /* each service, once per interval; and the command that tells of it */
    SUBJECT_WHEN_PINNING, /* while it was told to pin the key that Vault has now */
};

#define SUBJECT_ASKINGS_MAX 16u

struct subject_asking {
    const char *methods; /* "GET HEAD" */
    const char *path;    /* a glob over the path on the wire */
    enum subject_when when;
    const char *interval; /* POLLING: the variable with its milliseconds */
    const char *key;      /* the variable that names the last part of the path; NULL: any will do */
};

/* --- its log --- */

/* What it logs of each operation: one line of key=value pairs. */
struct subject_log {
    const char *event, *level, *actor, *bundle;                 /* names of fields */
    const char *mode, *attempts, *key, *reason, *class, *error; /* the same */
    const char *signed_event, *signed_level;                    /* of a signature */
    const char *const *failed_events;                           /* NULL-terminated */
    const char *failed_level;                                   /* of a failure */
    const char *const *unaudited; /* errors told before there is an operation; NULL-terminated */
    const char *unpublished;      /* the error of a signature whose manifest could not be written */
};

/* --- the whole --- */

struct subject {
    const char *name;
    const struct subject_door *doors;
    size_t door_count; /* at most SUBJECT_DOORS_MAX */

    struct variable_table variables;
    const char *audit; /* path of the trail; a template */

    const struct subject_place *places;
    size_t place_count;

    const char *const *accept; /* arguments: pin the key that Vault has now */
    const char *const *status; /* arguments: is Vault reachable? The answer is the exit code */
    const char *const *verify; /* arguments: is the manifest ${call} good? As above */
    const char *const *pinned; /* arguments: which key is pinned? */

    const char *key_mark;          /* what stands before the key's name in a manifest */
    const char *honest, *tampered; /* a text of each manifest, and another one for it */

    const char *poll_interval; /* the variable: how often services ask for Vault's health, in ms */
    int64_t poll_most_ms;      /* how long such a question takes at most */
    int64_t poll_first_ms;     /* a service that is ready sooner than that has asked once */

    struct subject_log log;

    const struct subject_asking *askings; /* all that it may ask of Vault */
    size_t asking_count;

    const struct subject_class *classes;
    size_t class_count;
    const struct subject_status_word *statuses;
    size_t status_count;
    const char *actions[SUBJECT_ACTIONS];
    const char *modes[SUBJECT_MODES_KNOWN];
    const char *const *lists[SUBJECT_LISTS]; /* NULL-terminated */
};

/* Lends a list of words, NULL-terminated. */
const char *const *subject_words(const struct subject *subject, enum subject_list list);

/* Returns the door of that name, NULL when there is none. */
const struct subject_door *subject_door(const struct subject *subject, const char *name);

/* True when there is such a door, and it is a command: each call has an environment of its own. */
bool subject_is_command(const struct subject *subject, const char *door);

/* What an attempt of this class says; NULL and unknown ones say neither. */
enum subject_says subject_says(const struct subject *subject, const char *class);

/* True when an attempt of this class is a wait by design: it lasted as long as an attempt may. */
bool subject_waited(const struct subject *subject, const char *class);

/* True when an attempt of this class may have ended with the status: an outage must not be made of
 * a refusal by its name. */
bool subject_may_have(const struct subject *subject, const char *class, int64_t status);

/* What the status of a run says. */
enum subject_status subject_status(const struct subject *subject, const char *word);

/* What an action of the trail tells, and the mode of a signature; NULL is another one. */
enum subject_action subject_action(const struct subject *subject, const char *word);
enum subject_mode subject_mode(const struct subject *subject, const char *word);
