#include "chaos/core/judge/invariants_key.h"

#include <string.h>

#include "base/units.h"

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
        found = key;
    }
    return found;
}

static void check_key(struct invariants_case *c, const struct join_bundle *b,
                      const struct join_run *run)
{
    const struct ledger_entry *e = run->result;
    if (e == NULL || e->action != LEDGER_SIGNED || b->manifest == NULL ||
        b->manifest->state != EVIDENCE_MANIFEST_READ || !b->manifest->checked.good)
        return;
    int64_t slack_ns = INVARIANTS_SLACK_MS * NS_PER_MS;
    int64_t from_ns = (run->intent != NULL ? run->intent->wall_ns : e->wall_ns) - slack_ns;
    const struct verify_manifest *m = &b->manifest->checked;
    const struct world_key *key = key_that_verifies(c->evidence, m, from_ns, e->wall_ns + slack_ns);
    if (key == NULL || was_lawful(key, from_ns, e->wall_ns + slack_ns))
        return;
    const char *kind = m->fallback ? "fallback key" : "key of Vault's";
    if (key->since_wall_ns == 0 || key->since_wall_ns > e->wall_ns)
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected a %s that was %s then, %.23s…%s%d signed (" LEDGER_AUDIT
                                 ":%zu), which nobody had %s",
                                 kind, m->fallback ? "in place" : "pinned", m->fingerprint,
                                 m->fallback ? ", version " : " of version ", m->version, e->line,
                                 m->fallback ? "put there" : "pinned");
    else
        invariants_case_violated(c, invariants_case_step(b, e),
                                 "expected the %s that is %s now, %.23s… of version %d signed "
                                 "(" LEDGER_AUDIT ":%zu), in whose place another one had come",
                                 kind, m->fallback ? "in place" : "pinned", m->fingerprint,
                                 m->version, e->line);
}

/* An intent names the key of Vault's that is asked, a failure that key or the local one: keys that
 * there are. */
static void check_named(struct invariants_case *c, const struct join_bundle *b,
                        const struct ledger_entry *e)
{
    const struct evidence *evidence = c->evidence;
    bool started = e->action == LEDGER_STARTED;
    if ((!started && e->action != LEDGER_FAILED) || e->fingerprint == NULL)
        return;
    for (size_t i = 0; i < evidence->key_count; i++) {
        char fingerprint[VERIFY_MANIFEST_FINGERPRINT_BYTES];
        const struct world_key *key = &evidence->keys[i];
        if ((!key->fallback || !started) &&
            verify_manifest_fingerprint(key->pem, fingerprint, NULL) == ERRC_OK &&
            strcmp(fingerprint, e->fingerprint) == 0)
            return;
    }
    if (evidence->key_count > 0)
        invariants_case_caused(
            c, "named key", invariants_case_step(b, e),
            "expected the keyFingerprint of a key that Vault has%s, found %.23s… "
            "(" LEDGER_AUDIT ":%zu)",
            started ? "" : ", or of the fallback key", e->fingerprint, e->line);
}

void invariants_key_lawful(struct invariants_case *c)
{
    invariants_case_each_entry(c, check_named);
    invariants_case_each_run(c, check_key);
}
