#include "chaos/core/condition.h"

#include "base/bug.h"

const char *condition_name(unsigned bit)
{
    static const char *const names[CONDITION_BITS] = {
        "dead", "frozen",       "refused",      "held",      "sealed",      "rule",
        "key",  "fallback key", "fallback key", "restarted", "certificate",
    };
    for (size_t i = 0; i < CONDITION_BITS; i++)
        if (bit == 1u << i)
            return names[i];
    return "none";
}

struct condition_effect condition_at_request(struct condition_effect at_once)
{
    return (struct condition_effect){
        .sets = CONDITION_RULED,
        .latent = at_once.sets | at_once.implied,
        .latent_clears = at_once.clears,
        .times = at_once.sets == CONDITION_HELD ? 0 : 1,
    };
}

/* A restart that fails on its way may have ended the process, and not begun another. */
struct condition_effect condition_cut_short(struct condition_effect whole)
{
    whole.implied |= (whole.sets & CONDITION_RESTARTED) != 0 ? CONDITION_GONE : 0u;
    whole.implied |= whole.sets | whole.latent;
    whole.sets = whole.latent = whole.clears = whole.latent_clears = 0;
    whole.shares = 0;
    return whole;
}

/* --- one point --- */

/* Unsealing takes threshold shares, in one step or in several; those that are entered are forgotten
 * when Vault is sealed anew, ends, or is unsealed. Returns the bits that are cleared in all. */
static unsigned enter_shares(int *entered, bool sealed, const struct condition_effect *effect,
                             int threshold)
{
    bool anew = ((effect->clears | effect->sets) & CONDITION_SEALED) != 0;
    *entered = sealed && !anew ? *entered + effect->shares : 0;
    if (*entered < threshold)
        return effect->clears;
    *entered = 0;
    return effect->clears | CONDITION_SEALED;
}

/* Who lets held requests go takes back the rules that hold; which others there are is not known. */
static void forget_rules(struct condition *c, unsigned clears)
{
    if ((clears & CONDITION_RULED) != 0)
        c->latent = c->latent_clears = 0;
    if ((clears & CONDITION_HELD) == 0 || (c->latent & CONDITION_HELD) == 0)
        return;
    c->latent &= ~(unsigned)CONDITION_HELD;
    c->maybe |= c->set & CONDITION_RULED;
    c->set &= ~(unsigned)CONDITION_RULED;
}

/* A rule that is armed may take its request at any time, so nothing is sure of what it brings about
 * or ends; only where no request arrives none takes any. */
static void expect_requests(struct condition *c)
{
    if ((c->set & (CONDITION_GONE | CONDITION_FROZEN | CONDITION_CLOSED)) != 0)
        return;
    unsigned doubtful = c->set & c->latent_clears;
    c->set &= ~doubtful;
    c->maybe |= doubtful | c->latent;
}

void condition_apply(struct condition *c, const struct condition_effect *effect, int threshold)
{
    bool sealed = (c->set & CONDITION_SEALED) != 0;
    unsigned clears = enter_shares(&c->shares, sealed, effect, threshold);
    unsigned spent = effect->times > 0 ? CONDITION_RULED : 0; /* when, nobody knows */
    clears |= effect->shares >= threshold ? CONDITION_SEALED : 0u;
    c->set &= ~clears;
    c->maybe &= ~clears;
    forget_rules(c, clears);
    c->set |= (effect->sets | effect->implied) & ~(CONDITION_RESTARTED | spent);
    c->maybe |= effect->sets & spent;
    c->latent |= effect->latent;
    c->latent_clears |= effect->latent_clears;
    expect_requests(c);
}

/* --- windows --- */

size_t condition_windows_max(size_t change_count)
{
    return change_count * CONDITION_BITS;
}

struct derivation {
    const struct condition_change *changes;
    size_t change_count;
    const struct condition_journal *journal;
    int shares, threshold;
    struct condition_window *out;
    size_t count;
};

static struct condition_hits hits_of(const struct derivation *d, const char *rule)
{
    if (d->journal == NULL || rule == NULL)
        return (struct condition_hits){0};
    return d->journal->hits(d->journal->context, rule);
}

static bool is_sealed(const struct derivation *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->out[i].bit == CONDITION_SEALED && d->out[i].to_ns == INT64_MAX)
            return true;
    return false;
}

static void close_windows(struct derivation *d, unsigned bits, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < d->count; i++) {
        struct condition_window *w = &d->out[i];
        if ((w->bit & bits) == 0 || w->to_ns != INT64_MAX)
            continue;
        w->ending_ns = from_ns;
        w->to_ns = to_ns;
    }
}

static void open_windows(struct derivation *d, unsigned bits, struct condition_window like)
{
    for (unsigned bit = 1; bit < 1u << CONDITION_BITS; bit <<= 1) {
        bool moment = bit == CONDITION_RESTARTED;
        if ((bits & bit) == 0)
            continue;
        like.bit = bit;
        like.ending_ns = like.to_ns = moment ? like.made_ns : INT64_MAX;
        d->out[d->count++] = like;
    }
}

/* What a rule brings about begins with its first request. */
static void bring_about(struct derivation *d, const struct condition_change *change, int64_t at_ns)
{
    const struct condition_effect *effect = &change->effect;
    if (((effect->latent | effect->latent_clears) & CONDITION_SEALED) != 0)
        d->shares = 0;
    close_windows(d, effect->latent_clears, at_ns, at_ns);
    open_windows(d, effect->latent,
                 (struct condition_window){.plan = change->plan,
                                           .implied = true,
                                           .rule = change->rule,
                                           .from_ns = at_ns,
                                           .made_ns = at_ns});
}

/* A rule's first request: the moment, and the change that armed the rule. */
struct taking {
    int64_t at_ns;
    size_t change;
};

/* Finds the first one behind *after and until then; of those at one moment, in the order of the
 * rules. */
static bool next_taking(const struct derivation *d, struct taking *after, int64_t until_ns)
{
    struct taking best = {.change = d->change_count};
    for (size_t i = 0; i < d->change_count; i++) {
        if (d->changes[i].effect.latent == 0)
            continue;
        struct condition_hits hits = hits_of(d, d->changes[i].rule);
        bool behind =
            hits.first_ns > after->at_ns || (hits.first_ns == after->at_ns && i > after->change);
        bool first = best.change == d->change_count || hits.first_ns < best.at_ns;
        if (hits.count > 0 && behind && hits.first_ns <= until_ns && first)
            best = (struct taking){.at_ns = hits.first_ns, .change = i};
    }
    *after = best;
    return best.change < d->change_count;
}

/* What rules brought about in (after_ns, until_ns], in the order of time. What they took while a
 * step was taking them back counts as taken when it began, at latest_ns. */
static void take_hits(struct derivation *d, int64_t after_ns, int64_t until_ns, int64_t latest_ns)
{
    struct taking at = {.at_ns = after_ns, .change = d->change_count};
    while (next_taking(d, &at, until_ns))
        bring_about(d, &d->changes[at.change], at.at_ns < latest_ns ? at.at_ns : latest_ns);
}

/* Who lets held requests go takes back the rules that hold. */
static void close_holding_rules(struct derivation *d, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < d->count; i++)
        for (size_t k = 0; k < d->change_count; k++) {
            struct condition_window *w = &d->out[i];
            const struct condition_change *change = &d->changes[k];
            if (w->bit != CONDITION_RULED || w->to_ns != INT64_MAX || w->plan != change->plan ||
                (change->effect.latent & CONDITION_HELD) == 0)
                continue;
            w->ending_ns = from_ns;
            w->to_ns = to_ns;
        }
}

static void take_change(struct derivation *d, const struct condition_change *change)
{
    struct condition_window window = {.plan = change->plan,
                                      .rule = change->rule,
                                      .from_ns = change->from_ns,
                                      .made_ns = change->to_ns};
    unsigned clears = enter_shares(&d->shares, is_sealed(d), &change->effect, d->threshold);
    close_windows(d, clears, change->from_ns, change->to_ns);
    if ((clears & CONDITION_HELD) != 0)
        close_holding_rules(d, change->from_ns, change->to_ns);
    open_windows(d, change->effect.sets, window);
    window.implied = true;
    open_windows(d, change->effect.implied, window);
}

/* A rule that has fired as often as it may is over, whoever takes it back later. */
static void end_spent_rules(struct derivation *d)
{
    for (size_t i = 0; i < d->count; i++)
        for (size_t k = 0; k < d->change_count; k++) {
            struct condition_window *w = &d->out[i];
            const struct condition_change *change = &d->changes[k];
            if (w->bit != CONDITION_RULED || w->plan != change->plan || change->effect.times == 0)
                continue;
            struct condition_hits hits = hits_of(d, w->rule);
            if (hits.count >= (uint64_t)change->effect.times && hits.last_ns < w->to_ns)
                w->ending_ns = w->to_ns = hits.last_ns;
        }
}

size_t condition_windows(const struct condition_change *changes, size_t change_count, int threshold,
                         const struct condition_journal *journal, struct condition_window *out)
{
    struct derivation d = {.changes = changes,
                           .change_count = change_count,
                           .journal = journal,
                           .threshold = threshold,
                           .out = out};
    int64_t after_ns = INT64_MIN;
    for (size_t i = 0; i < change_count; i++) {
        bool takes_back = (changes[i].effect.clears & (CONDITION_RULED | CONDITION_HELD)) != 0;
        int64_t until_ns = takes_back ? changes[i].to_ns : changes[i].from_ns;
        take_hits(&d, after_ns, until_ns, changes[i].from_ns);
        take_change(&d, &changes[i]);
        after_ns = until_ns;
    }
    take_hits(&d, after_ns, INT64_MAX, INT64_MAX);
    end_spent_rules(&d);
    CHECK(d.count <= condition_windows_max(change_count));
    return d.count;
}
