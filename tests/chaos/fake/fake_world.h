/*
 * fake_world: a world made of tables: a Vault and a signer in a few lines, with
 * real keys and real ledgers, that can be told to misbehave.
 *
 * It lets the runner and every judge be tested without a process. What it
 * writes has the formats of docs/architecture.md. Time is its own: each look at
 * the clock takes a millisecond, and waits pass at once.
 */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/text/buf.h"
#include "chaos/core/world.h"
#include "tests/chaos/fake/vault_machine.h"

#define FAKE_WORLD_EDITS_MAX 8u
#define FAKE_WORLD_BEGINNING 1763920000000000000 /* on the wall clock */
#define FAKE_WORLD_MARK "chaos-fake"             /* of its own requests (world.h, mark) */

enum fake_world_file { FAKE_AUDIT, FAKE_JOURNAL, FAKE_MANIFEST, FAKE_API_LOG };

/* A change to evidence when it is read. */
struct fake_world_edit {
    enum fake_world_file file;
    size_t line;      /* from 1; 0: every one */
    const char *from; /* the first occurrence in the line; NULL: the line as a whole */
    const char *to;   /* NULL: the line is left out */
    bool behind;      /* behind the hashing: the chain does not follow */
};

/* A change to what a surface answers (fake_survey.h). */
struct fake_world_answer {
    enum world_surface surface;
    const char *from, *to;  /* the first occurrence in each answer; NULL: no change of its text */
    int status;             /* instead of the true one; -1: 0; 0: the true one */
    enum world_trail trail; /* instead of WRITABLE; UNKNOWN: that */
};

/* What the signer counts, and what it told of a call. */
struct fake_world_tally {
    unsigned signatures[2]; /* by Vault, by the local key */
    unsigned attempts[7];   /* by the classes of fake_survey.c */
    unsigned waits;
    double seconds;
    bool active; /* the local key made the last signature */
    struct world_call calls[16];
    size_t call_count;
    int64_t since_ns;
};

struct fake_world {
    /* what the test sets */
    bool surveyed;                   /* surfaces are asked */
    struct fake_world_answer answer; /* one of them that is not true */
    int attempts;                    /* that the signer makes (3) */
    bool no_backoff;                 /* asks for no waits */
    bool no_patience;                /* asks for waits and does not take them */
    int wait_factor;                 /* the waits that it takes, in those that it writes down (1) */
    bool uninvited;                  /* first signs a bundle that nobody asked for */
    bool ignores_switch;             /* falls back although off */
    bool stuck;                      /* once in fallback, never asks Vault again */
    unsigned stuck_after;            /* that many bundles (2) */
    struct vault_machine *vault;     /* one that understands all verbs (fake_vault.h); NULL: none */
    bool other_key;                  /* signs with a key that nobody knows */
    bool lies_about_status;          /* audits every failure as sealed, 503 */
    bool never_asks;                 /* claims timeouts without asking, while Vault does not sign */
    bool other_operator; /* puts another operator into the manifest than was asked for */
    int hidden_requests; /* beyond the audited attempts, per bundle */
    int refusal;         /* what Vault answers while sealed, instead of 503 */
    bool late_intent;    /* writes the intent together with the result */
    bool always_first;   /* numbers each request as the first */
    bool repeats;        /* sends each request twice, and calls it a re-send */
    bool longest_waits;  /* always waits for as long as it may */
    bool exit_0;         /* tells an exit code of 0 whatever happened */
    bool says_internal;  /* tells every error as internal */
    bool odd_switch;     /* runs with a switch that is TRUE */
    const char *decoy;   /* who came to it; NULL: nobody */
    bool rewrites;       /* writes its trail anew at the end */
    void (*tells)(struct world_call *told); /* what the caller is told instead; NULL: the truth */
    int64_t dawdles_ms[3];    /* before the first attempt, before the result, before it tells */
    int64_t attempt_takes_ms; /* how long a failed attempt takes */
    int64_t clock_off_ms;     /* by which the client's clock is late */
    struct world_growth growth[4]; /* what was seen of the ledgers */
    size_t growth_count;
    const struct world_file *files; /* that lie there at the end; none: it lists none */
    size_t file_count;
    bool new_key; /* the next signature of Vault is by another key */
    bool sealed;
    bool no_audit, no_journal, no_manifests; /* evidence is gone */
    int interrupt_before;           /* the call of act before which the user stops; 0: never */
    int interrupts;                 /* how often then */
    enum errc start_code, act_code; /* what start says; what act says at act_fails_at */
    int act_fails_at;
    struct fake_world_edit edits[FAKE_WORLD_EDITS_MAX];
    size_t edit_count;

    /* what the test may look at */
    int acts; /* calls of act so far */
    bool started, stopped;

    /* its own */
    struct fake_world_tally tally;
    struct world_sample samples[64];
    struct buf texts[64];
    size_t sample_count;
    bool fallback_on, refusing;
    int reads_at_end; /* of the whole trail */
    const char *rule;
    int64_t rule_status, rule_left;
    int64_t now_ns;
    unsigned bundles, seq;
    struct buf audit[64], journal[128], manifests[16];
    size_t audit_count, journal_count, manifest_count;
    struct buf log;
    EVP_PKEY *vault_keys[2], *fallback_key, *stranger;
    struct buf pems[3];
    struct world_key keys[3];
    struct world_canary canary;
    int vault_key; /* the current one */
};

void fake_world_init(struct fake_world *f);
void fake_world_done(struct fake_world *f);

/* Returns the fingerprint of one of its keys: 0 and 1 are Vault's, 2 is the fallback's. */
const char *fake_world_fingerprint(const struct fake_world *f, size_t key);

/* Adds an edit. */
void fake_world_edit(struct fake_world *f, struct fake_world_edit edit);
