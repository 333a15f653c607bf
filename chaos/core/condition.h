/*
 * condition: what state Vault is in, as data.
 *
 * One set of bits. The row of every verb says which bits it sets and clears
 * (verb.h); what was done is noted in the order of time (record.h), and all
 * that is said of a fault follows from that one history: how long it lasted,
 * who must have met it, whether Vault was healthy at a given moment. Nobody
 * keeps a table of who ends what.
 *
 *     vault: pause   sets frozen                       frozen
 *     vault: stop    sets gone, clears what lives in the process   gone
 *     vault: start   clears gone; with storage sets sealed         sealed
 *     vault: {unseal: 3}   clears sealed               healthy
 *
 * A step with `at_request` arms a rule: RULED now, and its own bit from the
 * first request that the rule takes (the journal says when). A rule that holds
 * ends with what ends HELD. A rule that has
 * fired as often as it may (`times`) is spent: its bit ends by itself. A
 * restart is a moment, not a state: its window is the step.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_step;

enum condition_bit {
    CONDITION_GONE = 1u << 0,          /* there is no process */
    CONDITION_FROZEN = 1u << 1,        /* the process is stopped with SIGSTOP */
    CONDITION_CLOSED = 1u << 2,        /* the listener refuses connections */
    CONDITION_HELD = 1u << 3,          /* requests are held in the process */
    CONDITION_SEALED = 1u << 4,        /* answers 503 */
    CONDITION_RULED = 1u << 5,         /* a fault rule is armed */
    CONDITION_KEY = 1u << 6,           /* the signing key is not the one that is pinned, or gone */
    CONDITION_FALLBACK_KEY = 1u << 7,  /* the fallback key file is unsafe */
    CONDITION_FALLBACK_GONE = 1u << 8, /* there is no fallback key file */
    CONDITION_RESTARTED = 1u << 9,     /* a moment: the process becomes another one */
    CONDITION_CERTIFICATE =
        1u << 10, /* serves one that no client may trust; outlives the process */
};
#define CONDITION_BITS 11u

/* What lives in the process, and ends with it. */
#define CONDITION_OF_PROCESS                                                                       \
    (CONDITION_FROZEN | CONDITION_CLOSED | CONDITION_HELD | CONDITION_SEALED | CONDITION_RULED)
/* What keeps requests away from Vault. */
#define CONDITION_AWAY (CONDITION_GONE | CONDITION_FROZEN | CONDITION_CLOSED | CONDITION_RESTARTED)
/* What can make a healthy client fall back. A changed key cannot, nor can a certificate: they are
 * refused, never an outage; and the fallback key is not Vault's. */
#define CONDITION_OUTAGE (CONDITION_AWAY | CONDITION_HELD | CONDITION_SEALED | CONDITION_RULED)

/* Who is gone or frozen takes no orders. */
#define CONDITION_UNCONTROLLED (CONDITION_GONE | CONDITION_FROZEN)
/* Nor does it answer its API when it is closed, holds requests, is sealed, or is not trusted. */
#define CONDITION_UNANSWERED                                                                       \
    (CONDITION_UNCONTROLLED | CONDITION_CLOSED | CONDITION_HELD | CONDITION_SEALED |               \
     CONDITION_CERTIFICATE)

/* What a step does to the condition. */
struct condition_effect {
    unsigned sets;    /* bits of a fault that the step declares: they must be met */
    unsigned implied; /* bits that follow from it, which nothing has to meet (a start seals) */
    unsigned clears;  /* bits; ahead of the others */
    unsigned latent;  /* bits that come about when the step's rule takes its first request */
    unsigned latent_clears; /* bits that it clears then */
    int64_t times;          /* how often the rule fires; 0: without end */
    int shares;             /* unseal keys that are entered; `threshold` of them clear SEALED */
};

/* The word for a bit in reports: "dead", "frozen", "refused", "held", "sealed", "rule", "key",
 * "fallback key" (of both), "restarted", "certificate". */
const char *condition_name(unsigned bit);

/* The effect of a step that arms a rule and waits for a request (`at_request`). HELD holds every
 * request that it takes; what else a rule brings about lasts, so one hit is enough. */
struct condition_effect condition_at_request(struct condition_effect at_once);

/* The effect of a step that could not be carried out to its end: what it was to set may be so, what
 * it was to clear need not be. */
struct condition_effect condition_cut_short(struct condition_effect whole);

/* The condition at one point of a scenario, as far as it is known before anything is run: a bit
 * that a rule may have brought about, or ended, is in `maybe`. A zeroed struct is a healthy Vault.
 */
struct condition {
    unsigned set, maybe;
    unsigned latent, latent_clears; /* of the rules that may still be armed */
    int shares;                     /* entered, of the unsealing under way */
};

/* Takes one effect in. */
void condition_apply(struct condition *c, const struct condition_effect *effect, int threshold);

/* A step that was carried out. */
struct condition_change {
    const struct plan_step *plan;
    int64_t from_ns, to_ns; /* wall clock, while the step ran */
    struct condition_effect effect;
    const char *rule; /* id of the rule that it armed; NULL: none */
};

/* A stretch of time in which a bit was set by the scenario's own doing. */
struct condition_window {
    const struct plan_step *plan; /* whose doing */
    unsigned bit;
    bool implied;      /* nothing has to meet it */
    const char *rule;  /* the rule that is armed (RULED), or that brought it about; NULL: none */
    int64_t from_ns;   /* wall clock: when the step began, or when the rule took its request */
    int64_t made_ns;   /* when the step was done */
    int64_t ending_ns; /* when the step that ended it began; INT64_MAX: it was not ended */
    int64_t to_ns;     /* when that step was done; as above */
};

/* What the journal says of a rule. */
struct condition_hits {
    uint64_t count;
    int64_t first_ns, last_ns; /* wall clock of the requests */
};

/* Asks for a rule's hits; may be NULL, then no rule was ever hit. */
struct condition_journal {
    struct condition_hits (*hits)(void *context, const char *rule);
    void *context;
};

/* How many windows the changes can give at most. */
size_t condition_windows_max(size_t change_count);

/* Derives the windows, in the order in which they began; returns how many. Requires room for
 * condition_windows_max. */
size_t condition_windows(const struct condition_change *changes, size_t change_count, int threshold,
                         const struct condition_journal *journal, struct condition_window *out);
