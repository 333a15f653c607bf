/*
 * Planted violations: when things happened and how long they took.
 */
#include "tests/chaos/planted/planted.h"

static void longest_waits(struct fake_world *f)
{
    f->longest_waits = true;
}

static void slow_attempts(struct fake_world *f)
{
    f->attempt_takes_ms = 9000;
}

static void hour_off(struct fake_world *f)
{
    f->clock_off_ms = 3600 * 1000;
}

static void no_backoff(struct fake_world *f)
{
    f->no_backoff = true;
}

static void no_patience(struct fake_world *f)
{
    f->no_patience = true;
}

static void pretends_patience(struct fake_world *f)
{
    f->wait_factor = 0;
}

static void waits_longer_than_it_says(struct fake_world *f)
{
    f->wait_factor = 10;
}

static void dawdles_first(struct fake_world *f)
{
    f->dawdles_ms[0] = 9000;
}

static void dawdles_behind(struct fake_world *f)
{
    f->dawdles_ms[1] = 9000;
}

static void tells_late(struct fake_world *f)
{
    f->dawdles_ms[2] = 9000;
}

const struct planted planted_time[] = {
    {"no backoff",
     "backoff",
     "expected a wait of 125..250 ms before attempt 2, asked for were 0 (audit.ndjson:4)",
     NULL,
     no_backoff,
     {0},
     true},
    {"waits that are not taken",
     "backoff",
     "expected attempt 2 at least 200 ms behind the one before, it began 3 ms behind it "
     "(audit.ndjson:4)",
     NULL,
     no_patience,
     {0},
     false},
    {"waits that are only written down",
     "times",
     "expected attempt 2 to begin before Vault had its request (journal.ndjson:6), the trail has "
     "it 199 ms later (audit.ndjson:4)",
     NULL,
     pretends_patience,
     {0},
     false},
    {"longer waits than are written down",
     "times",
     "expected the next attempt at least 400 ms behind the request of attempt 2 "
     "(journal.ndjson:6), it is ",
     NULL,
     waits_longer_than_it_says,
     {0},
     false},
    {"an old entry", "stamps", "expected a time behind the start of the run, it is ", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"timestamp\":\"2025", "\"timestamp\":\"2024"), false},
    {"an entry of tomorrow", "stamps", "expected a time before the end of the run, it is ", NULL,
     NULL, SWAP(FAKE_AUDIT, 4, "\"timestamp\":\"2025", "\"timestamp\":\"2026"), false},
    {"an entry that is older than its bundle's intent", "stamps",
     "expected a time behind the bundle's entry before, it is ", NULL, NULL,
     SWAP(FAKE_AUDIT, 3, "\"timestamp\":\"2025", "\"timestamp\":\"2026"), false},
    {"attempts from before the intent", "times",
     "expected a time of each attempt behind its intent, it is ", NULL, NULL,
     SWAP(FAKE_AUDIT, 6, "\"started_at\":\"2025", "\"started_at\":\"2024"), false},
    {"a result before its request", "times",
     "expected the result at least 0 ms behind the request of attempt 1 (journal.ndjson:10), it "
     "is ",
     NULL, NULL, SWAP(FAKE_AUDIT, 6, "\"timestamp\":\"2025", "\"timestamp\":\"2024"), false},
    {"the same waits for all calls",
     "spread",
     "expected jitter: waits that differ from call to call, all 8 of them are the same for the "
     "same "
     "attempt, 200 ms before attempt 2 (audit.ndjson:4)",
     planted_sealed_often,
     NULL,
     {0},
     true},
    {"waits that are the longest each time",
     "spread",
     "expected jitter",
     planted_sealed_often,
     longest_waits,
     {0},
     true},
    {"an attempt that lasts too long",
     "durations",
     "expected attempt 1 to be over after 2000 ms, it took 9003 ms (audit.ndjson:4)",
     NULL,
     slow_attempts,
     {0},
     true},
    {"a clock that is an hour off",
     "stamps",
     "expected the stamps of entries by the clock that callers and Vault have, all of them are ",
     NULL,
     hour_off,
     {0},
     true},
    {"an operation that begins late",
     "durations",
     "expected the first attempt soon behind the intent (audit.ndjson:1)",
     NULL,
     dawdles_first,
     {0},
     false},
    {"a result that is written late",
     "durations",
     "expected the result 0 ms behind Vault's answer to attempt 1 (journal.ndjson:3), as the trail "
     "tells, it came ",
     NULL,
     dawdles_behind,
     {0},
     false},
    {"a caller who is told late",
     "durations",
     "expected the caller to be told soon behind the signature, it was told 9",
     NULL,
     tells_late,
     {0},
     false},
    {.name = NULL},
};
