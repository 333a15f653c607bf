#include "chaos/core/judge/invariants/invariants_key.h"

#include <string.h>

#include "base/units.h"

#define SLACK_NS (INVARIANTS_SLACK_MS * NS_PER_MS)

/* A key may sign from the moment it is pinned (Vault's) or put in place (the fallback's), until
 * another one is. Only `trust accept` pins; a rotation or a new key of the same name does not. */
static bool was_lawful(const struct world_key *key, int64_t from_ns, int64_t to_ns)
{
    return key->since_wall_ns != 0 && key->since_wall_ns <= to_ns &&
           (key->until_wall_ns == 0 || key->until_wall_ns >= from_ns);
}

static const struct world_key *key_that_verifies(const struct evidence *e,
                                                 const struct verify_manifest *m, int64_t from_ns,
                                                 int64_t to_ns)
{
    const struct world_key *found = NULL;
    for (size_t i = 0; i < e->key_count; i++) {
        const struct world_key *key = &e->keys[i];
        if (key->fallback != m->fallback || key->version != m->version ||
            strcmp(key->pem, m->pem) != 0)
            continue;
        if (was_lawful(key, from_ns, to_ns))
            return key;
        if (found == NULL || (key->since_wall_ns != 0 && key->since_wall_ns <= to_ns))
            found = key; /* one that was lawful once says more than one that came later */
    }
    return found;
}

/* From when the run may have read which key it is to use: since the call began, or the run before
 * it ended. A call's time needs no slack: it is by the clock that keys are noted by. */
static int64_t earliest_ns(const struct join_bundle *b, const struct join_run *run)
{
    const struct join_run *before = run > b->runs ? run - 1 : NULL;
    int64_t began_ns = run->intent != NULL ? run->intent->wall_ns : run->result->wall_ns;
    const struct record_call *call = invariants_case_call(b, began_ns);
    if (before != NULL)
        began_ns = before->result != NULL ? before->result->wall_ns : before->intent->wall_ns;
    else if (call != NULL && call->told.started.wall_ns < began_ns)
        return call->told.started.wall_ns;
    return began_ns - SLACK_NS;
}

static void complain(struct invariants_case *c, const struct join_bundle *b,
                     const struct ledger_entry *e, const struct world_key *key)
{
    const struct verify_manifest *m = &b->manifest->checked;
    bool never = key->since_wall_ns == 0 || key->since_wall_ns > e->wall_ns;
    size_t step = invariants_case_step(b, e);
    if (m->fallback && never)
        invariants_case_violated(c, step,
                                 "expected a fallback key that was in place then, %.23s… signed "
                                 "(" LEDGER_AUDIT ":%zu), which nobody had put there",
                                 m->fingerprint, e->line);
    else if (m->fallback)
        invariants_case_violated(c, step,
                                 "expected a fallback key that was in place then, %.23s… signed "
                                 "(" LEDGER_AUDIT ":%zu), whose file had been taken away, replaced "
                                 "or opened to others before",
                                 m->fingerprint, e->line);
    else if (never)
        invariants_case_violated(c, step,
                                 "expected the key of Vault's that was pinned then, %.23s… of "
                                 "version %d signed (" LEDGER_AUDIT
                                 ":%zu), which nobody had pinned",
                                 m->fingerprint, m->version, e->line);
    else
        invariants_case_violated(c, step,
                                 "expected the key of Vault's that was pinned then, %.23s… of "
                                 "version %d signed (" LEDGER_AUDIT
                                 ":%zu), in whose place another one had been pinned before",
                                 m->fingerprint, m->version, e->line);
}

static void check_key(struct invariants_case *c, const struct join_bundle *b,
                      const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    if (e == NULL || e->action != LEDGER_SIGNED || b->manifest == NULL ||
        b->manifest->state != EVIDENCE_MANIFEST_READ || !b->manifest->checked.good)
        return;
    int64_t from_ns = earliest_ns(b, run), to_ns = e->wall_ns + SLACK_NS;
    const struct world_key *key =
        key_that_verifies(c->evidence, &b->manifest->checked, from_ns, to_ns);
    if (key != NULL && !was_lawful(key, from_ns, to_ns))
        complain(c, b, e, key);
}

/* --- the keys that entries name --- */

struct named_key {
    bool fallback;
    char fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES];
};

/* An intent names the key of Vault's that is asked, a failure that key or the local one: keys that
 * there are. */
static void check_named(struct invariants_case *c, const struct ledger_entry *e,
                        const struct named_key *keys, size_t key_count)
{
    bool started = e->action == LEDGER_STARTED;
    if ((!started && e->action != LEDGER_FAILED) || e->fingerprint == NULL)
        return;
    for (size_t i = 0; i < key_count; i++)
        if ((!keys[i].fallback || !started) && strcmp(keys[i].fingerprint, e->fingerprint) == 0)
            return;
    const struct join_bundle *b = join_bundle_of(&c->evidence->join, e->bundle);
    invariants_case_caused(c, "named key", b == NULL ? 0 : invariants_case_step(b, e),
                           "expected the keyFingerprint of a key that Vault has%s, found %.23s… "
                           "(" LEDGER_AUDIT ":%zu)",
                           started ? "" : ", or of the fallback key", e->fingerprint, e->line);
}

static void check_all_named(struct invariants_case *c)
{
    const struct evidence *e = c->evidence;
    struct pool pool CLEANUP(pool_done);
    size_t count = 0;
    pool_init(&pool, 1u << 20);
    struct named_key *keys = pool_array(&pool, e->key_count, sizeof *keys);
    for (size_t i = 0; keys != NULL && i < e->key_count; i++) {
        keys[count].fallback = e->keys[i].fallback;
        if (verify_manifest_fingerprint(e->keys[i].pem, keys[count].fingerprint, NULL) == ERRC_OK)
            count++;
    }
    for (size_t i = 0; count > 0 && i < e->client.entry_count; i++)
        check_named(c, &e->client.entries[i], keys, count);
}

void invariants_key_lawful(struct invariants_case *c)
{
    check_all_named(c);
    invariants_case_each_run(c, check_key);
}
