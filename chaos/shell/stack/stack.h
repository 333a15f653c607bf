/*
 * stack: what one run of a scenario works on: its folder, its ports, one
 * fakevault, the services api and worker, and the command.
 *
 * The folder of a run (absolute):
 *
 *     ledgers/journal.ndjson   fakevault's      ledgers/audit.ndjson   the signers'
 *     ledgers/decoy.ndjson     who came to the decoy
 *     logs/NAME.log            standard error of vault, of each door (all its runs), and of set-up
 *     vault/                   fakevault's storage
 *     DOOR/                    what a door of the subject keeps (core/subject/docugen.c)
 *     answers/DOOR.txt         what its service answered to chaos
 *     surfaces.ndjson          what the subject's surfaces answered (world/survey.h)
 *     private/                 mode 0700: root-token, unseal-keys.json, fallback.json, what the
 *                              programs print on standard output
 *
 * Nothing secret is in any argv: tokens come in a file, or in the environment
 * where Vault has no other way (a dev server's).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "chaos/core/scenario/scenario.h"
#include "chaos/core/subject/subject_template.h"
#include "chaos/shell/client/vault_client.h"
#include "chaos/shell/process/proc.h"
#include "chaos/shell/stack/certificates.h"
#include "chaos/shell/stack/decoy.h"
#include "chaos/shell/stack/envmap.h"
#include "chaos/shell/stack/fallbackkey.h"
#include "chaos/shell/stack/folder.h"
#include "chaos/shell/stack/knownkeys.h"
#include "chaos/shell/stack/portkeep.h"
#include "chaos/shell/stack/publishfault.h"
#include "chaos/shell/stack/trailfault.h"

#define STACK_KEY "docugen-manifest" /* DocuGen's transit key */
/* Limits that hold on a machine with a load of 20: what is late there is not broken. */
#define STACK_READY_MS 60000 /* for set-up: a program says that it serves, Vault takes a call */
#define STACK_CALL_MS 10000  /* for a control call, or one of Vault's API, in a step */
#define STACK_GRACE_MS 10000 /* between SIGTERM and SIGKILL */

#define STACK_LEDGERS "ledgers"
#define STACK_DECOY STACK_LEDGERS "/decoy.ndjson"
#define STACK_JOURNAL STACK_LEDGERS "/journal.ndjson"
#define STACK_FALLBACK_FILE "private/fallback.json"
#define STACK_TLS "private/tls" /* certificates.h */
#define STACK_TOKEN_FILE "private/root-token"
#define STACK_SERVICES SUBJECT_DOORS_MAX

struct stack_options {
    const char *signer; /* absolute paths of the programs */
    const char *fakevault;
    const char *run_folder;    /* absolute; exists */
    const char *socket_folder; /* absolute and short; exists, private */
    uint64_t seed;
    int interrupt_fd;
};

/* A door of the subject that is a service. */
struct stack_service {
    bool used;
    const char *name;
    const struct subject_door *door;
    struct portkeep port;
    struct proc proc;
    struct envmap environment;    /* what it was created with */
    int64_t started_ns, ready_ns; /* wall clock: of its process */
};

struct stack {
    struct stack_options options;
    const struct scenario_stack *spec;
    struct await await;
    struct clock clock;
    struct entropy entropy; /* for secrets: the system's, not the seed's */
    struct portkeep vault_port;
    struct proc vault;
    struct vault_client client;
    struct folder_path authority; /* whom signers and chaos trust; empty without TLS */
    json_t *shares;               /* unseal keys, base64 */
    struct stack_service services[STACK_SERVICES]; /* by the doors of the subject */
    struct envmap environment;                     /* of a signer, as the scenario's stack says */
    struct envmap command_environment;             /* of the command's last run */
    struct fallbackkey first_fallback, fallback;   /* fallback: the one that lies there, or did */
    struct trailfault trail;
    struct publishfault publish;
    struct decoy decoy;
    struct knownkeys known;
    struct errc_why trouble; /* a program of ours reported an error of its own; "" for none */
};

#define STACK_EXIT_INTERNAL 70 /* EX_SOFTWARE; what sanitizers end a program with, too */

/* Reserves ports and makes the folders; starts nothing (stack_start.h does). stack_close in any
 * case. */
MUST_USE enum errc stack_open(struct stack *stack, const struct stack_options *options,
                              const struct scenario_stack *spec, struct errc_why *why);

/* Ends all processes, services first (what they sign still meets a Vault), each within its grace.
 * Files stay. */
void stack_stop(struct stack *stack);

/* Ends one of them. True when it ended as one that is asked to: with code 0, or by the SIGTERM that
 * it does not handle; *end tells. An internal error becomes the stack's trouble. */
bool stack_end(struct stack *stack, struct proc *p, struct proc_end *end);

/* Stops, gives the ports back, frees. */
void stack_close(struct stack *stack);

/* Writes the path of something in the run's folder. */
MUST_USE enum errc stack_path(const struct stack *stack, const char *relative,
                              struct folder_path *out, struct errc_why *why);

/* The service of that name, NULL when there is none of it in this stack. */
struct stack_service *stack_service_of(struct stack *stack, const char *name);

/* The environment of a service, or of the last run of the command; NULL: there is no such door. */
const struct envmap *stack_environment_of(struct stack *stack, const char *door);

/* What the templates of the subject are filled with, and the room for it. */
struct stack_values {
    struct subject_template_values values;
    struct folder_path dir, token_file, fallback_file;
    char port[8];
};

/* Fills them for a door (NULL: none) and a call (NULL: none; it is lent). */
MUST_USE enum errc stack_fill_values(struct stack *stack, const struct subject_door *door,
                                     const char *call, struct stack_values *out,
                                     struct errc_why *why);

/* Writes a path that the subject tells as a template. */
MUST_USE enum errc stack_subject_path(const char *text,
                                      const struct subject_template_values *values,
                                      struct folder_path *out, struct errc_why *why);

/* Writes the path of the audit trail. */
MUST_USE enum errc stack_trail(struct stack *stack, struct folder_path *out, struct errc_why *why);

/* Wall clock, now. */
int64_t stack_wall_ns(const struct stack *stack);

/* Puts the last line of a log behind a sentence: why a program did not start. */
void stack_add_last_line(const char *log_path, struct errc_why *why);
