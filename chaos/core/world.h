/*
 * world: the port through which the runner makes a scenario happen.
 *
 * The runner (runner.h) decides what to do and judges; a world does it. The
 * live world starts processes on loopback; tests have one made of tables.
 * Every call is synchronous, ends within a deadline of the world's own, and
 * leaves no process behind that stop would not end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/scenario/scenario.h"

#define WORLD_ID_BYTES 40u    /* a bundleRunId with its NUL */
#define WORLD_WORD_BYTES 48u  /* a status, mode, reason or code */
#define WORLD_NOTE_BYTES 256u /* one line for the timeline */

/* What a signer told its caller: the third ledger. Text members are "" when nothing was told. */
struct world_call {
    bool finished;                 /* false: runs in the background */
    char bundle[WORLD_ID_BYTES];   /* bundleRunId that the caller sent */
    int exit;                      /* of the command; -1 for services, and when a signal ended it */
    int signal;                    /* that ended the command; 0 none */
    int http_status;               /* of the service's last answer; 0: none, or the command */
    char status[WORLD_WORD_BYTES]; /* of the run: completed, failed, blocked… */
    char mode[WORLD_WORD_BYTES];   /* signingMode */
    char reason[WORLD_WORD_BYTES]; /* why it fell back */
    char error[WORLD_WORD_BYTES];  /* error.code */
    int attempts;                  /* -1: not told */
    struct instant started, ended; /* ended: zero while not finished */
};

/* What came of a step. */
struct world_outcome {
    char note[WORLD_NOTE_BYTES]; /* what happened, in a few words; may be empty */
    struct world_call call;      /* VERB_SIGNS; VERB_WAITS for a sign step that is finished now */
    int exit;                    /* of the command that a verb which asks ran (verb.h) */
};

/* A step as the runner hands it to the world. */
struct world_step {
    const struct scenario_step *step;
    size_t number;      /* in the plan, from 1 */
    char rule[24];      /* id for the fault rule, if the step sets one: "step-<number>" */
    size_t call;        /* index in the record of the call that VERB_SIGNS makes, or whose end
                      VERB_WAITS awaits, or that the step's argument names: two calls may be about
                      one bundle */
    const char *bundle; /* the bundleRunId of the sign step that `retry` (VERB_SIGNS), `sign`
                           (VERB_WAITS) or the argument (names_sign) names; NULL: none. With
                           VERB_SIGNS: sign that bundle again, a service through POST …/retry, the
                           command over the same folder */
};

/* Evidence, whole, as it lies there now. A missing one is ERRC_NOT_FOUND. */
enum world_evidence {
    WORLD_JOURNAL,  /* fakevault's journal, all boots; name: NULL */
    WORLD_AUDIT,    /* the audit trail; name: NULL */
    WORLD_MANIFEST, /* a published manifest; name: bundleRunId */
    WORLD_ASKED,    /* what was asked to be signed, as JSON: artefacts with their checksums,
                       bundleRunId, metadata, operatorId; name: bundleRunId */
    WORLD_LOG,      /* stderr of "vault", "api", "worker" or "cli" (all its runs), all restarts */
    WORLD_METRICS,  /* text of GET /metrics of "api" or "worker", now */
    WORLD_DECOY,    /* who came to the decoy, a line of JSON each (method, path, headers, token);
                       name: NULL */
    WORLD_STATE,    /* JSON of fakevault's GET /state, now; name: NULL */
    WORLD_FILE,     /* a regular file that `files` lists; name: as there */
};

enum world_file_kind { WORLD_FILE_REGULAR, WORLD_FILE_FOLDER, WORLD_FILE_LINK, WORLD_FILE_OTHER };

/* Something that lies in the folder of the run. */
struct world_file {
    const char *name; /* relative to it: "ledgers/audit.ndjson" */
    enum world_file_kind kind;
    unsigned mode; /* permissions */
};

/* The sizes of the two ledgers at one moment: the trail's was looked at behind the journal's. */
struct world_growth {
    uint64_t journal, trail; /* bytes */
};

/* What of the subject was asked, besides to sign. */
enum world_surface {
    WORLD_HEALTH,   /* a service: is it well? */
    WORLD_NUMBERS,  /* a service: its metrics */
    WORLD_ACCEPTED, /* a service: what it answers to a call that it takes */
    WORLD_PRINTED,  /* the command: what it prints behind a call */
    WORLD_RUN,      /* a service: what became of a call */
    WORLD_SERVED,   /* a service: the manifest, over HTTP */
    WORLD_VERIFIED, /* the command: is this manifest good? It was published */
    WORLD_TAMPERED, /* the same of one that was changed behind its signing */
    WORLD_PINNED,   /* the command: which key is pinned? */
};
#define WORLD_SURFACES ((size_t)WORLD_PINNED + 1)

/* Could an entry be written to the trail? */
enum world_trail { WORLD_TRAIL_UNKNOWN, WORLD_TRAIL_WRITABLE, WORLD_TRAIL_UNWRITABLE };

/* One answer. */
struct world_sample {
    enum world_surface surface;
    const char *door;       /* who was asked */
    const char *bundle;     /* that it is about; NULL: none */
    int64_t from_ns, to_ns; /* wall clock: of the question, and of the answer */
    int64_t since_ns;       /* when the service that answered was started; 0: a command */
    int64_t ready_ns;       /* when it said that it serves */
    enum world_trail trail; /* WORLD_HEALTH: throughout the question */
    int status;             /* of HTTP, or the exit code */
    struct slice text;      /* the answer */
};

/* When surfaces are asked: behind each sign step what costs little; before the end all of them. */
enum world_moment { WORLD_BEHIND_A_CALL, WORLD_AT_THE_END };

/* A public key that may lawfully verify a manifest. */
struct world_key {
    bool fallback;   /* else Vault's */
    int version;     /* Vault's key version; 0 for fallback */
    const char *pem; /* SubjectPublicKeyInfo, PEM */
    /* When it was pinned (Vault's) or put in place (the fallback's), and when another one took its
     * place. 0: never, not yet. A key that is pinned again stands there twice. */
    int64_t since_wall_ns, until_wall_ns;
};

/* Bytes that must not be found, in whatever form, in any file or answer. */
struct world_canary {
    const char *name; /* "root token", "share 2", "fallback seed" */
    struct slice bytes;
};

/* For a progress display; the runner calls it before and after each step. */
struct world_progress {
    size_t number, total;
    enum verb_phase phase;
    bool again;       /* the steady state behind the rollback */
    const char *text; /* the step in one line */
    bool finished;
    bool met; /* when finished */
};

struct world {
    void *context;

    struct instant (*now)(void *context);

    /* How often the user asked to stop: 0; 1: no further steps, but roll back; 2: not even that. */
    int (*interrupted)(void *context);

    /* Starts the stack, bootstraps it and pins the key: afterwards a healthy system signs. A
     * FATAL class is trouble of chaos's own, any other one that of the subject. */
    enum errc (*start)(void *context, const struct scenario *scenario, struct errc_why *why);

    /* Carries out one step that acts, signs or waits, or asks first. Other observing steps come
     * through read. A signer that refuses is an outcome, not an error. ERRC_TIMEOUT: what was
     * waited for did not come. ERRC_STATE: refused before anything was done. FATAL: trouble of
     * chaos's own. */
    enum errc (*act)(void *context, const struct world_step *step, struct world_outcome *out,
                     struct errc_why *why);

    /* Blocks until evidence may have changed, or until deadline_mono_ns. For probes with
     * `within_ms`. */
    void (*wait_change)(void *context, int64_t deadline_mono_ns);

    /* Appends the evidence to out, from byte `from` on (journal and trail; else 0). A file that has
     * become shorter than that gives nothing. */
    enum errc (*read)(void *context, enum world_evidence kind, const char *name, uint64_t from,
                      struct buf *out, struct errc_why *why);

    /* Lends what "api", "worker" or the last "cli" run was started with, without VAULT_TOKEN; valid
     * until the next act. *count 0: it was never started. */
    const struct scenario_pair *(*environment)(void *context, const char *name, size_t *count);

    /* Lends what was seen of the growth of the ledgers, in the order of time; may be NULL. */
    size_t (*growth)(void *context, const struct world_growth **out);

    /* Asks surfaces of the subject and keeps what they answer; what does not answer in short is
     * left out. May be NULL. */
    void (*survey)(void *context, enum world_moment moment);

    /* Lends what they answered, in the order of time; may be NULL. */
    size_t (*samples)(void *context, const struct world_sample **out);

    /* Lends the keys known so far, and the secrets; valid until the next act, and after stop as
     * long as the world itself. */
    size_t (*keys)(void *context, const struct world_key **out);
    size_t (*canaries)(void *context, const struct world_canary **out);

    /* Lends what lies in the folder of the run now, but for what is private to chaos and to Vault;
     * valid until the next call. May be NULL. ERRC_NOMEM, ERRC_TOO_BIG, ERRC_IO. */
    enum errc (*files)(void *context, const struct world_file **out, size_t *count,
                       struct errc_why *why);
    /* Lends the mark (X-Fakevault-Test) of the world's own requests to Vault; may be NULL. */
    const char *(*mark)(void *context);

    /* May be NULL. */
    void (*progress)(void *context, const struct world_progress *progress);

    /* Ends all processes. Evidence stays readable (except WORLD_METRICS and WORLD_STATE). Called
     * once, whatever start did. */
    void (*stop)(void *context);
};
