#include "chaos/core/ledger/waits.h"

#include <stdlib.h>

#include "base/units.h"
#include "chaos/core/ledger/ledger_client.h"

#define POOL_BYTES_MAX (512u << 20)

struct stretch {
    int64_t from_ns, to_ns;
};

struct stretches {
    struct stretch *items;
    size_t count;
};

static void add(struct stretches *all, int64_t from_ns, int64_t to_ns)
{
    if (from_ns < to_ns)
        all->items[all->count++] = (struct stretch){from_ns, to_ns};
}

static int64_t waiting_since(const struct ledger_attempt *a)
{
    return a->started_ns - a->wait_ms * NS_PER_MS;
}

static void add_entry(const struct subject *subject, const struct ledger_entry *e,
                      struct stretches *all)
{
    for (size_t i = 0; i < e->attempt_count; i++) {
        const struct ledger_attempt *a = &e->attempts[i];
        bool last = i + 1 == e->attempt_count;
        add(all, waiting_since(a), a->started_ns);
        if (subject_waited(subject, a->class))
            add(all, a->started_ns, last ? e->wall_ns : waiting_since(a + 1));
    }
}

static int compare(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

/* Clips to the run as it goes: `reached` never lies before what was counted. */
static int64_t union_ns(struct stretches *all, int64_t from_ns, int64_t to_ns)
{
    int64_t sum = 0, reached = from_ns;
    if (all->count > 0)
        qsort(all->items, all->count, sizeof *all->items, compare);
    for (size_t i = 0; i < all->count; i++) {
        int64_t from = all->items[i].from_ns > reached ? all->items[i].from_ns : reached;
        int64_t to = all->items[i].to_ns < to_ns ? all->items[i].to_ns : to_ns;
        if (from >= to)
            continue;
        sum += to - from;
        reached = to;
    }
    return sum;
}

static bool is_probe_that_waits(const struct record_step *step)
{
    const struct scenario_step *what = step->plan->step;
    const struct scenario_value *within = scenario_field(what, "within_ms");
    return what->verb->role == VERB_OBSERVES && within != NULL && within->number > 0;
}

enum errc waits_measure(struct slice trail, const struct record *record, int64_t *out,
                        struct errc_why *why)
{
    struct pool pool CLEANUP(pool_done);
    struct ledger_client client CLEANUP(ledger_client_done);
    struct ledger_problems problems = {0};
    struct stretches all = {0};
    size_t room = record->step_count;
    pool_init(&pool, POOL_BYTES_MAX);
    ledger_client_init(&client, &pool, &problems);
    *out = 0;
    TRY(ledger_client_feed(&client, trail));
    for (size_t i = 0; i < client.entry_count; i++)
        room += 2 * client.entries[i].attempt_count;
    all.items = pool_array(&pool, room, sizeof *all.items);
    TRY(pool_status(&pool, why));
    for (size_t i = 0; i < client.entry_count; i++)
        if (ledger_client_ends(&client.entries[i]))
            add_entry(record->scenario->stack.subject, &client.entries[i], &all);
    for (size_t i = 0; i < record->step_count; i++)
        if (is_probe_that_waits(&record->steps[i]))
            add(&all, record->steps[i].started.wall_ns, record->steps[i].ended.wall_ns);
    *out = union_ns(&all, record->started.wall_ns, record->ended.wall_ns) / NS_PER_MS;
    return ERRC_OK;
}
